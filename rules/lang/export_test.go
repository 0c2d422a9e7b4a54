package lang

import "time"

// EvalFast and EvalPlain run the two routes apart, for the test that they mean
// the same.
func EvalFast(e *Expression, s *Scope) (any, error)  { return e.p.run(s) }
func EvalPlain(e *Expression, s *Scope) (any, error) { return e.p.runPlain(s) }

// TextOf and JSONOf write plain data as templates do.
func TextOf(v any) (string, error) { return textOf(v, MaxOutput) }

func JSONOf(v any) string {
	text, err := appendJSON(nil, v, MaxOutput)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// ExplainUntil is Explain with the end of its time.
func ExplainUntil(p *Predicate, s *Scope, until time.Time) Trace { return p.explain(s, until) }

// PlainNearMiss is NearMiss by the plain route alone.
func PlainNearMiss(p *Predicate, s *Scope) (part int, ok bool) {
	plain := Predicate{p: p.p, c: p.c}
	plain.once.Do(func() {
		for _, o := range p.joined() {
			one := *o.program
			one.fast = code{}
			plain.parts = append(plain.parts, operand{o.node, &one})
		}
	})
	return plain.NearMiss(s)
}
