package lang

import (
	"github.com/expr-lang/expr/ast"
)

// mirrored are the operators as they are with their sides changed.
var mirrored = map[string]string{"==": "==", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}

// compare is the comparison of a path with literals that x is.
func (a *analyst) compare(x *ast.BinaryNode) (Compare, bool) {
	if !comparing[x.Operator] {
		return Compare{}, false
	}
	c := Compare{Operator: x.Operator, Place: a.place(x)}
	side, value := x.Left, x.Right
	var ok bool
	if c.Read, ok = a.read(side); !ok {
		side, value = value, side
		if c.Read, ok = a.read(side); !ok || mirrored[x.Operator] == "" {
			return c, false
		}
		c.Operator = mirrored[x.Operator]
	}
	c.Read.Place = a.place(side)
	if list, isList := value.(*ast.ArrayNode); isList && c.Operator == "in" {
		for _, item := range list.Nodes {
			if !a.literal(&c, item) {
				return c, false
			}
		}
		return c, true
	}
	return c, c.Operator != "in" && a.literal(&c, value)
}

func (a *analyst) literal(c *Compare, n ast.Node) bool {
	value, ok := constant(n)
	if u, negative := n.(*ast.UnaryNode); negative && u.Operator == "-" {
		if value, ok = constant(u.Node); ok {
			switch v := value.(type) {
			case int:
				value = -v
			case float64:
				value = -v
			default:
				return false
			}
		}
	}
	if ok {
		c.Literals = append(c.Literals, Literal{Value: value, Place: a.place(n)})
	}
	return ok
}
