package schema

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// The bounds of what a Shape holds, so that one of hostile events stays small.
const (
	maxFields   = 1000
	maxExamples = 12
	maxExample  = 60 // of a text, in characters
	maxSteps    = 12
)

// MaxLengths is how many Lengths a Field has at most.
const MaxLengths = 10

// Builder makes the Shape of events of one type, one after the other. It is
// for one goroutine.
type Builder struct {
	root   node
	nodes  []*node // of all fields
	events int
}

// node is a field, and what stands below it by the step that leads there.
type node struct {
	Field
	secret bool // the path is called as secrets are
	last   int  // the number of the event in which it was seen last, from 1
	below  map[string]*node
}

// NewBuilder makes a Builder that has seen nothing.
func NewBuilder() *Builder { return &Builder{} }

// Add takes in the JSON text of an event. It reports false for what is none,
// and counts it not.
func (b *Builder) Add(text []byte) bool {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return false
	}
	b.events++
	b.below(&b.root, value)
	return true
}

// Payload is what was seen so far.
func (b *Builder) Payload(typ string) Payload {
	s := Payload{Type: typ, Events: b.events, Fields: make([]Field, 0, len(b.nodes))}
	for _, n := range b.nodes {
		s.Fields = append(s.Fields, n.Field)
	}
	s.sort()
	return s
}

// below adds what stands in a list or an object.
func (b *Builder) below(n *node, value any) {
	switch v := value.(type) {
	case map[string]any:
		for key, item := range v {
			b.value(n, key, item)
		}
	case []any:
		for _, item := range v {
			b.value(n, Items, item)
		}
	}
}

// value adds what stands one step below a field.
func (b *Builder) value(above *node, step string, value any) {
	n := above.below[step]
	if n == nil {
		if len(b.nodes) >= maxFields || len(above.Path) >= maxSteps {
			return
		}
		n = &node{Field: Field{Path: append(slices.Clone(above.Path), step)}, secret: above.secret || isSecret(step)}
		if above.below == nil {
			above.below = map[string]*node{}
		}
		above.below[step] = n
		b.nodes = append(b.nodes, n)
	}
	if n.last != b.events {
		n.last = b.events
		n.Seen++
	}
	switch v := value.(type) {
	case nil:
		n.addType(Null)
	case bool:
		n.addType(Bool)
		n.example(v)
	case json.Number:
		n.addType(Number)
		n.example(v)
	case string:
		n.addType(Text)
		n.text(v)
	case []any:
		n.addType(List)
		n.addLength(len(v))
	case map[string]any:
		n.addType(Object)
	}
	b.below(n, value)
}

// mask stands for a value that must not be shown.
const mask = "••••"

func (n *node) text(text string) {
	switch runes := []rune(text); {
	case text == "":
		n.example(text)
	case n.secret:
		n.More = true
		n.example(mask)
	case len(runes) > maxExample:
		n.More = true
		n.example(string(runes[:maxExample]) + "…")
	default:
		n.example(text)
	}
}

func (n *node) example(value any) {
	if _, text := value.(string); !text && n.secret {
		n.More, value = true, mask
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(value) == nil { // a scalar always encodes
		n.addExample(bytes.TrimSpace(out.Bytes()))
	}
}

// secretWords are parts of the names of keys whose values are not shown.
var secretWords = []string{
	"password", "passwort", "passwd", "secret", "token", "apikey", "authorization", "credential", "privatekey", "iban", "cardnumber", "cvc", "cvv",
}

// isSecret reports whether a step of a path is called as secrets are.
func isSecret(step string) bool {
	name := separators.Replace(strings.ToLower(step))
	return slices.ContainsFunc(secretWords, func(word string) bool { return strings.Contains(name, word) })
}

// separators are what stands between the words of a key.
var separators = strings.NewReplacer("_", "", "-", "", " ", "")
