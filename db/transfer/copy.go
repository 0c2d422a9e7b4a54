package transfer

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jackc/pgx/v5"

	"hookgate/db"
)

const (
	// batchRows and batchBytes are how much one transaction takes: an
	// interruption costs no more than that.
	batchRows  = 5000
	batchBytes = 8 << 20
)

// copy brings the table's rows that the target lacks. Rows are copied in the
// order of their keys, so that the greatest key tells where to go on.
func (m *mover) copy(ctx context.Context, t *table) error {
	all, err := t.count(ctx, m.source)
	if err != nil {
		return err
	}
	done, after, err := t.reached(ctx, m.target)
	if err != nil {
		return err
	}
	rows, err := t.rows(ctx, m.source, after) //nolint:rowserrcheck // batch does it
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	part := &batch{rows: rows, columns: len(t.columns), limit: m.opt.Rows, more: true}
	if t.whole {
		part.limit = 0
	}
	for part.more {
		n, err := m.copyNext(ctx, t, part)
		if err != nil {
			return err
		}
		done += n
		m.tell(Progress{Table: t.name, Done: done, All: all})
	}
	return nil
}

// copyNext stores the next part of the table's rows, in one transaction.
func (m *mover) copyNext(ctx context.Context, t *table, part *batch) (n int64, err error) {
	part.begin()
	err = pgx.BeginFunc(ctx, m.target, func(tx pgx.Tx) error {
		if t.whole { // what an interrupted move, or a start without events, left
			if _, err := tx.Exec(ctx, `DELETE FROM `+t.name); err != nil {
				return err
			}
		}
		n, err = tx.CopyFrom(ctx, pgx.Identifier{t.name}, t.columns, part)
		return err
	})
	return n, err
}

// batch hands a part of a table's rows to COPY; it is a pgx.CopyFromSource.
type batch struct {
	rows    *sql.Rows
	columns int
	limit   int // rows of a part; 0: all in one

	taken, bytes int
	more         bool // there may be rows after this part
	row          []any
	err          error
}

// begin starts the next part.
func (b *batch) begin() { b.taken, b.bytes = 0, 0 }

// Next goes to the next row of the part.
func (b *batch) Next() bool {
	if b.limit > 0 && (b.taken >= b.limit || b.bytes >= batchBytes) {
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
func (b *batch) Values() ([]any, error) { return b.row, nil }

// Err is what ended the part early.
func (b *batch) Err() error { return b.err }

// scanRow reads a row of SQLite as PostgreSQL can hold it.
func scanRow(rows *sql.Rows, columns int) ([]any, error) {
	row, into := make([]any, columns), make([]any, columns)
	for i := range row {
		into[i] = &row[i]
	}
	if err := rows.Scan(into...); err != nil {
		return nil, fmt.Errorf("read row: %w", err)
	}
	return db.Clean(row), nil
}
