package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"hookgate/internal/event"
	"hookgate/internal/jsondoc"
	"hookgate/rules"
	"hookgate/rules/lang"
)

// Records reads the records of kept tables.
type Records interface {
	// ReadRecord is the record under a key; Version 0 where there is none.
	ReadRecord(ctx context.Context, k event.RecordKey) (event.Record, error)
	// Records are those of a table in the order of their keys, after a key.
	Records(ctx context.Context, table, after string, limit int) ([]event.Record, error)
}

const (
	// lookupTime is how long one look into the store may take.
	lookupTime = 5 * time.Second
	// maxRows is how many bytes of records rows gives.
	maxRows = 1 << 20
	// rejudgements is how often an event is judged again because another has
	// written what it looked up.
	rejudgements = 8
)

// lookups are the records that rules look up for one event: each is read once,
// and what was read is kept with the event. It implements lang.Records.
type lookups struct {
	store Records      // nil: there is nothing but what was recorded
	old   []event.Read // what was seen when the event was accepted
	// stored says that the event was: what it wrote may be among the records.
	stored bool

	reads  []event.Read
	values map[event.RecordKey]any
	err    error // of the store: nothing that was decided holds
}

// Record implements lang.Records.
func (l *lookups) Record(table, key string) (any, error) {
	k := event.RecordKey{Table: table, Key: key}
	if value, known := l.values[k]; known {
		return value, nil
	}
	read, found := l.recorded(k)
	if !found && l.store != nil {
		ctx, cancel := context.WithTimeout(context.Background(), lookupTime)
		defer cancel()
		record, err := l.store.ReadRecord(ctx, k)
		if err != nil {
			return nil, l.fail(err)
		}
		read = event.ReadOf(&record)
	}
	return l.note(read)
}

// rowsKey is the key under which all records of a table are noted; no record has
// it.
const rowsKey = ""

// Records implements lang.Records.
func (l *lookups) Records(table string) ([]any, error) {
	k := event.RecordKey{Table: table, Key: rowsKey}
	value, known := l.values[k]
	if !known {
		read, found := l.recorded(k)
		if !found {
			var err error
			if read, err = l.readRows(k); err != nil {
				return nil, err
			}
		}
		var err error
		if value, err = l.note(read); err != nil {
			return nil, err
		}
	}
	list, _ := value.([]any)
	return list, nil
}

// readRows reads the records of a table as a JSON list of objects.
func (l *lookups) readRows(k event.RecordKey) (event.Read, error) {
	read := event.Read{RecordKey: k, Value: json.RawMessage(`[]`)}
	if l.store == nil {
		return read, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookupTime)
	defer cancel()
	list, err := l.store.Records(ctx, k.Table, "", lang.MaxRecords)
	if err != nil {
		return read, l.fail(err)
	}
	text := []byte{'['}
	for i := range list {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(jsondoc.AppendString(append(text, `{"key":`...), list[i].Key), ',')
		if value := list[i].Value; len(value) > len(`{}`) {
			text = append(text, value[1:]...)
		} else {
			text[len(text)-1] = '}'
		}
		if len(text) > maxRows {
			return read, fmt.Errorf("the records of %s have more than %d MB", k.Table, maxRows>>20)
		}
	}
	read.Value = append(text, ']')
	return read, nil
}

// Before implements lang.Records.
func (l *lookups) Before(table, key string) (json.RawMessage, bool, error) {
	k := event.RecordKey{Table: table, Key: key}
	for _, list := range [][]event.Read{l.old, l.reads} {
		if i := slices.IndexFunc(list, func(r event.Read) bool { return r.RecordKey == k }); i >= 0 {
			return list[i].Value, true, nil
		}
	}
	if l.stored || l.store == nil {
		return nil, false, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookupTime)
	defer cancel()
	record, err := l.store.ReadRecord(ctx, k)
	if err != nil {
		return nil, false, l.fail(err)
	}
	return record.Value, true, nil
}

func (l *lookups) recorded(k event.RecordKey) (event.Read, bool) {
	i := slices.IndexFunc(l.old, func(r event.Read) bool { return r.RecordKey == k })
	if i < 0 {
		return event.Read{RecordKey: k}, false
	}
	return l.old[i], true
}

// note keeps what was read.
func (l *lookups) note(read event.Read) (any, error) {
	value, err := plain(read.Value)
	if err != nil {
		return nil, fmt.Errorf("the record %s %q cannot be read: %w", read.Table, read.Key, err)
	}
	if l.values == nil {
		l.values = map[event.RecordKey]any{}
	}
	l.values[read.RecordKey] = value
	l.reads = append(l.reads, read)
	return value, nil
}

// plain is a JSON text as expressions see it.
func plain(text json.RawMessage) (any, error) {
	if text == nil {
		return nil, nil
	}
	doc, err := jsondoc.Parse(text)
	if err != nil {
		return nil, err
	}
	defer doc.Release()
	return doc.Value(), nil
}

// fail notes that the store could not be asked.
func (l *lookups) fail(err error) error {
	l.err = fmt.Errorf("%w: %w", event.ErrUnavailable, err)
	return l.err
}

// readRecords has the rules see the records that they look up.
func (d *Decision) readRecords() {
	reply := d.plan.Autoreplies[d.Event.Source]
	if d.lookups = nil; len(d.plan.Rules.Kept()) == 0 && (reply == nil || len(reply.Kept()) == 0) {
		return
	}
	d.lookups = &lookups{store: d.records}
	d.scope.Records = d.lookups
}

// takeRecords has the event keep what its rules looked up, and write what they
// remember. What they looked up of a table that they set fields of is compared
// in the commit.
func (d *Decision) takeRecords(outcome *rules.Outcome) {
	e := &d.Event
	e.Records, e.Reads = outcome.Records, nil
	if d.lookups == nil {
		return
	}
	e.Reads = d.lookups.reads
	for i := range e.Reads {
		r := &e.Reads[i]
		r.Compare = r.Key != rowsKey && slices.ContainsFunc(e.Records, func(w event.RecordWrite) bool { return w.Set != nil && w.Table == r.Table })
	}
}

// judgeAgain has the rules judge the event anew where err says that it could not
// be stored as they had judged it; false: it says something else. tries counts
// how often that has been.
func (d *Decision) judgeAgain(err error, tries int) bool {
	fault := (*event.RecordError)(nil)
	switch {
	case errors.As(err, &fault):
		d.refuse(fault.Error(), fault.Rule)
	case !errors.Is(err, event.ErrRecordsChanged):
		return false
	case tries >= rejudgements:
		var tables []string
		for i := range d.Event.Reads {
			if r := &d.Event.Reads[i]; r.Compare {
				tables = append(tables, r.Table)
			}
		}
		reason := fmt.Sprintf("a record that it looks up was written by others each time it was judged, %d times", tries+1)
		d.refuse(reason, d.plan.Rules.Using(tables)...)
	}
	e := &d.Event
	e.State, e.Results, e.Errors = event.NoMatch, nil, nil
	d.askRules()
	return true
}

// Keep notes in book what the rules remember, as the commit of the event would.
// What cannot be kept is judged again, as Intake does.
func (d *Decision) Keep(book event.Records, now time.Time) error {
	for tries := 0; ; tries++ {
		if err := d.unread(); err != nil {
			return err
		}
		_, err := book.Commit(&d.Event, now)
		if err == nil || !d.judgeAgain(err, tries) {
			return err
		}
	}
}

// refuse makes rule errors of rules, however often the event is judged.
func (d *Decision) refuse(reason string, names ...string) {
	if d.refused == nil {
		d.refused = map[string]string{}
	}
	for _, name := range names {
		if _, already := d.refused[name]; !already {
			d.refused[name] = reason
		}
	}
}

// unread is why nothing that was decided holds: a record could not be read.
func (d *Decision) unread() error {
	if d.lookups == nil {
		return nil
	}
	return d.lookups.err
}

// tableLocks let the events of rules that look up and set one table be judged
// and stored one at a time in a process. The comparison in the commit is what
// keeps them right; this keeps them from being judged again and again. The zero
// value is ready for use.
type tableLocks struct {
	mu   sync.Mutex
	held map[string]*sync.Mutex
}

// lock takes the locks of tables, which are sorted.
func (l *tableLocks) lock(tables []string) (unlock func()) {
	locks := make([]*sync.Mutex, len(tables))
	l.mu.Lock()
	for i, name := range tables {
		if l.held == nil {
			l.held = map[string]*sync.Mutex{}
		}
		if l.held[name] == nil {
			l.held[name] = &sync.Mutex{}
		}
		locks[i] = l.held[name]
	}
	l.mu.Unlock()
	for _, one := range locks {
		one.Lock()
	}
	return func() {
		for _, one := range locks {
			one.Unlock()
		}
	}
}
