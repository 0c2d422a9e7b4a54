package slack

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"hookgate/connectors"
	"hookgate/internal/event"
)

// message is a rendered action, with the connection's settings filled in.
type message struct {
	Text      string          `json:"text"`
	Blocks    json.RawMessage `json:"blocks"`
	Channel   string          `json:"channel"`
	ThreadTS  string          `json:"thread_ts"`
	ThreadKey string          `json:"thread_key"`
	Update    string          `json:"update"`
	Mention   json.RawMessage `json:"mention"`
	Files     json.RawMessage `json:"files"`
	Username  string          `json:"username"`
	IconEmoji string          `json:"icon_emoji"`

	blocks []slack.Block
	files  []connectors.FileRef
}

// message turns a rendered action into a message within Slack's limits. An
// error means that it can never be sent.
func (s *connector) message(d event.Delivery) (*message, error) {
	msg := &message{}
	if err := json.Unmarshal(d.Output, msg); err != nil {
		return nil, errors.New("the stored output is not that of an action to Slack")
	}
	if err := errors.Join(msg.readBlocks(), msg.readFiles()); err != nil {
		return nil, err
	}
	switch {
	case strings.TrimSpace(msg.Text) == "" && len(msg.blocks) == 0:
		return nil, errors.New("the text is empty and there are no blocks")
	case !s.settings.bot() && (msg.ThreadKey != "" || msg.Update != "" || len(msg.Mention) > 0 || len(msg.files) > 0):
		return nil, errors.New("thread_key, update, mention and files need a connection with bot_token")
	case msg.Channel != "" && !s.settings.bot():
		return nil, errors.New("an incoming webhook posts to its own channel only: leave channel out of the action")
	}
	if err := within(msg.Text, maxText, "the text"); err != nil {
		return nil, err
	}
	msg.Channel = cmp.Or(msg.Channel, s.settings.channel)
	msg.Username = cmp.Or(msg.Username, s.settings.username)
	msg.IconEmoji = cmp.Or(msg.IconEmoji, s.settings.iconEmoji)
	if msg.Channel == "" && s.settings.bot() {
		return nil, errors.New("the channel is empty, and the connection has none")
	}
	return msg, nil
}

// rawBlock is a block as the user wrote it, also of a type that slack-go does
// not know.
type rawBlock map[string]any

// BlockType implements slack.Block.
func (b rawBlock) BlockType() slack.MessageBlockType {
	kind, _ := b["type"].(string)
	return slack.MessageBlockType(kind)
}

// ID implements slack.Block.
func (b rawBlock) ID() string {
	id, _ := b["block_id"].(string)
	return id
}

// readBlocks decodes the blocks and checks their limits.
func (m *message) readBlocks() error {
	if len(m.Blocks) == 0 || string(m.Blocks) == "null" {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(m.Blocks))
	decoder.UseNumber()
	var blocks []rawBlock
	if err := decoder.Decode(&blocks); err != nil {
		return errors.New("blocks is not a list of mappings")
	}
	if len(blocks) > maxBlocks {
		return fmt.Errorf("there are %d blocks, Slack takes %d", len(blocks), maxBlocks)
	}
	for i, b := range blocks {
		if err := b.checkLimits(); err != nil {
			return fmt.Errorf("block %d: %w", i+1, err)
		}
		unescapeURLs(map[string]any(b))
		m.blocks = append(m.blocks, b)
	}
	return nil
}

func (m *message) readFiles() (err error) {
	if m.files, err = connectors.ReadFiles("files", m.Files); err != nil {
		return err
	}
	if count := len(m.files); count > maxFiles {
		return fmt.Errorf("there are %d files, one message takes %d", count, maxFiles)
	}
	return nil
}

func (b rawBlock) checkLimits() error {
	text := textOf(b["text"])
	switch b.BlockType() {
	case slack.MBTHeader:
		return within(text, maxHeaderText, "the header")
	case slack.MBTSection:
		fields, _ := b["fields"].([]any)
		if len(fields) > maxFields {
			return fmt.Errorf("the section has %d fields, Slack takes %d", len(fields), maxFields)
		}
		for _, f := range fields {
			if err := within(textOf(f), maxSectionField, "a field of the section"); err != nil {
				return err
			}
		}
		return within(text, maxSectionText, "the section")
	case "":
		return errors.New("it has no type")
	default:
		return nil
	}
}

// textOf is the text of a text object.
func textOf(object any) string {
	fields, _ := object.(map[string]any)
	text, _ := fields["text"].(string)
	return text
}

// within counts the characters that people see: an escaped one is one.
func within(text string, limit int, what string) error {
	if count := utf8.RuneCountInString(connectors.UnescapeAngles(text)); count > limit {
		return fmt.Errorf("%s has %d characters, Slack takes %d", what, count, limit)
	}
	return nil
}

// unescapeURLs takes the escaping back under keys such as url and image_url, as
// deliveries have it that versions before this one stored.
func unescapeURLs(value any) {
	switch x := value.(type) {
	case map[string]any:
		for key, inner := range x {
			if text, isText := inner.(string); isText && strings.HasSuffix(key, "url") {
				x[key] = connectors.UnescapeAngles(text)
				continue
			}
			unescapeURLs(inner)
		}
	case []any:
		for _, inner := range x {
			unescapeURLs(inner)
		}
	}
}
