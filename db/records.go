package db

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"hookgate/internal/event"
)

// keepsRecords reports whether the event's commit looks at records.
func keepsRecords(e *event.Event) bool {
	return len(e.Records) > 0 || slices.ContainsFunc(e.Reads, func(r event.Read) bool { return r.Compare })
}

// recordKeys are those of the records that the event's commit looks at.
func recordKeys(e *event.Event) []event.RecordKey {
	var list []event.RecordKey
	for i := range e.Reads {
		if e.Reads[i].Compare {
			list = append(list, e.Reads[i].RecordKey)
		}
	}
	for i := range e.Records {
		if !slices.Contains(list, e.Records[i].RecordKey) {
			list = append(list, e.Records[i].RecordKey)
		}
	}
	return list
}

// recordLocks are the locks that order the writers of the event's records on
// PostgreSQL, beside those of ordering keys. No connection's name has a slash.
func recordLocks(e *event.Event) []keyed {
	var list []keyed
	if keepsRecords(e) {
		for _, k := range recordKeys(e) {
			list = append(list, recordLock(k))
		}
	}
	return list
}

func recordLock(k event.RecordKey) keyed { return keyed{"records/" + clean(k.Table), clean(k.Key)} }

const recordColumns = `tbl, key, value, version, event, changed, expires`

// putRecord notes a row of recordColumns. One that has expired is none.
func putRecord(b event.Records, row []any, now int64) {
	k := event.RecordKey{Table: row[0].(string), Key: row[1].(string)}
	if row[6].(int64) <= now {
		return
	}
	b[k] = event.Record{
		RecordKey: k, Value: json.RawMessage(row[2].(string)), Version: row[3].(int64), Event: event.ID(row[4].(int64)),
		Changed: time.UnixMicro(row[5].(int64)).UTC(), Expires: time.UnixMicro(row[6].(int64)).UTC(),
	}
}

// readRecords reads the records with the keys in a transaction.
func readRecords(tx tx, keys []event.RecordKey) (event.Records, error) {
	book := event.Records{}
	for _, k := range keys {
		err := tx.query(func(row []any) error { putRecord(book, row, tx.stamp().now); return nil },
			`SELECT `+recordColumns+` FROM records WHERE tbl = ?1 AND key = ?2`, k.Table, k.Key)
		if err != nil {
			return nil, fmt.Errorf("read record %s %q: %w", k.Table, k.Key, err)
		}
	}
	return book, nil
}

const writeRecord = `INSERT INTO records (tbl, key, value, version, event, changed, expires) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
	ON CONFLICT (tbl, key) DO UPDATE SET value = excluded.value, version = excluded.version, event = excluded.event,
		changed = excluded.changed, expires = excluded.expires`

// recordRow are the parameters of writeRecord.
func recordRow(r *event.Record) []any {
	return []any{clean(r.Table), clean(r.Key), clean(string(r.Value)), r.Version, int64(r.Event), micros(r.Changed), micros(r.Expires)}
}

// acceptRecords compares and writes the records of an event that is stored by a
// writeOp, which must have the locks of recordLocks.
func acceptRecords(tx tx, e *event.Event) error {
	if !keepsRecords(e) {
		return nil
	}
	book, err := readRecords(tx, recordKeys(e))
	if err != nil {
		return err
	}
	rows, err := book.Commit(e, time.UnixMicro(tx.stamp().now))
	if err != nil {
		return err
	}
	return writeRecords(tx, rows)
}

func writeRecords(tx tx, rows []event.Record) error {
	for i := range rows {
		if err := tx.exec(writeRecord, recordRow(&rows[i])...); err != nil {
			return fmt.Errorf("write record %s %q: %w", rows[i].Table, rows[i].Key, err)
		}
	}
	return nil
}

// ReadRecord is what a kept table holds under a key; Version 0 where it is nothing.
func (s *Store) ReadRecord(ctx context.Context, k event.RecordKey) (event.Record, error) {
	list, err := s.records(ctx, `tbl = ?1 AND key = ?2`, ``, clean(k.Table), clean(k.Key))
	if err != nil {
		return event.Record{}, fmt.Errorf("look up %s %q: %w", k.Table, k.Key, err)
	}
	if len(list) == 0 {
		return event.Record{RecordKey: k}, nil
	}
	list[0].RecordKey = k
	return list[0], nil
}

// Records are the records of a kept table in the order of their keys, those
// after the key, at most limit.
func (s *Store) Records(ctx context.Context, table, after string, limit int) ([]event.Record, error) {
	list, err := s.records(ctx, `tbl = ?1 AND key > ?2`, ` ORDER BY key LIMIT ?3`, clean(table), clean(after), int64(limit))
	if err != nil {
		return nil, fmt.Errorf("list the records of %s: %w", table, err)
	}
	return list, nil
}

func (s *Store) records(ctx context.Context, which, order string, args ...any) ([]event.Record, error) {
	clock := s.dialect.clock
	if clock == "" {
		clock = strconv.FormatInt(micros(s.now()), 10)
	}
	rows, err := s.read.QueryContext(ctx, `SELECT `+recordColumns+` FROM records WHERE expires > `+clock+` AND `+which+order, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []event.Record
	for rows.Next() {
		var (
			r                event.Record
			value            string
			changed, expires int64
		)
		if err := rows.Scan(&r.Table, &r.Key, &value, &r.Version, &r.Event, &changed, &expires); err != nil {
			return nil, err
		}
		r.Value, r.Changed, r.Expires = json.RawMessage(value), time.UnixMicro(changed).UTC(), time.UnixMicro(expires).UTC()
		list = append(list, r)
	}
	return list, rows.Err()
}

// CountRecords counts the records of each table that has any.
func (s *Store) CountRecords(ctx context.Context) (map[string]int, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT tbl, count(*) FROM records GROUP BY tbl`)
	if err != nil {
		return nil, fmt.Errorf("count records: %w", err)
	}
	defer func() { _ = rows.Close() }()
	counts := map[string]int{}
	for rows.Next() {
		var name string
		var n int
		if err := rows.Scan(&name, &n); err != nil {
			return nil, fmt.Errorf("count records: %w", err)
		}
		counts[name] = n
	}
	return counts, rows.Err()
}

// SetRecord writes a record by hand, as a rule's set does, and returns it.
func (s *Store) SetRecord(w event.RecordWrite) (event.Record, error) {
	var made event.Record
	e := &event.Event{Records: []event.RecordWrite{w}}
	err := s.write(func(tx tx) error {
		book, err := readRecords(tx, recordKeys(e))
		if err != nil {
			return err
		}
		rows, err := book.Commit(e, time.UnixMicro(tx.stamp().now))
		if err != nil {
			return refusal{err}
		}
		made = rows[0]
		return writeRecords(tx, rows)
	}, recordLock(w.RecordKey))
	if err != nil {
		return made, fmt.Errorf("set a record: %w", err)
	}
	return made, nil
}

// DeleteRecords deletes records; with a key of "" all of a table. It counts them.
func (s *Store) DeleteRecords(keys ...event.RecordKey) (int, error) {
	locks := make([]keyed, len(keys))
	for i, k := range keys {
		locks[i] = recordLock(k)
	}
	n := 0
	err := s.write(func(tx tx) error {
		n = 0
		restore, err := tx.overwrite()
		if err != nil {
			return err
		}
		defer restore()
		for _, k := range keys {
			err := tx.query(func([]any) error { n++; return nil },
				`DELETE FROM records WHERE tbl = ?1 AND (key = ?2 OR ?2 = '') RETURNING key`, clean(k.Table), clean(k.Key))
			if err != nil {
				return err
			}
		}
		return nil
	}, locks...)
	if err != nil {
		return 0, fmt.Errorf("delete records: %w", err)
	}
	return n, nil
}
