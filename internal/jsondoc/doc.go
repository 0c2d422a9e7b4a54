// Package jsondoc is a JSON text, parsed: what expressions see as data, and
// what everything else looks up in a body without decoding all of it. It also
// writes JSON strings, so that one text is written alike wherever it goes.
package jsondoc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/valyala/fastjson"
)

// MaxDepth is how deep lists and objects may nest in a JSON text.
const MaxDepth = 64

const (
	maxValues = 200_000 // in a JSON text: some 20 MB once parsed
	// keepText and keepValues bound what a parser may hold that goes back to the
	// pool: the length of its text, and the values of all that it has parsed. The
	// place of a list's items stays with the place of the list, so that a parser
	// grows with each text in which other values are lists.
	keepText   = 64 << 10
	keepValues = 50_000
)

// parsers keep their buffers from one event to the next.
var parsers = sync.Pool{New: func() any { return new(parser) }}

// parser is a parser and how many values it has parsed.
type parser struct {
	fastjson.Parser
	values int
}

// SyntaxError says what is wrong with a JSON text, and where.
type SyntaxError struct {
	Offset  int // in bytes from the start of the text; its length where the text ends too early
	Message string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("invalid JSON at byte %d: %s", e.Offset, e.Message)
}

// Doc is a parsed JSON text. It is not for concurrent use.
type Doc struct {
	parser *parser
	root   *fastjson.Value
	size   int
}

// Parse reads a whole JSON text. It refuses, with a *SyntaxError, what RFC
// 8259 does not allow, anything behind the value, nesting deeper than 64 and
// more than 200,000 values. Where a key stands twice in an object the last one
// counts.
func Parse(text []byte) (*Doc, error) {
	values, fault := validate(text)
	if fault != nil {
		return nil, worded(text, fault)
	}
	p := parsers.Get().(*parser)
	p.values += values
	root, err := p.ParseBytes(replaceLoneSurrogates(text))
	if err != nil {
		return nil, &SyntaxError{Message: err.Error()}
	}
	return &Doc{parser: p, root: root, size: len(text)}, nil
}

// Release gives the Doc's memory back; neither it nor a Scope over it may be
// used after that. Values read from it stay good. A nil Doc has nothing to release.
func (d *Doc) Release() {
	if d == nil || d.parser == nil {
		return
	}
	if d.size <= keepText && d.parser.values <= keepValues {
		parsers.Put(d.parser)
	}
	d.parser, d.root = nil, nil
}

// Root is the value of the whole text, without decoding it. It is good until
// Release. The root of a nil Doc is nil.
func (d *Doc) Root() *fastjson.Value {
	if d == nil {
		return nil
	}
	return d.root
}

// Value decodes the whole text to plain Go data: nil, bool, string, []any,
// map[string]any; int and float64 for numbers that are written as hookgate
// writes them, json.Number, with the characters as they came, for all others:
// 1.0, 1e308, what is beyond 64 bits. See Compute.
func (d *Doc) Value() any { return Decode(d.Root()) }

// Lookup decodes one value. It reports false when an object on the way lacks
// the key, or a part of the way is no object.
func (d *Doc) Lookup(path ...string) (any, bool) {
	if d == nil {
		return nil, false
	}
	v := d.root
	for _, key := range path {
		if v.Type() != fastjson.TypeObject {
			return nil, false
		}
		if v = Member(v, key); v == nil {
			return nil, false
		}
	}
	return Decode(v), true
}

// worded gives the place and the words of encoding/json where the fault is one
// of the grammar.
func worded(text []byte, fault *SyntaxError) error {
	if fault != errShape {
		return fault
	}
	var into json.RawMessage
	var place *json.SyntaxError
	if err := json.Unmarshal(text, &into); !errors.As(err, &place) {
		return fault
	}
	at := max(0, int(place.Offset)-1)
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(&into); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		at = len(text)
	}
	return &SyntaxError{Offset: at, Message: place.Error()}
}

// replaceLoneSurrogates turns \u escapes that are half of a pair into \ufffd,
// as encoding/json reads them; fastjson would keep them as written or lose
// the character behind them. It returns text itself when there is none.
func replaceLoneSurrogates(text []byte) []byte {
	if bytes.IndexByte(text, '\\') < 0 { // one quick look for the most common case
		return text
	}
	if !bytes.Contains(text, []byte(`\ud`)) && !bytes.Contains(text, []byte(`\uD`)) {
		return text
	}
	out := bytes.Clone(text)
	for i := 0; i+1 < len(out); i++ {
		if out[i] != '\\' {
			continue
		}
		if out[i+1] != 'u' {
			i++
			continue
		}
		switch high, low := surrogate(out, i), surrogate(out, i+6); {
		case high == 'h' && low == 'l':
			i += 11
		case high != 0:
			copy(out[i:], `\ufffd`)
			i += 5
		}
	}
	return out
}

// surrogate tells whether a high ('h') or low ('l') surrogate is escaped at i;
// 0 is neither.
func surrogate(text []byte, i int) byte {
	if i+6 > len(text) || text[i] != '\\' || text[i+1] != 'u' || text[i+2]|0x20 != 'd' {
		return 0
	}
	switch {
	case strings.IndexByte("89abAB", text[i+3]) >= 0:
		return 'h'
	case strings.IndexByte("cdefCDEF", text[i+3]) >= 0:
		return 'l'
	}
	return 0
}
