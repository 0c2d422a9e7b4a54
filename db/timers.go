package db

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"hookgate/internal/event"
)

const timerColumns = `id, kind, name, key, due, count, value`

// putTimer stores a timer in a transaction, in place of one of its kind, name
// and key. Its ID is to be a new one.
func putTimer(tx tx, t *event.Timer) error {
	err := tx.exec(`INSERT INTO timers (`+timerColumns+`) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
		ON CONFLICT (kind, name, key) DO UPDATE SET id = excluded.id, due = excluded.due, count = excluded.count, value = excluded.value`, timerRow(t)...)
	if err != nil {
		return fmt.Errorf("set the timer %q %q: %w", t.Name, t.Key, err)
	}
	return nil
}

func timerRow(t *event.Timer) []any {
	return []any{t.ID, int64(t.Kind), t.Name, t.Key, micros(t.Due), t.Count, t.Value}
}

// takeTimer removes a timer that still is as it was read. false: somebody else
// has dealt with it, or it was changed.
func takeTimer(tx tx, t *event.Timer) (taken bool, err error) {
	err = tx.query(func([]any) error { taken = true; return nil },
		`DELETE FROM timers WHERE id = ?1 AND count = ?2 AND due = ?3 RETURNING id`, t.ID, t.Count, micros(t.Due))
	if err != nil {
		return false, fmt.Errorf("take the timer %q %q: %w", t.Name, t.Key, err)
	}
	return taken, nil
}

// moveTimer gives a timer that still is as it was read another time. false: as
// takeTimer.
func moveTimer(tx tx, t *event.Timer, due time.Time) (moved bool, err error) {
	err = tx.query(func([]any) error { moved = true; return nil },
		`UPDATE timers SET due = ?4 WHERE id = ?1 AND count = ?2 AND due = ?3 RETURNING id`, t.ID, t.Count, micros(t.Due), micros(due))
	if err != nil {
		return false, fmt.Errorf("move the timer %q %q: %w", t.Name, t.Key, err)
	}
	return moved, nil
}

// PutTimer stores a timer, in place of one of its kind, name and key.
func (s *Store) PutTimer(t *event.Timer) error {
	return s.write(func(tx tx) error { return putTimer(tx, t) })
}

// TakeTimer removes a timer that still is as it was read. false: somebody else
// has dealt with it, or it was changed.
func (s *Store) TakeTimer(t *event.Timer) (taken bool, err error) {
	err = s.write(func(tx tx) (err error) { taken, err = takeTimer(tx, t); return err })
	return taken, err
}

// DueTimers are the timers of the kinds that are due by the database's clock,
// the first due first, at most limit. Each kind is asked for by itself: of several
// in a list SQLite would read all that have not yet their time, or all that are due.
func (s *Store) DueTimers(ctx context.Context, limit int, kinds ...event.TimerKind) ([]event.Timer, error) {
	c := s.conditions()
	now := s.dialect.clock
	if now == "" {
		now = c.value(micros(s.now()))
	}
	most, parts := c.value(int64(limit)), make([]string, len(kinds))
	for i, kind := range kinds {
		parts[i] = fmt.Sprintf(`SELECT * FROM (SELECT %s FROM timers WHERE kind = %d AND due <= %s ORDER BY due, id LIMIT %s) AS kind%[2]d`, timerColumns, kind, now, most)
	}
	return s.timers(ctx, strings.Join(parts, ` UNION ALL `)+` ORDER BY due, id LIMIT `+most, c.args)
}

// leadFor is how long a process that deals with timers is not disputed that: what
// nobody deals with because it was killed waits as long.
const leadFor = 3 * time.Second

// Lead reports whether this process is the one that is to deal with what is due, of
// those on the database: several at once would do the same work and wait for each
// other's locks. What is promised does not hang on it: each timer is compared.
func (s *Store) Lead() (leads bool, err error) {
	self, shared := s.engine.replica()
	if !shared {
		return true, nil
	}
	err = s.write(func(tx tx) error {
		leads = false
		now := tx.stamp().now
		// One that is further ahead than it can have been set was set by a wrong clock.
		return tx.query(func([]any) error { leads = true; return nil },
			`INSERT INTO timers (id, kind, name, key, due, count, value) VALUES (0, 6, 'planner', '', ?1, 0, ?2)
			ON CONFLICT (kind, name, key) DO UPDATE SET due = excluded.due, value = excluded.value
			WHERE timers.value = excluded.value OR timers.due <= ?3 OR timers.due > excluded.due RETURNING id`,
			now+leadFor.Microseconds(), strconv.AppendInt(nil, self, 10), now)
	})
	if err != nil {
		return false, fmt.Errorf("ask who deals with what is due: %w", err)
	}
	return leads, nil
}

// Timers are all timers of the kinds, the first due first.
func (s *Store) Timers(ctx context.Context, kinds ...event.TimerKind) ([]event.Timer, error) {
	c, numbers := s.conditions(), make([]int64, len(kinds))
	for i, k := range kinds {
		numbers[i] = int64(k)
	}
	c.among("kind", numbers)
	return s.timers(ctx, `SELECT `+timerColumns+` FROM timers`+c.where()+` ORDER BY due, id`, c.args)
}

func (s *Store) timers(ctx context.Context, query string, args []any) ([]event.Timer, error) {
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read timers: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var list []event.Timer
	for rows.Next() {
		var t event.Timer
		var due int64
		if err := rows.Scan(&t.ID, &t.Kind, &t.Name, &t.Key, &due, &t.Count, &t.Value); err != nil {
			return nil, fmt.Errorf("read timers: %w", err)
		}
		t.Due = time.UnixMicro(due).UTC()
		list = append(list, t)
	}
	return list, rows.Err()
}
