package lang

import (
	"strings"

	"hookgate/internal/diag"
	"hookgate/internal/jsondoc"
	"hookgate/internal/yamlnode"
)

type templateBuilder struct {
	compiler *Compiler
	input    Input
	pieces   []piece
	json     []byte // since the last leaf
	list     diag.List
}

// flush makes a piece of the JSON text gathered so far.
func (b *templateBuilder) flush() {
	if len(b.json) > 0 {
		b.pieces = append(b.pieces, piece{json: b.json})
		b.json = nil
	}
}

// value compiles n as what the input says it is.
func (b *templateBuilder) value(n yamlnode.Node) {
	if b.input.Kind == TextInput {
		var text yamlnode.Text
		if list := n.Decode("this", &text); list.Err() != nil {
			b.list = append(b.list, list...)
			return
		}
	}
	b.node(n)
}

// field compiles a value of a mapping, as the input declares it or as a part
// of the input itself.
func (b *templateBuilder) field(f yamlnode.Field) {
	if b.input.Fields == nil {
		b.node(f.Value)
		return
	}
	outer := b.input
	b.input = Input{Name: f.Key.Value, Kind: ValueInput}
	for _, in := range outer.Fields {
		if in.Name == f.Key.Value {
			b.input = in
		}
	}
	b.value(f.Value)
	b.input = outer
}

func (b *templateBuilder) node(n yamlnode.Node) {
	switch n.Kind() {
	case yamlnode.Map:
		b.json = append(b.json, '{')
		for i, f := range n.Fields() {
			if i > 0 {
				b.json = append(b.json, ',')
			}
			if strings.Contains(f.Key.Value, "${{") {
				b.list = append(b.list, f.Key.Diag("template-in-key", "write the key out", "a key cannot hold ${{ }}"))
			}
			b.json = append(jsondoc.AppendString(b.json, f.Key.Value), ':')
			b.field(f)
		}
		b.json = append(b.json, '}')
	case yamlnode.List:
		b.json = append(b.json, '[')
		for i, item := range n.Items() {
			if i > 0 {
				b.json = append(b.json, ',')
			}
			b.node(item)
		}
		b.json = append(b.json, ']')
	case yamlnode.Scalar:
		b.scalar(n)
	case yamlnode.Null:
		b.json = append(b.json, "null"...)
	}
}

func (b *templateBuilder) scalar(n yamlnode.Node) {
	text := n.Text()
	if from, to, hint := otherTemplate(text.Value); from >= 0 {
		d := text.DiagAt(from, to, "literal-braces", hint, "%q is sent as it stands", text.Value[from:to])
		d.Severity = diag.Warning
		b.list = append(b.list, d)
	}
	if !strings.Contains(text.Value, "${{") {
		if b.input.Kind == TextInput {
			b.json = jsondoc.AppendString(b.json, text.Value)
			return
		}
		var err error
		if b.json, err = appendJSON(b.json, n.Any()); err != nil {
			b.list = append(b.list, text.Diag("bad-value", "", "%s", err))
		}
		return
	}
	l := &leaf{escape: b.input.Escape, parts: b.parts(text)}
	dynamic := 0
	for _, p := range l.parts {
		if p.program != nil {
			dynamic++
		}
	}
	switch {
	case b.list.Err() != nil:
	case dynamic == 0: // only $${{
		b.json = append(b.json, '"')
		for _, p := range l.parts {
			b.json = append(b.json, p.json...)
		}
		b.json = append(b.json, '"')
	default:
		l.typed = b.input.Kind == ValueInput && len(l.parts) == 1
		b.flush()
		b.pieces = append(b.pieces, piece{leaf: l})
	}
}

// parts splits a scalar at its ${{ }}. $${{ stands for ${{ itself.
func (b *templateBuilder) parts(text yamlnode.Text) []part {
	var parts []part
	var literal []byte
	flush := func() {
		if len(literal) > 0 {
			parts = append(parts, part{json: literal})
			literal = nil
		}
	}
	value := text.Value
	for i := 0; i < len(value); {
		next := strings.Index(value[i:], "${{")
		if next < 0 {
			literal = jsondoc.AppendContent(literal, value[i:])
			break
		}
		at := i + next
		if at > i && value[at-1] == '$' {
			literal = jsondoc.AppendContent(literal, value[i:at-1])
			literal = append(literal, "${{"...)
			i = at + 3
			continue
		}
		literal = jsondoc.AppendContent(literal, value[i:at])
		end := templateEnd(value[at+3:])
		if end < 0 {
			b.list = append(b.list, text.DiagAt(at, at+3, "template-open", "close it, or write $${{ for the characters themselves", `"${{" has no "}}"`))
			break
		}
		flush()
		parts = append(parts, b.expression(text, at+3, at+3+end))
		i = at + 3 + end + 2
	}
	flush()
	return parts
}

func (b *templateBuilder) expression(text yamlnode.Text, from, to int) part {
	code := text.Value[from:to]
	if strings.TrimSpace(code) == "" {
		b.list = append(b.list, text.DiagAt(from-3, to+2, "expr-syntax", "", "${{ }} holds no expression"))
		return part{}
	}
	p, list := b.compiler.compile(newSource(text, from, to), true)
	b.list = append(b.list, list...)
	return part{program: p, name: strings.TrimSpace(code)}
}
