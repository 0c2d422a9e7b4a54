package lang

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/valyala/fastjson"

	"hookgate/internal/jsondoc"
)

// answer is what a shortcut says of an event.
type answer byte

const (
	unsure answer = iota // only the machine can tell
	no
	yes
)

func answerOf(b bool) answer {
	if b {
		return yes
	}
	return no
}

// shortcut decides the most common conditions, comparisons of a static path
// with a literal and their joints, straight from the parsed text: nothing is
// decoded and no machine runs. It answers only where the answer is plain. All
// else, every error among it, is unsure, and the program is run as if there
// were no shortcut, so the meaning of the language is the machine's alone; the
// test that both routes agree holds shortcuts to it too.
type shortcut interface{ ask(s *Scope) answer }

// joint is and, or: what settles it on the left leaves the right unasked.
type joint struct {
	left, right shortcut
	settles     answer
}

func (j *joint) ask(s *Scope) answer {
	if left := j.left.ask(s); left == unsure || left == j.settles {
		return left
	}
	return j.right.ask(s)
}

// inversion is not, and != around ==.
type inversion struct{ of shortcut }

func (i inversion) ask(s *Scope) answer {
	switch i.of.ask(s) {
	case yes:
		return no
	case no:
		return yes
	case unsure:
	}
	return unsure
}

// doubt stands for a part that is the machine's.
type doubt struct{}

func (doubt) ask(*Scope) answer { return unsure }

// truth is a path that should be true or false itself.
type truth struct{ path *path }

func (t truth) ask(s *Scope) answer {
	switch f, ok := s.fact(t.path); {
	case ok && f.kind == fastjson.TypeTrue:
		return yes
	case ok && f.kind == fastjson.TypeFalse:
		return no
	}
	return unsure
}

// equality is == with one literal, in with several.
type equality struct {
	path     *path
	literals []any
}

func (e *equality) ask(s *Scope) answer {
	f, ok := s.fact(e.path)
	if !ok {
		return unsure
	}
	for _, literal := range e.literals {
		if verdict := f.equals(literal); verdict != no {
			return verdict
		}
	}
	return no
}

// order is < <= > >= with an integer.
type order struct {
	path     *path
	operator string
	literal  int64
}

func (o *order) ask(s *Scope) answer {
	f, ok := s.fact(o.path)
	if !ok || f.kind != fastjson.TypeNumber {
		return unsure
	}
	n, ok := jsondoc.Integer(f.value)
	if !ok {
		return unsure
	}
	switch o.operator {
	case "<":
		return answerOf(n < o.literal)
	case "<=":
		return answerOf(n <= o.literal)
	case ">":
		return answerOf(n > o.literal)
	default:
		return answerOf(n >= o.literal)
	}
}

// search looks for a literal in a text. Null holds nothing.
type search struct {
	path *path
	find func(text, literal []byte) bool
	what []byte
}

// searches are the operators that look for a text.
var searches = map[string]func(text, literal []byte) bool{
	"contains": bytes.Contains, "startsWith": bytes.HasPrefix, "endsWith": bytes.HasSuffix,
}

func (x *search) ask(s *Scope) answer {
	switch f, ok := s.fact(x.path); {
	case ok && f.kind == fastjson.TypeString:
		return answerOf(x.find(f.text, x.what))
	case ok && f.kind == fastjson.TypeNull:
		return no
	}
	return unsure
}

// matching is matches with a literal pattern.
type matching struct {
	path    *path
	pattern *pattern
}

func (m *matching) ask(s *Scope) answer {
	f, ok := s.fact(m.path)
	switch {
	case !ok:
		return unsure
	case f.kind == fastjson.TypeNull:
		return no
	// The bound is on the decoded text, which is longer where this is no UTF-8.
	case f.kind != fastjson.TypeString, m.pattern.instructions*len(f.text) > maxRegexWork, !utf8.Valid(f.text):
		return unsure
	}
	if simple := m.pattern.simple; simple != nil {
		return answerOf(simple.match(f.text))
	}
	return answerOf(m.pattern.re.Match(f.text))
}

// shortcutOf makes the shortcut of a rewritten expression, nil when all of it
// is the machine's.
func (r *rewriter) shortcutOf(n ast.Node) shortcut {
	if p := r.path(n); p != nil {
		return truth{path: p}
	}
	switch x := n.(type) {
	case *ast.UnaryNode:
		if of := r.shortcutOf(x.Node); of != nil && (x.Operator == "not" || x.Operator == "!") {
			return inversion{of: of}
		}
	case *ast.BinaryNode:
		return r.binaryShortcut(x)
	case *ast.CallNode:
		return r.matchShortcut(x)
	}
	return nil
}

func (r *rewriter) binaryShortcut(x *ast.BinaryNode) shortcut {
	switch operator := junction(x); operator {
	case "and":
		return r.joint(x, no)
	case "or":
		return r.joint(x, yes)
	}
	left, right := x.Left, x.Right
	if (x.Operator == "==" || x.Operator == "!=") && literal(left) {
		left, right = right, left
	}
	p := r.path(left)
	if p == nil {
		return nil
	}
	if list, ok := right.(*ast.ConstantNode); ok && x.Operator == "in" {
		values, ok := list.Value.([]any)
		if !ok || slices.ContainsFunc(values, func(v any) bool { return !plainLiteral(v) }) {
			return nil
		}
		return &equality{path: p, literals: values}
	}
	if value, ok := constant(right); ok && plainLiteral(value) {
		return compare(p, x.Operator, value)
	}
	return nil
}

// joint joins what is on both sides of an operator that value settles.
func (r *rewriter) joint(x *ast.BinaryNode, value answer) shortcut {
	left, right := r.shortcutOf(x.Left), r.shortcutOf(x.Right)
	if left == nil {
		return nil
	}
	if right == nil {
		right = doubt{}
	}
	return &joint{left: left, right: right, settles: value}
}

// compare is the shortcut of path operator literal.
func compare(p *path, operator string, literal any) shortcut {
	switch value := literal.(type) {
	case int:
		switch operator {
		case "<", "<=", ">", ">=":
			return &order{path: p, operator: operator, literal: int64(value)}
		}
	case string:
		if find := searches[operator]; find != nil {
			return &search{path: p, find: find, what: []byte(value)}
		}
	}
	switch equal := (&equality{path: p, literals: []any{literal}}); operator {
	case "==":
		return equal
	case "!=":
		return inversion{of: equal}
	}
	return nil
}

func (r *rewriter) matchShortcut(x *ast.CallNode) shortcut {
	if callee, ok := x.Callee.(*ast.IdentifierNode); !ok || callee.Value != fnMatch || len(x.Arguments) != 3 {
		return nil
	}
	p := r.path(x.Arguments[1])
	if literal, ok := x.Arguments[2].(*ast.ConstantNode); ok && p != nil {
		if re, ok := literal.Value.(*pattern); ok {
			return &matching{path: p, pattern: re}
		}
	}
	return nil
}

// plainLiteral reports whether a shortcut may compare with the literal. A text
// with U+FFFD is left to the machine: it is equal to bytes that are no UTF-8.
func plainLiteral(literal any) bool {
	switch x := literal.(type) {
	case nil, bool, int:
		return true
	case string:
		return utf8.ValidString(x) && !strings.ContainsRune(x, utf8.RuneError)
	}
	return false
}
