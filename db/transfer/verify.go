package transfer

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// verify compares all rows of the two databases.
func (m *mover) verify(ctx context.Context) ([]Table, error) {
	var found []Table
	differs := false
	for i := range tables {
		t := &tables[i]
		here, there, err := m.digests(ctx, t)
		if err != nil {
			return found, fmt.Errorf("verify %s: %w", t.name, err)
		}
		same := here == there
		differs = differs || !same
		found = append(found, Table{Name: t.name, Source: here.rows, Target: there.rows, Same: same})
		m.tell(Progress{Table: t.name, Verifying: true, Done: there.rows, All: there.rows})
	}
	if differs {
		return found, ErrDiffers
	}
	return found, nil
}

// digests reads a table from both databases at the same time.
func (m *mover) digests(ctx context.Context, t *table) (here, there digest, err error) {
	all, err := t.count(ctx, m.source)
	if err != nil {
		return here, there, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := make(chan error, 1)
	go func() {
		var err error
		here, err = digestOfFile(ctx, m.source, t)
		failed <- err
	}()
	told := time.Now()
	there, err = digestOfTarget(ctx, m.target, t, func(done int64) {
		if now := time.Now(); now.Sub(told) > 200*time.Millisecond {
			told = now
			m.tell(Progress{Table: t.name, Verifying: true, Done: min(done, all), All: all})
		}
	})
	if err != nil {
		cancel()
	}
	return here, there, errors.Join(err, <-failed)
}

func digestOfFile(ctx context.Context, file *sql.DB, t *table) (d digest, err error) {
	rows, err := t.rows(ctx, file, nil)
	if err != nil {
		return d, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		row, err := scanRow(rows, len(t.columns))
		if err == nil {
			err = d.add(row)
		}
		if err != nil {
			return d, err
		}
	}
	return d, rows.Err()
}

func digestOfTarget(ctx context.Context, target *pgx.Conn, t *table, progress func(done int64)) (d digest, err error) {
	rows, err := target.Query(ctx, `SELECT `+strings.Join(t.columns, ", ")+` FROM `+t.name)
	if err != nil {
		return d, err
	}
	defer rows.Close()
	for rows.Next() {
		if d.rows%1000 == 0 {
			progress(d.rows)
		}
		row, err := rows.Values()
		if err == nil {
			err = d.add(row)
		}
		if err != nil {
			return d, err
		}
	}
	return d, rows.Err()
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
			numberIn(&head, v)
		case int32: // PostgreSQL's columns know smaller numbers, SQLite's do not
			numberIn(&head, int64(v))
		case int16:
			numberIn(&head, int64(v))
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

func numberIn(head *[9]byte, n int64) {
	head[0] = 1
	binary.BigEndian.PutUint64(head[1:], uint64(n)) //nolint:gosec // its bits, whatever they stand for
}
