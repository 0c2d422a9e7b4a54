package jsondoc

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// node is what the parser notes of a value or of an object's key: its place in
// the text, and where the next one behind all that is in it stands. So nothing
// is decoded or copied, and what nobody asks for costs 16 bytes.
type node struct {
	start, end uint32 // in bytes; a text's quotes are in it
	next       uint32 // the number of the node that follows this one and its contents
	kind       Kind
	escaped    bool // a text has escapes
}

// parser reads a JSON text in one pass without recursion: the grammar of RFC
// 8259, how deep it nests, how many values it holds. An object's node is
// followed by that of a key, that of its value, the next key; a list's by its
// items.
//
// The place in the text goes from call to call as a value, which stays in a
// register; failed stands for the place of a fault.
type parser struct {
	text   []byte
	nodes  []node
	values int
	depth  int
	open   [MaxDepth + 1]bracket
}

// bracket is a list or an object that has not ended yet.
type bracket struct {
	closing byte
	node    int
}

const failed = -1

// errShape marks what encoding/json words better.
var errShape = &SyntaxError{Message: "invalid JSON"}

// run reads the whole text.
func (p *parser) run() *SyntaxError {
	at := 0
	for {
		var opened bool
		var err *SyntaxError
		if at, opened, err = p.value(passSpace(p.text, at)); err != nil {
			return err
		}
		if at == failed {
			return errShape
		}
		if opened {
			continue
		}
		if at = p.after(at); at == failed {
			return errShape
		}
		if p.depth == 0 {
			break
		}
	}
	if passSpace(p.text, at) != len(p.text) {
		return errShape
	}
	return nil
}

// value reads a scalar or an opening bracket. opened says that the next thing
// is a value inside of it.
func (p *parser) value(at int) (next int, opened bool, err *SyntaxError) {
	if p.values++; p.values > maxValues {
		return at, false, &SyntaxError{Offset: at, Message: fmt.Sprintf("more than %d values", maxValues)}
	}
	switch peek(p.text, at) {
	case '{', '[':
		return p.enter(at)
	case '"':
		return p.str(at), false, nil
	case 't':
		return p.scalar(at, passWord(p.text, at, "true"), True), false, nil
	case 'f':
		return p.scalar(at, passWord(p.text, at, "false"), False), false, nil
	case 'n':
		return p.scalar(at, passWord(p.text, at, "null"), Null), false, nil
	default:
		return p.scalar(at, passNumber(p.text, at), Number), false, nil
	}
}

// scalar notes a value that has nothing in it, and returns its end.
func (p *parser) scalar(at, end int, kind Kind) int {
	p.nodes = append(p.nodes, node{start: uint32(at), end: uint32(end), next: uint32(len(p.nodes) + 1), kind: kind}) //nolint:gosec // Parse bounds the text
	return end
}

// str reads a string, which may be a key.
func (p *parser) str(at int) int {
	end, escaped := passString(p.text, at)
	p.scalar(at, end, String)
	p.nodes[len(p.nodes)-1].escaped = escaped
	return end
}

func (p *parser) enter(at int) (next int, opened bool, err *SyntaxError) {
	if p.depth++; p.depth > MaxDepth {
		return at, false, &SyntaxError{Offset: at, Message: fmt.Sprintf("it nests deeper than %d levels", MaxDepth)}
	}
	kind := List
	if p.text[at] == '{' {
		kind = Object
	}
	p.open[p.depth] = bracket{closing: p.text[at] + 2, node: len(p.nodes)} // } and ] stand two behind { and [
	p.scalar(at, at, kind)
	at = passSpace(p.text, at+1)
	if peek(p.text, at) == p.open[p.depth].closing {
		return p.leave(at), false, nil
	}
	if kind == Object {
		at = p.key(at)
	}
	return at, true, nil
}

// leave ends the list or object whose closing bracket is at a place.
func (p *parser) leave(at int) int {
	n := &p.nodes[p.open[p.depth].node]
	n.end, n.next = uint32(at+1), uint32(len(p.nodes)) //nolint:gosec // Parse bounds the text
	p.depth--
	return at + 1
}

// after reads what follows a value: closing brackets, and a comma with the key
// behind it. At depth 0 the text's one value has ended.
func (p *parser) after(at int) int {
	for p.depth > 0 {
		at = passSpace(p.text, at)
		switch closing := p.open[p.depth].closing; peek(p.text, at) {
		case ',':
			if at = passSpace(p.text, at+1); closing == '}' {
				return p.key(at)
			}
			return at
		case closing:
			at = p.leave(at)
		default:
			return failed
		}
	}
	return at
}

// key reads an object's key and the colon.
func (p *parser) key(at int) int {
	if at = p.str(at); at == failed {
		return failed
	}
	if at = passSpace(p.text, at); peek(p.text, at) != ':' {
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

func passString(text []byte, at int) (end int, escaped bool) {
	if peek(text, at) != '"' {
		return failed, false
	}
	for at++; ; at++ {
		if at = passPlain(text, at); at >= len(text) {
			return failed, escaped
		}
		if text[at] == '"' {
			return at + 1, escaped
		}
		width := 0
		if escaped = true; text[at] == '\\' {
			width = escape(text[at+1:])
		}
		if width == 0 { // no escape, or a control character
			return failed, escaped
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
