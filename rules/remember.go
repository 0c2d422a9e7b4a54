package rules

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/table"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// Remember is what stands under remember in an action.
type Remember struct {
	Table yamlnode.Text `yaml:"table,required" doc:"A table with keep." example:"sites"`
	Key   yamlnode.Text `yaml:"key,required" doc:"Under what the record is kept." type:"expression" example:"data.id"`
	Set   yamlnode.Node `yaml:"set" doc:"Fields of the record, each with its value. Others stay as they are; null removes one." example:"{ status: \"${{ data.status }}\" }"`
	Add   yamlnode.Node `yaml:"add" doc:"Numbers that are added to fields of the record; they begin at 0." example:"{ n: 1, total: \"${{ data.amount }}\" }"`
}

// Noun names it in messages.
func (*Remember) Noun() string { return "remember" }

// KeyHint says what other words for its keys are here.
func (*Remember) KeyHint(key string) string {
	ours := map[string]string{
		"value": "set", "values": "set", "fields": "set", "record": "set", "put": "set", "increment": "add", "inc": "add", "count": "add", "sum": "add", "in": "table", "name": "table", "id": "key",
	}[key]
	if ours == "" {
		return ""
	}
	return diag.Meant(ours)
}

// writing is a compiled Remember: its key and fields are those of the action.
type writing struct {
	table string
	keep  time.Duration
	add   bool
}

// RememberName stands for the connection in the name of an action that remembers, and
// of what is kept of one that comes after a step. No connection may have it.
const RememberName = "remember"

// remembers compiles an action that writes a record: when its event is accepted, or
// when what it comes after has ended.
func (b *builder) remembers(in *Action) *action {
	r := in.Remember
	out := &action{at: in.Node.Get("remember").KeyPos(), when: b.condition(in.When), remember: &writing{table: r.Table.Value, add: !r.Add.IsZero()}}
	if in.After != nil {
		out.connection = RememberName
	}
	b.onlyRemembers(in)
	if !r.Key.IsZero() {
		out.key = b.expression(r.Key)
	}
	b.table(r, out.remember)
	fields := r.Set
	if out.remember.add {
		if fields = r.Add; !r.Set.IsZero() {
			b.add(r.Add.Diag("conflict", "write two actions that remember", `remember has either "set" or "add"`))
		}
	}
	switch {
	case fields.IsZero():
		b.add(yamlnode.MissingKey(in.Node.Get("remember"), "set", "or add, for numbers", "remember"))
	case fields.Kind() != yamlnode.Map || len(fields.Fields()) == 0:
		b.add(fields.Diag("wrong-type", "write set: { status: … }", "fields must be a mapping of names"))
	default:
		out.inputs = b.templates(fields.Fields())
		b.looksNothingUp(in, out)
	}
	return out
}

// onlyRemembers refuses what does not go together with remember.
func (b *builder) onlyRemembers(in *Action) {
	if !in.To.IsZero() {
		b.add(in.To.Diag("conflict", "write two actions, an item each", `an action has either "to" or "remember"`))
	}
	if !in.OrderingKey.IsZero() {
		b.add(in.OrderingKey.Diag("conflict", "leave it out", `"ordering_key" is for what is sent, and this action remembers`))
	}
	if in.Throttle != nil {
		b.add(in.Node.Get("throttle").Diag("conflict", "leave it out", `"throttle" is for what is sent, and this action remembers`))
	}
	if in.Digest != nil {
		b.add(in.Node.Get("digest").Diag("conflict", "leave it out", `"digest" is for what is sent, and this action remembers`))
	}
	for _, moved := range []yamlnode.Text{in.Delay, in.DelayUntil, in.OnlyDuring} {
		if !moved.IsZero() {
			b.add(moved.Diag("conflict", "leave it out", "a record is written at once: when the event is accepted, or when what it comes after has ended"))
		}
	}
	for _, f := range in.Inputs {
		b.add(yamlnode.UnknownKey(f.Key, "an action that remembers", []string{"remember", "after", "when"}, in))
	}
}

// looksNothingUp refuses to set fields of a record to what a kept table holds when a
// step has ended: what a step was answered is not judged again, so what another
// writes meanwhile would be lost.
func (b *builder) looksNothingUp(in *Action, out *action) {
	if in.After == nil || out.remember.add {
		return
	}
	for i, f := range in.Remember.Set.Fields() {
		if t := out.inputs[i].template; t != nil && len(t.Kept()) > 0 {
			b.add(f.Value.Diag("conflict", "count with add, or let an action at acceptance remember what is looked up", "what is set after a step cannot look up the kept table %q", t.Kept()[0]))
		}
	}
}

// atOnce reports whether the action writes a record in the commit that accepts its
// event.
func (a *action) atOnce() bool { return a.remember != nil && len(a.after) == 0 }

// record is what an action remembers whose turn has come; reason is why that is
// nothing.
func (a *action) record(rule string, sc *lang.Scope) (r Rendered, reason string) {
	r = Rendered{Rule: rule, Connection: a.connection, Action: a.number, Output: []byte("{}")}
	w, ok, err := a.write(rule, sc)
	switch {
	case err != nil:
		r.Err = err.Error()
		return r, ""
	case !ok:
		return r, a.noKey()
	}
	if r.Output, err = json.Marshal(written{w.RecordKey, w.Set, w.Add}); err != nil {
		r.Output, r.Err = []byte("{}"), "remember: "+err.Error()
		return r, ""
	}
	r.Record = &w
	return r, ""
}

// written is what is kept of a record that was written after a step.
type written struct {
	event.RecordKey
	Set map[string]json.RawMessage `json:"set,omitempty"`
	Add map[string]json.RawMessage `json:"add,omitempty"`
}

func (a *action) noKey() string { return a.key.Source() + " is missing: nothing is remembered" }

// table finds the table that is written.
func (b *builder) table(r *Remember, out *writing) {
	if r.Table.IsZero() {
		return
	}
	kept := map[string]bool{}
	for name, t := range b.compiler.Tables() {
		kept[name] = t.Fixed == nil
	}
	is, known := kept[r.Table.Value]
	switch {
	case !known:
		hint := diag.DidYouMean(r.Table.Value, slices.Sorted(maps.Keys(kept)))
		if hint == "" {
			hint = "add it to the section tables, with keep: 400d"
		}
		b.add(r.Table.Diag("unknown-table", hint, "no table is called %q", r.Table.Value))
	case !is:
		b.add(r.Table.Diag("fixed-table", "give it keep in place of rows or file, or use another table", "the rows of table %q stand in the configuration", r.Table.Value))
	default:
		out.keep = b.compiler.Tables()[r.Table.Value].Keep
	}
}

// remembered adds what the action remembers to out, if its condition is met.
func (a *action) remembered(rule string, sc *lang.Scope, out *Outcome) error {
	if a.when != nil {
		if ok, err := a.when.Eval(sc); err != nil || !ok {
			return err
		}
	}
	w, ok, err := a.write(rule, sc)
	if err == nil && ok {
		out.Records = append(out.Records, w)
	}
	return err
}

// write is what the action remembers of the event; false: it has no key, and
// so nothing is remembered. The error is a rule error.
func (a *action) write(rule string, sc *lang.Scope) (w event.RecordWrite, ok bool, err error) {
	w = event.RecordWrite{Rule: rule, Keep: a.remember.keep}
	w.Table = a.remember.table
	value, err := a.key.Eval(sc)
	if err != nil {
		return w, false, fmt.Errorf("remember: %w", err)
	}
	if value == nil || value == "" {
		return w, false, nil
	}
	key, isKey := table.KeyText(value)
	if !isKey {
		return w, false, fmt.Errorf("remember: %s gives a list or an object, which can be no key", a.key.Source())
	}
	if w.Key = strings.ReplaceAll(key, "\x00", ""); len(w.Key) > event.MaxRecordKey {
		return w, false, fmt.Errorf("remember: %s gives a key of %d bytes: %d is the most", a.key.Source(), len(w.Key), event.MaxRecordKey)
	}
	fields := make(map[string]json.RawMessage, len(a.inputs))
	if w.Set = fields; a.remember.add {
		w.Set, w.Add = nil, fields
	}
	size := 0
	for i := range a.inputs {
		in := &a.inputs[i]
		text, _, err := in.template.AppendWithin(nil, sc, event.MaxRecord)
		fields[in.name] = text
		if errors.Is(err, lang.ErrTooLarge) {
			err = errRecordSize
		}
		if err != nil {
			return w, false, fmt.Errorf("remember: %s: %w", in.name, err)
		}
		if size += len(text) + len(in.name); size > event.MaxRecord {
			return w, false, fmt.Errorf("remember: %w", errRecordSize)
		}
	}
	if a.remember.add {
		_, err = w.Apply(nil) // what is no number is none whatever the record holds
	}
	return w, true, err
}

var errRecordSize = fmt.Errorf("a record has at most %d KB", event.MaxRecord>>10)

// Fail makes the rule of the name a rule error: nothing of it is sent or
// remembered.
func (o *Outcome) Fail(s *Set, name, reason string) {
	i := slices.IndexFunc(s.rules, func(r *rule) bool { return r.name == name })
	if i < 0 || event.Result(o.Results[i]) != event.Matched {
		return
	}
	o.Deliveries = slices.DeleteFunc(o.Deliveries, func(d Rendered) bool { return d.Rule == name })
	o.Records = slices.DeleteFunc(o.Records, func(w event.RecordWrite) bool { return w.Rule == name })
	o.fail(i, s.rules[i], errors.New(reason))
}

// settle makes rule errors of the rules that set one field of one record to
// different values, for no order of theirs is the right one.
func (o *Outcome) settle(s *Set) {
	if len(o.Records) < 2 {
		return
	}
	type field struct {
		event.RecordKey
		name string
	}
	first := map[field]*event.RecordWrite{}
	reasons := map[string]string{}
	for i := range o.Records {
		w := &o.Records[i]
		for _, name := range slices.Sorted(maps.Keys(w.Set)) {
			f := field{w.RecordKey, name}
			other := first[f]
			if other == nil {
				first[f] = w
				continue
			}
			if string(other.Set[name]) != string(w.Set[name]) {
				reason := fmt.Sprintf("remember: %s of %s %q is set to %s by rule %q and to %s by rule %q", name, w.Table, w.Key, other.Set[name], other.Rule, w.Set[name], w.Rule)
				reasons[other.Rule], reasons[w.Rule] = reason, reason
			}
		}
	}
	for _, rule := range slices.Sorted(maps.Keys(reasons)) {
		o.Fail(s, rule, reasons[rule])
	}
}

// tables are the kept tables that a rule looks up, and those that it sets
// fields of, sorted.
func (r *rule) tables() (reads, sets []string) {
	add := func(list *[]string, names ...string) {
		for _, name := range names {
			if !slices.Contains(*list, name) {
				*list = append(*list, name)
			}
		}
	}
	predicate := func(p *lang.Predicate) {
		if p != nil {
			add(&reads, p.Kept()...)
		}
	}
	if r.forEach != nil {
		add(&reads, r.forEach.Kept()...)
	}
	predicate(r.when)
	for _, b := range r.branches {
		predicate(b.when)
	}
	for _, a := range r.actions {
		predicate(a.when)
		add(&reads, a.kept()...)
		if a.atOnce() && !a.remember.add {
			add(&sets, a.remember.table)
		}
	}
	slices.Sort(reads)
	slices.Sort(sets)
	return reads, sets
}

// kept are the kept tables that the action's keys and inputs look up.
func (a *action) kept() (names []string) {
	for _, k := range a.keys() {
		names = append(names, k.of.Kept()...)
	}
	if a.moment != nil && a.moment.until != nil {
		names = append(names, a.moment.until.Kept()...)
	}
	for _, in := range a.inputs {
		if in.template != nil {
			names = append(names, in.template.Kept()...)
		}
	}
	return names
}

// Kept are the kept tables that the set's rules look up, or write.
func (s *Set) Kept() []string { return s.kept }

// Shared are the kept tables that rules listening to the type of event from
// source look up, while such rules set fields of theirs: their events are judged
// one at a time. They are sorted.
func (s *Set) Shared(source, typ string) []string {
	if !s.shares {
		return nil
	}
	var reads, sets, both []string
	for _, i := range s.candidates(source, typ) {
		reads, sets = append(reads, s.rules[i].reads...), append(sets, s.rules[i].sets...)
	}
	slices.Sort(reads)
	for _, name := range slices.Compact(reads) {
		if slices.Contains(sets, name) {
			both = append(both, name)
		}
	}
	return both
}

// Using are the names of the rules that look up one of the tables, or set fields
// of it.
func (s *Set) Using(tables []string) []string {
	var names []string
	for _, r := range s.rules {
		if slices.ContainsFunc(tables, func(t string) bool { return slices.Contains(r.reads, t) || slices.Contains(r.sets, t) }) {
			names = append(names, r.name)
		}
	}
	return names
}

// Lookups are the kept tables that the rule of the name looks up.
func (s *Set) Lookups(rule string) []string {
	for _, r := range s.rules {
		if r.name == rule {
			return slices.Compact(slices.Clone(r.reads))
		}
	}
	return nil
}

// noteTables finds which tables the rules use.
func (s *Set) noteTables() {
	for _, r := range s.rules {
		r.reads, r.sets = r.tables()
		s.shares = s.shares || len(r.sets) > 0
	}
	for _, r := range s.rules {
		s.kept = append(append(s.kept, r.reads...), r.sets...)
		for _, a := range r.actions {
			if a.remember != nil {
				s.kept = append(s.kept, a.remember.table)
			}
		}
	}
	slices.Sort(s.kept)
	s.kept = slices.Compact(s.kept)
}

// RememberTrace tells what an action remembers.
type RememberTrace struct {
	event.RecordKey
	Before json.RawMessage            `json:"before,omitempty"` // nil: there was no record, or it is not known
	After  json.RawMessage            `json:"after,omitempty"`  // where the one before it is known
	Set    map[string]json.RawMessage `json:"set,omitempty"`
	Add    map[string]json.RawMessage `json:"add,omitempty"`
}

// traceOf tells of a record that is written, but for what it was and is then.
func traceOf(w *event.RecordWrite) *RememberTrace {
	return &RememberTrace{RecordKey: w.RecordKey, Set: w.Set, Add: w.Add}
}

// explainRecord tells what the action remembers when its turn comes. What the record
// is by then nobody knows.
func (a *action) explainRecord(rule string, sc *lang.Scope, t *ActionTrace) {
	w, ok, err := a.write(rule, sc)
	switch {
	case err != nil:
		t.Err, t.At = err.Error(), a.at
	case !ok:
		t.Sent, t.Reason = false, a.noKey()
		return
	}
	t.Remember = traceOf(&w)
}

// explainWrite tells what the action remembers, beside what was kept before.
func (a *action) explainWrite(rule string, sc *lang.Scope, of *Trace, t *ActionTrace) {
	w, ok, err := a.write(rule, sc)
	if err != nil {
		of.fail(lang.Trace{Verdict: lang.Failed, Error: err.Error(), At: a.at})
		t.Sent = false
		return
	}
	if !ok {
		t.Sent, t.Err = false, a.noKey()
		return
	}
	t.Remember = traceOf(&w)
	if sc.Records == nil {
		return
	}
	before, known, err := sc.Records.Before(w.Table, w.Key)
	if err != nil || !known {
		return
	}
	t.Remember.Before = before
	if t.Remember.After, err = w.Apply(before); err != nil {
		of.fail(lang.Trace{Verdict: lang.Failed, Error: err.Error(), At: a.at})
		t.Sent, t.Remember = false, nil
	}
}
