package lang

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"

	"hookgate/internal/diag"
	fixed "hookgate/internal/table"
)

// Table is a table that expressions look up.
type Table struct {
	Fixed *fixed.Fixed  // nil: it is kept in the database
	Keep  time.Duration // of a kept one: of a record, after its last change
}

// Records are the records of kept tables, as an evaluation sees them.
type Records interface {
	// Record is the record, as plain data; nil where there is none.
	Record(table, key string) (any, error)
	// Records are those of a table, in the order of their keys, each with its key
	// as "key", and at most MaxRecords.
	Records(table string) ([]any, error)
	// Before is the record that a write of the event changes, as JSON; nil where
	// there is none. It may not be known.
	Before(table, key string) (value json.RawMessage, known bool, err error)
}

// MaxRecords is how many records of a table rows gives.
const MaxRecords = 500

// Tables are those that there are.
func (c *Compiler) Tables() map[string]*Table { return c.space.place.tables }

// AllowKept says whether what is compiled from now on can look up kept tables:
// rules can, and what is asked before them or without a database cannot.
func (c *Compiler) AllowKept(allowed bool) { c.space.kept = allowed }

// Kept are the kept tables that the condition looks up: with any, what it gives
// depends on more than the event.
func (p *Predicate) Kept() []string { return p.p.kept }

// Kept are the kept tables that the expression looks up.
func (e *Expression) Kept() []string { return e.p.kept }

// Kept are the kept tables that the template looks up.
func (t *Template) Kept() []string {
	var names []string
	for i := range t.pieces {
		if t.pieces[i].leaf == nil {
			continue
		}
		for _, part := range t.pieces[i].leaf.parts {
			if part.program != nil {
				names = append(names, part.program.kept...)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// SetTables says which tables there are.
func (c *Compiler) SetTables(tables map[string]*Table) { c.space.place.tables = tables }

// ExampleTables are those that the examples look up.
func ExampleTables() map[string]*Table {
	plans, err := fixed.New("code", []string{"code", "price"}, []map[string]any{{"code": "s", "price": 49}, {"code": "m", "price": 99}})
	if err != nil { // it is as it stands here
		return nil
	}
	return map[string]*Table{"plans": {Fixed: plans}}
}

var tableFunctions = []function{
	{
		name: "lookup", params: []param{text("table"), anything("key")}, numbers: writtenNumbers, own: true,
		doc:     "The row of a table that has the key, as an object; null where there is none. Keys are compared as texts: \"7\" finds 7.",
		example: `lookup("plans", "s").price`, value: `49`, more: []Example{{`lookup("plans", "xl")?.price ?? 0`, `0`}},
		call: lookup,
	},
	{
		name: "rows", params: []param{text("table")}, numbers: writtenNumbers, own: true, null: "error", result: listResult,
		doc:     "All rows of a table, in the order of their keys; of a kept one its records, each with its key as `key`, and at most 500.",
		example: `map(rows("plans"), .code)`, value: `["m","s"]`,
		call: rows,
	},
}

func lookup(m *meter, args []any) (any, error) {
	name, ok := args[0].(string)
	if !ok {
		return nil, limitf("lookup needs the name of a table, but got %s", kindOf(args[0]))
	}
	if args[1] == nil {
		return nil, nil
	}
	key, ok := fixed.KeyText(args[1])
	if text, isText := args[1].(string); isText && text == "" {
		return nil, nil
	}
	if !ok {
		return nil, limitf("lookup needs a text or a number as key, but got %s", kindOf(args[1]))
	}
	t := m.place.tables[name]
	if t == nil {
		return nil, limitf("no table is called %q", name)
	}
	if t.Fixed != nil {
		return t.Fixed.Row(key), m.clock()
	}
	if m.records == nil {
		return nil, nil
	}
	record, err := m.records.Record(name, key)
	m.looked = time.Now() // what the database took is not the expression's
	return record, err
}

// rows is rows("projects").
func rows(m *meter, args []any) (any, error) {
	name, ok := args[0].(string)
	if !ok {
		return nil, limitf("rows needs the name of a table, but got %s", kindOf(args[0]))
	}
	t := m.place.tables[name]
	if t == nil {
		return nil, limitf("no table is called %q", name)
	}
	if t.Fixed != nil {
		list := t.Fixed.Rows()
		return list, m.charge(list)
	}
	if m.records == nil {
		return []any{}, nil
	}
	list, err := m.records.Records(name)
	m.looked = time.Now()
	if err != nil {
		return nil, err
	}
	return list, m.charge(list)
}

// readers are the functions that read tables.
var readers = map[string]bool{"lookup": true, "rows": true}

// tableUses checks which tables an expression reads.
type tableUses struct {
	src    *source
	spans  *spans
	tables map[string]*Table
	list   diag.List
	kept   []string // the kept tables among them
}

// checkTables finds what is wrong with the tables that the expression reads.
func checkTables(src *source, root ast.Node, tables map[string]*Table) *tableUses {
	u := &tableUses{src: src, spans: newSpans(src), tables: tables}
	u.visit(root)
	return u
}

func (u *tableUses) fault(n ast.Node, code, hint, format string, args ...any) {
	from, to := u.spans.of(n)
	u.list = append(u.list, u.src.fault(from, to, code, hint, format, args...))
}

func (u *tableUses) visit(n ast.Node) {
	if call, ok := n.(*ast.CallNode); ok {
		if f := calledFunction(call); f != nil && readers[f.name] {
			u.call(call, f)
		}
	}
	if member, ok := n.(*ast.MemberNode); ok {
		u.column(member)
	}
	for _, child := range children(n) {
		u.visit(*child)
	}
}

func (u *tableUses) call(call *ast.CallNode, f *function) {
	if len(call.Arguments) != len(f.params) {
		u.fault(call, "expr-type", "write "+f.signature(), "%s takes %s, not %d", f.name, countOf(len(f.params), len(f.params), f), len(call.Arguments))
		return
	}
	name, ok := call.Arguments[0].(*ast.StringNode)
	if !ok {
		u.fault(call.Arguments[0], "expr-type", "write "+f.name+`("managers", …)`, "%s needs the name of a table in quotes", f.name)
		return
	}
	if t := u.tables[name.Value]; t != nil && t.Fixed == nil && !slices.Contains(u.kept, name.Value) {
		u.kept = append(u.kept, name.Value)
	}
	if u.tables[name.Value] == nil {
		names := slices.Sorted(maps.Keys(u.tables))
		hint := diag.DidYouMean(name.Value, names)
		if hint == "" && len(names) == 0 {
			hint = "tables are described in the section tables"
		}
		u.fault(name, "unknown-table", hint, "no table is called %q", name.Value)
	}
}

// column checks a column that is read straight from a row of a fixed table.
func (u *tableUses) column(member *ast.MemberNode) {
	base := member.Node
	if chain, ok := base.(*ast.ChainNode); ok {
		base = chain.Node
	}
	call, isCall := base.(*ast.CallNode)
	key, isKey := member.Property.(*ast.StringNode)
	if !isCall || !isKey || len(call.Arguments) == 0 {
		return
	}
	name, ok := call.Arguments[0].(*ast.StringNode)
	if f := calledFunction(call); !ok || f == nil || f.name != "lookup" {
		return
	}
	t := u.tables[name.Value]
	if t == nil || t.Fixed == nil || t.Fixed.Len() == 0 || slices.Contains(t.Fixed.Columns(), key.Value) {
		return
	}
	hint := diag.DidYouMean(key.Value, t.Fixed.Columns())
	if hint == "" {
		hint = "it has " + strings.Join(t.Fixed.Columns(), ", ")
	}
	from, to := u.src.bytes(key.Location())
	u.list = append(u.list, u.src.fault(from, to, "unknown-column", hint, "table %q has no column %q", name.Value, key.Value))
}
