package config

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"hookgate/internal/diag"
	"hookgate/internal/table"
	"hookgate/internal/yamlnode"
)

// Table is a table that rules look up.
type Table struct {
	Name  yamlnode.Text
	Fixed *table.Fixed  // nil: its records are kept in the database
	Keep  time.Duration // of a record of a kept table, after its last change
}

// tableKeys are the keys of an entry under tables.
type tableKeys struct {
	Key  yamlnode.Text   `yaml:"key" doc:"Of a fixed table: the column that rows are looked up by." example:"country"`
	File yamlnode.Text   `yaml:"file" doc:"Of a fixed table: a CSV file whose first line names the columns. A relative path starts at the folder of this file." example:"tables/managers.csv"`
	Keep time.Duration   `yaml:"keep" doc:"Makes it a table that rules write with remember: how long a record is kept after its last change." example:"400d" min:"1h" max:"3660d"`
	Rows []yamlnode.Node `yaml:"rows" doc:"Of a fixed table: its rows, written here." example:"[{ code: s, price: 49 }, { code: m, price: 99 }]"`
}

// Noun is what messages call it.
func (tableKeys) Noun() string { return "a table" }

// KeyHint says what other words for the keys are here.
func (tableKeys) KeyHint(key string) string {
	switch key {
	case "ttl", "expires", "retention", "for":
		return `did you mean "keep"?`
	case "csv", "path":
		return `did you mean "file"?`
	case "column", "by", "id", "primary_key":
		return `did you mean "key"?`
	case "data", "values", "entries":
		return `did you mean "rows"?`
	}
	return ""
}

// readTables reads the section, and the files that it names.
func (doc *Config) readTables(n yamlnode.Node, report *Report) diag.List {
	entries, list := entries(n, "a table", names{})
	for _, e := range entries {
		t, faults := doc.table(e, report)
		list = append(list, faults...)
		doc.Tables = append(doc.Tables, t)
	}
	return list
}

// table reads one table. Where it has faults, it is one without rows, so that
// its name is known.
func (doc *Config) table(e Entry, report *Report) (Table, diag.List) {
	var keys tableKeys
	t := Table{Name: e.Name}
	list := e.Node.Decode("a table", &keys)
	file, rows, keep := e.Node.Get("file"), e.Node.Get("rows"), e.Node.Get("keep")
	if !keep.IsZero() {
		if t.Keep = keys.Keep; !file.IsZero() || !rows.IsZero() || !keys.Key.IsZero() {
			list = append(list, keep.Diag("conflict", "a table with keep is written by rules; leave out key, file and rows, or keep",
				"table %q cannot be both fixed and kept", e.Name.Value))
		}
		return t, list
	}
	t.Fixed, _ = table.New("", nil, nil)
	switch {
	case list.Err() != nil:
	case file.IsZero() && rows.IsZero():
		list = append(list, e.Name.Diag("missing-key", "write file or rows for a fixed table, or keep: 400d for one that rules write",
			"table %q has neither rows, nor a file, nor keep", e.Name.Value))
	case !file.IsZero() && !rows.IsZero():
		list = append(list, file.Diag("conflict", "keep one of them", `table %q has both "rows" and "file"`, e.Name.Value))
	case keys.Key.IsZero():
		list = append(list, yamlnode.MissingKey(e.Node, "key", "it names the column that rows are looked up by", "a fixed table"))
	case !file.IsZero():
		f, faults := doc.tableFile(keys, report)
		if list = append(list, faults...); f != nil {
			t.Fixed = f
		}
	default:
		f, faults := tableRows(e.Name, keys)
		if list = append(list, faults...); f != nil {
			t.Fixed = f
		}
	}
	return t, list
}

// tableFile reads a table's file. What is wrong in it is told with the line.
func (doc *Config) tableFile(keys tableKeys, report *Report) (*table.Fixed, diag.List) {
	path := pathOf(keys.File)
	report.Parts.Files = append(report.Parts.Files, path)
	content, err := readFile(path)
	if err != nil {
		return nil, diag.List{keys.File.Diag("bad-file", "", "the table can't be read: %s", reason(err))}
	}
	report.Files[path] = content
	doc.parts = append(doc.parts, content)
	if len(content) > table.MaxSize {
		return nil, diag.List{keys.File.Diag("bad-file", "larger ones belong into a database", "a table of more than %d MB is too large", table.MaxSize>>20)}
	}
	in := func(line int) func(code, hint, format string, args ...any) diag.Diagnostic {
		return func(code, hint, format string, args ...any) diag.Diagnostic {
			d := keys.File.Diag(code, hint, format, args...)
			d.Position = diag.Position{File: path, Line: line, Column: 1}
			return d
		}
	}
	read, err := table.ReadCSV(content)
	if fault := (*table.CSVError)(nil); errors.As(err, &fault) {
		return nil, diag.List{in(fault.Line)("bad-file", "", "%s", fault.Message)}
	}
	if !slices.Contains(read.Columns, keys.Key.Value) {
		return nil, diag.List{keys.Key.Diag("unknown-column", columnHint(keys.Key.Value, read.Columns), "the file has no column %q", keys.Key.Value)}
	}
	b := tableBuilder{key: keys.Key.Value, lines: map[string]int{}}
	for i, row := range read.Rows {
		b.add(row, read.Lines[i], in(read.Lines[i]))
	}
	return b.table(keys.File, read.Columns)
}

func columnHint(name string, columns []string) string {
	if hint := diag.DidYouMean(name, columns); hint != "" {
		return hint
	}
	return "it has " + strings.Join(columns, ", ")
}

// tableRows reads the rows that stand in the configuration.
func tableRows(name yamlnode.Text, keys tableKeys) (*table.Fixed, diag.List) {
	b := tableBuilder{key: keys.Key.Value, lines: map[string]int{}}
	var columns []string
	for _, n := range keys.Rows {
		if n.Kind() != yamlnode.Map {
			b.list = append(b.list, n.Diag("wrong-type", "write { "+b.key+": …, … }", "a row must be a mapping of columns"))
			continue
		}
		for _, f := range n.Fields() {
			if !slices.Contains(columns, f.Key.Value) {
				columns = append(columns, f.Key.Value)
			}
		}
		row := map[string]any{}
		for _, f := range n.Fields() {
			row[f.Key.Value] = asWritten(f.Value)
		}
		b.add(row, n.Pos().Line, n.Diag)
	}
	return b.table(name, columns)
}

// asWritten is the value; a number keeps its spelling, as those of events do.
func asWritten(n yamlnode.Node) any {
	v := n.Any()
	switch v.(type) {
	case int, float64:
		if text := n.Text().Value; json.Valid([]byte(text)) {
			return json.Number(text)
		}
	}
	return v
}

// tableBuilder gathers the rows of a table.
type tableBuilder struct {
	key   string
	rows  []map[string]any
	lines map[string]int // by key
	list  diag.List
}

func (b *tableBuilder) add(row map[string]any, line int, fault func(code, hint, format string, args ...any) diag.Diagnostic) {
	key, ok := table.KeyText(row[b.key])
	if !ok {
		b.list = append(b.list, fault("missing-key", "", "the row has no %q", b.key))
		return
	}
	if first, twice := b.lines[key]; twice {
		b.list = append(b.list, fault("duplicate-name", "keep one of them", "there is a row with %s %q already, in line %d", b.key, key, first))
		return
	}
	b.lines[key] = line
	b.rows = append(b.rows, row)
}

// maxRowFaults is how many faults of one table's rows are told.
const maxRowFaults = 20

func (b *tableBuilder) table(at yamlnode.Text, columns []string) (*table.Fixed, diag.List) {
	if len(b.list) > 0 {
		return nil, b.list[:min(len(b.list), maxRowFaults)]
	}
	if len(b.rows) > table.MaxRows {
		return nil, diag.List{at.Diag("bad-value", "larger ones belong into a database", "a table of %d rows is too large: %d is the most", len(b.rows), table.MaxRows)}
	}
	t, err := table.New(b.key, columns, b.rows)
	if err != nil {
		return nil, diag.List{at.Diag("bad-value", "", "%s", err)}
	}
	return t, nil
}

// describeTables is the section as people and editors read about it.
func describeTables() yamlnode.Spec {
	spec := yamlnode.Describe[tableKeys]()
	row := yamlnode.Spec{Type: yamlnode.MappingType, Item: &yamlnode.Spec{Type: yamlnode.AnyType}}
	spec.Field("rows").Item = &row
	return named(spec, "Tables that rules look up, by name: fixed ones, and those that rules write.")
}
