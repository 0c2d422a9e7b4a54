package body

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

var errTooDeep = errors.New("nested too deep")

// pair is one field of a form as it was sent.
type pair struct {
	name  string
	value []byte
	file  *file // the value is a file, of which this is known
}

// urlencoded splits a form-encoded body into its fields, as the WHATWG URL
// standard's parser does: a broken %-escape stays as it is.
func urlencoded(raw []byte, params map[string]string, lim Limits) ([]pair, error) {
	if bytes.Count(raw, []byte("&")) >= lim.Keys {
		raw = bytes.Trim(raw, "&")
		if bytes.Count(raw, []byte("&")) >= lim.Keys {
			return nil, tooManyKeys(lim)
		}
	}
	raw = bytes.TrimRight(bytes.TrimPrefix(raw, []byte(bomUTF8)), "\r\n")
	var pairs []pair
	for part := range bytes.SplitSeq(raw, []byte("&")) {
		if len(part) == 0 {
			continue
		}
		name, value, _ := bytes.Cut(part, []byte("="))
		pairs = append(pairs, pair{name: string(unescape(name)), value: unescape(value)})
	}
	return recoded(pairs, params)
}

func tooManyKeys(lim Limits) *Error {
	return tooMany(lim.Keys, fmt.Sprintf("the form has more than %d fields", lim.Keys))
}

// unescape undoes + and %XX.
func unescape(s []byte) []byte {
	if bytes.IndexByte(s, '%') < 0 && bytes.IndexByte(s, '+') < 0 {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '+':
			out = append(out, ' ')
		case s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			out = append(out, fromHex(s[i+1])<<4|fromHex(s[i+2]))
			i += 2
		default:
			out = append(out, s[i])
		}
	}
	return out
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f' }

func fromHex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c <= 'F':
		return c - 'A' + 10
	}
	return c - 'a' + 10
}

// recoded brings names and values to UTF-8: from the charset of the
// Content-Type, or that of the field _charset_, in which a browser says what
// it used (HTML, 4.10.21.5), else as lenient does. A _charset_ that nobody knows
// is a visitor's idea and no reason to lose what was written.
func recoded(pairs []pair, params map[string]string) ([]pair, error) {
	charset := params["charset"]
	for _, p := range pairs {
		if p.name == "_charset_" && charset == "" && p.file == nil && knownCharset(string(p.value)) {
			charset = string(p.value)
		}
	}
	for i := range pairs {
		p := &pairs[i]
		name, err := fieldText([]byte(p.name), charset)
		if err != nil {
			return nil, err
		}
		p.name = string(name)
		if p.value, err = fieldText(p.value, charset); err != nil {
			return nil, err
		}
	}
	return pairs, nil
}

func fieldText(text []byte, charset string) ([]byte, error) {
	if charset != "" && !isUTF8(charset) {
		var err error
		if text, err = toUTF8(text, charset); err != nil {
			return nil, err
		}
	}
	return lenient(text), nil
}

// form reads a form-encoded body.
func (c Content) form(params map[string]string, jsonField string, lim Limits) (Content, error) {
	pairs, err := urlencoded(c.Raw, params, lim)
	if err != nil {
		return c, err
	}
	return c.fields(pairs, jsonField, lim)
}

// fields makes data of a form's fields.
func (c Content) fields(pairs []pair, jsonField string, lim Limits) (Content, error) {
	root := newObject()
	for _, p := range pairs {
		value := leaf(p.value)
		if p.file != nil {
			c.Files++
			value = p.file.tree()
		} else if jsonField != "" && p.name == jsonField {
			return c.wholeField(p, lim)
		}
		if err := root.place(p.name, value, lim); err != nil {
			return c, err
		}
	}
	text, err := root.json(lim)
	if err != nil {
		return c, err
	}
	return c.parsed(text)
}

// wholeField takes one field's JSON text for the whole of data.
func (c Content) wholeField(p pair, lim Limits) (Content, error) {
	text, err := jsonText(p.value, nil, lim)
	if err == nil {
		c, err = c.parsed(text)
	}
	if fault := (*Error)(nil); errors.As(err, &fault) {
		placed := *fault
		placed.Message = fmt.Sprintf("in the field %q: %s", p.name, fault.Message)
		return c, &placed
	}
	return c, err
}

// place puts a field where its name says: a[b][] and items[0][qty] build
// objects and lists; any other name is a key as it is. Where two names
// contradict each other (a=1&a[b]=2), the later one is kept whole as a key.
func (t *tree) place(name string, value *tree, lim Limits) error {
	path, err := segments(name, lim)
	if err != nil {
		return err
	}
	at, fits := t, true
	for i, key := range path[:len(path)-1] {
		if i > 0 {
			key = at.index(key)
		}
		next := at.child(key)
		if next == nil {
			next = newObject()
			at.add(key, next)
		} else if !next.open() {
			fits = false
			break
		}
		at = next
	}
	last := path[len(path)-1]
	if len(path) > 1 {
		last = at.index(last)
	}
	if old := at.child(last); !fits || old != nil && old.open() {
		at, last = t, name
		if old := t.child(last); old != nil && old.open() {
			// a[b]=2&a=1: the plain value joins the object, under the empty key.
			at, last = old, ""
		}
	}
	at.add(last, value)
	return nil
}

// index turns [] into the next index of a list.
func (t *tree) index(key string) string {
	if key != "" {
		if n, err := strconv.Atoi(key); err == nil && n >= t.next && n < 1<<30 {
			t.next = n + 1
		}
		return key
	}
	key = strconv.Itoa(t.next)
	t.next++
	return key
}

// segments splits a[b][] into a, b and "". A name whose brackets do not
// pair up, or that has text behind them, is one segment.
func segments(name string, lim Limits) ([]string, error) {
	open := strings.IndexByte(name, '[')
	if open <= 0 || !strings.HasSuffix(name, "]") {
		return []string{name}, nil
	}
	path := []string{name[:open]}
	for rest := name[open:]; rest != ""; {
		end := strings.IndexByte(rest, ']')
		if rest[0] != '[' || end < 0 || strings.IndexByte(rest[1:end], '[') >= 0 {
			return []string{name}, nil
		}
		if len(path) >= lim.Depth {
			return nil, malformed(fmt.Sprintf("a field's name nests deeper than %d levels", lim.Depth), "")
		}
		path = append(path, rest[1:end])
		rest = rest[end+1:]
	}
	return path, nil
}
