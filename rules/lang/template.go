package lang

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"hookgate/internal/diag"
	"hookgate/internal/jsondoc"
	"hookgate/internal/yamlnode"
)

// Template is a YAML value whose text leaves may hold ${{ expr }}, compiled to
// the pieces of the JSON text it renders to. It is safe for concurrent use.
type Template struct {
	pieces []piece
	static bool
	at     diag.Position // of the whole value
}

// piece is JSON text as it is, or a leaf.
type piece struct {
	json []byte
	leaf *leaf // nil: json
}

// leaf is a scalar with at least one ${{ }}.
type leaf struct {
	parts  []part
	typed  bool // exactly one ${{ }} in a ValueInput: it keeps its type
	escape func(string) string
}

// part is a literal, as the content of a JSON string, or an expression.
type part struct {
	json    []byte
	program *program // nil: json
	name    string   // the expression, as it is written
}

// Template compiles a value of an action. Every fault is reported.
func (c *Compiler) Template(n yamlnode.Node, in Input) (*Template, diag.List) {
	b := templateBuilder{compiler: c, input: in}
	b.value(n)
	if b.list.Err() != nil {
		return nil, b.list
	}
	b.flush()
	t := &Template{pieces: b.pieces, static: true, at: n.Pos()}
	for _, p := range b.pieces {
		t.static = t.static && p.leaf == nil
	}
	return t, b.list
}

// Default compiles what stands under an input that an action leaves out.
func (c *Compiler) Default(in Input) (*Template, diag.List) {
	quoted, err := json.Marshal(in.Default)
	if err != nil { // a text always marshals
		quoted = []byte(`""`)
	}
	n, list := yamlnode.Parse("default", quoted)
	if list.Err() != nil {
		return nil, list
	}
	return c.Template(n, in)
}

// Static reports whether the template holds no ${{ }}.
func (t *Template) Static() bool { return t.static }

// AppendJSON appends the rendered value as JSON, as long as dst is not longer
// than MaxOutput then; more is ErrTooLarge. missing has the source of
// each ${{ }} that gave null: null where it stands alone, else empty text. An
// error names the ${{ }} at fault; null or empty text stands in its place, so
// that out is JSON all the same.
func (t *Template) AppendJSON(dst []byte, s *Scope) (out []byte, missing []string, err error) {
	return t.AppendWithin(dst, s, MaxOutput)
}

// AppendWithin is AppendJSON with a bound on dst, in bytes, of the caller's own.
func (t *Template) AppendWithin(dst []byte, s *Scope, most int) (out []byte, missing []string, err error) {
	for i := range t.pieces {
		p := &t.pieces[i]
		if p.leaf == nil {
			dst = append(dst, p.json...)
			continue
		}
		var failed error
		before := len(dst)
		if p.leaf.typed {
			dst, missing, failed = p.leaf.appendValue(dst, s, missing, most)
		} else {
			dst, missing, failed = p.leaf.appendText(dst, s, missing, most)
		}
		if errors.Is(failed, ErrTooLarge) { // cloned, for it has grown far beyond what is kept
			dst = append(bytes.Clone(dst[:before]), p.leaf.nothing()...)
		}
		if err == nil {
			err = failed
		}
	}
	return dst, missing, err
}

// nothing stands in the leaf's place where its value cannot be sent.
func (l *leaf) nothing() string {
	if l.typed {
		return "null"
	}
	return `""`
}

// FaultAt is the place of the first ${{ }} that cannot be evaluated, else of
// the first that gives null, else of the whole value.
func (t *Template) FaultAt(s *Scope) diag.Position {
	at, missing := t.at, false
	for i := range t.pieces {
		if t.pieces[i].leaf == nil {
			continue
		}
		for _, p := range t.pieces[i].leaf.parts {
			if p.program == nil {
				continue
			}
			value, err := p.program.run(s)
			src := p.program.src
			if err != nil {
				return src.whole()
			}
			if value == nil && !missing {
				at, missing = src.whole(), true
			}
		}
	}
	return at
}

func (l *leaf) appendValue(dst []byte, s *Scope, missing []string, most int) ([]byte, []string, error) {
	p := &l.parts[0]
	w := writer{dst: dst, most: most, escape: l.escape}
	if l.escape == nil || p.program.raw {
		w.escape = nil
		if v, ok := p.program.direct(s); ok && v.Kind() != jsondoc.None {
			if dst = jsondoc.AppendValue(dst, v); len(dst) > most {
				return dst, missing, fmt.Errorf("${{ %s }}: %w", p.name, ErrTooLarge)
			}
			return dst, missing, nil
		}
	}
	value, err := p.program.run(s)
	if err != nil {
		return append(dst, "null"...), missing, fmt.Errorf("${{ %s }}: %w", p.name, err)
	}
	if value == nil {
		return append(dst, "null"...), append(missing, p.name), nil
	}
	if err = w.value(value); err != nil {
		return append(w.dst[:len(dst)], "null"...), missing, fmt.Errorf("${{ %s }}: %w", p.name, err)
	}
	return w.dst, missing, nil
}

func (l *leaf) appendText(dst []byte, s *Scope, missing []string, most int) ([]byte, []string, error) {
	var first error
	dst = append(dst, '"')
	for i := range l.parts {
		p := &l.parts[i]
		if p.program == nil {
			dst = append(dst, p.json...)
			continue
		}
		var null bool
		var err error
		dst, null, err = l.appendPart(dst, s, p, most)
		if null {
			missing = append(missing, p.name)
		}
		if err == nil && len(dst) > most {
			err = ErrTooLarge
		}
		if errors.Is(err, ErrTooLarge) { // the rest would only make it larger
			return dst, missing, fmt.Errorf("${{ %s }}: %w", p.name, err)
		}
		if err != nil && first == nil {
			first = fmt.Errorf("${{ %s }}: %w", p.name, err)
		}
	}
	return append(dst, '"'), missing, first
}

// appendPart appends the text of one ${{ }}; null says that there is none.
func (l *leaf) appendPart(dst []byte, s *Scope, p *part, most int) (out []byte, null bool, err error) {
	asItIs := l.escape == nil || p.program.raw
	if asItIs {
		if v, ok := p.program.direct(s); ok && v.Kind() != jsondoc.None {
			switch v.Kind() {
			case jsondoc.String:
				return jsondoc.AppendContent(dst, v.Text()), false, nil
			case jsondoc.Number, jsondoc.True, jsondoc.False:
				return jsondoc.AppendValue(dst, v), false, nil
			default:
			}
			return jsondoc.AppendContent(dst, jsondoc.AppendValue(nil, v)), false, nil
		}
	}
	value, err := p.program.run(s)
	if err != nil || value == nil {
		return dst, err == nil, err
	}
	text, err := textOf(value, most)
	if err != nil {
		return dst, false, err
	}
	if !asItIs {
		text = l.escape(text)
	}
	return jsondoc.AppendContent(dst, text), false, nil
}

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
			if n.Kind() == yamlnode.Map && strings.Contains(n.Line(n.Pos().Line), ": {{") {
				list[0].Hint = "write ${{ … }} to put a value in"
			}
			b.list = append(b.list, list...)
			return
		}
	}
	b.node(n)
}

// field compiles a value of a mapping, as the input declares it or as a part
// of the input itself.
func (b *templateBuilder) field(f yamlnode.Field) {
	outer := b.input
	if b.input.Fields == nil {
		if f.Value.Kind() == yamlnode.Scalar && forPrograms(f.Key.Value) {
			b.input.Escape = nil
		}
		b.node(f.Value)
		b.input = outer
		return
	}
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
		if d, lost := n.LostSpelling(); lost {
			b.list = append(b.list, d)
		}
		var err error
		if b.json, err = appendJSON(b.json, n.Any(), MaxOutput); err != nil {
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
