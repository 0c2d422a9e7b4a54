package lang

import (
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"

	"hookgate/internal/diag"
)

// Verdict is what became of a condition or a part of one.
type Verdict string

// The verdicts.
const (
	True         Verdict = "true"
	False        Verdict = "false"
	Failed       Verdict = "error"
	NotEvaluated Verdict = "not evaluated" // what stands before it settled the matter
)

// Trace tells how a condition came to its verdict.
type Trace struct {
	Verdict Verdict `json:"verdict"` // never NotEvaluated
	Error   string  `json:"error,omitempty"`
	Parts   []Part  `json:"parts,omitempty"`
	// At is the place of the part that could not be evaluated, with an Error.
	At diag.Position `json:"at,omitzero"`
}

// Part is one test of a condition, in the source's order.
type Part struct {
	Text    string  `json:"text"` // as it is written
	Depth   int     `json:"depth"`
	Verdict Verdict `json:"verdict"`
	Value   any     `json:"value,omitempty"` // what was compared
	Note    string  `json:"note,omitempty"`  // for people: it is "Publish"
	Error   string  `json:"error,omitempty"`
	// At is where the part stands in the configuration.
	At diag.Position `json:"at,omitzero"`
}

// Explain evaluates the condition part by part. Its verdict is always that of
// Eval.
func (p *Predicate) Explain(s *Scope) Trace { return p.explain(s, time.Now().Add(maxExplain)) }

// explain evaluates parts until then; what comes after it has the verdict
// NotEvaluated.
func (p *Predicate) explain(s *Scope, until time.Time) Trace {
	tree, err := parser.Parse(p.p.src.code)
	if err != nil { // it compiled, so it parses
		return Trace{Verdict: Failed, Error: err.Error()}
	}
	e := explainer{predicate: p, scope: s, spans: newSpans(p.p.src), until: until}
	e.group(tree.Node, 0, true)
	trace := Trace{Parts: e.parts}
	verdict, err := p.Eval(s)
	trace.Verdict = verdictOf(verdict)
	if err != nil {
		trace.Verdict, trace.Error, trace.At = Failed, err.Error(), p.p.src.whole()
		for _, part := range e.parts {
			if part.Verdict == Failed {
				trace.At = part.At // the last one: a group stands before its parts
			}
		}
	}
	return trace
}

func verdictOf(b bool) Verdict {
	if b {
		return True
	}
	return False
}

type explainer struct {
	predicate *Predicate
	scope     *Scope
	spans     *spans
	parts     []Part
	until     time.Time
}

// maxExplain bounds the parts of one condition together: each is bounded as an
// evaluation is, and there can be hundreds.
const maxExplain = 2 * time.Second

// junction is the operator of an and or or node, "" for any other.
func junction(n ast.Node) string {
	if b, ok := n.(*ast.BinaryNode); ok {
		switch b.Operator {
		case "and", "&&":
			return "and"
		case "or", "||":
			return "or"
		}
	}
	return ""
}

// group explains n and what it is made of. live is false where an earlier part
// has settled the matter.
func (e *explainer) group(n ast.Node, depth int, live bool) Verdict {
	operator := junction(n)
	if operator == "" {
		return e.test(n, depth, live)
	}
	settled, result := False, NotEvaluated
	if operator == "or" {
		settled = True
	}
	for _, operand := range operands(n, operator) {
		verdict := e.operand(operand, depth, live)
		if !live {
			continue
		}
		result = verdict
		live = verdict != settled && verdict != Failed
	}
	return result
}

// operand is one side of a junction: a test, or a group of its own with a line
// for the whole above its parts.
func (e *explainer) operand(n ast.Node, depth int, live bool) Verdict {
	if junction(n) == "" {
		return e.test(n, depth, live)
	}
	at := len(e.parts)
	e.parts = append(e.parts, e.part(n, depth))
	verdict := e.group(n, depth+1, live)
	e.parts[at].Verdict = verdict
	return verdict
}

// operands are the sides of a chain of the same operator.
func operands(n ast.Node, operator string) []ast.Node {
	if junction(n) != operator {
		return []ast.Node{n}
	}
	b, ok := n.(*ast.BinaryNode)
	if !ok {
		return nil
	}
	return append(operands(b.Left, operator), operands(b.Right, operator)...)
}

func (e *explainer) part(n ast.Node, depth int) Part {
	from, to := e.spans.of(n)
	return Part{Text: oneLine(e.spans.text(n)), Depth: depth, Verdict: NotEvaluated, At: e.predicate.p.src.at(from, to)}
}

func (e *explainer) test(n ast.Node, depth int, live bool) Verdict {
	part := e.part(n, depth)
	if live && time.Now().After(e.until) {
		part.Note = "it would take too long to tell"
	} else if live {
		value, err := e.value(n)
		verdict, isBool := value.(bool)
		switch {
		case err != nil:
			part.Verdict, part.Error = Failed, err.Error()
		case !isBool:
			part.Verdict, part.Value = Failed, value
			part.Note = "it is " + e.show(value) + ", not true or false"
		default:
			part.Verdict = verdictOf(verdict)
			e.note(&part, n)
		}
	}
	e.parts = append(e.parts, part)
	return part.Verdict
}

// note tells what a comparison compared.
func (e *explainer) note(part *Part, n ast.Node) {
	b, ok := n.(*ast.BinaryNode)
	if !ok || !comparing[b.Operator] || (b.Operator == "==" && part.Verdict == True) {
		return
	}
	var sides []ast.Node
	for _, side := range []ast.Node{b.Left, b.Right} {
		if !literal(side) {
			sides = append(sides, side)
		}
	}
	var notes []string
	for _, side := range sides {
		if time.Now().After(e.until) {
			return
		}
		value, err := e.value(side)
		if err != nil {
			return
		}
		name := "it"
		if len(sides) > 1 {
			name = oneLine(e.spans.text(side))
		}
		part.Value = value
		notes = append(notes, name+" is "+e.show(value))
	}
	part.Note = strings.Join(notes, ", ")
}

func (e *explainer) show(v any) string {
	if v == nil {
		return "null or missing"
	}
	return brief(v)
}

// value evaluates a part on its own, over the plain route.
func (e *explainer) value(n ast.Node) (any, error) {
	p, err := e.program(n)
	if err != nil { // the whole compiled, so its parts do
		return nil, err
	}
	return p.runPlain(e.scope)
}

// program compiles a part on its own.
func (e *explainer) program(n ast.Node) (*program, error) {
	from, to := e.spans.of(n)
	whole := e.predicate.p.src
	src := newSource(whole.text, whole.from+from, whole.from+to)
	r := &rewriter{src: src}
	code, err := e.predicate.c.build(src, r, false)
	return &program{src: src, space: e.predicate.c.space, plain: code}, err
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
