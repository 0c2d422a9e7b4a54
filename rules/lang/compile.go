package lang

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/checker"
	"github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/optimizer"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"

	"hookgate/internal/diag"
	"hookgate/internal/locale"
	"hookgate/internal/yamlnode"
)

// Compiler compiles the expressions and templates of one configuration. It
// collects the paths they name, so that an event resolves each of them once.
// It is for one goroutine; what it compiled is for any number of them.
type Compiler struct {
	space *space
	table conf.FunctionsTable
	names []Name // what is in scope in place of an event; nil: an event
	more  []Name // what is in scope beside it
}

// Name is a name in the scope of expressions that judge no event.
type Name struct {
	Name string
	Keys []string // those that it has; nil: any
	Late bool     // known only when the moment of an action has come
	// Of has the keys of the values of some keys; without an entry there may be any.
	Of map[string][]string
}

// NewCompiler makes a Compiler that knows no paths yet.
func NewCompiler() *Compiler {
	space := &space{bySource: map[string]*path{}, place: place{zone: time.UTC, locale: locale.English()}}
	return &Compiler{space: space, table: functionsTable()}
}

// NewCompilerFor makes a Compiler of expressions that see the given names
// rather than an event. They are run with a Scope of NewValues.
func NewCompilerFor(names ...Name) *Compiler {
	c := NewCompiler()
	c.names = names
	return c
}

// With is the same Compiler for expressions that see more names besides: those of
// Scope.SetElement and Scope.SetSteps.
func (c *Compiler) With(names ...Name) *Compiler {
	d := *c
	d.more = append(slices.Clone(c.more), names...)
	return &d
}

// source is an expression and where it stands.
type source struct {
	text  yamlnode.Text
	from  int    // where code starts in text, in bytes
	code  string // the expression
	runes []int  // the byte at which each rune of code starts, and its length
	more  []Name // what is in scope beside the Compiler's names
}

func newSource(text yamlnode.Text, from, to int) *source {
	s := &source{text: text, from: from, code: text.Value[from:to]}
	for i := range s.code {
		s.runes = append(s.runes, i)
	}
	s.runes = append(s.runes, len(s.code))
	return s
}

// bytes turns expr's location, in runes, into bytes of code.
func (s *source) bytes(loc file.Location) (from, to int) {
	last := len(s.runes) - 1
	from = max(0, min(loc.From, last))
	to = max(from, min(loc.To, last))
	return s.runes[from], s.runes[to]
}

// at is the place of the bytes from to to of code in the configuration.
func (s *source) at(from, to int) diag.Position { return s.text.At(s.from+from, s.from+to) }

// whole is the place of the expression, without the spaces around it.
func (s *source) whole() diag.Position {
	from := len(s.code) - len(strings.TrimLeft(s.code, " \n"))
	return s.at(from, max(from, len(strings.TrimRight(s.code, " \n"))))
}

// fault makes an error about the bytes from to to of code.
func (s *source) fault(from, to int, code, hint, format string, args ...any) diag.Diagnostic {
	return s.text.DiagAt(s.from+from, s.from+to, code, hint, format, args...)
}

// key is the name of the key the expression stands under, as messages call it.
func (s *source) key() string {
	path := s.text.Path()
	if i := strings.LastIndexByte(path, '.'); i >= 0 {
		path = path[i+1:]
	}
	if i := strings.IndexByte(path, '['); i > 0 {
		path = path[:i]
	}
	if path == "" {
		return "the expression"
	}
	return path
}

// program is a compiled expression.
type program struct {
	src   *source
	space *space
	reads []read
	only  *path // the expression is nothing but this path
	// necessary is a comparison without which the expression is false; nil: it
	// has none.
	necessary *necessary
	fast      code // without one there is the plain route only
	plain     code
	raw       bool     // raw(…): not to be escaped
	late      bool     // it reads what is known at its moment only
	kept      []string // the kept tables that it looks up
	kind      reflect.Type
}

// code is what the machine runs.
type code struct {
	*vm.Program
	metered bool // it calls something that the meter bounds
}

func (c *Compiler) config() *conf.Config {
	config := conf.CreateNew()
	config.WithEnv(map[string]any{})
	config.Strict = false // names are checked by checkNames, with better words
	config.MaxNodes = maxNodes
	config.Functions = c.table
	config.Disabled["now"] = true
	delete(config.Builtins, "now")
	return config
}

// compile checks and compiles one expression and reports every fault in it.
// rawOK allows raw(…) around the whole.
func (c *Compiler) compile(src *source, rawOK bool) (*program, diag.List) {
	tree, list := c.parse(src)
	if tree == nil {
		return nil, list
	}
	src.more = slices.Concat(src.more, c.more)
	p := &program{src: src, space: c.space}
	if rawOK {
		p.raw = unwrapRaw(&tree.Node)
	}
	if list = checkNames(src, tree.Node, c.names); list.Err() != nil {
		return nil, list
	}
	typed(tree.Node)
	kind, err := checker.Check(tree, c.config())
	if err != nil {
		return nil, append(list, src.typeError(err))
	}
	arguments := calls{src: src, place: &c.space.place}
	if arguments.visit(tree.Node); len(arguments.list) > 0 {
		return nil, append(list, arguments.list...)
	}
	uses := checkTables(src, tree.Node, c.space.place.tables)
	if len(uses.kept) > 0 && !c.space.kept {
		list = append(list, src.fault(0, len(src.code), "unknown-table", "a table with rows or a file can be looked up here", "table %q is kept in the database, which rules alone look up", uses.kept[0]))
	}
	if p.kept = uses.kept; len(uses.list) > 0 || list.Err() != nil {
		return nil, append(list, uses.list...)
	}
	p.kind, p.late = kind, src.late(tree.Node) || len(p.kept) > 0
	plain := &rewriter{src: src}
	if p.plain, err = c.build(src, plain, p.raw); err != nil {
		return nil, append(list, src.typeError(err))
	}
	if list = append(list, plain.list...); list.Err() != nil {
		return nil, list
	}
	if c.names != nil || src.seesMore(tree.Node) {
		return p, list
	}
	fast := &rewriter{src: src, space: c.space}
	if p.fast, err = c.build(src, fast, p.raw); err != nil {
		return nil, append(list, src.typeError(err))
	}
	p.reads, p.only = fast.reads, fast.root
	p.necessary = findNecessary(c.space, tree.Node)
	return p, list
}

// seesMore reports whether n reads a name that is in scope beside the event, which
// the flat environment of the fast route has not.
func (s *source) seesMore(n ast.Node) bool {
	if id, ok := n.(*ast.IdentifierNode); ok && slices.ContainsFunc(s.more, func(m Name) bool { return m.Name == id.Value }) {
		return true
	}
	return len(s.more) > 0 && slices.ContainsFunc(children(n), func(c *ast.Node) bool { return s.seesMore(*c) })
}

// parse reads the expression; a nil tree comes with the fault.
func (c *Compiler) parse(src *source) (*parser.Tree, diag.List) {
	if strings.TrimSpace(src.code) == "" {
		return nil, diag.List{src.fault(0, len(src.code), "expr-syntax", "", "%q holds no expression", src.key())}
	}
	if len(src.code) > maxSource {
		return nil, diag.List{src.fault(0, len(src.code), "expr-limit", "", "an expression of more than %d bytes is too long", maxSource)}
	}
	tree, err := parser.ParseWithConfig(src.code, c.config())
	if err != nil {
		return nil, diag.List{src.syntaxFault(err)}
	}
	if measure(tree.Node, 4*maxNodes) > 4*maxNodes {
		return nil, diag.List{src.fault(0, len(src.code), "expr-limit", "join comparisons with and", "the expression is too complex")}
	}
	return tree, nil
}

// build parses the expression anew, rewrites it and makes the program.
func (c *Compiler) build(src *source, r *rewriter, raw bool) (code, error) {
	config := c.config()
	tree, err := parser.ParseWithConfig(src.code, config)
	if err != nil {
		return code{}, err
	}
	if raw {
		unwrapRaw(&tree.Node)
	}
	r.rewrite(&tree.Node)
	if _, err := checker.Check(tree, config); err != nil {
		return code{}, err
	}
	if err := optimizer.Optimize(&tree.Node, config); err != nil {
		return code{}, err
	}
	compiled, err := compiler.Compile(tree, config)
	return code{compiled, r.metered}, err
}

// unwrapRaw takes raw(…) off the whole expression, if it is there.
func unwrapRaw(n *ast.Node) bool {
	call, ok := (*n).(*ast.CallNode)
	if !ok || len(call.Arguments) != 1 {
		return false
	}
	if name, ok := call.Callee.(*ast.IdentifierNode); !ok || name.Value != "raw" {
		return false
	}
	*n = call.Arguments[0]
	return true
}

// typeError words what expr's checker, optimizer or compiler found.
func (s *source) typeError(err error) diag.Diagnostic {
	var at *file.Error
	if !errors.As(err, &at) {
		message, _, _ := strings.Cut(err.Error(), "\n")
		return s.fault(0, len(s.code), "expr-type", "", "%s", plainWords(message))
	}
	from, to := s.bytes(at.Location)
	if fault, found := strings.CutPrefix(at.Message, "error parsing regexp: "); found {
		return s.fault(from, to, "expr-type", "a pattern is a regular expression, in which .* is any text", "not a regular expression: %s", fault)
	}
	return s.fault(from, to, "expr-type", "", "%s", plainWords(at.Message))
}
