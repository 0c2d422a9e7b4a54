package body

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"hookgate/internal/jsondoc"
)

// explain says why text, which the parser refused with cause, is no JSON: in
// plain words for the mistakes that people make most, else in the parser's.
func explain(text []byte, cause error) *Error {
	var fault *jsondoc.SyntaxError
	if !errors.As(cause, &fault) {
		return malformed("invalid JSON: "+strings.ReplaceAll(cause.Error(), "\n", " "), "")
	}
	at, message, hint := mistake(text, fault.Offset)
	if message == "" {
		message = fault.Message
	}
	return jsonError(text, at, message, hint)
}

// mistake words what stands at the place of a fault, and says where the mistake
// itself is; message is "" where it is none of the usual ones.
func mistake(text []byte, fault int) (at int, message, hint string) {
	in := surroundings(text[:fault])
	if fault >= len(text) {
		return fault, in.end(text), ""
	}
	before := bytes.TrimRight(text[:fault], " \t\r\n")
	c, _ := utf8.DecodeRune(text[fault:])
	switch {
	case in.text >= 0 && (c == '\n' || c == '\r'):
		return fault, `a text ends with its line: its closing quote is missing, or the line break must be written \n`, ""
	case in.text >= 0:
	case c == '<' && len(before) == 0:
		return fault, "this is XML or HTML", "send XML with Content-Type application/xml"
	case c == '/' || c == '#':
		return fault, "JSON has no comments", ""
	case c == '\'':
		return fault, "text needs double quotes, not single ones", ""
	case strings.ContainsRune("“”„‟‘’‚«»`", c):
		return fault, `text needs straight double quotes, like "this"`, ""
	case (c == '}' || c == ']') && bytes.HasSuffix(before, []byte(",")):
		return len(before) - 1, fmt.Sprintf(`there is a comma too many before "%c"`, c), ""
	case in.wantsKey() && ofWord(c):
		return fault, "a key needs double quotes around it", ""
	case in.wantsColon():
		return fault, "a colon is missing after the key", ""
	case in.wantsValue() && ofWord(c):
		return fault, "text needs double quotes around it; without them stand only true, false and null", ""
	case in.wantsComma() && (strings.ContainsRune(`"{[`, c) || len(before) < fault && (c == '-' || ofWord(c))):
		return fault, "a comma is missing after " + lastOf(before), ""
	}
	return fault, "", ""
}

// ofWord reports whether c can be part of a number, a word or a name.
func ofWord(c rune) bool {
	return c >= utf8.RuneSelf || c == '_' || c == '$' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// surrounding is what a place in a JSON text stands inside of.
type surrounding struct {
	open []int // where the lists and objects start, the innermost last
	text int   // where the text starts; -1: it stands in none
	list bool  // the innermost is a list
	last byte  // the innermost's own bracket, comma or colon before the place
	some bool  // since then there was a key or a value
}

// surroundings reads what stands before a fault, JSON as far as it goes.
func surroundings(before []byte) surrounding {
	s := surrounding{text: -1}
	for i := 0; i < len(before); i++ {
		switch c := before[i]; {
		case s.text >= 0 && c == '\\':
			i++
		case s.text >= 0 && c == '"':
			s.text, s.some = -1, true
		case s.text >= 0:
		case c == '"':
			s.text = i
		case c == '{' || c == '[':
			s.open, s.list, s.last, s.some = append(s.open, i), c == '[', c, false
		case (c == '}' || c == ']') && len(s.open) > 0: // what was closed is a value
			s.open = s.open[:len(s.open)-1]
			s.list = len(s.open) > 0 && before[s.open[len(s.open)-1]] == '['
			s.last, s.some = ':', true
		case c == ',' || c == ':':
			s.last, s.some = c, false
		case c > ' ':
			s.some = true
		}
	}
	return s
}

func (s *surrounding) wantsKey() bool {
	return len(s.open) > 0 && !s.list && s.last != ':' && !s.some
}

func (s *surrounding) wantsColon() bool {
	return len(s.open) > 0 && !s.list && s.last != ':' && s.some
}

func (s *surrounding) wantsValue() bool {
	return (len(s.open) == 0 || s.list || s.last == ':') && !s.some
}

func (s *surrounding) wantsComma() bool {
	return len(s.open) > 0 && (s.list || s.last == ':') && s.some
}

// end says what is not complete where the text ends.
func (s *surrounding) end(text []byte) string {
	inside, from := "the object", s.text
	switch {
	case s.text >= 0:
		inside = "the text"
	case len(s.open) > 0:
		from = s.open[len(s.open)-1]
		if s.list {
			inside = "the list"
		}
	case s.some:
		return "the text ends inside a value"
	default:
		return "there is no value"
	}
	line, _ := position(text, from)
	return fmt.Sprintf("the text ends inside %s that starts in line %d", inside, line)
}

// lastOf names the value that before ends with.
func lastOf(before []byte) string {
	switch c := before[len(before)-1]; {
	case c == '"':
		return "the text"
	case c == '}' || c == ']':
		return fmt.Sprintf(`"%c"`, c)
	case c >= '0' && c <= '9':
		return "the number"
	}
	start := len(before)
	for start > 0 && ofWord(rune(before[start-1])) {
		start--
	}
	return string(before[start:])
}
