// Package body turns what a sender posts into the JSON text that expressions
// see as `data`. It reads JSON, form-encoded and multipart bodies, plain text
// and XML, in any charset, compressed or not, and never more of it than the
// Limits allow. Bodies come from strangers: every refusal is an *Error that
// says in plain words what is wrong and where.
package body

import (
	"bytes"
	"errors"
	"mime"
	"net/http"
	"strings"

	"hookgate/internal/jsondoc"
)

// Limits bound what one body may cost.
type Limits struct {
	Size   int64 // bytes, once the content-encoding is undone
	Parts  int   // parts of a multipart body
	Keys   int   // fields of a form
	Depth  int   // of keys in brackets and of XML; JSON's own is 64, see jsondoc.Parse
	Values int   // values of a JSON text, elements and attributes of XML
}

// DefaultLimits are 10 MB, 1,000 parts, 10,000 keys, 64 levels and 200,000
// values. (A parsed value takes some 80 bytes, however short it is written.)
func DefaultLimits() Limits {
	return Limits{Size: 10 << 20, Parts: 1000, Keys: 10_000, Depth: 64, Values: 200_000}
}

// Input is a body as it came.
type Input struct {
	ContentType     string
	ContentEncoding string
	Raw             []byte
	// JSONField names the form field that holds the whole of `data` as JSON
	// text, as GitHub's form-encoded `payload` does. "" is none; it is ignored
	// where the body is no form or has no such field.
	JSONField string
}

// Content is a body that was understood. It shares memory with Input.Raw.
type Content struct {
	Raw   []byte       // the body with its content-encoding undone
	JSON  []byte       // `data` as JSON text; the same as Raw for most JSON bodies, {} for an empty body
	Doc   *jsondoc.Doc // JSON, parsed; the caller releases it
	Files int          // file parts, of which only name, type and size are kept
}

// Error says why a body was refused.
type Error struct {
	Status  int    // 400 malformed, 413 over a limit, 415 not a kind that is read
	Line    int    // from 1; 0 where there is no such place
	Column  int    // from 1, in characters
	Message string // one line for people; holds no value of the body
	Hint    string // what to do about it; may be empty

	// Limit is what a body of status 413 was over: bytes, or parts and fields
	// where Counted says so.
	Limit   int64
	Counted bool
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

func malformed(message, hint string) *Error {
	return &Error{Status: http.StatusBadRequest, Message: message, Hint: hint}
}

func tooLarge(limit int64, message string) *Error {
	return &Error{Status: http.StatusRequestEntityTooLarge, Message: message, Limit: limit}
}

// tooMany is for a body of more than limit of something.
func tooMany(limit int, message string) *Error {
	e := tooLarge(int64(limit), message)
	e.Counted = true
	return e
}

// kind is what a Content-Type says that the body is.
type kind int

const (
	unsaid kind = iota // no Content-Type at all
	jsonKind
	formKind
	multipartKind
	textKind
	xmlKind
	unknown
)

// mediaType reads a Content-Type. Parameters that break the syntax are
// forgiven: the type itself is what matters.
func mediaType(contentType string) (kind, map[string]string) {
	switch contentType { // as nearly every sender writes it; UTF-8 is what no charset means
	case "application/json", "application/json; charset=utf-8", "application/json; charset=UTF-8":
		return jsonKind, nil
	}
	if strings.TrimSpace(contentType) == "" {
		return unsaid, nil
	}
	name, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		name, _, _ = strings.Cut(contentType, ";")
		name = strings.ToLower(strings.TrimSpace(name))
	}
	switch {
	case name == "application/json", name == "text/json", name == "application/x-json", strings.HasSuffix(name, "+json"):
		return jsonKind, params
	case name == "application/x-www-form-urlencoded":
		return formKind, params
	case name == "multipart/form-data":
		return multipartKind, params
	case name == "text/plain":
		return textKind, params
	case name == "application/xml", name == "text/xml", strings.HasSuffix(name, "+xml"):
		return xmlKind, params
	}
	return unknown, params
}

// Decode reads in as `data`. Its errors are *Error. Where it fails, the
// Content has Raw alone, unpacked if that could be done, for the record.
func Decode(in Input, lim Limits) (Content, error) {
	raw, err := unpack(in, lim)
	if err != nil {
		return Content{Raw: in.Raw}, err
	}
	content := Content{Raw: raw}
	kind, params := mediaType(in.ContentType)
	if len(raw) == 0 || (kind != multipartKind && len(bytes.TrimSpace(raw)) == 0) {
		return content.parsed([]byte("{}"))
	}
	switch kind {
	case jsonKind:
		return content.json(params, lim)
	case formKind:
		// curl's --data says form-encoded, whatever it sends. A form's encoder
		// writes { as %7B.
		if startsWith(raw, "{") {
			return content.json(params, lim)
		}
		return content.form(params, in.JSONField, lim)
	case multipartKind:
		return content.multipart(params, in.JSONField, lim)
	case xmlKind:
		return content.xml(params, lim)
	case textKind, unsaid:
		return content.text(kind, params, lim)
	case unknown:
	}
	return content, unsupported()
}

func unsupported() *Error {
	return &Error{
		Status:  http.StatusUnsupportedMediaType,
		Message: "this Content-Type is not read",
		Hint:    "send application/json, application/x-www-form-urlencoded, multipart/form-data, application/xml or text/plain",
	}
}

// startsWith reports whether the first byte of text, white space and byte order
// mark aside, is one of chars.
func startsWith(text []byte, chars string) bool {
	rest := bytes.TrimLeft(bytes.TrimPrefix(text, []byte(bomUTF8)), " \t\r\n")
	return len(rest) > 0 && strings.IndexByte(chars, rest[0]) >= 0
}

// parsed finishes a Content whose data is text.
func (c Content) parsed(text []byte) (Content, error) {
	doc, err := jsondoc.Parse(text)
	if err != nil {
		return c, explain(text, err)
	}
	c.JSON, c.Doc = text, doc
	return c, nil
}

// json reads the body as JSON.
func (c Content) json(params map[string]string, lim Limits) (Content, error) {
	text, err := jsonText(c.Raw, params, lim)
	if err != nil {
		return c, err
	}
	return c.parsed(text)
}

// text reads a body that is plain text, or says not at all what it is. Where
// it holds a JSON object or list it is read as such. What was called text stays
// text even if it looks like broken JSON (Contact Form 7 sends a custom body
// so); without a Content-Type, broken JSON is refused as that.
func (c Content) text(kind kind, params map[string]string, lim Limits) (Content, error) {
	text, err := toUTF8(c.Raw, params["charset"])
	if err != nil {
		return c, err
	}
	if startsWith(text, "{[") {
		content, err := c.json(params, lim)
		fault := (*Error)(nil)
		switch {
		case err == nil:
			return content, nil
		case !errors.As(err, &fault), fault.Status == http.StatusRequestEntityTooLarge, kind == unsaid && startsWith(text, "{"):
			return c, err
		}
	}
	out := jsondoc.AppendString([]byte(`{"text":`), lenient(text))
	return c.parsed(append(out, '}'))
}
