package lang

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"hookgate/app/diag"
	"hookgate/app/yamlpos"
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
func (c *Compiler) Template(n yamlpos.Node, in Input) (*Template, diag.List) {
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
	n, list := yamlpos.Parse("default", quoted)
	if list.Err() != nil {
		return nil, list
	}
	return c.Template(n, in)
}

// Static reports whether the template holds no ${{ }}.
func (t *Template) Static() bool { return t.static }

// AppendJSON appends the rendered value as JSON. missing has the source of
// each ${{ }} that gave null: null where it stands alone, else empty text. An
// error names the ${{ }} at fault; null or empty text stands in its place, so
// that out is JSON all the same.
func (t *Template) AppendJSON(dst []byte, s *Scope) (out []byte, missing []string, err error) {
	for i := range t.pieces {
		p := &t.pieces[i]
		if p.leaf == nil {
			dst = append(dst, p.json...)
			continue
		}
		var failed error
		if p.leaf.typed {
			dst, missing, failed = p.leaf.appendValue(dst, s, missing)
		} else {
			dst, missing, failed = p.leaf.appendText(dst, s, missing)
		}
		if err == nil {
			err = failed
		}
	}
	return dst, missing, err
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

func (l *leaf) appendValue(dst []byte, s *Scope, missing []string) ([]byte, []string, error) {
	p := &l.parts[0]
	asItIs := l.escape == nil || p.program.raw
	if asItIs {
		if f, ok := p.program.scalar(s); ok {
			return f.appendJSON(dst), missing, nil
		}
	}
	value, err := p.program.run(s)
	if err != nil {
		return append(dst, "null"...), missing, fmt.Errorf("${{ %s }}: %w", p.name, err)
	}
	if value == nil {
		return append(dst, "null"...), append(missing, p.name), nil
	}
	if !asItIs {
		value = escaped(value, l.escape)
	}
	before := len(dst)
	if dst, err = appendJSON(dst, value); err != nil {
		return append(dst[:before], "null"...), missing, fmt.Errorf("${{ %s }}: %w", p.name, err)
	}
	return dst, missing, nil
}

func (l *leaf) appendText(dst []byte, s *Scope, missing []string) ([]byte, []string, error) {
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
		dst, null, err = l.appendPart(dst, s, p)
		if null {
			missing = append(missing, p.name)
		}
		if err != nil && first == nil {
			first = fmt.Errorf("${{ %s }}: %w", p.name, err)
		}
	}
	return append(dst, '"'), missing, first
}

// appendPart appends the text of one ${{ }}; null says that there is none.
func (l *leaf) appendPart(dst []byte, s *Scope, p *part) (out []byte, null bool, err error) {
	asItIs := l.escape == nil || p.program.raw
	if asItIs {
		if f, ok := p.program.scalar(s); ok {
			return f.appendContent(dst), false, nil
		}
	}
	value, err := p.program.run(s)
	if err != nil || value == nil {
		return dst, err == nil, err
	}
	text, err := textOf(value)
	if err != nil {
		return dst, false, err
	}
	if !asItIs {
		text = l.escape(text)
	}
	return appendStringContent(dst, text), false, nil
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
func (b *templateBuilder) value(n yamlpos.Node) {
	if b.input.Kind == TextInput {
		var text yamlpos.Text
		if list := n.Decode("this", &text); list.Err() != nil {
			b.list = append(b.list, list...)
			return
		}
	}
	b.node(n)
}

// field compiles a value of a mapping, as the input declares it or as a part
// of the input itself.
func (b *templateBuilder) field(f yamlpos.Field) {
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

func (b *templateBuilder) node(n yamlpos.Node) {
	switch n.Kind() {
	case yamlpos.Map:
		b.json = append(b.json, '{')
		for i, f := range n.Fields() {
			if i > 0 {
				b.json = append(b.json, ',')
			}
			if strings.Contains(f.Key.Value, "${{") {
				b.list = append(b.list, f.Key.Diag("template-in-key", "write the key out", "a key cannot hold ${{ }}"))
			}
			b.json = append(appendString(b.json, f.Key.Value), ':')
			b.field(f)
		}
		b.json = append(b.json, '}')
	case yamlpos.List:
		b.json = append(b.json, '[')
		for i, item := range n.Items() {
			if i > 0 {
				b.json = append(b.json, ',')
			}
			b.node(item)
		}
		b.json = append(b.json, ']')
	case yamlpos.Scalar:
		b.scalar(n)
	case yamlpos.Null:
		b.json = append(b.json, "null"...)
	}
}

func (b *templateBuilder) scalar(n yamlpos.Node) {
	text := n.Text()
	if at := bareBraces(text.Value); at >= 0 {
		d := text.DiagAt(at, at+2, "literal-braces", "write ${{ … }} to put a value in", `"{{" is sent as it stands`)
		d.Severity = diag.Warning
		b.list = append(b.list, d)
	}
	if !strings.Contains(text.Value, "${{") {
		if b.input.Kind == TextInput {
			b.json = appendString(b.json, text.Value)
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

// otherTemplate is how other languages put a value in: {{ name }}.
var otherTemplate = regexp.MustCompile(`(?:^|[^$])(\{\{)\s*[A-Za-z.]`)

// bareBraces is where a {{ of another language stands, which here is plain
// text; -1 where there is none.
func bareBraces(text string) int {
	place := otherTemplate.FindStringSubmatchIndex(text)
	if place == nil {
		return -1
	}
	return place[2]
}

// parts splits a scalar at its ${{ }}. $${{ stands for ${{ itself.
func (b *templateBuilder) parts(text yamlpos.Text) []part {
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
			literal = appendStringContent(literal, value[i:])
			break
		}
		at := i + next
		if at > i && value[at-1] == '$' {
			literal = appendStringContent(literal, value[i:at-1])
			literal = append(literal, "${{"...)
			i = at + 3
			continue
		}
		literal = appendStringContent(literal, value[i:at])
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

func (b *templateBuilder) expression(text yamlpos.Text, from, to int) part {
	code := text.Value[from:to]
	if strings.TrimSpace(code) == "" {
		b.list = append(b.list, text.DiagAt(from-3, to+2, "expr-syntax", "", "${{ }} holds no expression"))
		return part{}
	}
	p, list := b.compiler.compile(newSource(text, from, to), true)
	b.list = append(b.list, list...)
	return part{program: p, name: strings.TrimSpace(code)}
}
