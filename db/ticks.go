package db

import (
	"fmt"

	"hookgate/internal/event"
)

// AddTimer stores a timer unless there is one of its kind, name and key.
func (s *Store) AddTimer(t *event.Timer) (added bool, err error) {
	err = s.write(func(tx tx) error {
		added = false
		return tx.query(func([]any) error { added = true; return nil },
			`INSERT INTO timers (`+timerColumns+`) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (kind, name, key) DO NOTHING RETURNING id`, timerRow(t)...)
	})
	if err != nil {
		return false, fmt.Errorf("add the timer %q: %w", t.Name, err)
	}
	return added, nil
}

// ChangeTimer gives a timer that still is as it was read another time and value.
// false: it is not.
func (s *Store) ChangeTimer(before, after *event.Timer) (changed bool, err error) {
	err = s.write(func(tx tx) (err error) { changed, err = changeTimer(tx, before, after); return err })
	return changed, err
}

// changeTimer counts what is done to a timer, so that one that was changed and
// changed back is not taken for the same.
func changeTimer(tx tx, before, after *event.Timer) (changed bool, err error) {
	err = tx.query(func([]any) error { changed = true; return nil },
		`UPDATE timers SET due = ?4, value = ?5, count = count + 1 WHERE id = ?1 AND count = ?2 AND due = ?3 RETURNING id`,
		before.ID, before.Count, micros(before.Due), micros(after.Due), after.Value)
	if err != nil {
		return false, fmt.Errorf("change the timer %q: %w", before.Name, err)
	}
	return changed, nil
}

// Tick stores the event of a schedule's tick, with its deliveries, notes the
// signals, and changes the schedule's timer, in one transaction: where that is
// not as it was read, nothing is stored, and ticked is false. e is nil where the
// tick makes no event. It returns the connections that have something to send.
func (s *Store) Tick(before, after *event.Timer, e *event.Event, deliveries []event.Delivery, signals []event.Signal) (ticked bool, connections []string, err error) {
	ticked, connections, err = s.storeOwn(func(tx tx) (bool, error) {
		changed, err := changeTimer(tx, before, after)
		if err != nil || !changed {
			return false, err
		}
		return true, addSignals(tx, signals, tx.stamp().now)
	}, e, deliveries)
	if err != nil {
		return false, nil, fmt.Errorf("tick of %s: %w", before.Name, err)
	}
	return ticked, connections, nil
}
