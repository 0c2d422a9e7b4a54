package ruletest

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

// records are the kept tables of one run of a test. Their clock is the test's.
// It implements ingest.Records.
type records struct {
	book event.Records
	seen event.Records // as it was before the event that is judged
}

// at has the records be as they are at now, before what comes then.
func (r *records) at(now time.Time) {
	maps.DeleteFunc(r.book, func(_ event.RecordKey, one event.Record) bool { return !one.Expires.After(now) })
	r.seen = maps.Clone(r.book)
}

// ReadRecord implements ingest.Records.
func (r *records) ReadRecord(_ context.Context, k event.RecordKey) (event.Record, error) {
	one := r.seen[k]
	one.RecordKey = k
	return one, nil
}

// Records implements ingest.Records.
func (r *records) Records(_ context.Context, table, after string, limit int) ([]event.Record, error) {
	var list []event.Record
	for k, one := range r.seen {
		if k.Table == table && k.Key > after {
			list = append(list, one)
		}
	}
	slices.SortFunc(list, func(a, b event.Record) int { return cmp.Compare(a.Key, b.Key) })
	return list[:min(len(list), limit)], nil
}

// tables reads what kept tables hold before a test's event.
func (b *builder) tables(n yamlnode.Node) []event.RecordWrite {
	if n.IsZero() || n.Kind() == yamlnode.Null {
		return nil
	}
	const shape = `such as { websites: { "7": { status: Preparation } } }`
	if n.Kind() != yamlnode.Map {
		b.add(n.Diag("wrong-type", shape, `"tables" must be a mapping of tables`))
		return nil
	}
	var list []event.RecordWrite
	tables := b.compiler.Tables()
	for _, of := range n.Fields() {
		name := of.Key.Value
		switch t := tables[name]; {
		case t == nil:
			b.add(of.Key.Diag("unknown-table", diag.DidYouMean(name, slices.Sorted(maps.Keys(tables))), "no table is called %q", name))
		case t.Fixed != nil:
			b.add(of.Key.Diag("fixed-table", "a test says what tables with keep hold", "the rows of table %q stand in the configuration", name))
		case of.Value.Kind() != yamlnode.Map:
			b.add(of.Value.Diag("wrong-type", shape, "what a table holds must be a mapping of keys"))
		default:
			for _, f := range of.Value.Fields() {
				if w, ok := b.record(f, shape); ok {
					w.Table, w.Keep = name, t.Keep
					list = append(list, w)
				}
			}
		}
	}
	return list
}

// record reads one record that a table holds.
func (b *builder) record(f yamlnode.Field, shape string) (w event.RecordWrite, ok bool) {
	if f.Value.Kind() != yamlnode.Map {
		b.add(f.Value.Diag("wrong-type", shape, "a record must be a mapping of its fields"))
		return w, false
	}
	w.Key, w.Set = f.Key.Value, map[string]json.RawMessage{}
	for _, field := range f.Value.Fields() {
		w.Set[field.Key.Value] = b.json(field.Value)
	}
	if _, err := w.Apply(nil); err != nil {
		b.add(f.Key.Diag("bad-value", "", "%s", err))
		return w, false
	}
	return w, true
}
