package lang

import "fmt"

// validator checks a JSON text in one pass without recursion: the grammar of
// RFC 8259, how deep it nests, how many values it holds. fastjson's own check
// is recursive without a bound and copies the rest of the text into its error
// at every level, which a hostile sender can make cost minutes.
type validator struct {
	text   []byte
	at     int
	values int
	depth  int
	open   [maxDepth + 1]byte // the opening bracket of each level
}

// errShape marks what encoding/json words better.
var errShape = &SyntaxError{Message: "invalid JSON"}

func validate(text []byte) *SyntaxError {
	v := validator{text: text}
	if err := v.run(); err != nil {
		return err
	}
	if v.space(); v.at != len(v.text) {
		return errShape
	}
	return nil
}

// run reads one value with all that is in it.
func (v *validator) run() *SyntaxError {
	for {
		v.space()
		opened, err := v.value()
		if err != nil {
			return err
		}
		if opened {
			continue
		}
		if done, err := v.after(); done || err != nil {
			return err
		}
	}
}

// value reads a scalar or an opening bracket. opened says that the next thing
// is a value inside of it.
func (v *validator) value() (opened bool, err *SyntaxError) {
	if v.values++; v.values > maxValues {
		return false, &SyntaxError{Offset: v.at, Message: fmt.Sprintf("more than %d values", maxValues)}
	}
	if v.at >= len(v.text) {
		return false, errShape
	}
	switch c := v.text[v.at]; c {
	case '{', '[':
		return v.enter(c)
	case '"':
		return false, shape(v.str())
	case 't':
		return false, shape(v.word("true"))
	case 'f':
		return false, shape(v.word("false"))
	case 'n':
		return false, shape(v.word("null"))
	default:
		return false, shape(v.number())
	}
}

func shape(ok bool) *SyntaxError {
	if ok {
		return nil
	}
	return errShape
}

func (v *validator) enter(bracket byte) (opened bool, err *SyntaxError) {
	if v.depth++; v.depth > maxDepth {
		return false, &SyntaxError{Offset: v.at, Message: fmt.Sprintf("nested deeper than %d", maxDepth)}
	}
	v.open[v.depth] = bracket
	v.at++
	v.space()
	if v.peek() == bracket+2 { // } and ] stand two behind { and [
		v.at++
		v.depth--
		return false, nil
	}
	if bracket == '{' {
		return true, shape(v.key())
	}
	return true, nil
}

// after reads what follows a value: commas and closing brackets.
func (v *validator) after() (done bool, err *SyntaxError) {
	for v.depth > 0 {
		v.space()
		switch v.peek() {
		case ',':
			v.at++
			v.space()
			if v.open[v.depth] == '{' {
				return false, shape(v.key())
			}
			return false, nil
		case v.open[v.depth] + 2:
			v.at++
			v.depth--
		default:
			return false, errShape
		}
	}
	return true, nil
}

func (v *validator) key() bool {
	if !v.str() {
		return false
	}
	v.space()
	if v.peek() != ':' {
		return false
	}
	v.at++
	return true
}

// peek is the next byte, 0 at the end.
func (v *validator) peek() byte {
	if v.at < len(v.text) {
		return v.text[v.at]
	}
	return 0
}

func (v *validator) space() {
	for v.at < len(v.text) {
		switch v.text[v.at] {
		case ' ', '\n', '\t', '\r':
			v.at++
		default:
			return
		}
	}
}

func (v *validator) word(word string) bool {
	if len(v.text)-v.at < len(word) || string(v.text[v.at:v.at+len(word)]) != word {
		return false
	}
	v.at += len(word)
	return true
}

func (v *validator) str() bool {
	if v.peek() != '"' {
		return false
	}
	for i := v.at + 1; i < len(v.text); i++ {
		switch c := v.text[i]; {
		case c == '"':
			v.at = i + 1
			return true
		case c < 0x20:
			return false
		case c == '\\':
			width := escape(v.text[i+1:])
			if width == 0 {
				return false
			}
			i += width
		}
	}
	return false
}

// escape is the length of what follows a backslash, 0 where it is no escape.
func escape(rest []byte) int {
	if len(rest) == 0 {
		return 0
	}
	switch rest[0] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 1
	case 'u':
		if len(rest) < 5 {
			return 0
		}
		for _, c := range rest[1:5] {
			if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') {
				return 0
			}
		}
		return 5
	}
	return 0
}

func (v *validator) number() bool {
	if v.peek() == '-' {
		v.at++
	}
	if v.peek() == '0' {
		v.at++
	} else if !v.digits() {
		return false
	}
	if v.peek() == '.' {
		v.at++
		if !v.digits() {
			return false
		}
	}
	if v.peek()|0x20 == 'e' {
		v.at++
		if c := v.peek(); c == '+' || c == '-' {
			v.at++
		}
		return v.digits()
	}
	return true
}

// digits reads one digit or more.
func (v *validator) digits() bool {
	start := v.at
	for v.at < len(v.text) && v.text[v.at] >= '0' && v.text[v.at] <= '9' {
		v.at++
	}
	return v.at > start
}
