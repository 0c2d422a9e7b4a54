package lang

import (
	"slices"

	"github.com/expr-lang/expr/ast"
)

// condition checks a whole condition.
func (a *analyst) condition(n ast.Node) {
	switch x := n.(type) {
	case *ast.BoolNode:
		if x.Value {
			a.warn(n, "constant-condition", "leave the key out for always", "this is true for every event")
		} else {
			a.warn(n, "constant-condition", "take the rule out, or put # before its lines", "this is true for no event")
		}
		return
	}
	if !reading(n) && !a.kept && !a.src.seesMore(n) {
		a.warn(n, "constant-condition", "compare something of data or event", "this reads nothing of the event: it is always the same")
		return
	}
	a.logic(n)
}

// reading reports whether anything of the event is read below n.
func reading(n ast.Node) bool {
	if id, ok := n.(*ast.IdentifierNode); ok && roots[id.Value] {
		return true
	}
	return slices.ContainsFunc(children(n), func(c *ast.Node) bool { return reading(*c) })
}

func (a *analyst) warn(n ast.Node, code, hint, format string, args ...any) {
	a.out.Faults = append(a.out.Faults, a.place(n).Warn(code, hint, format, args...))
}

// logic looks for what contradicts itself, or is always true, in n and below.
func (a *analyst) logic(n ast.Node) {
	switch operator := junction(n); operator {
	case "":
		for _, c := range children(n) {
			if _, predicate := (*c).(*ast.PredicateNode); predicate {
				continue // builtin has done it, for there # is known
			}
			if _, let := n.(*ast.VariableDeclaratorNode); let && c == children(n)[1] {
				continue
			}
			a.logic(*c)
		}
	default:
		sides := operands(n, operator)
		for _, side := range sides {
			if constant, ok := side.(*ast.BoolNode); ok {
				a.warn(side, "constant-condition", "take it out", "%t beside %s is of no use", constant.Value, operator)
				continue
			}
			a.logic(side)
		}
		a.joint(sides, operator)
	}
}

// joint finds sides of an and that are never true at once, and sides of an or
// of which one always is.
func (a *analyst) joint(sides []ast.Node, operator string) {
	type part struct {
		domain
		node ast.Node
	}
	known := map[string][]part{}
	at := map[string]domain{}
	for _, side := range sides {
		id, d, ok := a.domain(side)
		if !ok {
			continue
		}
		before, twice := at[id]
		if at[id] = d; twice {
			at[id] = before.join(d, operator)
		}
		if twice && at[id].decided(operator) && !before.decided(operator) && !d.decided(operator) {
			other := known[id][0]
			for _, p := range known[id] {
				if p.join(d, operator).decided(operator) { // these two alone are at odds
					other = p
				}
			}
			text := oneLine(a.spans.text(other.node))
			if junction(other.node) != "" {
				text = "(" + text + ")"
			}
			a.odds(side, text, other.single() && d.single(), operator)
			return
		}
		known[id] = append(known[id], part{d, side})
	}
}

// odds warns of a side that decides the whole together with another one.
func (a *analyst) odds(side ast.Node, other string, single bool, operator string) {
	code, swap, message := "contradiction", "write or", "this and %s are never true at once"
	if operator == "or" {
		code, swap, message = "always-true", "write and", "one of this and %s is always true"
	}
	if !single {
		swap = ""
	}
	a.warn(side, code, swap, message, other)
}

// domain is the set of values of one path for which n is true.
func (a *analyst) domain(n ast.Node) (id string, d domain, ok bool) {
	switch x := n.(type) {
	case *ast.UnaryNode:
		if x.Operator == "not" || x.Operator == "!" {
			if id, d, ok = a.domain(x.Node); ok {
				d, ok = d.inverse()
			}
		}
		return id, d, ok
	case *ast.BinaryNode:
		if operator := junction(n); operator != "" {
			return a.joined(operands(n, operator), operator)
		}
		return a.compared(x)
	}
	if r, ok := a.read(n); ok {
		return r.id, domain{values: []any{true}}, len(r.Steps) > 0
	}
	return "", domain{}, false
}

// joined is the domain of and or or where all sides are about one path.
func (a *analyst) joined(sides []ast.Node, operator string) (id string, d domain, ok bool) {
	for i, side := range sides {
		sideID, next, ok := a.domain(side)
		if !ok || i > 0 && (sideID != id || operator == "or" && (d.ranged() || next.ranged())) {
			return "", domain{}, false
		}
		switch {
		case i == 0:
			id, d = sideID, next
		case operator == "or":
			d = d.or(next)
		default:
			d = d.and(next)
		}
	}
	return id, d, true
}

func (a *analyst) compared(x *ast.BinaryNode) (id string, d domain, ok bool) {
	c, ok := a.compare(x)
	if !ok || len(c.Read.Steps) == 0 {
		return "", d, false
	}
	for _, l := range c.Literals {
		d.values = append(d.values, canonical(l.Value))
	}
	switch c.Operator {
	case "==", "in":
		return c.Read.id, d, true
	case "!=":
		d.not = true
		return c.Read.id, d, true
	}
	number, isNumber := d.values[0].(float64)
	if !isNumber {
		return "", d, false
	}
	d = domain{not: true}
	switch c.Operator {
	case "<", "<=":
		d.high = &limit{number, c.Operator == "<"}
	case ">", ">=":
		d.low = &limit{number, c.Operator == ">"}
	default:
		return "", d, false
	}
	return c.Read.id, d, true
}
