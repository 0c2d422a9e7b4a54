package email

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	netmail "net/mail"
	"slices"
	"strings"

	"github.com/wneessen/go-mail"

	"hookgate/connectors"
	"hookgate/internal/event"
	"hookgate/internal/markup"
)

// maxRecipients bounds those of one message; every server takes as many
// (section 4.5.3.1.8).
const maxRecipients = 100

// output is a rendered action.
type output struct {
	Recipient   json.RawMessage `json:"recipient"`
	Cc          json.RawMessage `json:"cc"`
	Bcc         json.RawMessage `json:"bcc"`
	ReplyTo     json.RawMessage `json:"reply_to"`
	Subject     string          `json:"subject"`
	Text        string          `json:"text"`
	HTML        string          `json:"html"`
	Headers     json.RawMessage `json:"headers"`
	Attachments json.RawMessage `json:"attachments"`
}

// letter is one message, ready to be sent.
type letter struct {
	msg        *mail.Msg
	from       string
	recipients []string
	files      []connectors.FileRef
	opened     []openFile
	note       string // what was left out of it, for the attempt's answer
}

// autoSubmitted tells other mail programs that no person wrote this, so that
// none of them answers by itself (RFC 3834, section 5).
const autoSubmitted = "Auto-Submitted"

// noSubject stands in for a subject that rendered to nothing.
const noSubject = "(no subject)"

// message turns a rendered action into a letter. An error means that it can
// never be sent.
func (e *connector) message(d event.Delivery) (*letter, error) {
	var out output
	if err := json.Unmarshal(d.Output, &out); err != nil {
		return nil, errors.New("the stored output is not that of an action to an email connection")
	}
	if strings.TrimSpace(out.Text) == "" && strings.TrimSpace(out.HTML) == "" {
		return nil, errors.New("text and html are empty")
	}
	from := e.settings.from
	l := &letter{msg: mail.NewMsg(mail.WithNoDefaultUserAgent()), from: from.Address}
	l.msg.FromMailAddress(from)
	if err := l.address(&out); err != nil {
		return nil, err
	}
	if strings.ContainsFunc(out.Subject, breaksLine) {
		return nil, errors.New("the subject holds a line break or another control character")
	}
	l.msg.Subject(foldable(cmp.Or(strings.TrimSpace(out.Subject), noSubject)))
	_, domain, _ := strings.Cut(from.Address, "@")
	l.msg.SetMessageIDWithValue(d.ID.String() + "@" + domain)
	written := d.Created
	if written.IsZero() {
		written = e.deps.Now()
	}
	l.msg.SetDateWithValue(written)
	l.msg.SetGenHeader(autoSubmitted, "auto-generated")
	if err := l.headers(out.Headers); err != nil {
		return nil, err
	}
	l.body(&out)
	var err error
	l.files, err = connectors.ReadFiles("attachments", out.Attachments)
	return l, err
}

func (l *letter) body(out *output) {
	text := out.Text
	if strings.TrimSpace(text) == "" {
		text = markup.Text(out.HTML) // for those who read no HTML, and for spam filters
	}
	l.msg.SetBodyString(mail.TypeTextPlain, text)
	if strings.TrimSpace(out.HTML) != "" {
		l.msg.AddAlternativeString(mail.TypeTextHTML, out.HTML)
	}
}

// address fills in who gets the message and who gets the answers to it.
func (l *letter) address(out *output) error {
	for _, of := range []struct {
		key    string
		raw    json.RawMessage
		header mail.Header
	}{{"recipient", out.Recipient, "To"}, {"cc", out.Cc, "Cc"}, {"bcc", out.Bcc, ""}} {
		list, err := connectors.ReadAddresses(of.key, of.raw)
		if err != nil {
			return err
		}
		if len(list) == 0 && of.key == "recipient" {
			return errors.New("recipient is empty: nobody would get the message")
		}
		if of.header != "" {
			l.name(of.header, list)
		}
		for _, a := range list {
			l.recipients = append(l.recipients, a.Address)
		}
	}
	if len(l.recipients) > maxRecipients {
		return fmt.Errorf("there are %d recipients, a message can have %d", len(l.recipients), maxRecipients)
	}
	// An answer address that is none, as people type them, is no reason to keep
	// the message from those who wait for it.
	reply, err := connectors.ReadAddresses("reply_to", out.ReplyTo)
	if err != nil {
		l.note = err.Error() + ", and was left out\n"
	}
	l.name("Reply-To", reply)
	return nil
}

// name writes addresses into a header.
func (l *letter) name(header mail.Header, list []*netmail.Address) {
	if len(list) == 0 {
		return
	}
	texts := make([]string, len(list))
	for i, a := range list {
		texts[i] = a.String()
		if name := foldable(a.Name); name != a.Name {
			texts[i] = name + " <" + a.Address + ">"
		}
	}
	l.msg.SetGenHeader(header, texts...)
}

func (l *letter) headers(raw json.RawMessage) error {
	headers, err := connectors.ReadTexts("headers", raw)
	if err != nil {
		return err
	}
	for name, values := range headers {
		if reason := mailHeaderFault(name); reason != "" {
			return fmt.Errorf("the header %q %s", name, reason)
		}
		for _, value := range values {
			if strings.ContainsFunc(value, breaksLine) {
				return fmt.Errorf("the value of the header %q holds a line break or another control character", name)
			}
		}
		if strings.EqualFold(name, autoSubmitted) {
			name = autoSubmitted
		}
		for i := range values {
			values[i] = foldable(values[i])
		}
		l.msg.SetGenHeader(mail.Header(name), values...)
	}
	return nil
}

const (
	// maxWord is how long a word of a header may be, in octets. Headers are
	// folded between words, and a line must stay within 998 octets (RFC 5322,
	// section 2.1.1): strict servers refuse the whole message.
	maxWord = 900
	// encodedOctets are those of a text that fit into one encoded word, of which
	// none may be longer than 75 (RFC 2047, section 2).
	encodedOctets = 45
)

// foldable is a header's text with a place to fold at least every maxWord
// octets. A text with a longer word becomes encoded words, which readers put
// together again. Text that is not ASCII becomes such in any case, later.
func foldable(text string) string {
	long := func(word string) bool { return len(word) > maxWord }
	if !isASCII(text) || !slices.ContainsFunc(strings.Split(text, " "), long) {
		return text
	}
	var words []string
	for part := range slices.Chunk([]byte(text), encodedOctets) {
		words = append(words, "=?utf-8?b?"+base64.StdEncoding.EncodeToString(part)+"?=")
	}
	return strings.Join(words, " ")
}

// needsUTF8 reports whether an address has to be sent as it is, which only
// some servers can (RFC 6531).
func (l *letter) needsUTF8() string {
	for _, address := range append([]string{l.from}, l.recipients...) {
		if !isASCII(address) {
			return address
		}
	}
	return ""
}
