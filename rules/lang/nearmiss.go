package lang

import (
	"time"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"
)

// operand is one of several parts of a condition that are joined by and.
type operand struct {
	node    ast.Node
	program *program
}

// joined are the parts of the condition that and joins, each compiled to be
// evaluated on its own; none where it is of one piece.
func (p *Predicate) joined() []operand {
	p.once.Do(func() {
		tree, err := parser.Parse(p.p.src.code)
		if err != nil { // it compiled, so it parses
			return
		}
		e := explainer{predicate: p, spans: newSpans(p.p.src)}
		nodes := operands(tree.Node, "and")
		if len(nodes) < 2 {
			return
		}
		for _, n := range nodes {
			program, err := e.program(n)
			if err == nil && p.p.fast.Program != nil {
				err = p.c.quicken(program)
			}
			if err != nil { // the whole compiled, so its parts do
				p.parts = nil
				return
			}
			p.parts = append(p.parts, operand{n, program})
		}
	})
	return p.parts
}

// quicken gives a part of a condition that is in use the fast route, as far as it reads
// what the whole reads.
func (c *Compiler) quicken(part *program) error {
	fast := &rewriter{src: part.src, space: c.space, known: true}
	code, err := c.build(part.src, fast, false)
	if err == nil && !fast.unknown {
		part.fast, part.reads, part.only = code, fast.reads, fast.root
	}
	return err
}

// NearMiss tells which part alone kept the event from meeting the condition: of
// several that and joins, one is false and all others are true, each evaluated
// on its own, whatever stands before it. ok is false for every other event, and
// where a part cannot be evaluated.
func (p *Predicate) NearMiss(s *Scope) (part int, ok bool) {
	part = -1
	for i, o := range p.joined() {
		value, err := o.program.run(s)
		verdict, isBool := value.(bool)
		switch {
		case err != nil || !isBool:
			return 0, false
		case verdict:
		case part >= 0:
			return 0, false
		default:
			part = i
		}
	}
	return part, part >= 0
}

// Missed is the part that NearMiss told of, with what was compared.
func (p *Predicate) Missed(s *Scope, part int) Part {
	e := explainer{predicate: p, scope: s, spans: newSpans(p.p.src), until: time.Now().Add(maxExplain)}
	e.test(p.joined()[part].node, 0, true)
	return e.parts[0]
}
