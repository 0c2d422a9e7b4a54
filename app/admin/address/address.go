// Package address finds what is stored of a person: the events that hold an
// e-mail address.
package address

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"hookgate/internal/event"
)

// ErrNoAddress reports a text that is no e-mail address.
var ErrNoAddress = errors.New("this is no e-mail address")

// Address is the e-mail address of a person, in lower case. It is not to be
// logged: Mark is what stands for it there.
type Address struct{ text string }

// Parse reads an address as a person types it, without a name before it.
func Parse(text string) (Address, error) {
	text = fold(text)
	local, domain, found := strings.Cut(text, "@")
	if !found || local == "" || domain == "" || strings.ContainsAny(text, "<>,;\"\\") ||
		strings.ContainsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return Address{}, ErrNoAddress
	}
	return Address{text}, nil
}

func fold(text string) string { return strings.ToLower(strings.TrimSpace(text)) }

// Mark is a salted hash of the address: who knows the address can tell that it
// is the one that was meant, and who does not learns nothing.
func (a Address) Mark() string {
	var salt [8]byte
	_, _ = rand.Read(salt[:]) // never fails, see crypto/rand
	return a.mark(hex.EncodeToString(salt[:]))
}

func (a Address) mark(salt string) string {
	sum := sha256.Sum256([]byte(salt + a.text))
	return salt + ":" + hex.EncodeToString(sum[:16])
}

// Finding says how an event holds an address.
type Finding int

// The findings.
const (
	Nothing Finding = iota
	Mention         // within a longer text
	Value           // as a value of its own
)

// In looks through what was sent: the data, the URL's query with a form's
// instructions, and the headers; and through the records that were looked up for
// it. Where the body could not be understood there are no values: what stands in
// it is a mention.
func (a Address) In(e *event.Event) Finding {
	found := a.InJSON(e.Data())
	for _, value := range e.Request.Query {
		found = max(found, a.inValue(value))
	}
	for _, value := range e.Request.Headers {
		found = max(found, a.inText(value))
	}
	for i := range e.Reads {
		found = max(found, a.inText(e.Reads[i].Key), a.InJSON(e.Reads[i].Value))
	}
	if found == Nothing && (e.State == event.Rejected || e.JSON != nil) && a.inRaw(e.Body) {
		found = Mention
	}
	return found
}

// InJSON looks through a JSON text. It decodes only what may hold the address.
func (a Address) InJSON(data []byte) Finding {
	if !bytes.Contains(data, []byte(`\`)) && !bytes.Contains(bytes.ToLower(data), []byte(a.text)) {
		return Nothing
	}
	var v any
	if json.Unmarshal(data, &v) != nil {
		if a.inRaw(data) {
			return Mention
		}
		return Nothing
	}
	return a.inValue(v)
}

func (a Address) inValue(v any) (found Finding) {
	switch v := v.(type) {
	case string:
		return a.inText(v)
	case []any:
		for _, item := range v {
			found = max(found, a.inValue(item))
		}
	case map[string]any:
		for key, item := range v {
			if a.Names(key) {
				found = max(found, Mention)
			}
			found = max(found, a.inValue(item))
		}
	}
	return found
}

func (a Address) inText(text string) Finding {
	switch {
	case fold(text) == a.text:
		return Value
	case a.Names(text):
		return Mention
	}
	return Nothing
}

// inRaw looks into a body that is no JSON, which may be a form's.
func (a Address) inRaw(body []byte) bool {
	text := string(body)
	if a.Names(text) {
		return true
	}
	return strings.Contains(strings.ToLower(text), strings.ToLower(url.QueryEscape(a.text)))
}

// Names reports whether text holds the address, and not just as a part of a
// longer one.
func (a Address) Names(text string) bool {
	text = strings.ToLower(text)
	for {
		i := strings.Index(text, a.text)
		if i < 0 {
			return false
		}
		rest := text[i+len(a.text):]
		if !continues(text[:i]) && !continued(rest) {
			return true
		}
		text = rest
	}
}

// continues reports whether an address may go on after this text.
func continues(before string) bool {
	r, size := utf8.DecodeLastRuneInString(before)
	return size > 0 && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("._%+-", r))
}

// continued reports whether a domain goes on in this text.
func continued(after string) bool {
	after = strings.TrimPrefix(after, ".")
	r, size := utf8.DecodeRuneInString(after)
	return size > 0 && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-')
}
