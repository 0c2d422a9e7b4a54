package lang

// EvalFast and EvalPlain run the two routes apart, for the test that they mean
// the same.
func EvalFast(e *Expression, s *Scope) (any, error)  { return e.p.run(s) }
func EvalPlain(e *Expression, s *Scope) (any, error) { return e.p.runPlain(s) }
