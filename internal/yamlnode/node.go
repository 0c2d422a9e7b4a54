// Package yamlnode reads YAML into values that know where they stand, and
// decodes them strictly into structs. Every fault becomes a diag.Diagnostic
// with the place in the file, and all faults are found in one pass.
package yamlnode

import (
	"fmt"
	"regexp"

	"go.yaml.in/yaml/v4"

	"hookgate/internal/diag"
)

// Node is one value of a document. The zero Node is "not there". It is cheap
// to copy and, once the document is loaded, safe for concurrent reads.
type Node struct {
	y    *yaml.Node
	doc  *document
	path string
	key  *yaml.Node // the mapping key it stands under, if any
}

// Field is one key of a mapping and its value.
type Field struct {
	Key   Text
	Value Node
}

// Kind is the shape of a Node.
type Kind int

// The shapes. A missing Node and an explicit null are both Null.
const (
	Null Kind = iota
	Scalar
	List
	Map
)

// resolved follows an alias.
func (n Node) resolved() *yaml.Node {
	if n.y != nil && n.y.Kind == yaml.AliasNode {
		return n.y.Alias
	}
	return n.y
}

// Kind tells the shape.
func (n Node) Kind() Kind {
	y := n.resolved()
	switch {
	case y == nil:
		return Null
	case y.Kind == yaml.MappingNode:
		return Map
	case y.Kind == yaml.SequenceNode:
		return List
	case y.Kind == yaml.ScalarNode && y.ShortTag() == "!!null":
		return Null
	case y.Kind == yaml.ScalarNode:
		return Scalar
	}
	return Null
}

// IsZero reports whether the node is not in the document at all.
func (n Node) IsZero() bool { return n.y == nil }

// Path is where the node stands in the document, such as rules[2].then[0].to.
func (n Node) Path() string { return n.path }

// Items are the values of a List; nil for any other kind.
func (n Node) Items() []Node {
	if n.Kind() != List {
		return nil
	}
	y := n.resolved()
	items := make([]Node, len(y.Content))
	for i, c := range y.Content {
		items[i] = Node{y: c, doc: n.doc.of(c), path: fmt.Sprintf("%s[%d]", n.path, i)}
	}
	return items
}

// Fields are the keys and values of a Map in the file's order, merge keys
// (<<) resolved; nil for any other kind.
func (n Node) Fields() []Field {
	if n.Kind() != Map {
		return nil
	}
	y := n.resolved()
	var fields, merged []Field
	own := map[string]bool{}
	for i := 0; i+1 < len(y.Content); i += 2 {
		key, value := y.Content[i], y.Content[i+1]
		if key.Value == "<<" && key.ShortTag() == "!!merge" {
			merged = append(merged, n.merge(value)...)
			continue
		}
		own[key.Value] = true
		fields = append(fields, n.field(key, value))
	}
	for _, f := range merged {
		if !own[f.Key.Value] {
			own[f.Key.Value] = true
			fields = append(fields, f)
		}
	}
	return fields
}

func (n Node) field(key, value *yaml.Node) Field {
	path := key.Value
	if n.path != "" {
		path = n.path + "." + key.Value
	}
	return Field{
		Key:   Node{y: key, doc: n.doc.of(key), path: path}.Text(),
		Value: Node{y: value, doc: n.doc.of(value), path: path, key: key},
	}
}

func (n Node) merge(value *yaml.Node) []Field {
	source := Node{y: value, doc: n.doc.of(value), path: n.path}
	if source.Kind() != List {
		return source.Fields()
	}
	var fields []Field
	for _, item := range source.Items() {
		item.path = n.path
		fields = append(fields, item.Fields()...)
	}
	return fields
}

// Get returns the value under key; the zero Node when there is none.
func (n Node) Get(key string) Node {
	for _, f := range n.Fields() {
		if f.Key.Value == key {
			return f.Value
		}
	}
	return Node{}
}

// Any is the value as plain Go data: nil, bool, int, float64, string, []any,
// map[string]any. A plain scalar has the type that YAML gives it.
func (n Node) Any() any {
	switch n.Kind() {
	case Map:
		m := make(map[string]any)
		for _, f := range n.Fields() {
			m[f.Key.Value] = f.Value.Any()
		}
		return m
	case List:
		l := []any{}
		for _, item := range n.Items() {
			l = append(l, item.Any())
		}
		return l
	case Scalar:
		var v any
		if err := n.resolved().Load(&v); err != nil {
			return n.resolved().Value
		}
		switch x := v.(type) {
		case int64:
			return int(x)
		case nil, bool, int, float64, string:
			return x
		}
		return n.resolved().Value // dates, binary and the like stay as written
	case Null:
	}
	return nil
}

// respelt is how YAML writes numbers whose digits do not come out as they are
// written: with a plus, a leading zero (which makes some octal), or in another
// base. Postcodes and telephone numbers look like these.
var respelt = regexp.MustCompile(`^(\+|-?0[0-9xXoObB_])`)

// LostSpelling is a warning about a value without quotes that is written like a
// text and read as another number, as 01067 is read as 567.
func (n Node) LostSpelling() (d diag.Diagnostic, lost bool) {
	y := n.resolved()
	if n.Kind() != Scalar || y.Style != 0 || y.ShortTag() != "!!int" && y.ShortTag() != "!!float" || !respelt.MatchString(y.Value) {
		return d, false
	}
	d = n.Text().Diag("number-spelling", fmt.Sprintf("put it in quotes: %q", y.Value), "YAML reads %s as the number %v", y.Value, n.Any())
	return d.Weigh(diag.Warning), true
}

// Replace sets a scalar's value, as ${NAME} in it asks. A plain scalar gets
// its type anew (so that ${MAX} is a number); places in it are from then on
// those of the whole scalar as it stands in the file.
func (n Node) Replace(value string) {
	y := n.resolved()
	if _, done := n.doc.replaced[y]; !done {
		n.doc.replaced[y] = y.Value
	}
	y.Value = value
	if y.Style == 0 {
		if y.Tag = ""; y.ShortTag() == "!!null" {
			y.Tag = "!!str" // a value is never nothing: "", "~" and "null" stay texts
		}
	}
}

// Origin is the node itself, or for an alias (*name) the node that it stands
// for, with the path and key of the alias.
func (n Node) Origin() Node {
	n.y = n.resolved()
	return n
}

// Replaced reports whether Replace has set the scalar's value.
func (n Node) Replaced() bool {
	if n.doc == nil {
		return false
	}
	_, done := n.doc.replaced[n.resolved()]
	return done
}

// Pos is the place of the whole value: a scalar's own text, or for a list or
// a mapping the key it stands under.
func (n Node) Pos() diag.Position {
	switch {
	case n.y == nil:
		if n.doc == nil {
			return diag.Position{}
		}
		return diag.Position{File: n.doc.file}
	case n.y.Kind == yaml.ScalarNode && n.y.Line > 0 && (n.Kind() == Scalar || n.y.Value != ""):
		return n.Text().Pos()
	case n.key != nil:
		return Node{y: n.key, doc: n.doc.of(n.key)}.Text().Pos()
	}
	return n.doc.at(n.y.Line, n.y.Column)
}

// KeyPos is the place of the key that the value stands under, or Pos where it
// stands under none.
func (n Node) KeyPos() diag.Position {
	if n.key == nil {
		return n.Pos()
	}
	return Node{y: n.key, doc: n.doc.of(n.key)}.Text().Pos()
}

// Line is the file's line with that number (from 1), "" outside of the file.
func (n Node) Line(number int) string {
	if n.doc == nil || number < 1 || number > len(n.doc.lines) {
		return ""
	}
	return n.doc.lines[number-1]
}

// Diag makes an error about the whole value.
func (n Node) Diag(code, hint, format string, args ...any) diag.Diagnostic {
	return diag.Diagnostic{
		Severity: diag.Error, Code: code, Path: n.path, Position: n.Pos(),
		Message: fmt.Sprintf(format, args...), Hint: hint,
	}
}
