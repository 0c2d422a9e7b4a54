package lang

import (
	"encoding/json"
	"fmt"

	"github.com/valyala/fastjson"

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

// MaxOutput bounds, in bytes, what one action sends: a text with quotes is
// longer in JSON than it came, and a value can be passed on several times.
const MaxOutput = 16 << 20

// AppendJSON appends the rendered value as JSON, as long as dst is not longer
// than MaxOutput then; more is an error. missing has the source of
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
		before := len(dst)
		if p.leaf.typed {
			dst, missing, failed = p.leaf.appendValue(dst, s, missing)
		} else {
			dst, missing, failed = p.leaf.appendText(dst, s, missing)
		}
		if len(dst) > MaxOutput && failed == nil {
			failed = fmt.Errorf("what is sent would be larger than %d MB", MaxOutput>>20)
		}
		if len(dst) > MaxOutput {
			dst = append(dst[:before], p.leaf.nothing()...)
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

func (l *leaf) appendValue(dst []byte, s *Scope, missing []string) ([]byte, []string, error) {
	p := &l.parts[0]
	asItIs := l.escape == nil || p.program.raw
	if asItIs {
		if v, ok := p.program.direct(s); ok && v != nil {
			return jsondoc.AppendValue(dst, v), missing, nil
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
		if v, ok := p.program.direct(s); ok && v != nil {
			if v.Type() == fastjson.TypeString {
				return jsondoc.AppendContent(dst, v.GetStringBytes()), false, nil
			}
			return jsondoc.AppendContent(dst, jsondoc.AppendValue(nil, v)), false, nil
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
	return jsondoc.AppendContent(dst, text), false, nil
}
