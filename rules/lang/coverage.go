package lang

import (
	"github.com/expr-lang/expr/ast"

	"hookgate/internal/diag"
)

// Outcome is one of the two results that an expression can have at a place.
type Outcome string

// The outcomes, in pairs.
const (
	WasTrue   Outcome = "true"     // a test: the whole condition, or an operand of and, or
	WasFalse  Outcome = "false"    //
	Chosen    Outcome = "then"     // c ? this : that
	Otherwise Outcome = "else"     //
	Present   Outcome = "present"  // this ?? that
	Fallback  Outcome = "fallback" //
)

// Branch is where an expression goes with one outcome, and whether it went there.
type Branch struct {
	Outcome Outcome
	Text    string        // of the test, or of the part that is evaluated
	At      diag.Position // of Text
	Seen    bool
}

// CoverageProbe watches which branches expressions take. It is not for concurrent use.
type CoverageProbe struct {
	Branches []Branch // in the source's order, two for each place
	programs []*program
}

// Probe watches the condition.
func (p *Predicate) Probe() *CoverageProbe {
	out := &CoverageProbe{}
	out.add(p.p, true)
	return out
}

// Probe watches the expression.
func (e *Expression) Probe() *CoverageProbe {
	out := &CoverageProbe{}
	out.add(e.p, false)
	return out
}

// Probe watches every ${{ }} of the template.
func (t *Template) Probe() *CoverageProbe {
	out := &CoverageProbe{}
	for i := range t.pieces {
		if t.pieces[i].leaf == nil {
			continue
		}
		for _, part := range t.pieces[i].leaf.parts {
			if part.program != nil {
				out.add(part.program, false)
			}
		}
	}
	return out
}

// Run evaluates what is watched and marks the branches that it takes. What cannot
// be evaluated marks those up to there.
func (p *CoverageProbe) Run(s *Scope) {
	s.meter.seen = p.see
	defer func() { s.meter.seen = nil }()
	for _, program := range p.programs {
		_, _ = program.runPlain(s) // the rule itself tells of an error
	}
}

// see is told the value at the place whose branches begin at that index.
func (p *CoverageProbe) see(branch int, value any) {
	switch p.Branches[branch].Outcome {
	case WasTrue:
		if verdict, ok := value.(bool); ok {
			p.mark(branch, verdict)
		}
	case Present:
		p.mark(branch, value != nil)
	case Chosen, Otherwise:
		p.Branches[branch].Seen = true
	case WasFalse, Fallback:
	}
}

func (p *CoverageProbe) mark(branch int, first bool) {
	if !first {
		branch++
	}
	p.Branches[branch].Seen = true
}

// add compiles the program anew, with a call at each place that has two branches.
// One that has none is not watched.
func (p *CoverageProbe) add(of *program, condition bool) {
	w := &watcher{probe: p, src: of.src, spans: newSpans(of.src), known: map[placeKey]int{}}
	before := len(p.Branches)
	r := &rewriter{src: of.src, before: func(n *ast.Node) { w.node(n, condition) }}
	code, err := NewCompiler().build(of.src, r, of.raw)
	if err != nil || len(p.Branches) == before { // it compiled, so it does again
		p.Branches = p.Branches[:before]
		return
	}
	p.programs = append(p.programs, &program{src: of.src, space: of.space, plain: code})
}

// placeKey is a place in an expression, in bytes, and the outcome of its first branch.
type placeKey struct {
	from, to int
	outcome  Outcome
}

// watcher puts the calls into one expression.
type watcher struct {
	probe *CoverageProbe
	src   *source
	spans *spans
	known map[placeKey]int // the first branch of a place: trees share nodes
}

// node watches n and what is below it. test says that n is a test.
func (w *watcher) node(n *ast.Node, test bool) {
	from, to := w.spans.of(*n)
	tested := -1
	if test && junction(*n) == "" {
		tested = w.place(from, to, w.branch(WasTrue, *n), w.branch(WasFalse, *n))
	}
	switch x := (*n).(type) {
	case *ast.ConditionalNode:
		chosen, otherwise := w.branch(Chosen, x.Exp1), w.branch(Otherwise, x.Exp2)
		w.node(&x.Cond, true)
		at := w.place(from, to, chosen, otherwise)
		w.node(&x.Exp1, false)
		w.node(&x.Exp2, false)
		w.call(&x.Exp1, at)
		w.call(&x.Exp2, at+1)
	case *ast.BinaryNode:
		inner := junction(x) != ""
		at := -1
		if x.Operator == "??" {
			at = w.place(from, to, w.branch(Present, x.Left), w.branch(Fallback, x.Right))
		}
		w.node(&x.Left, inner)
		w.node(&x.Right, inner)
		if at >= 0 {
			w.call(&x.Left, at)
		}
	default:
		for _, c := range children(*n) {
			w.node(c, false)
		}
	}
	if tested >= 0 {
		w.call(n, tested)
	}
}

func (w *watcher) branch(outcome Outcome, n ast.Node) Branch {
	from, to := w.spans.of(n)
	return Branch{Outcome: outcome, Text: oneLine(w.spans.text(n)), At: w.src.at(from, to)}
}

// place gives the index of the first of two branches, which are added unless they are there.
func (w *watcher) place(from, to int, branches ...Branch) int {
	key := placeKey{from, to, branches[0].Outcome}
	if at, ok := w.known[key]; ok {
		return at
	}
	w.known[key] = len(w.probe.Branches)
	w.probe.Branches = append(w.probe.Branches, branches...)
	return w.known[key]
}

func (w *watcher) call(n *ast.Node, branch int) {
	r := rewriter{}
	r.call(n, fnSeen, &ast.IntegerNode{Value: branch}, *n)
}

// seen is the function of the call.
func seen(m *meter, args []any) (any, error) {
	if branch, ok := args[0].(int); ok && m.seen != nil {
		m.seen(branch, args[1])
	}
	return args[1], nil
}
