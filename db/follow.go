package db

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"hookgate/internal/event"
)

// What comes after a delivery is made by the planner. A timer, stored in the
// transaction that ends the delivery, stands for that: so no end is missed, and
// none is dealt with twice. Its id is that of the delivery, below zero, where no
// moment of the same delivery is in its way. Its name is that of the ordering key,
// where there is one: until what comes after is made nothing else of the key begins.
const putFollow = `INSERT INTO timers (id, kind, name, key, due, count, value) VALUES (?1, 5, ?2, ?3, ?4, 0, NULL)` + followsAgain

// followsAgain is for a delivery that ends again before what comes after it is made.
const followsAgain = `
	ON CONFLICT (id) DO UPDATE SET name = excluded.name, due = excluded.due, count = timers.count + 1`

// keyFollowed begins a condition: something is to be made that comes after a delivery
// with an ordering key. The connection, a slash, the key and ) follow.
const keyFollowed = `EXISTS (SELECT 1 FROM timers WHERE kind = 5 AND name = `

// followRow are the parameters of the timer but for its time.
func followRow(d *event.Delivery) []any {
	name := ""
	if d.Key != "" {
		name = d.Connection + "/" + d.Key
	}
	return []any{-int64(d.ID), name, strconv.FormatInt(int64(d.ID), 10)}
}

// ended notes, in the transaction that ends d, that what comes after it is to be
// made.
func ended(tx tx, d *event.Delivery) error {
	if d.Flow&event.Followed == 0 {
		return nil
	}
	if err := tx.exec(putFollow, append(followRow(d), tx.stamp().now)...); err != nil {
		return fmt.Errorf("note the end of %s: %w", d.ID, err)
	}
	return nil
}

// flowOf is how a Flow is stored; nil: nothing depends on the delivery, nor it on
// others.
func flowOf(f event.Flow) any {
	if f == 0 {
		return nil
	}
	return int64(f)
}

// Progress is how the deliveries stand that are made; of the others there is none.
func (s *Store) Progress(ctx context.Context, deliveries []event.DeliveryID) (map[event.DeliveryID]*event.Progress, error) {
	ids := make([]int64, len(deliveries))
	for i, id := range deliveries {
		ids[i] = int64(id)
	}
	rows, err := s.read.QueryContext(ctx, `SELECT id, state, owner, coalesce(error, ''), coalesce(outputs, '') FROM deliveries WHERE `+s.dialect.isAmong("id"), s.dialect.numbers(ids))
	if err != nil {
		return nil, fmt.Errorf("read how a chain stands: %w", err)
	}
	defer func() { _ = rows.Close() }()
	made := make(map[event.DeliveryID]*event.Progress, len(ids))
	for rows.Next() {
		var id event.DeliveryID
		var state, owner int64
		var outputs string
		p := &event.Progress{}
		if err := rows.Scan(&id, &state, &owner, &p.Error, &outputs); err != nil {
			return nil, fmt.Errorf("read how a chain stands: %w", err)
		}
		p.State = deliveryState(state, owner, false)
		if outputs != "" {
			if err := json.Unmarshal([]byte(outputs), &p.Outputs); err != nil {
				return nil, fmt.Errorf("read how a chain stands: the outputs of %d: %w", id, err)
			}
		}
		made[id] = p
	}
	return made, rows.Err()
}

// Follow makes what comes after deliveries that have ended, in one transaction, if
// the timers still are as they were read; done tells which were. What is there
// already is left as it is. It returns the connections that have something to send.
func (s *Store) Follow(list []event.Following) (done []bool, connections []string, err error) {
	var keys []keyed
	of := make([]event.Delivery, 0, len(list))
	for i := range list {
		of = append(of, list[i].Of)
		if d := &list[i].Of; d.Key != "" {
			keys = append(keys, keyed{d.Connection, d.Key})
		}
		for k := range list[i].Next {
			switch d := &list[i].Next[k]; {
			case d.Record != nil:
				keys = append(keys, recordLock(d.Record.RecordKey))
			case d.Key != "" && d.State == event.Waiting:
				keys = append(keys, keyed{d.Connection, d.Key})
			}
		}
	}
	done, connections, err = s.changeEach(len(list), of, keys, func(tx tx, i int, touched map[string]bool) (bool, error) {
		done, err := s.follow(tx, &list[i], touched)
		if err != nil {
			return false, fmt.Errorf("what comes after %s: %w", list[i].Of.ID, err)
		}
		return done, nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("go on after deliveries: %w", err)
	}
	return done, connections, nil
}

func (s *Store) follow(tx tx, f *event.Following, touched map[string]bool) (bool, error) {
	take := func() (bool, error) { return takeTimer(tx, &f.Timer) }
	if !f.Again.IsZero() {
		take = func() (bool, error) { return letOthers(tx, &f.Timer, f.Again) }
	}
	if taken, err := take(); err != nil || !taken {
		return false, err
	}
	for i := range f.Next {
		if err := s.make(tx, &f.Of, f.Next[i], touched); err != nil {
			return false, err
		}
	}
	if len(f.Signals) > 0 {
		if err := addSignals(tx, f.Signals, tx.stamp().now); err != nil {
			return false, err
		}
	}
	if f.Of.Key == "" {
		return true, nil
	}
	touched[f.Of.Connection] = true
	return true, s.unblock(tx, keyed{f.Of.Connection, f.Of.Key}, tx.stamp().now)
}

// letOthers has a timer wait, and what else has its ordering key go on meanwhile.
func letOthers(tx tx, t *event.Timer, until time.Time) (moved bool, err error) {
	if moved, err = moveTimer(tx, t, until); err != nil || !moved {
		return moved, err
	}
	return true, tx.exec(`UPDATE timers SET name = '' WHERE id = ?1`, t.ID)
}

// make stores a delivery that comes after another, unless it is there. One of the
// same connection with the same ordering key takes the place of the one that it
// comes after.
func (s *Store) make(tx tx, of *event.Delivery, d event.Delivery, touched map[string]bool) error {
	made, err := insertFollower(tx, &d)
	if err != nil || !made {
		return err
	}
	if d.Once != nil && d.State == event.Waiting {
		if err := onceAgain(tx, &d, tx.stamp().now); err != nil {
			return err
		}
	}
	switch d.State {
	case event.Scheduled:
		_, timer, err := scheduledRows(&d)
		if err != nil {
			return err
		}
		return tx.exec(insertMoment, timer...)
	case event.Waiting:
		if err := s.begin(tx, &d, touched); err != nil || d.Key == "" || d.Key != of.Key || d.Connection != of.Connection {
			return err
		}
		return tx.exec(`UPDATE deliveries SET turn = (SELECT `+s.dialect.turn+` FROM deliveries o WHERE o.id = ?2) WHERE id = ?1`, int64(d.ID), int64(of.ID))
	case event.Delivered:
		return remember(tx, &d)
	case event.Failed, event.Cancelled, event.Sending, event.Retrying, event.Held:
	}
	return finish(tx, &d)
}

// remember writes the record of an action that comes after another. Its delivery was
// made in this transaction, so that it is written once, whoever makes it.
func remember(tx tx, d *event.Delivery) error {
	if err := writeRecordOf(tx, d); err != nil {
		if fault := (*event.RecordError)(nil); errors.As(err, &fault) {
			fault.Delivery = d.ID
		}
		return err
	}
	return tx.exec(`UPDATE deliveries SET state = 1, moment = ?2 WHERE id = ?1 AND state = 4`, int64(d.ID), tx.stamp().now)
}

// writeRecordOf writes d.Record, of which the transaction has the lock.
func writeRecordOf(tx tx, d *event.Delivery) error {
	return acceptRecords(tx, &event.Event{ID: d.Event, Records: []event.RecordWrite{*d.Record}})
}

// insertFollower stores d as scheduled, whatever becomes of it then; false: it is
// there.
func insertFollower(tx tx, d *event.Delivery) (made bool, err error) {
	row, _, err := scheduledRows(d)
	if err != nil {
		return false, err
	}
	err = tx.query(func([]any) error { made = true; return nil }, insertScheduled+` ON CONFLICT (id) DO NOTHING RETURNING id`, row...)
	return made, err
}
