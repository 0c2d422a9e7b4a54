package db

import (
	"context"
	"fmt"
	"time"

	"hookgate/internal/event"
)

// bulkBatch is how many deliveries one transaction changes by hand.
const bulkBatch = 500

// keyed names an ordering key of a connection.
type keyed struct{ connection, key string }

// Retry makes the deliveries that f selects due now, with the same output
// under the same id and with a fresh schedule: failed ones unless f names
// deliveries or other states; cancelled and retrying ones if it does. The moment
// of scheduled ones is now: they are asked and rendered as at any moment. What is
// being sent or delivered is left alone, and so is what could not be rendered:
// what is stored of it is a part, which nobody meant to send. It returns how
// many there were, and the connections that now have something to send.
func (s *Store) Retry(ctx context.Context, f event.DeliveryFilter) (int, []string, error) {
	if len(f.States) == 0 && len(f.IDs) == 0 {
		f.States = []event.DeliveryState{event.Failed}
	}
	f.Rendered = true
	return s.change(ctx, f, hurry, false, `UPDATE deliveries SET state = 0, owner = 0, claim = claim + 1, base = attempts, early = NULL, scheduled = NULL,
		due = CASE WHEN key IS NULL OR state = 0 THEN CAST(?2 AS BIGINT) END,
		cause = 0, error = CASE WHEN cause = 2 THEN NULL ELSE error END
		WHERE id = ?1 AND (state IN (2, 3) OR (state = 0 AND owner = 0 AND due IS NOT NULL)) RETURNING connection, key`)
}

// unrendered is true of a delivery that failed before anything was tried, also
// when it was cancelled since. What a throttle held back, or a reply to a form's
// visitor, has an error and no attempt, too, and is whole.
const unrendered = `(attempts = 0 AND error IS NOT NULL AND (state = 2 OR rule <> '` + event.AutoreplyRule + `' AND cause <> 2))`

// Cancel ends the open and failed deliveries among those that f selects
// without sending them. An attempt under way may still reach the receiver; its
// result is not recorded.
func (s *Store) Cancel(ctx context.Context, f event.DeliveryFilter) (int, []string, error) {
	if len(f.States) == 0 {
		f.States = []event.DeliveryState{event.Waiting, event.Sending, event.Retrying, event.Held, event.Failed}
		if len(f.IDs) > 0 {
			f.States = append(f.States, event.Scheduled)
		}
	}
	return s.change(ctx, f, unschedule, true, `UPDATE deliveries SET state = 3, owner = 0, due = NULL, claim = claim + 1, cause = 1
		WHERE id = ?1 AND state IN (0, 2, 4) AND CAST(?2 AS BIGINT) > 0 RETURNING connection, key`)
}

// change runs update (parameters: id, now) on each delivery that f selects, in
// batches, newest first, and frees what waited for their keys. waiting does
// first what is to be done with those that are scheduled, and counts them. ends tells
// that the update ends deliveries.
func (s *Store) change(ctx context.Context, f event.DeliveryFilter, waiting func(tx, []event.Delivery) (int, error), ends bool, update string) (int, []string, error) {
	f.Limit = bulkBatch
	count, touched := 0, map[string]bool{}
	defer s.backlogs.Forget() // who did it looks at once
	for {
		if err := ctx.Err(); err != nil {
			return count, names(touched), err
		}
		page, err := s.Deliveries(ctx, f)
		if err != nil || len(page) == 0 {
			return count, names(touched), err
		}
		n, connections, err := s.changePage(page, waiting, ends, update)
		if err != nil {
			return count, names(touched), fmt.Errorf("change deliveries: %w", err)
		}
		count += n
		for _, c := range connections {
			touched[c] = true
		}
		f.Before = page[len(page)-1].ID
	}
}

func (s *Store) changePage(page []event.Delivery, waiting func(tx, []event.Delivery) (int, error), ends bool, update string) (count int, connections []string, err error) {
	err = s.write(func(tx tx) error {
		count = 0
		var found []*event.Delivery // those that the update changed
		keys, touched := map[keyed]bool{}, map[string]bool{}
		note := func(row []any) error {
			count++
			connection := row[0].(string)
			touched[connection] = true
			if key, ok := row[1].(string); ok {
				keys[keyed{connection, key}] = true
			}
			return nil
		}
		now := tx.stamp().now
		if err := s.holdEvents(tx, page); err != nil {
			return err
		}
		if count, err = waiting(tx, page); err != nil {
			return err
		}
		for i := range page {
			changed := count
			if err := tx.query(note, update, int64(page[i].ID), now); err != nil {
				return err
			}
			if count > changed {
				found = append(found, &page[i])
			}
		}
		if err := endAll(tx, found, ends); err != nil {
			return err
		}
		connections = names(touched)
		if err := s.unblockAll(tx, keys, now); err != nil {
			return err
		}
		return notifyAll(tx, touched)
	}, keysOf(page)...)
	return count, connections, err
}

// keysOf are the ordering keys of deliveries.
func keysOf(page []event.Delivery) (list []keyed) {
	for i := range page {
		if page[i].Key != "" {
			list = append(list, keyed{page[i].Connection, page[i].Key})
		}
	}
	return list
}

// endAll has what comes after the deliveries begin, where they have ended: by hand.
func endAll(tx tx, list []*event.Delivery, ends bool) error {
	if !ends {
		return nil
	}
	for _, d := range list {
		countCancelled(tx, event.ByHand)
		if err := ended(tx, d); err != nil {
			return err
		}
	}
	return nil
}

// holdEvents keeps retention on PostgreSQL from deleting the events of
// deliveries that are about to be opened again.
func (s *Store) holdEvents(tx tx, page []event.Delivery) error {
	if s.dialect.hold == "" || len(page) == 0 {
		return nil
	}
	ids := make([]int64, len(page))
	for i := range page {
		ids[i] = int64(page[i].Event)
	}
	return tx.query(nil, `SELECT id FROM events WHERE `+s.dialect.isAmong("id")+s.dialect.hold, s.dialect.numbers(ids))
}

func (s *Store) unblockAll(tx tx, keys map[keyed]bool, now int64) error {
	for k := range keys {
		if err := s.unblock(tx, k, now); err != nil {
			return err
		}
	}
	return nil
}

// unblock makes a key's first delivery due, unless one of the key's is due or
// under way already, or to be made after one that has ended.
func (s *Store) unblock(tx tx, k keyed, now int64) error {
	return tx.exec(`UPDATE deliveries SET due = ?3
		WHERE id = (SELECT id FROM deliveries WHERE state = 0 AND key IS NOT NULL AND connection = ?1 AND key = ?2 ORDER BY `+s.dialect.turn+` LIMIT 1)
		AND NOT EXISTS (SELECT 1 FROM deliveries WHERE state = 0 AND key IS NOT NULL AND connection = ?1 AND key = ?2 AND due IS NOT NULL) AND NOT `+keyFollowed+`CAST(?1 AS TEXT) || '/' || CAST(?2 AS TEXT))`,
		k.connection, k.key, now)
}

// Count counts the deliveries that f selects, those with an ordering key, and
// their distinct keys.
func (s *Store) Count(ctx context.Context, f event.DeliveryFilter) (count, withKey, keys int, err error) {
	c, err := s.deliveryConditions(ctx, f)
	if err != nil {
		return 0, 0, 0, err
	}
	row := s.read.QueryRowContext(ctx, `SELECT count(*), count(key), count(DISTINCT length(connection) || ':' || connection || key) FROM deliveries`+c.where(), c.args...)
	if err := row.Scan(&count, &withKey, &keys); err != nil {
		return 0, 0, 0, fmt.Errorf("count deliveries: %w", err)
	}
	return count, withKey, keys, nil
}

// CountEach counts the deliveries that f selects by their connection.
func (s *Store) CountEach(ctx context.Context, f event.DeliveryFilter) (map[string]int, error) {
	c, err := s.deliveryConditions(ctx, f)
	if err != nil {
		return nil, err
	}
	rows, err := s.read.QueryContext(ctx, `SELECT connection, count(*) FROM deliveries`+c.where()+` GROUP BY connection`, c.args...)
	if err != nil {
		return nil, fmt.Errorf("count deliveries: %w", err)
	}
	defer func() { _ = rows.Close() }()
	counts := map[string]int{}
	for rows.Next() {
		var connection string
		var n int
		if err := rows.Scan(&connection, &n); err != nil {
			return nil, fmt.Errorf("count deliveries: %w", err)
		}
		counts[connection] = n
	}
	return counts, rows.Err()
}

// Reschedule makes what is due later than horizon due now: only a clock that
// was wrong can have put it there.
func (s *Store) Reschedule(horizon time.Time) error {
	return s.write(func(tx tx) error {
		at := tx.stamp()
		return tx.exec(`UPDATE deliveries SET due = ?1 WHERE state = 0 AND owner = 0 AND due > ?2`, at.now, s.stored(at, horizon))
	})
}

func names(set map[string]bool) []string {
	list := make([]string, 0, len(set))
	for name := range set {
		list = append(list, name)
	}
	return list
}
