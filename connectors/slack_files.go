package connectors

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"hookgate/internal/event"
)

const (
	// maxSlackFiles bounds the files of one message.
	maxSlackFiles = 10
	// maxSlackUpload bounds all of them together, in bytes. Slack takes more;
	// one attempt has to get them there within its timeout.
	maxSlackUpload = 100 << 20
	// keepPlaceWithin is how long writing down what was posted may take when
	// the attempt itself is over.
	keepPlaceWithin = 5 * time.Second
)

// slackFile is a form's file on its way to Slack.
type slackFile struct {
	content io.ReadCloser
	name    string
	size    int64
}

// slackFiles are the files of a message: those that can be sent, and a
// sentence about each that cannot.
type slackFiles struct {
	open []slackFile
	lost []string
}

func (f *slackFiles) close() {
	for _, file := range f.open {
		_ = file.content.Close()
	}
}

// filesPlace is what a later attempt has to know of a message that is posted
// while its files are not.
type filesPlace struct {
	posted
	Thread string `json:"thread,omitempty"` // where the files go; "": into the channel itself
	Lost   int    `json:"lost,omitempty"`   // how many files the message says are missing
	Done   bool   `json:"done,omitempty"`   // the files are there, too
}

// deliverFiles posts a message and then its files. The message is posted once,
// however many attempts the files need. A delivery that was made is not made
// again, so that what is remembered under its id is never in the way.
func (s *slackConnector) deliverFiles(parent, ctx context.Context, id event.DeliveryID, msg *slackMessage) (event.Receipt, error) {
	files, err := openSlackFiles(ctx, s.deps.Files, msg.files)
	if err != nil {
		return event.Receipt{}, attachError(parent, ctx, err, s.deps.Timeout)
	}
	defer files.close()
	key := "files " + id.String()
	place, err := s.recallFiles(ctx, key)
	if err != nil {
		return event.Receipt{}, err
	}
	var receipt event.Receipt
	if place.Done { // and the process ended before that was recorded
		return event.Receipt{Outputs: s.secrets.texts(place.outputs())}, nil
	}
	if place.TS == "" || place.Lost < len(files.lost) {
		if receipt, err = s.announce(parent, ctx, msg, files.lost, &place); err != nil {
			return receipt, err
		}
		s.keepFiles(ctx, key, place)
	}
	if len(files.open) > 0 {
		if receipt, err = s.share(parent, ctx, place, files.open); err != nil {
			return receipt, err
		}
	}
	receipt.Outputs = s.secrets.texts(place.outputs())
	place.Done = true
	s.keepFiles(ctx, key, place)
	return receipt, nil
}

// openSlackFiles opens the files that are there. One that is gone stays gone:
// it is named, and keeps nothing back.
func openSlackFiles(ctx context.Context, from Files, refs []fileRef) (*slackFiles, error) {
	files := &slackFiles{}
	var total int64
	for _, ref := range refs {
		content, info, err := from.Open(ctx, ref.ID)
		name := attachmentName(or(info.Name, ref.Name))
		switch {
		case errors.Is(err, ErrNoFile):
			files.lost = append(files.lost, fmt.Sprintf("The file %s is no longer stored.", name))
			continue
		case err != nil:
			files.close()
			return nil, fmt.Errorf("the file %q: %w", name, err)
		case info.Size == 0: // Slack takes no empty ones
			_ = content.Close()
			files.lost = append(files.lost, fmt.Sprintf("The file %s is empty.", name))
			continue
		}
		files.open = append(files.open, slackFile{content: content, name: name, size: info.Size})
		if total += info.Size; total > maxSlackUpload {
			files.close()
			return nil, Permanent(fmt.Errorf("the files have more than %d MB together", maxSlackUpload>>20))
		}
	}
	return files, nil
}

// announce posts the message of some files, or mends one that is posted: since
// then more of its files are gone.
func (s *slackConnector) announce(parent, ctx context.Context, msg *slackMessage, lost []string, place *filesPlace) (event.Receipt, error) {
	msg.suffix(lost)
	if place.TS != "" {
		if receipt, err := s.mention(parent, ctx, msg); err != nil {
			return receipt, err
		}
		receipt, err := s.update(parent, ctx, msg, place.posted)
		if err != nil && !gone(err) {
			return receipt, err
		}
		place.Lost = len(lost)
		return receipt, nil
	}
	receipt, err := s.say(parent, ctx, msg, &place.posted)
	switch {
	case err != nil:
		return receipt, err
	case place.Channel == "" || place.TS == "":
		return receipt, Permanent(errors.New("the message is posted, but not the files: the answer does not say where the message is"))
	}
	place.Lost, place.Thread = len(lost), msg.ThreadTS
	if place.Thread == "" && (msg.ThreadKey != "" || msg.Update != "") {
		place.Thread = place.TS
	}
	return receipt, nil
}

// suffix puts sentences after the text, and after the blocks, of which Slack
// shows those in place of the text. What is full is left as it is.
func (m *slackMessage) suffix(sentences []string) {
	if len(sentences) == 0 {
		return
	}
	note := escapeSlack(strings.Join(sentences, "\n"))
	if length := utf8.RuneCountInString(m.Text) + utf8.RuneCountInString(note); m.Text != "" && length < maxSlackText {
		m.Text += "\n" + note
	}
	if len(m.blocks) > 0 && len(m.blocks) < maxSlackBlocks && utf8.RuneCountInString(note) <= maxSectionText {
		block := rawBlock{"type": "section", "text": map[string]any{"type": "mrkdwn", "text": note}}
		m.blocks = append(m.blocks, slack.Block(block))
	}
}

// recallFiles is where an earlier attempt posted the message; without a TS
// there was none.
func (s *slackConnector) recallFiles(ctx context.Context, key string) (filesPlace, error) {
	value, found, err := s.deps.Memory.Get(ctx, key)
	if err != nil || !found {
		return filesPlace{}, err
	}
	var place filesPlace
	readable := json.Unmarshal([]byte(value), &place) == nil
	if !readable { // it is as good as forgotten
		place = filesPlace{}
	}
	return place, nil
}

// keepFiles remembers place, also when the attempt's time is over: the message
// is posted, and the next attempt must know it.
func (s *slackConnector) keepFiles(ctx context.Context, key string, place filesPlace) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepPlaceWithin)
	defer cancel()
	value, err := json.Marshal(place)
	if err == nil {
		err = s.deps.Memory.Put(ctx, key, string(value))
	}
	if err != nil {
		s.deps.Logger.WarnContext(ctx, "what is posted of a message with files could not be kept: another attempt would post it again", "error", err)
	}
}
