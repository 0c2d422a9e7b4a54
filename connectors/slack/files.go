package slack

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"hookgate/connectors"
	"hookgate/internal/egress"
	"hookgate/internal/event"
)

const (
	// maxFiles bounds the files of one message.
	maxFiles = 10
	// maxUpload bounds all of them together, in bytes. Slack takes more;
	// one attempt has to get them there within its timeout.
	maxUpload = 100 << 20
	// keepPlaceWithin is how long writing down what was posted may take when
	// the attempt itself is over.
	keepPlaceWithin = 5 * time.Second
)

// openFile is a form's file on its way to Slack.
type openFile struct {
	content io.ReadCloser
	name    string
	size    int64
}

// openFiles are the files of a message: those that can be sent, and a
// sentence about each that cannot.
type openFiles struct {
	open []openFile
	lost []string
}

func (f *openFiles) close() {
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
func (s *connector) deliverFiles(parent, ctx context.Context, id event.DeliveryID, msg *message) (event.Receipt, error) {
	files, err := open(ctx, s.deps.Files, msg.files)
	if err != nil {
		return event.Receipt{}, connectors.FileError(parent, ctx, err, s.deps.Timeout)
	}
	defer files.close()
	key := "files " + id.String()
	place, err := s.recallFiles(ctx, key)
	if err != nil {
		return event.Receipt{}, err
	}
	var receipt event.Receipt
	if place.Done { // and the process ended before that was recorded
		return event.Receipt{Outputs: event.TextOutputs(s.secrets.Texts(place.outputs()))}, nil
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
	receipt.Outputs = event.TextOutputs(s.secrets.Texts(place.outputs()))
	place.Done = true
	s.keepFiles(ctx, key, place)
	return receipt, nil
}

// open opens the files that are there. One that is gone stays gone:
// it is named, and keeps nothing back.
func open(ctx context.Context, from connectors.Files, refs []connectors.FileRef) (*openFiles, error) {
	files := &openFiles{}
	var total int64
	for _, ref := range refs {
		content, info, err := from.Open(ctx, ref.ID)
		name := connectors.FileName(cmp.Or(info.Name, ref.Name))
		switch {
		case errors.Is(err, connectors.ErrNoFile):
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
		files.open = append(files.open, openFile{content: content, name: name, size: info.Size})
		if total += info.Size; total > maxUpload {
			files.close()
			return nil, connectors.Permanent(fmt.Errorf("the files have more than %d MB together", maxUpload>>20))
		}
	}
	return files, nil
}

// announce posts the message of some files, or mends one that is posted: since
// then more of its files are gone.
func (s *connector) announce(parent, ctx context.Context, msg *message, lost []string, place *filesPlace) (event.Receipt, error) {
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
		return receipt, connectors.Permanent(errors.New("the message is posted, but not the files: the answer does not say where the message is"))
	}
	place.Lost, place.Thread = len(lost), msg.ThreadTS
	if place.Thread == "" && (msg.ThreadKey != "" || msg.Update != "") {
		place.Thread = place.TS
	}
	return receipt, nil
}

// suffix puts sentences after the text, and after the blocks, of which Slack
// shows those in place of the text. What is full is left as it is.
func (m *message) suffix(sentences []string) {
	if len(sentences) == 0 {
		return
	}
	note := connectors.EscapeAngles(strings.Join(sentences, "\n"))
	if length := utf8.RuneCountInString(m.Text) + utf8.RuneCountInString(note); m.Text != "" && length < maxText {
		m.Text += "\n" + note
	}
	if len(m.blocks) > 0 && len(m.blocks) < maxBlocks && utf8.RuneCountInString(note) <= maxSectionText {
		block := rawBlock{"type": "section", "text": map[string]any{"type": "mrkdwn", "text": note}}
		m.blocks = append(m.blocks, slack.Block(block))
	}
}

// recallFiles is where an earlier attempt posted the message; without a TS
// there was none.
func (s *connector) recallFiles(ctx context.Context, key string) (filesPlace, error) {
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
func (s *connector) keepFiles(ctx context.Context, key string, place filesPlace) {
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

// share sends files to Slack and shows them where the message is. Slack drops
// what was uploaded and not shown: another attempt begins anew.
func (s *connector) share(parent, ctx context.Context, place filesPlace, files []openFile) (event.Receipt, error) {
	sent := make([]slack.FileSummary, 0, len(files))
	for _, f := range files {
		id, receipt, err := s.upload(parent, ctx, f)
		if err != nil {
			return receipt, amid(fmt.Sprintf("the message is posted, but not the file %q", connectors.Excerpt(f.name)), err)
		}
		sent = append(sent, slack.FileSummary{ID: id, Title: f.name})
	}
	call := s.newCall()
	_, err := call.api.CompleteUploadExternalContext(ctx, slack.CompleteUploadExternalParameters{
		Files: sent, Channel: place.Channel, ThreadTimestamp: place.Thread,
	})
	receipt, err := s.judge(parent, ctx, call, err)
	if err != nil {
		return receipt, amid("the message is posted, but not the files", err)
	}
	return receipt, nil
}

// upload asks Slack where a file is to go, and sends it there. The answer of
// the first request holds an address that lets anyone upload: no receipt has it.
func (s *connector) upload(parent, ctx context.Context, f openFile) (string, event.Receipt, error) {
	call := s.newCall()
	where, err := call.api.GetUploadURLExternalContext(ctx, slack.GetUploadURLExternalParameters{FileName: f.name, FileSize: int(f.size)})
	if receipt, err := s.judge(parent, ctx, call, err); err != nil {
		return "", receipt, err
	}
	target, err := s.uploadTarget(where.UploadURL)
	if err != nil {
		return "", event.Receipt{Status: http.StatusOK}, connectors.Permanent(err)
	}
	receipt, err := s.send(parent, ctx, target, f)
	return where.FileID, receipt, err
}

// uploadTarget is the address that Slack gave, if a visitor's file may go
// there: over TLS, but on this machine or to a stand-in that is spoken to
// without it anyway. Whether the host's address is allowed is checked where
// all connections are.
func (s *connector) uploadTarget(raw string) (*url.URL, error) {
	target, err := egress.CheckURL(raw)
	if err != nil {
		return nil, fmt.Errorf("the address for the upload that Slack gave: %w", err)
	}
	api, err := url.Parse(s.settings.api)
	if err != nil {
		return nil, errors.New("api_url cannot be parsed")
	}
	addr, notAddress := netip.ParseAddr(target.Hostname())
	if target.Scheme == "https" || (notAddress == nil && addr.IsLoopback()) || (target.Scheme == api.Scheme && target.Host == api.Host) {
		return target, nil
	}
	return nil, errors.New("the address for the upload that Slack gave is not https")
}

// send streams one file. The request carries no token: the address is all that
// the receiver needs.
func (s *connector) send(parent, ctx context.Context, target *url.URL, f openFile) (event.Receipt, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), f.content)
	if err != nil {
		return event.Receipt{}, connectors.Permanent(errors.New("the upload could not be built"))
	}
	req.ContentLength = f.size
	req.Header.Set("Content-Type", "application/octet-stream")
	secrets := append(s.settings.secrets(), connectors.URLSecrets(target)...)
	seen := &capture{next: s.transport, secrets: connectors.NewRedactor(secrets...), userAgent: s.deps.UserAgent()}
	resp, err := seen.RoundTrip(req)
	if err != nil {
		return event.Receipt{}, connectors.AttemptError(parent, ctx, err, s.deps.Timeout)
	}
	defer func() { _ = resp.Body.Close() }()
	if seen.got.Status != http.StatusOK {
		return seen.got.Receipt(), seen.got.Failure(s.deps.Now())
	}
	return seen.got.Receipt(), nil
}

// amid is err with words before it. What it says of another try stays.
func amid(words string, err error) error {
	if e, ok := errors.AsType[*connectors.Error](err); ok {
		return &connectors.Error{Err: fmt.Errorf("%s: %w", words, e.Err), Permanent: e.Permanent, After: e.After}
	}
	return fmt.Errorf("%s: %w", words, err)
}
