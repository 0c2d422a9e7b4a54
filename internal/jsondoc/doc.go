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
	"sync"
)

// MaxDepth is how deep lists and objects may nest in a JSON text.
const MaxDepth = 64

const (
	maxValues = 200_000   // in a JSON text: some 6 MB once parsed
	maxText   = 1<<31 - 1 // in bytes: places are kept in 32 bits
	keepNodes = 32 << 10  // of a pooled parser: more would pin half a megabyte for good
)

// tapes keeps the memory of nodes from one event to the next.
var tapes = sync.Pool{New: func() any { return new([]node) }}

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
	text  []byte
	nodes []node
	tape  *[]node // where nodes' memory goes
}

// Parse reads a whole JSON text, which must stay unchanged until Release. It
// refuses, with a *SyntaxError, what RFC 8259 does not allow, anything behind
// the value, nesting deeper than 64 and more than 200,000 values. Where a key
// stands twice in an object the last one counts.
func Parse(text []byte) (*Doc, error) {
	if len(text) > maxText {
		return nil, &SyntaxError{Message: "the text is too long"}
	}
	tape, ok := tapes.Get().(*[]node)
	if !ok {
		tape = new([]node)
	}
	p := parser{text: text, nodes: (*tape)[:0]}
	err := p.run()
	d := &Doc{text: text, nodes: p.nodes, tape: tape}
	if err != nil {
		d.Release()
		return nil, worded(text, err)
	}
	return d, nil
}

// Valid reports whether Parse reads the text.
func Valid(text []byte) bool {
	d, err := Parse(text)
	d.Release()
	return err == nil
}

// Release gives the Doc's memory back; neither it nor a Scope over it may be
// used after that. What was decoded from it stays good. A nil Doc has nothing
// to release.
func (d *Doc) Release() {
	if d == nil || d.tape == nil {
		return
	}
	if cap(d.nodes) <= keepNodes {
		*d.tape = d.nodes[:0]
		tapes.Put(d.tape)
	}
	d.text, d.nodes, d.tape = nil, nil, nil
}

// Root is the value of the whole text. It is good until Release. That of a nil
// Doc is none.
func (d *Doc) Root() Value {
	if d == nil || len(d.nodes) == 0 {
		return Value{}
	}
	return Value{doc: d}
}

// Value decodes the whole text to plain Go data: nil, bool, string, []any,
// map[string]any; int and float64 for numbers that are written as hookgate
// writes them, json.Number, with the characters as they came, for all others:
// 1.0, 1e308, what is beyond 64 bits. See Compute.
func (d *Doc) Value() any { return Decode(d.Root()) }

// Lookup decodes one value. It reports false when an object on the way lacks
// the key, or a part of the way is no object.
func (d *Doc) Lookup(path ...string) (any, bool) {
	v := d.Root()
	for _, key := range path {
		v = v.Member(key)
	}
	return Decode(v), v.Kind() != None
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
