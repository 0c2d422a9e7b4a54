package db

import (
	"slices"

	"hookgate/internal/event"
)

// forgetting is one transaction of Forget.
type forgetting struct {
	store   *Store
	keys    []keyed // those that are locked
	marks   map[event.ID][]dedupeMark
	gone    event.Footprint
	touched map[string]bool
	freed   map[keyed]bool // ordering keys that lost an open delivery
}

// run deletes the events of a page.
func (f *forgetting) run(tx tx, page []event.ID) (err error) {
	f.gone, f.touched, f.freed = event.Footprint{}, map[string]bool{}, map[keyed]bool{}
	restore, err := overwriting(tx)
	if err != nil {
		return err
	}
	defer restore()
	for _, id := range page {
		if err := f.event(tx, int64(id)); err != nil {
			return err
		}
		for _, m := range f.marks[id] {
			if err := tx.exec(`DELETE FROM dedupe WHERE source = ?1 AND key = ?2 AND event = ?3`, m.source, m.key, int64(id)); err != nil {
				return err
			}
		}
	}
	for k := range f.freed {
		if err := f.store.unblock(tx, k, tx.stamp().now); err != nil {
			return err
		}
		f.touched[k.connection] = true
	}
	return notifyAll(tx, f.touched)
}

// event deletes one event, if it is still there. On PostgreSQL its row is
// locked first: whoever would give it deliveries waits, and finds no event then.
func (f *forgetting) event(tx tx, id int64) error {
	lock := ""
	if f.store.dialect.hold != "" {
		lock = " FOR UPDATE"
	}
	var spans [][2]int64
	note := func(row []any) error {
		first := row[0].(int64)
		spans = append(spans, [2]int64{first, first + row[1].(int64)})
		return nil
	}
	if err := tx.query(note, `SELECT first, deliveries FROM events WHERE id = ?1`+lock, id); err != nil || len(spans) == 0 {
		return err
	}
	if err := tx.query(note, `SELECT first, deliveries FROM replays WHERE event = ?1`, id); err != nil {
		return err
	}
	for _, span := range spans {
		if span[0] == span[1] {
			continue
		}
		if err := f.deliveries(tx, span); err != nil {
			return err
		}
	}
	err := tx.query(func(row []any) error {
		f.gone.Files++
		f.gone.Bytes += row[0].(int64)
		return nil
	}, `UPDATE files SET event = 0 WHERE event = ?1 RETURNING size`, id)
	if err != nil {
		return err
	}
	if err := tx.exec(`DELETE FROM replays WHERE event = ?1`, id); err != nil {
		return err
	}
	f.gone.Events++
	return tx.exec(`DELETE FROM events WHERE id = ?1`, id)
}

// deliveries deletes those with numbers in span, with their attempts.
func (f *forgetting) deliveries(tx tx, span [2]int64) error {
	changed := false
	err := tx.query(func(row []any) error {
		f.gone.Deliveries++
		if row[0].(int64) != open {
			return nil
		}
		f.gone.Open++
		if key, ok := row[2].(string); ok {
			k := keyed{row[1].(string), key}
			f.freed[k] = true
			changed = changed || !slices.Contains(f.keys, k)
		}
		return nil
	}, `DELETE FROM deliveries WHERE id >= ?1 AND id < ?2 RETURNING state, connection, key`, span[0], span[1])
	if err != nil {
		return err
	}
	if changed {
		return errKeysChanged
	}
	return tx.exec(`DELETE FROM attempts WHERE delivery >= ?1 AND delivery < ?2`, span[0], span[1])
}

// overwriting has SQLite write zeros over what the transaction deletes, also
// where whole pages become free; restore ends it. PostgreSQL has no such thing.
func overwriting(tx tx) (restore func(), err error) {
	e, ok := tx.(*sqlite)
	if !ok {
		return func() {}, nil
	}
	// These are done when they are prepared: they must not be kept.
	if err := pragma(e.conn, "PRAGMA secure_delete = ON"); err != nil {
		return nil, err
	}
	return func() {
		if err := pragma(e.conn, "PRAGMA secure_delete = FAST"); err != nil {
			e.logger.Warn("deleted rows are still overwritten with zeros, which takes time", "error", err)
		}
	}, nil
}
