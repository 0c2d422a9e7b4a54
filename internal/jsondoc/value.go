package jsondoc

import (
	"iter"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Kind is what a Value is.
type Kind uint8

// The kinds of JSON values; None is that of the zero Value, which is no value.
const (
	None Kind = iota
	Null
	False
	True
	Number
	String
	List
	Object
)

// String is the kind in words.
func (k Kind) String() string {
	return [...]string{"nothing", "null", "false", "true", "number", "text", "list", "object"}[k]
}

// Value is a value of a Doc: a place in its text, good until the Doc is
// released. The zero Value is none: what a member that is missing gives.
type Value struct {
	doc *Doc
	at  uint32
}

func (v Value) node() *node { return &v.doc.nodes[v.at] }

// Kind says what the value is.
func (v Value) Kind() Kind {
	if v.doc == nil {
		return None
	}
	return v.node().kind
}

// IsNull reports whether it is null, or none.
func (v Value) IsNull() bool { return v.Kind() <= Null }

// Raw is the value as it is written. It must not be changed.
func (v Value) Raw() []byte {
	if v.doc == nil {
		return nil
	}
	n := v.node()
	return v.doc.text[n.start:n.end]
}

// Span is the value's place in the text, in bytes. The value is not none.
func (v Value) Span() (start, end int) {
	n := v.node()
	return int(n.start), int(n.end)
}

// Text is what a string says, nil of another value. Bytes that are no UTF-8 are
// as they came: see ValidText. It must not be changed, and is good as long as
// the Value.
func (v Value) Text() []byte {
	if v.Kind() != String {
		return nil
	}
	n := v.node()
	content := v.doc.text[n.start+1 : n.end-1]
	if n.escaped {
		return unescape(content)
	}
	return content
}

// says reports whether a string says text.
func (v Value) says(text string) bool {
	n := v.node()
	if !n.escaped {
		return string(v.doc.text[n.start+1:n.end-1]) == text
	}
	return string(v.Text()) == text
}

// children ranges over the nodes right below a list or an object.
func (v Value) children() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		for at, end := v.at+1, v.node().next; at < end; at = v.doc.nodes[at].next {
			if !yield(Value{v.doc, at}) {
				return
			}
		}
	}
}

// Items ranges over a list; over nothing where the value is none.
func (v Value) Items() iter.Seq[Value] {
	if v.Kind() != List {
		return func(func(Value) bool) {}
	}
	return v.children()
}

// Item is the item of a list under an index, none where there is none.
func (v Value) Item(index int) Value {
	for item := range v.Items() {
		if index == 0 {
			return item
		}
		index--
	}
	return Value{}
}

// Fields ranges over an object in its order: keys, which are good as long as
// the Value, with what stands under them. A key may come twice.
func (v Value) Fields() iter.Seq2[[]byte, Value] {
	return func(yield func([]byte, Value) bool) {
		if v.Kind() != Object {
			return
		}
		for at, end := v.at+1, v.node().next; at < end; {
			key := Value{v.doc, at}
			under := Value{v.doc, at + 1}
			if !yield(key.Text(), under) {
				return
			}
			at = under.node().next
		}
	}
}

// Member is the value under key in an object, none where there is none. The
// last of several counts.
func (v Value) Member(key string) Value {
	var found Value
	if v.Kind() != Object {
		return found
	}
	for at, end := v.at+1, v.node().next; at < end; at = v.doc.nodes[at+1].next {
		if (Value{v.doc, at}).says(key) {
			found = Value{v.doc, at + 1}
		}
	}
	return found
}

// Len is the number of items of a list, or of keys of an object, those that
// come twice counted twice; 0 of another value.
func (v Value) Len() int {
	n := 0
	switch v.Kind() {
	case List:
		for range v.children() {
			n++
		}
	case Object:
		for range v.children() {
			n++
		}
		return n / 2
	default:
	}
	return n
}

// unescape is what stands between the quotes of a string, which the parser has
// found right. Escapes that are half of a pair become U+FFFD, as encoding/json
// reads them.
func unescape(content []byte) []byte {
	out := make([]byte, 0, len(content))
	for i := 0; i < len(content); i++ {
		c := content[i]
		if c != '\\' {
			out = append(out, c)
			continue
		}
		i++
		switch content[i] {
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, more := escapedRune(content[i+1:])
			out = utf8.AppendRune(out, r)
			i += 4 + more
		default: // a quote, a slash, a backslash
			out = append(out, content[i])
		}
	}
	return out
}

// escapedRune reads the four digits behind \u, and the second half of a pair;
// more is the length of that.
func escapedRune(rest []byte) (r rune, more int) {
	r = fourDigits(rest)
	if !utf16.IsSurrogate(r) {
		return r, 0
	}
	if len(rest) >= 10 && rest[4] == '\\' && rest[5] == 'u' {
		if pair := utf16.DecodeRune(r, fourDigits(rest[6:])); pair != utf8.RuneError {
			return pair, 6
		}
	}
	return utf8.RuneError, 0
}

func fourDigits(digits []byte) rune {
	n, err := strconv.ParseInt(string(digits[:4]), 16, 32)
	if err != nil { // the parser has read them
		return utf8.RuneError
	}
	return rune(n)
}
