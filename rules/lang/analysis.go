package lang

import (
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"

	"hookgate/internal/diag"
)

// Analysis is what the text of an expression tells before any event comes:
// which values it reads, what it compares them with, and what in it can be no
// one's intention. It is for checks of the configuration, never for events.
type Analysis struct {
	Reads    []Read
	Compares []Compare
	Lists    []Compare // with ==, != and a list that is written there
	Tests    []Read    // what must be true or false itself
	Outputs  []Read    // of what steps were answered, unguarded: NAME.id, or NAME alone where that is compared
	Columns  []Column  // of kept tables
	Whole    bool      // data is read as a whole, and no value of it by name
	Faults   diag.List // warnings that need no knowledge of the events
}

// Column is read straight from a record that was looked up.
type Column struct {
	Table, Name string
	Place       Place
}

// Place is a part of an expression.
type Place struct {
	src      *source
	from, to int
}

// Warn makes a warning about the part.
func (p Place) Warn(code, hint, format string, args ...any) diag.Diagnostic {
	return p.src.fault(p.from, p.to, code, hint, format, args...).Weigh(diag.Warning)
}

// Text is the part as it is written.
func (p Place) Text() string { return strings.TrimSpace(p.src.code[p.from:p.to]) }

// AnyItem is the Key of a step into a list: to one of its items, or to each.
const AnyItem = "[]"

// Step is one member access.
type Step struct {
	Key   string
	Place Place
}

// Read is a static path that an expression reads: data.website.status.
type Read struct {
	Root  string // data, event, headers or query
	Steps []Step
	// Guarded says that the author reckons with the value being missing: there
	// is a ?. on the way, a ?? behind it, it is compared with nil, or asked for
	// by coalesce or is_empty.
	Guarded bool
	Place   Place

	id string // the same for the same value, within one expression
}

// Keys are the steps without their places.
func (r *Read) Keys() []string {
	keys := make([]string, len(r.Steps))
	for i, s := range r.Steps {
		keys[i] = s.Key
	}
	return keys
}

// Compare is a comparison of what is read with one literal or a list of them.
type Compare struct {
	Read     Read
	Operator string // as if the literal stood on the right: ==, !=, in, <, contains …
	Literals []Literal
	Place    Place
}

// Literal is a value that is written in an expression: nil, bool, int, float64
// or string.
type Literal struct {
	Value any
	Place Place
}

// Analyse tells what the condition reads and compares.
func (p *Predicate) Analyse() Analysis {
	a, tree := analyse(p.p)
	if tree != nil {
		a.condition(tree)
		a.tests(tree)
	}
	return a.out
}

// Analyse tells what the expression reads and compares.
func (e *Expression) Analyse() Analysis {
	a, tree := analyse(e.p)
	if tree != nil {
		a.logic(tree)
	}
	return a.out
}

// analyse walks a program that compiled; without a tree it does not parse,
// which cannot be.
func analyse(p *program) (*analyst, ast.Node) {
	a := &analyst{src: p.src, spans: newSpans(p.src), kept: len(p.kept) > 0, variables: map[string]*Read{}}
	tree, err := parser.Parse(p.src.code)
	if err != nil {
		return a, nil
	}
	if p.raw {
		unwrapRaw(&tree.Node)
	}
	a.visit(tree.Node, false)
	return a, tree.Node
}

type analyst struct {
	src       *source
	spans     *spans
	kept      bool             // a kept table is read: what is seen changes by itself
	items     []*Read          // the lists that # goes through, the innermost last; nil: not known
	variables map[string]*Read // of let; nil: not known
	out       Analysis
}

func (a *analyst) place(n ast.Node) Place {
	from, to := a.spans.of(n)
	return Place{src: a.src, from: from, to: to}
}

// token is the place of the node's own token: of a key behind its dot.
func (a *analyst) token(n ast.Node) Place {
	from, to := a.src.bytes(n.Location())
	return Place{src: a.src, from: from, to: to}
}

// visit notes what is read below n. guarded says that n may be missing.
func (a *analyst) visit(n ast.Node, guarded bool) {
	if r, ok := a.read(n); ok {
		if r.Guarded = r.Guarded || guarded; len(r.Steps) > 0 {
			r.Place = a.place(n)
			a.out.Reads = append(a.out.Reads, r)
		} else if r.Root == "data" {
			a.out.Whole = true
		}
		return
	}
	switch x := n.(type) {
	case *ast.BinaryNode:
		a.binary(x, guarded)
	case *ast.BuiltinNode:
		a.builtin(x)
	case *ast.VariableDeclaratorNode:
		a.declare(x, guarded)
	case *ast.CallNode:
		f := calledFunction(x)
		for _, c := range children(n) {
			a.visit(*c, f != nil && f.guards)
		}
	case *ast.ConditionalNode:
		a.visit(x.Cond, false)
		a.visit(x.Exp1, guarded)
		a.visit(x.Exp2, guarded)
	case *ast.MemberNode:
		if a.output(x) {
			return
		}
		a.column(x)
		a.visit(x.Node, guarded || x.Optional)
		if _, static := x.Property.(*ast.StringNode); !static {
			a.visit(x.Property, false)
		}
	case *ast.ChainNode:
		a.visit(x.Node, guarded)
	default:
		for _, c := range children(n) {
			a.visit(*c, false)
		}
	}
}

// output notes what is read of a step's outputs, if x is that.
func (a *analyst) output(x *ast.MemberNode) bool {
	r := Read{Root: OutputsName, Place: a.place(x)}
	for at := x; ; {
		key, ok := at.Property.(*ast.StringNode)
		if !ok || at.Optional {
			return false
		}
		r.Steps = slices.Insert(r.Steps, 0, Step{Key: key.Value, Place: a.token(key)})
		base := at.Node
		if chain, ok := base.(*ast.ChainNode); ok {
			base = chain.Node
		}
		if id, ok := base.(*ast.IdentifierNode); ok {
			if id.Value == OutputsName {
				a.out.Outputs = append(a.out.Outputs, r)
			}
			return id.Value == OutputsName
		}
		if at, ok = base.(*ast.MemberNode); !ok {
			return false
		}
	}
}

// column notes a column of a record that is looked up.
func (a *analyst) column(x *ast.MemberNode) {
	base := x.Node
	if chain, ok := base.(*ast.ChainNode); ok {
		base = chain.Node
	}
	call, isCall := base.(*ast.CallNode)
	key, isKey := x.Property.(*ast.StringNode)
	if !isCall || !isKey || len(call.Arguments) == 0 {
		return
	}
	name, ok := call.Arguments[0].(*ast.StringNode)
	if f := calledFunction(call); ok && f != nil && f.name == "lookup" {
		a.out.Columns = append(a.out.Columns, Column{Table: name.Value, Name: key.Value, Place: a.token(key)})
	}
}

func (a *analyst) binary(x *ast.BinaryNode, guarded bool) {
	switch x.Operator {
	case "??":
		a.visit(x.Left, true)
		a.visit(x.Right, guarded)
		return
	case "==", "!=":
		_, left := x.Left.(*ast.NilNode)
		_, right := x.Right.(*ast.NilNode)
		a.visit(x.Left, right)
		a.visit(x.Right, left)
	default:
		a.visit(x.Left, false)
		a.visit(x.Right, false)
	}
	if c, ok := a.compare(x); ok {
		a.out.Compares = append(a.out.Compares, c)
	}
	if list, isList := x.Right.(*ast.ArrayNode); isList && len(list.Nodes) > 0 && literal(list) && (x.Operator == "==" || x.Operator == "!=") {
		if r, ok := a.read(x.Left); ok {
			r.Place = a.place(x.Left)
			c := Compare{Read: r, Operator: x.Operator, Place: a.place(x), Literals: []Literal{{Place: a.place(list)}}}
			a.out.Lists = append(a.out.Lists, c)
		}
	}
}

// tests notes what and, or, not, and the condition as a whole take for true or
// false.
func (a *analyst) tests(n ast.Node) {
	switch x := n.(type) {
	case *ast.UnaryNode:
		a.tests(x.Node)
		return
	case *ast.BinaryNode:
		if junction(n) != "" {
			a.tests(x.Left)
			a.tests(x.Right)
		}
		return
	}
	if r, ok := a.read(n); ok && len(r.Steps) > 0 {
		r.Place = a.place(n)
		a.out.Tests = append(a.out.Tests, r)
	}
}

// builtin visits the predicate of any(list, …) as one about the list's items.
func (a *analyst) builtin(x *ast.BuiltinNode) {
	if !iterating[x.Name] || len(x.Arguments) == 0 {
		for _, arg := range x.Arguments {
			a.visit(arg, false)
		}
		return
	}
	a.visit(x.Arguments[0], false)
	var item *Read
	if list, ok := a.read(x.Arguments[0]); ok {
		list.Steps = append(slices.Clone(list.Steps), Step{Key: AnyItem, Place: a.place(x.Arguments[0])})
		list.id += "[#" + strconv.Itoa(len(a.items)) + "]"
		item = &list
	}
	a.items = append(a.items, item)
	for _, arg := range x.Arguments[1:] {
		a.visit(arg, false)
		if p, ok := arg.(*ast.PredicateNode); ok {
			a.logic(p.Node)
		}
	}
	a.items = a.items[:len(a.items)-1]
}

func (a *analyst) declare(x *ast.VariableDeclaratorNode, guarded bool) {
	a.visit(x.Value, false)
	before, shadowed := a.variables[x.Name]
	a.variables[x.Name] = nil
	if r, ok := a.read(x.Value); ok {
		a.variables[x.Name] = &r
	}
	a.visit(x.Expr, guarded)
	a.logic(x.Expr)
	if delete(a.variables, x.Name); shadowed {
		a.variables[x.Name] = before
	}
}

// read is the static path that n is.
func (a *analyst) read(n ast.Node) (Read, bool) {
	switch x := n.(type) {
	case *ast.IdentifierNode:
		if r, variable := a.variables[x.Value]; variable {
			return copied(r)
		}
		return Read{Root: x.Value, id: x.Value}, roots[x.Value]
	case *ast.PointerNode:
		if x.Name != "" || len(a.items) == 0 {
			return Read{}, false
		}
		return copied(a.items[len(a.items)-1])
	case *ast.PredicateNode:
		return a.read(x.Node)
	case *ast.ChainNode:
		return a.read(x.Node)
	case *ast.MemberNode:
		return a.member(x)
	}
	return Read{}, false
}

func copied(r *Read) (Read, bool) {
	if r == nil {
		return Read{}, false
	}
	out := *r
	out.Steps = slices.Clone(r.Steps)
	return out, true
}

func (a *analyst) member(x *ast.MemberNode) (Read, bool) {
	if x.Method {
		return Read{}, false
	}
	step := Step{Key: AnyItem}
	var id string
	switch p := x.Property.(type) {
	case *ast.StringNode:
		step.Key, step.Place = p.Value, a.token(p)
		id = "." + strconv.Quote(p.Value)
	case *ast.IntegerNode:
		step.Place, id = a.token(p), "["+strconv.Itoa(p.Value)+"]"
	default:
		return Read{}, false
	}
	r, ok := a.read(x.Node)
	if !ok {
		return r, false
	}
	r.Steps, r.id = append(r.Steps, step), r.id+id
	r.Guarded = r.Guarded || x.Optional
	return r, true
}

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

// Analyse tells what the template's expressions read and compare.
func (t *Template) Analyse() Analysis {
	var all Analysis
	for _, p := range t.programs() {
		a, tree := analyse(p)
		if tree == nil {
			continue
		}
		a.logic(tree)
		all.Reads = append(all.Reads, a.out.Reads...)
		all.Compares = append(all.Compares, a.out.Compares...)
		all.Faults = append(all.Faults, a.out.Faults...)
		all.Outputs = append(all.Outputs, a.out.Outputs...)
		all.Columns = append(all.Columns, a.out.Columns...)
		all.Whole = all.Whole || a.out.Whole
	}
	return all
}

func (t *Template) programs() []*program {
	var list []*program
	for i := range t.pieces {
		if t.pieces[i].leaf == nil {
			continue
		}
		for _, p := range t.pieces[i].leaf.parts {
			if p.program != nil {
				list = append(list, p.program)
			}
		}
	}
	return list
}

// Blanks are the values without which the text at that path of the document
// renders to nothing: where it is made of nothing but ${{ }}, none of which has
// a ?? that gives another value. Any other text has none.
func (t *Template) Blanks(at string) []Read {
	i := slices.IndexFunc(t.pieces, func(p piece) bool {
		return p.leaf != nil && p.leaf.parts[0].program != nil && p.leaf.parts[0].program.src.text.Path() == at
	})
	if i < 0 {
		return nil
	}
	var reads []Read
	for _, p := range t.pieces[i].leaf.parts {
		if p.program == nil {
			return nil
		}
		a, tree := analyse(p.program)
		if tree == nil {
			return nil
		}
		r, ok := a.read(tree)
		if !ok {
			return nil
		}
		r.Place = a.place(tree)
		reads = append(reads, r)
	}
	return reads
}
