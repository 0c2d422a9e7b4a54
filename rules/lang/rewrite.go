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
	known    bool   // only paths that the space has are read: it is in use
	unknown  bool   // of those one was missing, so that the program is of no use
	reads    []read // of the flat environment
	root     *path  // the whole expression is this path
	metered  bool
	computed []bool          // of the lists that # goes through, the innermost last: their numbers are to compute with
	before   func(*ast.Node) // changes the tree first; nil: nothing does
	list     diag.List
}

// read is a path that a program reads. Of one that is computed, numbers are
// such as the machine computes with; of any other, as they are written.
type read struct {
	path     *path
	computed bool
}

// name is the value's name in the flat environment.
func (r read) name() string {
	if r.computed {
		return r.path.computed
	}
	return r.path.name
}

func (r *rewriter) rewrite(n *ast.Node) {
	if r.before != nil {
		r.before(n)
	}
	r.node(n, false)
	if id, ok := (*n).(*ast.IdentifierNode); ok && len(r.reads) == 1 && r.reads[0].name() == id.Value {
		r.root = r.reads[0].path
	}
}

// node rewrites n and what is below it. computes says that the machine, or a
// function, works with the value; else it is passed on, and its numbers keep
// their spelling: 19.90 is sent as 19.90.
func (r *rewriter) node(n *ast.Node, computes bool) {
	if r.space != nil {
		if root, steps, ok := staticPath(*n, false); ok {
			if r.known && r.space.bySource[pathSource(root, steps)] == nil {
				r.unknown = true
				return
			}
			one := read{r.space.add(root, steps), computes && root == "data"}
			if !slices.Contains(r.reads, one) {
				r.reads = append(r.reads, one)
			}
			ast.Patch(n, &ast.IdentifierNode{Value: one.name()})
			return
		}
	}
	spelled := computes && r.spelled(*n)
	r.below(*n, computes)
	r.replace(n)
	if spelled {
		r.wrap(n, fnCompute)
	}
}

// spelled reports whether n's own value may hold numbers as they are written,
// whatever becomes of it.
func (r *rewriter) spelled(n ast.Node) bool {
	switch x := n.(type) {
	case *ast.IdentifierNode, *ast.MemberNode, *ast.ChainNode:
		return true
	case *ast.PointerNode:
		return x.Name == "acc" || x.Name == "" && (len(r.computed) == 0 || !r.computed[len(r.computed)-1])
	case *ast.BuiltinNode:
		return x.Name == "fromJSON"
	case *ast.CallNode:
		f := calledFunction(x)
		return f != nil && readers[f.name]
	}
	return false
}

// below rewrites what is below n, for what becomes of it.
func (r *rewriter) below(n ast.Node, computes bool) {
	switch x := n.(type) {
	case *ast.ConditionalNode:
		r.node(&x.Cond, true)
		r.node(&x.Exp1, computes)
		r.node(&x.Exp2, computes)
	case *ast.BinaryNode:
		through := x.Operator == "??"
		r.node(&x.Left, computes || !through)
		r.node(&x.Right, computes || !through)
	case *ast.UnaryNode:
		r.node(&x.Node, true)
	case *ast.MemberNode:
		r.node(&x.Node, false)
		r.node(&x.Property, true)
	case *ast.VariableDeclaratorNode:
		r.node(&x.Value, false)
		r.node(&x.Expr, computes)
	case *ast.CallNode:
		r.node(&x.Callee, false)
		computes = r.computesArguments(x, computes)
		for i := range x.Arguments {
			r.node(&x.Arguments[i], computes)
		}
	case *ast.BuiltinNode:
		r.arguments(x, computes)
	case *ast.ChainNode:
		r.node(&x.Node, false)
	default: // lists, objects, parts, sequences
		for _, c := range children(n) {
			r.node(c, computes)
		}
	}
}

// computesArguments reports whether a function computes with its arguments, or
// hands them on to what does.
func (r *rewriter) computesArguments(x *ast.CallNode, computes bool) bool {
	f := calledFunction(x)
	switch {
	case f == nil || f.numbers == computedNumbers:
		return true
	case f.numbers == writtenNumbers:
		return false
	}
	return computes
}

// passing are the builtins that write their arguments out.
var passing = map[string]bool{"toJSON": true, "string": true}

// handing are the builtins that hand on, in their result, what is in their
// arguments.
var handing = map[string]bool{
	"first": true, "last": true, "get": true, "take": true, "reverse": true, "flatten": true, "concat": true,
	"values": true, "toPairs": true, "fromPairs": true,
	"filter": true, "map": true, "find": true, "findLast": true, "groupBy": true, "sortBy": true, "reduce": true,
}

func (r *rewriter) arguments(x *ast.BuiltinNode, computes bool) {
	computes = !passing[x.Name] && (computes || !handing[x.Name])
	for i := range x.Arguments {
		predicate, ok := x.Arguments[i].(*ast.PredicateNode)
		if !ok {
			r.node(&x.Arguments[i], computes)
			continue
		}
		r.computed = append(r.computed, computes)
		r.node(&predicate.Node, computes || x.Name != "map" && x.Name != "reduce")
		r.computed = r.computed[:len(r.computed)-1]
	}
}

// replace puts a bounded or exact operation in the place of one of expr's.
func (r *rewriter) replace(n *ast.Node) {
	switch x := (*n).(type) {
	case *ast.MemberNode:
		if _, key := x.Property.(*ast.StringNode); !key && !x.Optional && !x.Method {
			r.callPure(n, fnItem, x.Node, x.Property)
		}
	case *ast.UnaryNode:
		if x.Operator == "-" && !literal(x.Node) {
			r.call(n, fnNegate, x.Node)
		}
	case *ast.BuiltinNode:
		r.builtin(n, x)
	case *ast.BinaryNode:
		r.binary(n, x)
	case *ast.SliceNode:
		r.call(n, fnPart, x.Node, orNil(x.From), orNil(x.To))
	case *ast.CallNode:
		if f := calledFunction(x); f != nil {
			r.added(n, x, f)
		}
	}
}

// added calls a function of ours; patterns that stand there are compiled now.
func (r *rewriter) added(n *ast.Node, x *ast.CallNode, f *function) {
	if f.name == "file_url" && r.space != nil && !r.known {
		from, to := r.src.bytes(x.Callee.Location())
		r.space.linked = append(r.space.linked, linkCall{r.src, from, to})
	}
	for i, arg := range x.Arguments {
		if text, ok := arg.(*ast.StringNode); ok && i < len(f.params) && f.params[i].kind == patternParam {
			if p, err := compilePattern(text.Value); err == nil { // else calls has said so
				constant := &ast.ConstantNode{Value: p}
				constant.SetLocation(text.Location())
				x.Arguments[i] = constant
			}
		}
	}
	r.call(n, fnPrefix+f.name, x.Arguments...)
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

// callPure is call of a function that has no meter. Its first argument is what
// it is about, so that an optional chain may end inside of it.
func (r *rewriter) callPure(n *ast.Node, name string, args ...ast.Node) {
	callee := &ast.IdentifierNode{Value: name}
	call := &ast.CallNode{Callee: callee, Arguments: args}
	callee.SetLocation((*n).Location())
	call.SetLocation((*n).Location())
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
		r.iteration(n, x)
	case x.Name == "date":
		for i := range x.Arguments {
			r.wrap(&x.Arguments[i], fnBrief)
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

// iteration counts what a builtin does for each item of a list.
func (r *rewriter) iteration(n *ast.Node, x *ast.BuiltinNode) {
	r.wrap(&x.Arguments[0], fnItems)
	for _, arg := range x.Arguments[1:] {
		if predicate, ok := arg.(*ast.PredicateNode); ok {
			r.wrap(&predicate.Node, fnTick)
		}
	}
	if x.Name == "sum" {
		r.sum(n, x)
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
	case "+", "-", "*", "**", "^":
		r.arithmetic(n, x)
	case "/":
		r.division(n, x)
	case "==", "!=", "contains", "startsWith", "endsWith":
		if !literal(x.Left) && !literal(x.Right) {
			r.wrap(n, fnCharge)
		}
	}
}

// exact are the operations on whole numbers whose result may be too large for one.
var exact = map[string]string{"+": fnAdd, "-": fnSubtract, "*": fnMultiply, "**": fnPower, "^": fnPower}

// arithmetic makes a whole number that is too large an error; expr's wraps round.
func (r *rewriter) arithmetic(n *ast.Node, x *ast.BinaryNode) {
	_, left := x.Left.(*ast.FloatNode)
	_, right := x.Right.(*ast.FloatNode)
	if !left && !right {
		r.call(n, exact[x.Operator], x.Left, x.Right)
	}
}

// division makes one by zero an error; expr's gives a number that is none, which
// every comparison would take.
func (r *rewriter) division(n *ast.Node, x *ast.BinaryNode) {
	if by, ok := constant(x.Right); !ok || isZero(by) {
		r.call(n, fnDivide, x.Left, x.Right)
	}
}

// sum adds what the predicate makes of the items, as + does.
func (r *rewriter) sum(n *ast.Node, x *ast.BuiltinNode) {
	list := x.Arguments[0]
	if len(x.Arguments) > 1 {
		list = &ast.BuiltinNode{Name: "map", Arguments: x.Arguments}
		list.SetLocation(x.Location())
	}
	r.call(n, fnSum, list)
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
