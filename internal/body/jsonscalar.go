package body

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// curly reports whether a typographic quotation mark stands here.
func (s *scanner) curly() bool {
	r, _ := utf8.DecodeRune(s.text[s.at:])
	return strings.ContainsRune("“”„‟‘’‚«»`", r)
}

// quote notes the fault that the wrong kind of quotation mark stands here.
func (s *scanner) quote() bool {
	if s.text[s.at] == '\'' {
		return s.fail(s.at, "text needs double quotes, not single ones")
	}
	return s.fail(s.at, `text needs straight double quotes, like "this"`)
}

// string reads a text.
func (s *scanner) string() bool {
	from := s.at
	for s.at++; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; {
		case c == '"':
			s.at++
			s.last = "the text"
			return true
		case c == '\\':
			if !s.escape(from) {
				return false
			}
		case c == '\n' || c == '\r':
			return s.fail(s.at, `a text ends with its line: its closing quote is missing, or the line break must be written \n`)
		case c == '\t':
			return s.fail(s.at, `a tab inside a text must be written \t`)
		case c < ' ':
			return s.fail(s.at, `the control character U+%04X inside a text must be written \u%04x`, c, c)
		}
	}
	return s.ends("the text", from)
}

// escape reads a backslash and all but the last byte of what belongs to it.
func (s *scanner) escape(from int) bool {
	start := s.at
	if s.at++; s.at >= len(s.text) {
		return s.ends("the text", from)
	}
	c := s.text[s.at]
	if c != 'u' {
		if strings.IndexByte(`"\/bfnrt`, c) < 0 {
			return s.fail(start, `a backslash inside a text must be written \\ unless it starts one of \" \\ \/ \b \f \n \r \t \u`)
		}
		return true
	}
	for range 4 {
		if s.at++; s.at >= len(s.text) {
			return s.ends("the text", from)
		}
		if !isHex(s.text[s.at]) {
			return s.fail(start, `\u needs four hexadecimal digits`)
		}
	}
	return true
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// digits skips digits and reports whether there were any.
func (s *scanner) digits() bool {
	from := s.at
	for s.at < len(s.text) && s.text[s.at] >= '0' && s.text[s.at] <= '9' {
		s.at++
	}
	return s.at > from
}

// is reports whether one of the bytes stands here, and skips it.
func (s *scanner) is(set string) bool {
	if s.at < len(s.text) && strings.IndexByte(set, s.text[s.at]) >= 0 {
		s.at++
		return true
	}
	return false
}

func (s *scanner) number() bool {
	from := s.at
	s.last = "the number"
	if s.is("-") && bytes.HasPrefix(s.text[s.at:], []byte("Infinity")) {
		return s.fail(from, "Infinity is no number of JSON: write null")
	}
	zero := s.is("0")
	switch {
	case zero && s.digits():
		return s.fail(from, "a number must not start with 0")
	case zero && s.is("xX"):
		return s.fail(from, "a number must be decimal")
	case !zero && !s.digits():
		return s.fail(s.at, "a digit is missing in a number")
	}
	if s.is(".") && !s.digits() {
		return s.fail(s.at, "a digit is missing after the decimal point")
	}
	if s.is("eE") {
		s.is("+-")
		if !s.digits() {
			return s.fail(s.at, "a digit is missing after the e of a number")
		}
	}
	return true
}

// words are what other languages write for JSON's null, true and false.
var words = map[string]string{
	"True": "true", "TRUE": "true", "False": "false", "FALSE": "false",
	"None": "null", "NULL": "null", "Null": "null", "nil": "null", "undefined": "null",
	"NaN": "null", "nan": "null", "Infinity": "null", "inf": "null",
}

// word reads true, false and null, and names the fault of whatever else
// stands where a value should.
func (s *scanner) word() bool {
	from := s.at
	end := from
	for end < len(s.text) && (s.text[end] == '_' || s.text[end] >= utf8.RuneSelf || isLetterOrDigit(s.text[end])) {
		end++
	}
	word := string(s.text[from:end])
	switch {
	case word == "true" || word == "false" || word == "null":
		s.at, s.last = end, word
		return true
	case words[word] != "":
		return s.fail(from, "%s is not JSON: write %s", word, words[word])
	case s.comment():
		return false
	case s.text[from] == '\'' || s.curly():
		return s.quote()
	}
	return s.notAValue(word)
}

// notAValue notes the fault that no value stands here.
func (s *scanner) notAValue(word string) bool {
	switch c := s.text[s.at]; {
	case c == ',':
		return s.fail(s.at, "there is a comma too many")
	case c == '}' || c == ']' || c == ':':
		return s.fail(s.at, `a value is missing before "%c"`, c)
	case c == '.':
		return s.fail(s.at, "a digit is missing before the decimal point")
	case c == '+':
		return s.fail(s.at, "a number must not start with +")
	case word != "" && s.depth == 0:
		return s.fail(s.at, "this is no JSON value")
	case word != "":
		return s.fail(s.at, "text needs double quotes around it")
	}
	return s.fail(s.at, "a value is missing")
}

func isLetterOrDigit(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
