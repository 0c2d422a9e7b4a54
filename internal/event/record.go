package event

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// MaxRecord is how many bytes of JSON one record holds.
const MaxRecord = 16 << 10

// MaxRecordKey is how many bytes the key of a record has at most.
const MaxRecordKey = 500

// ErrRecordsChanged reports that a record that an event was judged by was
// written by another since. Nothing was stored: the event is to be judged again.
var ErrRecordsChanged = errors.New("a record that the rules looked up has changed meanwhile")

// RecordKey names a record of a kept table.
type RecordKey struct {
	Table string `json:"table"`
	Key   string `json:"key"`
}

// Record is what a kept table holds under a key.
type Record struct {
	RecordKey
	Value   json.RawMessage // a JSON object; nil: there is none
	Version int64           // raised by each write; 0: there is none
	Event   ID              // that wrote it last; 0: an operator did
	Changed time.Time
	Expires time.Time
}

// Read is a record as the rules saw it when they judged an event. It is kept
// with the event, so that it can be explained later.
type Read struct {
	RecordKey
	Value   json.RawMessage `json:"value,omitempty"` // nil: there was none
	Version int64           `json:"version,omitempty"`
	Changed int64           `json:"changed,omitempty"` // µs
	// Compare has the commit refuse the event with ErrRecordsChanged where the
	// record is another by then.
	Compare bool `json:"-"`
}

// ReadOf is the record as it was seen.
func ReadOf(r *Record) Read {
	read := Read{RecordKey: r.RecordKey, Value: r.Value, Version: r.Version}
	if r.Version > 0 {
		read.Changed = r.Changed.UnixMicro()
	}
	return read
}

// Is reports whether the record is the one that was seen.
func (r *Read) Is(now Record) bool {
	return r.Version == now.Version && (now.Version == 0 || r.Changed == now.Changed.UnixMicro())
}

// RecordWrite is what a rule remembers: fields that are set, or numbers that
// are added to them. It is committed with the event.
type RecordWrite struct {
	RecordKey
	Rule string
	Set  map[string]json.RawMessage // null removes a field
	Add  map[string]json.RawMessage // numbers, or null for nothing
	Keep time.Duration              // how long the record is kept from now on
}

// RecordError says why what a rule remembers cannot be kept. Nothing was stored.
type RecordError struct {
	Rule string
	RecordKey
	Reason   string
	Delivery DeliveryID // that stands for it, where it comes after another; else 0
}

func (e *RecordError) Error() string {
	return fmt.Sprintf("remember: %s %q: %s", e.Table, e.Key, e.Reason)
}

// Records are those that a transaction compares or writes, as they are at that
// point of it.
type Records map[RecordKey]Record

// Commit decides whether what the event's rules saw still holds, and notes what
// its records are after it; it returns them. The error is ErrRecordsChanged or a
// *RecordError; then nothing is changed.
func (b Records) Commit(e *Event, now time.Time) ([]Record, error) {
	for i := range e.Reads {
		if r := &e.Reads[i]; r.Compare && !r.Is(b[r.RecordKey]) {
			return nil, ErrRecordsChanged
		}
	}
	after := Records{}
	var order []RecordKey
	for i := range e.Records {
		w := &e.Records[i]
		record, begun := after[w.RecordKey]
		if !begun {
			order = append(order, w.RecordKey)
			record = b[w.RecordKey]
			record.RecordKey, record.Event, record.Changed = w.RecordKey, e.ID, now.UTC()
			record.Version++
		}
		var err error
		if record.Value, err = w.Apply(record.Value); err != nil {
			return nil, err
		}
		record.Expires = now.Add(w.Keep).UTC()
		after[w.RecordKey] = record
	}
	rows := make([]Record, len(order))
	for i, k := range order {
		rows[i] = after[k]
		b[k] = after[k]
	}
	return rows, nil
}
