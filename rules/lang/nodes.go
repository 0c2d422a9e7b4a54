package lang

import "github.com/expr-lang/expr/ast"

// children are the places of a node's direct sub-expressions, in the source's
// order. Absent ones (a slice's open end) are left out.
func children(n ast.Node) []*ast.Node {
	switch x := n.(type) {
	case *ast.UnaryNode:
		return []*ast.Node{&x.Node}
	case *ast.BinaryNode:
		return []*ast.Node{&x.Left, &x.Right}
	case *ast.ChainNode:
		return []*ast.Node{&x.Node}
	case *ast.MemberNode:
		return []*ast.Node{&x.Node, &x.Property}
	case *ast.SliceNode:
		return present(&x.Node, &x.From, &x.To)
	case *ast.CallNode:
		return append([]*ast.Node{&x.Callee}, places(x.Arguments)...)
	case *ast.BuiltinNode:
		return places(x.Arguments)
	case *ast.PredicateNode:
		return []*ast.Node{&x.Node}
	case *ast.VariableDeclaratorNode:
		return []*ast.Node{&x.Value, &x.Expr}
	case *ast.SequenceNode:
		return places(x.Nodes)
	case *ast.ConditionalNode:
		return []*ast.Node{&x.Cond, &x.Exp1, &x.Exp2}
	case *ast.ArrayNode:
		return places(x.Nodes)
	case *ast.MapNode:
		return places(x.Pairs)
	case *ast.PairNode:
		return []*ast.Node{&x.Key, &x.Value}
	}
	return nil
}

func places(nodes []ast.Node) []*ast.Node {
	list := make([]*ast.Node, len(nodes))
	for i := range nodes {
		list[i] = &nodes[i]
	}
	return list
}

func present(all ...*ast.Node) []*ast.Node {
	list := all[:0]
	for _, n := range all {
		if *n != nil {
			list = append(list, n)
		}
	}
	return list
}

// measure counts the visits that a walk over n takes, up to limit. In a chained
// comparison (a < b < c) the tree shares nodes, so that nesting such chains
// doubles the walk each time while the parser counts every node once.
func measure(n ast.Node, limit int) int {
	visits := 1
	for _, c := range children(n) {
		if visits > limit {
			break
		}
		visits += measure(*c, limit-visits)
	}
	return visits
}

// literal reports whether n is a constant as it is written.
func literal(n ast.Node) bool {
	switch x := n.(type) {
	case *ast.NilNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.StringNode, *ast.BytesNode, *ast.ConstantNode:
		return true
	case *ast.UnaryNode:
		return literal(x.Node)
	case *ast.ArrayNode:
		for _, item := range x.Nodes {
			if !literal(item) {
				return false
			}
		}
		return true
	}
	return false
}

// constant is the value of a literal.
func constant(n ast.Node) (any, bool) {
	switch x := n.(type) {
	case *ast.NilNode:
		return nil, true
	case *ast.IntegerNode:
		return x.Value, true
	case *ast.FloatNode:
		return x.Value, true
	case *ast.BoolNode:
		return x.Value, true
	case *ast.StringNode:
		return x.Value, true
	}
	return nil, false
}
