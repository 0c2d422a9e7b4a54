package db

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"hookgate/internal/event"
)

// insertScheduled stores a delivery whose moment is in the future.
const insertScheduled = `INSERT INTO deliveries (id, event, rule, action, connection, key, state, owner, due, claim, attempts, base, warnings, output, moment, element, flow)
	VALUES (?1, ?2, ?3, ?4, ?5, ?6, 4, 0, NULL, 0, 0, 0, ?7, ?8, ?9, ?10, ?11)`

// insertMoment stores the timer of a scheduled delivery.
const insertMoment = `INSERT INTO timers (id, kind, name, key, due, count, value) VALUES (?1, 1, ?2, ?3, ?4, 0, ?5)`

// scheduledRows are the parameters of insertScheduled and insertMoment.
func scheduledRows(d *event.Delivery) (delivery, timer []any, err error) {
	warnings, err := jsonList(d.Warnings)
	if err != nil {
		return nil, nil, err
	}
	wait, err := waitText(d.Wait)
	if err != nil {
		return nil, nil, err
	}
	output := d.Output
	if output == nil {
		output = []byte("{}") // it is rendered at its moment
	}
	at := micros(d.Moment)
	return []any{int64(d.ID), int64(d.Event), d.Rule, int64(d.Action), d.Connection, nullable(d.Key), warnings, pack(nil, output), at, int64(d.Element), flowOf(d.Flow)},
		[]any{int64(d.ID), d.Rule, strconv.FormatInt(int64(d.ID), 10), at, wait}, nil
}

func waitText(w *event.Wait) ([]byte, error) {
	if w == nil {
		w = &event.Wait{}
	}
	text, err := json.Marshal(w)
	if err != nil {
		return nil, fmt.Errorf("encode what a moment comes from: %w", err)
	}
	return text, nil
}

// schedule stores a delivery whose moment is in the future, with its timer.
func schedule(tx tx, d *event.Delivery) error {
	delivery, timer, err := scheduledRows(d)
	if err != nil {
		return err
	}
	if err := tx.exec(insertScheduled, delivery...); err != nil {
		return err
	}
	return tx.exec(insertMoment, timer...)
}

// OpenMoments does what came of scheduled deliveries at their moments, in one
// transaction: each is opened, ended, or moved to a later moment, if its timer
// still is as it was read. done tells which were. It returns the connections
// that have something to send.
func (s *Store) OpenMoments(list []event.Opening) (done []bool, connections []string, err error) {
	var keys []keyed
	for i := range list {
		if d := &list[i].Delivery; d.Key != "" && d.State == event.Waiting {
			keys = append(keys, keyed{d.Connection, d.Key})
		}
	}
	done, connections, err = s.changeEach(len(list), nil, keys, func(tx tx, i int, touched map[string]bool) (bool, error) {
		done, err := s.openMoment(tx, &list[i], touched)
		if err != nil {
			return false, fmt.Errorf("delivery %s: %w", list[i].Delivery.ID, err)
		}
		return done, nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("open scheduled deliveries: %w", err)
	}
	return done, connections, nil
}

// changeEach does so many things, each by its number, in one transaction that has the
// locks of keys, and in which the events of made are not deleted: deliveries that are
// made, or opened again. done tells of which one said that it was done, and
// connections which have something to send: those that were touched.
func (s *Store) changeEach(n int, made []event.Delivery, keys []keyed, one func(tx tx, i int, touched map[string]bool) (bool, error)) (done []bool, connections []string, err error) {
	var touched map[string]bool
	err = s.write(func(tx tx) error {
		touched, done = map[string]bool{}, make([]bool, n)
		if err := s.holdEvents(tx, made); err != nil {
			return err
		}
		for i := range n {
			var err error
			if done[i], err = one(tx, i, touched); err != nil {
				return err
			}
		}
		return notifyAll(tx, touched)
	}, keys...)
	return done, names(touched), err
}

func (s *Store) openMoment(tx tx, o *event.Opening, touched map[string]bool) (bool, error) {
	d := o.Delivery // a copy: a transaction that failed is tried again
	if d.State == event.Scheduled {
		moved, err := moveTimer(tx, &o.Timer, d.Moment)
		if err != nil || !moved {
			return false, err
		}
		return true, tx.exec(`UPDATE deliveries SET moment = ?2 WHERE id = ?1 AND state = 4`, int64(d.ID), micros(d.Moment))
	}
	taken, err := takeTimer(tx, &o.Timer)
	if err != nil || !taken {
		return false, err
	}
	if d.Once != nil && d.State == event.Waiting {
		if err := onceAgain(tx, &d, tx.stamp().now); err != nil {
			return false, err
		}
	}
	if o.Rendered {
		if err := rewrite(tx, &d); err != nil {
			return false, err
		}
	}
	if o.Signal != nil {
		if err := addSignals(tx, []event.Signal{*o.Signal}, tx.stamp().now); err != nil {
			return false, err
		}
	}
	if d.State == event.Waiting {
		return true, s.begin(tx, &d, touched)
	}
	return true, finish(tx, &d)
}

// finish ends a scheduled delivery that is not sent, with the reason: it failed, or
// was cancelled.
func finish(tx tx, d *event.Delivery) error {
	state, cause := int64(cancelled), d.Cancelled
	if d.State == event.Failed {
		state, cause = failed, ""
	} else {
		countCancelled(tx, cause)
	}
	err := tx.exec(`UPDATE deliveries SET state = ?4, error = ?2, moment = ?3, cause = ?5 WHERE id = ?1 AND state = 4`,
		int64(d.ID), nullable(d.Error), tx.stamp().now, state, int64(causeNumber(cause)))
	if err != nil {
		return err
	}
	return ended(tx, d)
}

// rewrite stores what was rendered at a delivery's moment.
func rewrite(tx tx, d *event.Delivery) error {
	warnings, err := jsonList(d.Warnings)
	if err != nil {
		return err
	}
	return tx.exec(`UPDATE deliveries SET key = ?2, warnings = ?3, output = ?4 WHERE id = ?1 AND state = 4`,
		int64(d.ID), nullable(d.Key), warnings, pack(nil, d.Output))
}

// begin makes a scheduled delivery due. One with an ordering key takes its
// place behind those that are open.
func (s *Store) begin(tx tx, d *event.Delivery, touched map[string]bool) error {
	now := tx.stamp().now
	if d.Key == "" {
		touched[d.Connection] = true
		return tx.exec(`UPDATE deliveries SET state = 0, due = ?2, moment = ?2 WHERE id = ?1 AND state = 4`, int64(d.ID), now)
	}
	due := any(now)
	switch taken, err := isKeyTaken(tx, d); {
	case err != nil:
		return err
	case taken:
		due = nil
	default:
		touched[d.Connection] = true
	}
	return tx.exec(`UPDATE deliveries SET turn = `+s.dialect.nextTurn+`, state = 0, due = CAST(?4 AS BIGINT), moment = ?5
		WHERE id = ?1 AND connection = ?2 AND key = ?3 AND state = 4`, int64(d.ID), d.Connection, d.Key, due, now)
}

// hurry makes the moments of scheduled deliveries now, whatever their calendar
// says, in a transaction.
func hurry(tx tx, page []event.Delivery) (changed int, err error) {
	now := tx.stamp().now
	for i := range page {
		d := &page[i]
		if d.State != event.Scheduled {
			continue
		}
		var wait event.Wait
		if d.Wait != nil {
			wait = *d.Wait
		}
		wait.During = ""
		text, err := waitText(&wait)
		if err != nil {
			return changed, err
		}
		moved := false
		err = tx.query(func([]any) error { moved = true; return nil },
			`UPDATE timers SET due = ?2, value = ?3 WHERE id = ?1 AND kind = 1 RETURNING id`, int64(d.ID), now, text)
		if err != nil {
			return changed, err
		}
		if !moved {
			continue
		}
		changed++
		if err := tx.exec(`UPDATE deliveries SET moment = ?2 WHERE id = ?1 AND state = 4`, int64(d.ID), now); err != nil {
			return changed, err
		}
	}
	return changed, nil
}

// unschedule removes the timers of scheduled deliveries that are about to be
// cancelled, in a transaction. One that was not rendered yet says so, and is
// not sent as it is.
func unschedule(tx tx, page []event.Delivery) (int, error) {
	for i := range page {
		d := &page[i]
		if d.State != event.Scheduled {
			continue
		}
		if err := tx.exec(`DELETE FROM timers WHERE id = ?1 AND kind = 1`, int64(d.ID)); err != nil {
			return 0, err
		}
		if d.Wait == nil || !d.Wait.Late {
			continue
		}
		if err := tx.exec(`UPDATE deliveries SET error = 'it was cancelled before its moment' WHERE id = ?1 AND state = 4`, int64(d.ID)); err != nil {
			return 0, err
		}
	}
	return 0, nil // they are counted as they are cancelled
}

// judgedBy asks for the version of the rules that a delivery was made by: that of its
// event, or of the replay that made it. Both are parameters or columns.
func judgedBy(event, delivery string) string {
	return strings.NewReplacer("EVENT", event, "DELIVERY", delivery).Replace(`SELECT plan FROM (
		SELECT plan, first FROM events WHERE id = EVENT AND first <= DELIVERY
		UNION ALL SELECT plan, first FROM replays WHERE event = EVENT AND first <= DELIVERY AND first > 0) AS made
	ORDER BY first DESC LIMIT 1`)
}

// JudgedBy is the version of the rules that a delivery of an event was made by.
func (s *Store) JudgedBy(ctx context.Context, d *event.Delivery) (plan int64, err error) {
	row := s.read.QueryRowContext(ctx, judgedBy("?1", "?2"), int64(d.Event), int64(d.ID))
	if err := row.Scan(&plan); err != nil {
		return 0, fmt.Errorf("look for the rules that made %s: %w", d.ID, err)
	}
	return plan, nil
}

// JudgedByEach are the versions of the rules that stored deliveries were made by.
func (s *Store) JudgedByEach(ctx context.Context, list []event.Delivery) (map[event.DeliveryID]int64, error) {
	ids := make([]int64, len(list))
	for i := range list {
		ids[i] = int64(list[i].ID)
	}
	rows, err := s.read.QueryContext(ctx, `SELECT id, (`+judgedBy("d.event", "d.id")+`) FROM deliveries d WHERE `+s.dialect.isAmong("id"), s.dialect.numbers(ids))
	if err != nil {
		return nil, fmt.Errorf("look for the rules that made deliveries: %w", err)
	}
	defer func() { _ = rows.Close() }()
	plans := make(map[event.DeliveryID]int64, len(list))
	for rows.Next() {
		var id event.DeliveryID
		var plan int64
		if err := rows.Scan(&id, &plan); err != nil {
			return nil, fmt.Errorf("look for the rules that made deliveries: %w", err)
		}
		plans[id] = plan
	}
	return plans, rows.Err()
}

// Scheduled counts the deliveries whose moment has not come.
func (s *Store) Scheduled(ctx context.Context) (n int, err error) {
	if err := s.read.QueryRowContext(ctx, `SELECT count(*) FROM deliveries WHERE state = 4`).Scan(&n); err != nil {
		return 0, fmt.Errorf("count scheduled deliveries: %w", err)
	}
	return n, nil
}
