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
	fields map[string]*Field
	events int
	marked map[string]bool // the paths of the event that is being added
}

// NewBuilder makes a Builder that has seen nothing.
func NewBuilder() *Builder { return &Builder{fields: map[string]*Field{}} }

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
	b.marked = map[string]bool{}
	b.below(nil, value)
	return true
}

// Payload is what was seen so far.
func (b *Builder) Payload(typ string) Payload {
	s := Payload{Type: typ, Events: b.events, Fields: make([]Field, 0, len(b.fields))}
	for _, f := range b.fields {
		s.Fields = append(s.Fields, *f)
	}
	s.sort()
	return s
}

// below adds what stands in a list or an object.
func (b *Builder) below(p Path, value any) {
	switch v := value.(type) {
	case map[string]any:
		for key, item := range v {
			b.value(append(slices.Clone(p), key), item)
		}
	case []any:
		for _, item := range v {
			b.value(append(slices.Clone(p), Items), item)
		}
	}
}

func (b *Builder) value(p Path, value any) {
	key := p.String()
	f := b.fields[key]
	if f == nil {
		if len(b.fields) >= maxFields || len(p) > maxSteps {
			return
		}
		f = &Field{Path: p}
		b.fields[key] = f
	}
	if !b.marked[key] {
		b.marked[key] = true
		f.Seen++
	}
	switch v := value.(type) {
	case nil:
		f.addType(Null)
	case bool:
		f.addType(Bool)
		f.example(v)
	case json.Number:
		f.addType(Number)
		f.example(v)
	case string:
		f.addType(Text)
		f.text(v)
	case []any:
		f.addType(List)
		f.addLength(len(v))
	case map[string]any:
		f.addType(Object)
	}
	b.below(p, value)
}

// mask stands for a value that must not be shown.
const mask = "••••"

func (f *Field) text(text string) {
	switch runes := []rune(text); {
	case text == "":
		f.example(text)
	case f.secret():
		f.More = true
		f.example(mask)
	case len(runes) > maxExample:
		f.More = true
		f.example(string(runes[:maxExample]) + "…")
	default:
		f.example(text)
	}
}

func (f *Field) example(value any) {
	if _, text := value.(string); !text && f.secret() {
		f.More, value = true, mask
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(value) == nil { // a scalar always encodes
		f.addExample(bytes.TrimSpace(out.Bytes()))
	}
}

// secretWords are parts of the names of keys whose values are not shown.
var secretWords = []string{
	"password", "passwort", "passwd", "secret", "token", "apikey", "authorization", "credential", "privatekey", "iban", "cardnumber", "cvc", "cvv",
}

// secret reports whether the path is called as secrets are.
func (f *Field) secret() bool {
	for _, step := range f.Path {
		name := strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(step))
		for _, word := range secretWords {
			if strings.Contains(name, word) {
				return true
			}
		}
	}
	return false
}
