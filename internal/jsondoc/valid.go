package jsondoc

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// validator checks a JSON text in one pass without recursion: the grammar of
// RFC 8259, how deep it nests, how many values it holds. fastjson's own check
// is recursive without a bound and copies the rest of the text into its error
// at every level, which a hostile sender can make cost minutes.
//
// The place in the text goes from call to call as a value, which stays in a
// register; failed stands for the place of a fault.
type validator struct {
	text   []byte
	values int
	depth  int
	open   [MaxDepth + 1]byte // the opening bracket of each level
}

const failed = -1

// errShape marks what encoding/json words better.
var errShape = &SyntaxError{Message: "invalid JSON"}

// validate counts the values of a text that is right.
func validate(text []byte) (values int, err *SyntaxError) {
	v := validator{text: text}
	at, err := v.run()
	if err != nil {
		return 0, err
	}
	if passSpace(text, at) != len(text) {
		return 0, errShape
	}
	return v.values, nil
}

// run reads one value with all that is in it.
func (v *validator) run() (at int, err *SyntaxError) {
	for {
		var opened bool
		if at, opened, err = v.value(passSpace(v.text, at)); err != nil {
			return at, err
		}
		if at == failed {
			return at, errShape
		}
		if opened {
			continue
		}
		if at = v.after(at); at == failed {
			return at, errShape
		}
		if v.depth == 0 {
			return at, nil
		}
	}
}

// value reads a scalar or an opening bracket. opened says that the next thing
// is a value inside of it.
func (v *validator) value(at int) (next int, opened bool, err *SyntaxError) {
	if v.values++; v.values > maxValues {
		return at, false, &SyntaxError{Offset: at, Message: fmt.Sprintf("more than %d values", maxValues)}
	}
	if at >= len(v.text) {
		return failed, false, nil
	}
	switch c := v.text[at]; c {
	case '{', '[':
		return v.enter(at, c)
	case '"':
		return passString(v.text, at), false, nil
	case 't':
		return passWord(v.text, at, "true"), false, nil
	case 'f':
		return passWord(v.text, at, "false"), false, nil
	case 'n':
		return passWord(v.text, at, "null"), false, nil
	default:
		return passNumber(v.text, at), false, nil
	}
}

func (v *validator) enter(at int, bracket byte) (next int, opened bool, err *SyntaxError) {
	if v.depth++; v.depth > MaxDepth {
		return at, false, &SyntaxError{Offset: at, Message: fmt.Sprintf("it nests deeper than %d levels", MaxDepth)}
	}
	v.open[v.depth] = bracket
	at = passSpace(v.text, at+1)
	if peek(v.text, at) == bracket+2 { // } and ] stand two behind { and [
		v.depth--
		return at + 1, false, nil
	}
	if bracket == '{' {
		at = passKey(v.text, at)
	}
	return at, true, nil
}

// after reads what follows a value: closing brackets, and a comma with the key
// behind it. At depth 0 the text's one value has ended.
func (v *validator) after(at int) int {
	for v.depth > 0 {
		at = passSpace(v.text, at)
		switch bracket := v.open[v.depth]; peek(v.text, at) {
		case ',':
			if at = passSpace(v.text, at+1); bracket == '{' {
				return passKey(v.text, at)
			}
			return at
		case bracket + 2:
			at++
			v.depth--
		default:
			return failed
		}
	}
	return at
}

// passKey reads an object's key and the colon.
func passKey(text []byte, at int) int {
	if at = passString(text, at); at == failed {
		return failed
	}
	if at = passSpace(text, at); peek(text, at) != ':' {
		return failed
	}
	return at + 1
}

// peek is the byte at a place, 0 at the end.
func peek(text []byte, at int) byte {
	if at < len(text) {
		return text[at]
	}
	return 0
}

// passSpace passes over blanks. It is small, to be inlined: most often there are none.
func passSpace(text []byte, at int) int {
	if at < len(text) && text[at] > ' ' {
		return at
	}
	return passBlanks(text, at)
}

func passBlanks(text []byte, at int) int {
	for at < len(text) && (text[at] == ' ' || text[at] == '\n' || text[at] == '\t' || text[at] == '\r') {
		at++
	}
	return at
}

func passWord(text []byte, at int, word string) int {
	if len(text)-at < len(word) || string(text[at:at+len(word)]) != word {
		return failed
	}
	return at + len(word)
}

func passString(text []byte, at int) int {
	if peek(text, at) != '"' {
		return failed
	}
	for at++; ; at++ {
		if at = passPlain(text, at); at >= len(text) {
			return failed
		}
		if text[at] == '"' {
			return at + 1
		}
		width := 0
		if text[at] == '\\' {
			width = escape(text[at+1:])
		}
		if width == 0 { // no escape, or a control character
			return failed
		}
		at += width
	}
}

// passPlain passes over bytes that stand for themselves in a string, eight at
// a time. The bits of special mark the others: quotes, backslashes and what is
// below the space. (Above the lowest mark there may be false ones.) See "Bit
// Twiddling Hacks", Determine if a word has a byte less than n.
func passPlain(text []byte, at int) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for ; at+8 <= len(text); at += 8 {
		word := binary.LittleEndian.Uint64(text[at:])
		quote, slash := word^('"'*ones), word^('\\'*ones)
		special := ((word-' '*ones)&^word | (quote-ones)&^quote | (slash-ones)&^slash) & tops
		if special != 0 {
			return at + bits.TrailingZeros64(special)/8
		}
	}
	for at < len(text) && text[at] >= ' ' && text[at] != '"' && text[at] != '\\' {
		at++
	}
	return at
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

func passNumber(text []byte, at int) int {
	if peek(text, at) == '-' {
		at++
	}
	if peek(text, at) == '0' {
		at++
	} else if at = passDigits(text, at); at == failed {
		return failed
	}
	if peek(text, at) == '.' {
		if at = passDigits(text, at+1); at == failed {
			return failed
		}
	}
	if peek(text, at)|0x20 != 'e' {
		return at
	}
	at++
	if c := peek(text, at); c == '+' || c == '-' {
		at++
	}
	return passDigits(text, at)
}

// passDigits reads one digit or more.
func passDigits(text []byte, at int) int {
	start := at
	for at < len(text) && text[at] >= '0' && text[at] <= '9' {
		at++
	}
	if at == start {
		return failed
	}
	return at
}
