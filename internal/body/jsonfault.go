package body

import (
	"bytes"
	"fmt"
	"strings"

	"hookgate/internal/jsondoc"
)

// scanner reads JSON strictly and stops at the first fault, for the sake of a
// message that says what to do. It runs only over text that was refused.
type scanner struct {
	text    []byte
	at      int // the next byte; after a fault its place
	depth   int
	message string // the fault; "" as long as there is none
	hint    string
	last    string // what ended before at: `"}"`, "the value", for "is missing after"
}

// fail notes a fault at a byte. It returns false, for the callers to return.
func (s *scanner) fail(at int, format string, args ...any) bool {
	if s.message == "" {
		s.at, s.message = at, fmt.Sprintf(format, args...)
	}
	return false
}

// space skips white space and reports whether there is more text.
func (s *scanner) space() bool {
	for s.at < len(s.text) && strings.IndexByte(" \t\r\n", s.text[s.at]) >= 0 {
		s.at++
	}
	return s.at < len(s.text)
}

func (s *scanner) document() {
	if !s.space() {
		s.fail(s.at, "there is no value")
		return
	}
	if s.text[s.at] == '<' {
		s.hint = "send XML with Content-Type application/xml"
		s.fail(s.at, "this is XML or HTML")
		return
	}
	if !s.value() || !s.space() {
		return
	}
	switch c := s.text[s.at]; {
	case s.comment():
	case c == '}' || c == ']':
		s.fail(s.at, `there is a "%c" too many`, c)
	case c == ',':
		s.fail(s.at, "there is a comma after the end")
	case c == '{' || c == '[' || c == '"':
		s.hint = "send one value a request"
		s.fail(s.at, "a second value stands after the first one")
	default:
		s.fail(s.at, "there is more text after the end of the value")
	}
}

func (s *scanner) value() bool {
	switch c := s.text[s.at]; {
	case c == '{':
		return s.object()
	case c == '[':
		return s.list()
	case c == '"':
		return s.string()
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	}
	return s.word()
}

// comment notes a fault where a comment starts.
func (s *scanner) comment() bool {
	rest := s.text[s.at:]
	if bytes.HasPrefix(rest, []byte("//")) || bytes.HasPrefix(rest, []byte("/*")) || rest[0] == '#' {
		s.fail(s.at, "JSON has no comments")
		return true
	}
	return false
}

// deeper enters an object or a list; false where that is too deep.
func (s *scanner) deeper() bool {
	if s.depth++; s.depth > jsondoc.MaxDepth {
		return s.fail(s.at, "it nests deeper than %d levels", jsondoc.MaxDepth)
	}
	s.at++
	return true
}

func (s *scanner) ends(inside string, from int) bool {
	line, _ := position(s.text, from)
	return s.fail(s.at, "the text ends inside %s that starts in line %d", inside, line)
}

func (s *scanner) object() bool {
	from := s.at
	if !s.deeper() {
		return false
	}
	for first := true; ; first = false {
		if !s.space() {
			return s.ends("the object", from)
		}
		if first && s.text[s.at] == '}' {
			break
		}
		if !s.member(from) {
			return false
		}
		if done, ok := s.separator('}', "the object", from); !ok {
			return false
		} else if done {
			break
		}
	}
	return s.closed("}")
}

func (s *scanner) list() bool {
	from := s.at
	if !s.deeper() {
		return false
	}
	for first := true; ; first = false {
		if !s.space() {
			return s.ends("the list", from)
		}
		if first && s.text[s.at] == ']' {
			break
		}
		if !s.value() {
			return false
		}
		if done, ok := s.separator(']', "the list", from); !ok {
			return false
		} else if done {
			break
		}
	}
	return s.closed("]")
}

func (s *scanner) closed(bracket string) bool {
	s.at++
	s.depth--
	s.last = `"` + bracket + `"`
	return true
}

// separator reads what follows a member: a comma and the start of the next
// one, or the closing bracket, at which it stops.
func (s *scanner) separator(closing byte, inside string, from int) (done, ok bool) {
	if !s.space() {
		return false, s.ends(inside, from)
	}
	c := s.text[s.at]
	switch {
	case c == closing:
		return true, true
	case c == ',':
	case s.comment():
		return false, false
	case c == '}' || c == ']':
		line, _ := position(s.text, from)
		return false, s.fail(s.at, `"%c" cannot close %s that starts in line %d: "%c" is expected`, c, inside, line, closing)
	case c == ':' && closing == ']':
		return false, s.fail(s.at, `a list has no keys: write { } around "key": value`)
	default:
		return false, s.fail(s.at, "a comma is missing after %s", s.last)
	}
	comma := s.at
	s.at++
	if !s.space() {
		return false, s.ends(inside, from)
	}
	switch c := s.text[s.at]; c {
	case closing:
		return false, s.fail(comma, `there is a comma too many before "%c"`, closing)
	case ',':
		return false, s.fail(s.at, "there is a comma too many")
	}
	return false, true
}

// member reads a key, its colon and its value.
func (s *scanner) member(from int) bool {
	switch c := s.text[s.at]; {
	case c == '"':
	case s.comment():
		return false
	case c == '\'' || s.curly():
		return s.quote()
	case c == ',':
		return s.fail(s.at, "there is a comma too many")
	case c == ']':
		return s.fail(s.at, `"]" cannot close an object: "}" is expected`)
	case c == ':':
		return s.fail(s.at, "a key is missing")
	default:
		return s.fail(s.at, "a key needs double quotes around it")
	}
	if !s.string() {
		return false
	}
	if !s.space() {
		return s.ends("the object", from)
	}
	if s.text[s.at] != ':' {
		return s.comment() || s.fail(s.at, "a colon is missing after the key")
	}
	s.at++
	if !s.space() {
		return s.ends("the object", from)
	}
	if c := s.text[s.at]; c == ',' || c == '}' || c == ']' {
		return s.fail(s.at, "a value is missing after the colon")
	}
	return s.value()
}
