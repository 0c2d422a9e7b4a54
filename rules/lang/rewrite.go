package lang

import (
	"slices"

	"github.com/expr-lang/expr/ast"

	"hookgate/internal/diag"
)

// rewriter turns a parsed expression into the bounded one that is run: calls
// of the meter where something can grow, and, with a space, static paths as
// single identifiers of the flat environment.
type rewriter struct {
	src      *source
	space    *space // nil: the plain route
	paths    []*path
	root     *path    // the whole expression is this path
	shortcut shortcut // nil: there is none
	metered  bool
	before   func(*ast.Node) // changes the tree first; nil: nothing does
	list     diag.List
}

func (r *rewriter) rewrite(n *ast.Node) {
	if r.before != nil {
		r.before(n)
	}
	r.node(n)
	if r.root = r.path(*n); r.root == nil && r.space != nil {
		r.shortcut = r.shortcutOf(*n)
	}
}

// path is the static path whose place n took, nil when it is no such place.
func (r *rewriter) path(n ast.Node) *path {
	if id, ok := n.(*ast.IdentifierNode); ok {
		for _, p := range r.paths {
			if p.name == id.Value {
				return p
			}
		}
	}
	return nil
}

func (r *rewriter) node(n *ast.Node) {
	if r.space != nil {
		if root, steps, ok := staticPath(*n, false); ok {
			p := r.space.add(root, steps)
			if !slices.Contains(r.paths, p) {
				r.paths = append(r.paths, p)
			}
			ast.Patch(n, &ast.IdentifierNode{Value: p.name})
			return
		}
	}
	for _, c := range children(*n) {
		r.node(c)
	}
	switch x := (*n).(type) {
	case *ast.BuiltinNode:
		r.builtin(n, x)
	case *ast.BinaryNode:
		r.binary(n, x)
	case *ast.SliceNode:
		r.call(n, fnPart, x.Node, orNil(x.From), orNil(x.To))
	case *ast.CallNode:
		if callee, ok := x.Callee.(*ast.IdentifierNode); ok && added[callee.Value] != nil {
			if callee.Value == "file_url" && r.space != nil {
				from, to := r.src.bytes(callee.Location())
				r.space.linked = append(r.space.linked, linkCall{r.src, from, to})
			}
			r.call(n, fnPrefix+callee.Value, x.Arguments...)
		}
	}
}

// orNil stands for an end of a slice that is left out.
func orNil(n ast.Node) ast.Node {
	if n == nil {
		return &ast.NilNode{}
	}
	return n
}

// call puts a call of one of our functions in n's place.
func (r *rewriter) call(n *ast.Node, name string, args ...ast.Node) {
	r.metered = true
	loc := (*n).Location()
	meter, callee := &ast.IdentifierNode{Value: meterName}, &ast.IdentifierNode{Value: name}
	call := &ast.CallNode{Callee: callee, Arguments: append([]ast.Node{meter}, args...)}
	meter.SetLocation(loc)
	callee.SetLocation(loc)
	call.SetLocation(loc)
	*n = call
}

// wrap is call with n itself as the argument.
func (r *rewriter) wrap(n *ast.Node, name string) { r.call(n, name, *n) }

// growing are the builtins whose result, or work, is as large as their arguments.
var growing = map[string]bool{
	"upper": true, "lower": true, "trim": true, "trimPrefix": true, "trimSuffix": true, "toBase64": true, "fromBase64": true,
	"max": true, "min": true, "mean": true, "median": true, "flatten": true, "uniq": true, "concat": true, "reverse": true, "sort": true,
}

// listing are those of them that go over lists.
var listing = map[string]bool{
	"max": true, "min": true, "mean": true, "median": true, "flatten": true, "concat": true, "reverse": true, "sort": true,
}

// iterating are the builtins that take a predicate, or may.
var iterating = map[string]bool{
	"all": true, "none": true, "any": true, "one": true, "filter": true, "map": true, "find": true, "findIndex": true,
	"findLast": true, "findLastIndex": true, "count": true, "sum": true, "groupBy": true, "sortBy": true, "reduce": true,
}

func (r *rewriter) builtin(n *ast.Node, x *ast.BuiltinNode) {
	switch {
	case iterating[x.Name]:
		r.wrap(&x.Arguments[0], fnItems)
		for _, arg := range x.Arguments[1:] {
			if predicate, ok := arg.(*ast.PredicateNode); ok {
				r.wrap(&predicate.Node, fnTick)
			}
		}
	case replaced[x.Name] != nil:
		args := x.Arguments
		if x.Name == "split" || x.Name == "splitAfter" {
			args = append([]ast.Node{&ast.BoolNode{Value: x.Name == "splitAfter"}}, args...)
		}
		r.call(n, fnPrefix+x.Name, args...)
	case growing[x.Name]:
		bound := fnBound
		if x.Name == "uniq" {
			bound = fnFew
		}
		for i := range x.Arguments {
			if (listing[x.Name] || x.Name == "uniq") && !literal(x.Arguments[i]) {
				r.wrap(&x.Arguments[i], bound)
			}
		}
		r.wrap(n, fnCharge)
	}
}

func (r *rewriter) binary(n *ast.Node, x *ast.BinaryNode) {
	switch x.Operator {
	case "matches":
		r.matches(n, x)
	case "..":
		from, ok1 := x.Left.(*ast.IntegerNode)
		to, ok2 := x.Right.(*ast.IntegerNode)
		if ok1 && ok2 && to.Value-from.Value >= maxItems {
			start, end := r.src.bytes(x.Location())
			r.list = append(r.list, r.src.fault(start, end, "expr-limit", "write x >= from and x <= to",
				"a range of more than %d numbers is too long", maxItems))
		}
		r.call(n, fnRange, x.Left, x.Right)
	case "in":
		if list, ok := x.Right.(*ast.ArrayNode); ok && literal(list) {
			r.literalList(&x.Right, list)
			return
		}
		r.wrap(n, fnCharge)
	case "+":
		if !number(x.Left) && !number(x.Right) {
			r.wrap(n, fnCharge)
		}
	case "==", "!=", "contains", "startsWith", "endsWith":
		if !literal(x.Left) && !literal(x.Right) {
			r.wrap(n, fnCharge)
		}
	}
}

// literalList makes the right side of in a constant. expr itself would make a
// set of texts of it, in which looking up a number is an error.
func (r *rewriter) literalList(n *ast.Node, list *ast.ArrayNode) {
	values := make([]any, len(list.Nodes))
	for i, item := range list.Nodes {
		value, ok := constant(item)
		if !ok {
			return
		}
		values[i] = value
	}
	ast.Patch(n, &ast.ConstantNode{Value: values})
}

// matches compiles a literal pattern now, and bounds the match.
func (r *rewriter) matches(n *ast.Node, x *ast.BinaryNode) {
	right := x.Right
	if text, ok := right.(*ast.StringNode); ok {
		p, err := compilePattern(text.Value)
		if err != nil {
			from, to := r.src.bytes(text.Location())
			r.list = append(r.list, r.src.fault(from, to, "expr-syntax", "", "%s", err))
			return
		}
		right = &ast.ConstantNode{Value: p}
		right.SetLocation(text.Location())
	}
	r.call(n, fnMatch, x.Left, right)
}
