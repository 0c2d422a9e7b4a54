package lang

import (
	"maps"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"

	"hookgate/internal/diag"
)

// names checks the names and functions of an expression, and how deep its
// predicates nest. expr's own check stops at the first fault and gives no hint.
type names struct {
	src       *source
	spans     *spans
	scope     []Name // in place of an event's; nil: an event's
	variables []string
	nesting   int
	list      diag.List
}

func checkNames(src *source, root ast.Node, scope []Name) diag.List {
	n := &names{src: src, spans: newSpans(src), scope: scope}
	n.visit(root, false)
	return n.list
}

func (c *names) fault(n ast.Node, code, hint, format string, args ...any) {
	from, to := c.src.bytes(n.Location())
	c.list = append(c.list, c.src.fault(from, to, code, hint, format, args...))
}

// visit checks n. compared says that n is what something is compared with, and
// so a text without quotes where it is an unknown name.
func (c *names) visit(n ast.Node, compared bool) {
	switch x := n.(type) {
	case *ast.IdentifierNode:
		if !c.known(x.Value) {
			c.fault(x, "expr-name", c.hint(x.Value, compared), "unknown name %q", x.Value)
		}
		return
	case *ast.MemberNode:
		if c.member(x) {
			return
		}
	case *ast.BinaryNode:
		if c.mistaken(x) {
			return
		}
		c.visit(x.Left, false)
		c.visit(x.Right, comparing[x.Operator])
		return
	case *ast.ArrayNode:
		for _, item := range x.Nodes {
			c.visit(item, compared)
		}
		return
	case *ast.CallNode:
		c.call(x)
		return
	case *ast.PredicateNode:
		c.nesting++
		if c.nesting == maxNesting+1 {
			c.fault(x, "expr-limit", "", "predicates may be nested %d deep", maxNesting)
		}
		defer func() { c.nesting-- }()
	case *ast.VariableDeclaratorNode:
		if c.root(x.Name) || x.Name == "raw" || x.Name == "$env" {
			c.fault(x, "expr-name", "choose another name", "%q is taken", x.Name)
		}
		c.visit(x.Value, false)
		c.variables = append(c.variables, x.Name)
		c.visit(x.Expr, false)
		c.variables = c.variables[:len(c.variables)-1]
		return
	}
	for _, child := range children(n) {
		c.visit(*child, false)
	}
}

// comparing are the operators whose right side people forget to quote.
var comparing = map[string]bool{
	"==": true, "!=": true, "in": true, "contains": true, "startsWith": true, "endsWith": true, "matches": true,
	"<": true, ">": true, "<=": true, ">=": true,
}

func (c *names) known(name string) bool {
	return c.root(name) || slices.Contains(c.variables, name)
}

// root reports whether name is in scope wherever the expression stands.
func (c *names) root(name string) bool {
	named := func(n Name) bool { return n.Name == name }
	if slices.ContainsFunc(c.src.more, named) {
		return true
	}
	if c.scope == nil {
		return roots[name]
	}
	return slices.ContainsFunc(c.scope, named)
}

// rootNames lists the names in scope.
func (c *names) rootNames() []string {
	var list []string
	if c.scope == nil {
		list = rootNames()
	}
	for _, n := range slices.Concat(c.scope, c.src.more) {
		list = append(list, n.Name)
	}
	return list
}

// foreign are other languages' words for ours.
var foreign = map[string]string{
	"null": "nil", "Null": "nil", "NULL": "nil", "None": "nil", "undefined": "nil",
	"True": "true", "TRUE": "true", "False": "false", "FALSE": "false", "AND": "and", "OR": "or", "NOT": "not",
}

func (c *names) hint(name string, compared bool) string {
	if ours := foreign[name]; ours != "" {
		return "write " + ours
	}
	if hint := diag.DidYouMean(name, append(c.rootNames(), c.variables...)); hint != "" {
		return hint
	}
	if compared {
		return `text needs quotes: "` + name + `"`
	}
	if c.scope != nil {
		return "here is " + strings.Join(c.rootNames(), ", ")
	}
	if name == OutputsName || name == ErrorsName {
		return "what a step was answered is known after it: give the action after: NAME"
	}
	return "did you mean data." + name + "?"
}

// member checks what a member chain starts with; true: nothing is left to check.
func (c *names) member(x *ast.MemberNode) bool {
	base := x.Node
	if chain, ok := base.(*ast.ChainNode); ok {
		base = chain.Node
	}
	id, ok := base.(*ast.IdentifierNode)
	if !ok {
		if of, is := base.(*ast.MemberNode); is {
			c.declaredOf(of, x)
		}
		return false
	}
	if !c.known(id.Value) {
		hint := c.hint(id.Value, false)
		if strings.HasPrefix(hint, "did you mean data.") {
			from, to := c.spans.of(x)
			hint = "did you mean data." + c.src.code[from:to] + "?"
		}
		c.fault(id, "expr-name", hint, "unknown name %q", id.Value)
		c.visit(x.Property, false)
		return true
	}
	key, ok := x.Property.(*ast.StringNode)
	switch {
	case ok && (c.scope != nil || !roots[id.Value]):
		c.declared(id.Value, key)
	case ok && id.Value == "event" && !slices.Contains(eventFields, key.Value):
		hint := diag.DidYouMean(key.Value, eventFields)
		if hint == "" {
			hint = "event has id, source, time and type; the body is data"
		}
		c.fault(key, "expr-name", hint, "event has no %q", key.Value)
	case ok && id.Value == "headers" && key.Value != strings.ToLower(key.Value):
		c.fault(key, "expr-name", `write headers["`+strings.ToLower(key.Value)+`"]`, "names of headers are lower-case here")
	}
	return false
}

// declared checks a key of a name whose keys are known.
func (c *names) declared(root string, key *ast.StringNode) {
	for _, n := range slices.Concat(c.scope, c.src.more) {
		if n.Name != root || n.Keys == nil || slices.Contains(n.Keys, key.Value) || slices.Contains(c.variables, root) {
			continue
		}
		hint := diag.DidYouMean(key.Value, n.Keys)
		if hint == "" {
			hint = "it has " + strings.Join(n.Keys, ", ")
		}
		c.fault(key, "expr-name", hint, "%s has no %q", root, key.Value)
	}
}

// declaredOf checks a key of a name's key, such as outputs.contact.id.
func (c *names) declaredOf(of, x *ast.MemberNode) {
	base := of.Node
	if chain, ok := base.(*ast.ChainNode); ok {
		base = chain.Node
	}
	id, isName := base.(*ast.IdentifierNode)
	parent, isKey := of.Property.(*ast.StringNode)
	key, isText := x.Property.(*ast.StringNode)
	if !isName || !isKey || !isText || slices.Contains(c.variables, id.Value) {
		return
	}
	for _, n := range slices.Concat(c.scope, c.src.more) {
		known, found := n.Of[parent.Value]
		if n.Name != id.Value || !found || slices.Contains(known, key.Value) {
			continue
		}
		hint := diag.DidYouMean(key.Value, known)
		if hint == "" && len(known) > 0 {
			hint = "it has " + strings.Join(known, ", ")
		}
		if hint == "" {
			hint = "nothing is read from its answer: a webhook's action has outputs: { " + key.Value + ": body." + key.Value + " }"
		}
		c.fault(key, "expr-name", hint, "%s.%s has no %q", id.Value, parent.Value, key.Value)
	}
}

// methods are those of dates and durations; no other value has any.
var methods = map[string]bool{
	"Format": true, "Year": true, "Month": true, "Day": true, "Hour": true, "Minute": true, "Second": true, "Weekday": true,
	"YearDay": true, "Unix": true, "UnixMilli": true, "Add": true, "AddDate": true, "Sub": true, "Before": true, "After": true,
	"Equal": true, "UTC": true, "In": true, "Truncate": true, "Hours": true, "Minutes": true, "Seconds": true, "String": true,
}

// idioms are other languages' methods, as they are written here.
var idioms = map[string]string{
	"includes": `write x contains "…"`, "contains": `write x contains "…"`, "startsWith": `write x startsWith "…"`,
	"endsWith": `write x endsWith "…"`, "matches": `write x matches "…"`, "match": `write x matches "…"`,
	"toLowerCase": "write lower(x)", "lower": "write lower(x)", "toUpperCase": "write upper(x)", "upper": "write upper(x)",
	"trim": "write trim(x)", "split": `write split(x, ",")`, "join": `write join(x, ",")`, "length": "write len(x)", "len": "write len(x)",
	"toString": "write string(x)", "some": "write any(x, …)", "every": "write all(x, …)", "filter": "write filter(x, …)", "map": "write map(x, …)",
}

func (c *names) call(x *ast.CallNode) {
	switch callee := x.Callee.(type) {
	case *ast.IdentifierNode:
		if added[callee.Value] != nil {
			break
		}
		switch callee.Value {
		case "raw":
			c.fault(callee, "expr-name", "write ${{ raw(…) }}", "raw(…) must be the whole of a ${{ }}")
		case "now":
			c.fault(callee, "expr-name", "event.time is when the event arrived", "there is no now()")
		default:
			hint := oursFor(callee.Value)
			if hint == "" {
				hint = diag.DidYouMean(callee.Value, append(slices.Sorted(maps.Keys(added)), builtin.Names...))
			}
			if hint == "" {
				hint = "hookgate functions lists those that there are"
			}
			c.fault(callee, "expr-name", hint, "unknown function %q", callee.Value)
		}
	case *ast.MemberNode:
		key, ok := callee.Property.(*ast.StringNode)
		if !ok || !methods[key.Value] {
			name := "this"
			if ok {
				name = key.Value
			}
			c.fault(callee, "expr-name", idioms[name], "values have no function %q", name)
		}
		c.visit(callee.Node, false)
	default:
		c.visit(x.Callee, false)
	}
	for _, arg := range x.Arguments {
		c.visit(arg, false)
	}
}
