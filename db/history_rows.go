package db

import (
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"fmt"
	"strings"
)

// historyTable is a table of the history. Its columns are those of PostgreSQL;
// instead says what SQLite has for one that it lacks.
type historyTable struct {
	name    string
	key     []string // numbers by which its rows are copied; none: whole
	columns []string
	instead map[string]string
	whole   bool // small, or without such numbers: copied in one transaction
}

// historyTables are all that is moved, in this order. A delivery's turn is its
// id: on one machine the ids are in the order of acceptance.
var historyTables = []historyTable{
	{name: "plans", whole: true, columns: []string{"id", "hash", "rules", "created", "source", "used"}},
	{name: "dedupe", whole: true, columns: []string{"source", "key", "event", "expires"}},
	{name: "memory", whole: true, columns: []string{"connection", "key", "value", "expires"}},
	{name: "health", whole: true, columns: []string{"connection", "slot", "class", "attempts", "failed"}},
	{name: "health_last", whole: true, columns: []string{"connection", "ended", "failing", "failed_at", "delivery", "number"}},
	{name: "switches", whole: true, columns: []string{"connection", "paused", "count", "per", "upto", "changed", "who", "note"}},
	{name: "audit", whole: true, columns: []string{"id", "action", "detail"}},
	{name: "events", key: []string{"id"}, columns: []string{
		"id", "source", "form", "type", "received", "state", "cause", "duplicate_of", "plan", "verdicts", "errors", "deliveries", "first", "content",
	}},
	{
		name: "deliveries", key: []string{"id"}, columns: []string{
			"id", "event", "rule", "action", "connection", "key", "turn", "state", "owner", "due", "claim", "attempts", "base", "error", "warnings", "output",
			"started", "duration", "status", "answer", "outputs", "early", "scheduled",
		},
		instead: map[string]string{"turn": "CASE WHEN key IS NOT NULL THEN id END"},
	},
	{name: "replay_runs", whole: true, columns: []string{"id", "created", "selection", "past", "cursor", "seen", "events", "made", "done"}},
	{name: "replays", key: []string{"event", "run"}, columns: []string{"event", "run", "at", "plan", "verdicts", "errors", "deliveries", "first"}},
	{name: "attempts", key: []string{"delivery", "number"}, columns: []string{"delivery", "number", "started", "duration", "status", "error", "answer"}},
	{name: "files", whole: true, columns: []string{"id", "event", "field", "name", "type", "size", "sha256", "created"}},
}

// sourceColumns are the columns as SQLite selects them.
func (t *historyTable) sourceColumns() string {
	list := make([]string, len(t.columns))
	for i, c := range t.columns {
		list[i] = c
		if other, ok := t.instead[c]; ok {
			list[i] = other
		}
	}
	return strings.Join(list, ", ")
}

// copyBatch hands a part of a table's rows to COPY; it is a pgx.CopyFromSource.
type copyBatch struct {
	rows    *sql.Rows
	columns int
	limit   int // rows of a part; 0: all in one

	taken, bytes int
	more         bool // there may be rows after this part
	row          []any
	err          error
}

// begin starts the next part.
func (b *copyBatch) begin() { b.taken, b.bytes = 0, 0 }

// Next goes to the next row of the part.
func (b *copyBatch) Next() bool {
	if b.limit > 0 && (b.taken >= b.limit || b.bytes >= moveBytes) {
		return false
	}
	if !b.rows.Next() {
		b.more, b.err = false, b.rows.Err()
		return false
	}
	b.row, b.err = scanRow(b.rows, b.columns)
	if b.err != nil {
		b.more = false
		return false
	}
	b.taken++
	for _, v := range b.row {
		switch v := v.(type) {
		case []byte:
			b.bytes += len(v)
		case string:
			b.bytes += len(v)
		}
	}
	return true
}

// Values are those of the row.
func (b *copyBatch) Values() ([]any, error) { return b.row, nil }

// Err is what ended the part early.
func (b *copyBatch) Err() error { return b.err }

// scanRow reads a row of SQLite as PostgreSQL can hold it.
func scanRow(rows *sql.Rows, columns int) ([]any, error) {
	row, into := make([]any, columns), make([]any, columns)
	for i := range row {
		into[i] = &row[i]
	}
	if err := rows.Scan(into...); err != nil {
		return nil, fmt.Errorf("read row: %w", err)
	}
	return cleanArgs(row), nil
}

// digest is the number of rows and the sum of their hashes: the same for the
// same rows in any order.
type digest struct {
	rows int64
	sum  [4]uint64
}

// add counts a row. Each value is hashed with its kind and its length, so that
// no two rows give the same text.
func (d *digest) add(row []any) error {
	h := sha256.New()
	var head [9]byte
	for _, v := range row {
		var content []byte
		switch v := v.(type) {
		case nil:
			head[0] = 0
			binary.BigEndian.PutUint64(head[1:], 0)
		case int64:
			head[0] = 1
			binary.BigEndian.PutUint64(head[1:], uint64(v)) //nolint:gosec // its bits, whatever they stand for
		case string:
			head[0], content = 2, []byte(v)
			binary.BigEndian.PutUint64(head[1:], uint64(len(v)))
		case []byte:
			head[0], content = 3, v
			binary.BigEndian.PutUint64(head[1:], uint64(len(v)))
		default:
			return fmt.Errorf("a row holds a %T", v)
		}
		_, _ = h.Write(head[:]) // a hash takes everything
		_, _ = h.Write(content)
	}
	sum := h.Sum(nil)
	for i := range d.sum {
		d.sum[i] += binary.BigEndian.Uint64(sum[8*i:])
	}
	d.rows++
	return nil
}
