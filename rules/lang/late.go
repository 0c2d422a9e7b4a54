package lang

import (
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"
)

// An expression is late where it reads what is known only when the moment of an
// action has come. What is not late gives the same whenever it is asked: it
// reads the event, which never changes.

// Late reports whether the condition can be asked only at its moment.
func (p *Predicate) Late() bool { return p.p.late }

// Late reports whether the expression can be evaluated only at its moment.
func (e *Expression) Late() bool { return e.p.late }

// Late reports whether the template can be rendered only at its moment.
func (t *Template) Late() bool {
	return slices.ContainsFunc(t.pieces, func(p piece) bool {
		return p.leaf != nil && slices.ContainsFunc(p.leaf.parts, func(part part) bool { return part.program != nil && part.program.late })
	})
}

// late reports whether n reads a name that is in scope at the moment only.
func (s *source) late(n ast.Node) bool {
	if id, ok := n.(*ast.IdentifierNode); ok && slices.ContainsFunc(s.more, func(m Name) bool { return m.Late && m.Name == id.Value }) {
		return true
	}
	return len(s.more) > 0 && slices.ContainsFunc(children(n), func(c *ast.Node) bool { return s.late(*c) })
}

// Time is the time that the expression gives: a time, or what time() reads.
// known is false where it is null or says no time.
func (e *Expression) Time(s *Scope) (t time.Time, known bool, err error) {
	value, err := e.p.run(s)
	if err != nil {
		return t, false, err
	}
	if value, err = readTime(value, e.p.space.place.zone); err != nil {
		return t, false, err
	}
	t, known = value.(time.Time)
	return t, known, nil
}

// ReadTime is the time that a text says, as time() reads it; one that says no
// zone is in zone.
func ReadTime(text string, zone *time.Location) (time.Time, bool) {
	return timeIn(strings.TrimSpace(text), zone)
}
