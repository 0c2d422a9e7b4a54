package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"hookgate/internal/event"
)

// deliveryColumns end with the id of the key's delivery that is not waiting
// for another, the one that a waiting delivery waits for, and with whether its
// connection is paused; then its moment, and what it comes from.
const deliveryColumns = `id, event, rule, action, connection, coalesce(key, ''), state, owner, due, claim, attempts, base, coalesce(error, ''), coalesce(warnings, ''), output,
	CASE WHEN state = 0 AND key IS NOT NULL AND due IS NULL THEN coalesce((SELECT f.id FROM deliveries f
		WHERE f.state = 0 AND f.key IS NOT NULL AND f.connection = deliveries.connection AND f.key = deliveries.key AND f.due IS NOT NULL LIMIT 1), 0) ELSE 0 END,
	CASE WHEN ` + held + ` THEN 1 ELSE 0 END, moment, coalesce(flow, 0),
	CASE WHEN state = 4 THEN (SELECT t.value FROM timers t WHERE t.id = deliveries.id) END, element, cause`

// Deliveries lists the deliveries that f selects, newest first unless f says
// otherwise.
func (s *Store) Deliveries(ctx context.Context, f event.DeliveryFilter) ([]event.Delivery, error) {
	c, err := s.deliveryConditions(ctx, f)
	if err != nil {
		return nil, err
	}
	if f.Next != nil {
		return s.nextDeliveries(ctx, c, f)
	}
	where, limit, newest := c.where(), c.value(limitOr(f.Limit)), " DESC"
	if f.OldestFirst {
		newest = ""
	}
	if onlyIndexed(f) && !newestIndexed(f) {
		where = ` WHERE id IN (SELECT id FROM deliveries` + where + ` ORDER BY +id` + newest + ` LIMIT ` + limit + `)`
	}
	return s.listDeliveries(ctx, `SELECT `+deliveryColumns+` FROM deliveries`+where+` ORDER BY id`+newest+` LIMIT `+limit, c.args)
}

// DeliveriesOf lists the deliveries of several events, the newest first: of all of them
// together at most limit.
func (s *Store) DeliveriesOf(ctx context.Context, ids []event.ID, limit int) ([]event.Delivery, error) {
	c := s.conditions()
	if err := s.deliveriesOf(ctx, c, ids...); err != nil {
		return nil, fmt.Errorf("list deliveries of %d events: %w", len(ids), err)
	}
	return s.listDeliveries(ctx, `SELECT `+deliveryColumns+` FROM deliveries`+c.where()+` ORDER BY id DESC LIMIT `+c.value(limit), c.args)
}

// nextDeliveries lists scheduled deliveries in the order in which they go. Their
// timers have that order.
func (s *Store) nextDeliveries(ctx context.Context, c *conditions, f event.DeliveryFilter) ([]event.Delivery, error) {
	c.add("state = 4")
	if !f.Next.Moment.IsZero() {
		c.add("(turns.at, turns.delivery) > (" + c.value(micros(f.Next.Moment)) + ", " + c.value(int64(f.Next.ID)) + ")")
	}
	return s.listDeliveries(ctx, `SELECT `+deliveryColumns+` FROM (SELECT timers.id AS delivery, timers.due AS at FROM timers WHERE timers.kind = 1) AS turns
		JOIN deliveries ON deliveries.id = turns.delivery`+c.where()+` ORDER BY turns.at, turns.delivery LIMIT `+c.value(limitOr(f.Limit)), c.args)
}

func (s *Store) listDeliveries(ctx context.Context, query string, args []any) ([]event.Delivery, error) {
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("list deliveries: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var list []event.Delivery
	for rows.Next() {
		d, err := scanDelivery(rows)
		if err != nil {
			return nil, fmt.Errorf("list deliveries: %w", err)
		}
		list = append(list, d)
	}
	return list, rows.Err()
}

// onlyIndexed reports whether f selects deliveries that a partial index holds,
// those that are open or have failed, and nothing leads to them faster. A
// planner without statistics would read all deliveries in the order of their
// ids until the page is full, which with few failures is the whole history:
// the ids are found by the index first, and ordered then.
func onlyIndexed(f event.DeliveryFilter) bool {
	indexed := len(f.States) > 0 && len(f.IDs) == 0 && f.Event == 0
	for _, state := range f.States {
		indexed = indexed && state != event.Delivered && state != event.Cancelled
	}
	return indexed
}

// newestIndexed reports whether f selects failed deliveries alone, or those that are tried
// again. Their indexes have the order of their ids, so that reading one ends when a page
// is full.
func newestIndexed(f event.DeliveryFilter) bool {
	return onlyIndexed(f) && len(f.States) == 1 && (f.States[0] == event.Failed || f.States[0] == event.Retrying)
}

// deliveryConditions are f as SQL.
func (s *Store) deliveryConditions(ctx context.Context, f event.DeliveryFilter) (*conditions, error) {
	c := s.conditions()
	if len(f.IDs) > 0 {
		c.among("id", numbersOf(f.IDs))
	}
	c.equal("connection", f.Connection)
	c.equal("rule", f.Rule)
	if f.Event != 0 {
		if err := s.deliveriesOf(ctx, c, f.Event); err != nil {
			return nil, fmt.Errorf("list deliveries of %s: %w", f.Event, err)
		}
	}
	if len(f.States) > 0 {
		c.add(stateCondition(f.States, f.Closed))
	}
	switch f.Cancelled {
	case "":
	case event.ByHand: // or before it was kept why
		c.add("state = 3 AND cause <= 1")
	case event.ByThrottle, event.ByCondition, event.ByRemoval:
		c.add("state = 3 AND cause = " + c.value(int64(causeNumber(f.Cancelled))))
	}
	if f.Rendered {
		c.add("NOT " + unrendered)
	}
	if f.NotOvertaken {
		c.add("(key IS NULL OR NOT EXISTS (SELECT 1 FROM deliveries AS later WHERE later.key = deliveries.key AND later.event > deliveries.event AND later.connection = deliveries.connection AND later.state = 1))")
	}
	if f.Stale {
		c.add("(" + judgedBy("deliveries.event", "deliveries.id") + ") <> " + c.value(f.InForce))
	}
	if f.Errors != nil {
		c.add(fmt.Sprintf(c.dialect.amongTexts, "coalesce(error, '')", c.value(c.dialect.texts(f.Errors))))
	}
	c.idRange(f.Since, int64(f.Before))
	if f.After > 0 {
		c.add("id > " + c.value(int64(f.After)))
	}
	return c, nil
}

// deliveriesOf selects the deliveries of events: those that were made when
// they were accepted, and those of their replays. There is no index on event: the
// ids of each time follow each other. They are spelled out, for several ranges
// of ids would have a planner read what lies between them.
func (s *Store) deliveriesOf(ctx context.Context, c *conditions, events ...event.ID) error {
	rows, err := s.read.QueryContext(ctx, `SELECT first, coalesce(reserved, deliveries) FROM events WHERE `+s.dialect.isAmong("id")+`
		UNION ALL SELECT first, coalesce(reserved, deliveries) FROM replays WHERE `+s.dialect.isAmong("event"), s.dialect.numbers(numbersOf(events)))
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	var ids []int64
	for rows.Next() {
		var first, made int64
		if err := rows.Scan(&first, &made); err != nil {
			return err
		}
		for n := range made {
			ids = append(ids, first+n)
		}
	}
	c.among("id", ids)
	return rows.Err()
}

// stateCondition spells the states out, with literals, so that the partial
// indexes serve. What is open for the connections in closed is held, too. What the
// index of open ones holds is asked before what is in the table: SQLite asks in the
// order of the text, and most of a large backlog is held.
func stateCondition(states []event.DeliveryState, closed []string) string {
	held := held
	if len(closed) > 0 {
		names := make([]string, len(closed))
		for i, name := range closed {
			names[i] = "'" + strings.ReplaceAll(name, "'", "''") + "'"
		}
		held = "(" + held + " OR (state = 0 AND owner = 0 AND connection IN (" + strings.Join(names, ", ") + ")))"
	}
	terms := make([]string, len(states))
	for i, state := range states {
		switch state {
		case event.Waiting:
			terms[i] = "(state = 0 AND owner = 0 AND NOT " + held + " AND attempts = base)"
		case event.Sending:
			terms[i] = "(state = 0 AND owner > 0)"
		case event.Retrying:
			owner := "owner"
			if len(states) == 1 {
				owner = "+owner" // by their own index, not by that of all that is open
			}
			terms[i] = "(state = 0 AND " + owner + " = 0 AND NOT " + held + " AND attempts > base)"
		case event.Delivered:
			terms[i] = "state = 1"
		case event.Held:
			terms[i] = held
		case event.Failed:
			terms[i] = "state = 2"
		case event.Cancelled:
			terms[i] = "state = 3"
		case event.Scheduled:
			terms[i] = "state = 4"
		default:
			terms[i] = "1 = 0" // no delivery is in that state
		}
	}
	return "(" + strings.Join(terms, " OR ") + ")"
}

func scanDelivery(row scanner) (event.Delivery, error) {
	var (
		d                   event.Delivery
		state, owner, block int64
		paused              int64
		due, moment         sql.NullInt64
		wait                []byte
		warnings            string
		output              []byte
		cause               int
	)
	err := row.Scan(&d.ID, &d.Event, &d.Rule, &d.Action, &d.Connection, &d.Key, &state, &owner, &due, &d.Claim, &d.Attempts, &d.Base, &d.Error, &warnings, &output, &block, &paused, &moment, &d.Flow, &wait, &d.Element, &cause)
	if err != nil {
		return d, err
	}
	d.Created = event.ID(d.ID).Time().UTC()
	d.BlockedBy = event.DeliveryID(block)
	d.Cancelled = causeOf(cause)
	if d.State = deliveryState(state, owner, d.Attempts > d.Base); paused == 1 {
		d.State = event.Held
	}
	if owner == 0 && due.Valid && due.Int64 > 0 && state == open {
		d.Due = time.UnixMicro(due.Int64).UTC()
	}
	if moment.Valid {
		d.Moment = time.UnixMicro(moment.Int64).UTC()
	}
	if len(wait) > 0 {
		d.Wait = &event.Wait{}
		if err := json.Unmarshal(wait, d.Wait); err != nil {
			return d, fmt.Errorf("delivery %s: its moment: %w", d.ID, err)
		}
	}
	if warnings != "" {
		if err := json.Unmarshal([]byte(warnings), &d.Warnings); err != nil {
			return d, fmt.Errorf("delivery %s: warnings: %w", d.ID, err)
		}
	}
	d.Output, err = unpack(output)
	return d, err
}

func deliveryState(state, owner int64, tried bool) event.DeliveryState {
	switch {
	case state == delivered:
		return event.Delivered
	case state == failed:
		return event.Failed
	case state == cancelled:
		return event.Cancelled
	case state == scheduled:
		return event.Scheduled
	case owner > 0:
		return event.Sending
	case tried:
		return event.Retrying
	}
	return event.Waiting
}

// Attempts lists the attempts at the deliveries, by delivery and number.
func (s *Store) Attempts(ctx context.Context, ids ...event.DeliveryID) ([]event.Attempt, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	list := s.dialect.numbers(numbersOf(ids))
	failedOnes := `SELECT delivery, number, started, duration, status, error, answer, NULL, exchange FROM attempts WHERE ` + s.dialect.isAmong("delivery")
	delivering := `SELECT id, attempts, started, duration, status, '', answer, outputs, exchange FROM deliveries WHERE started IS NOT NULL AND ` + s.dialect.isAmong("id")
	rows, err := s.read.QueryContext(ctx, failedOnes+` UNION ALL `+delivering+` ORDER BY 1, 2`, list)
	if err != nil {
		return nil, fmt.Errorf("list attempts: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var attempts []event.Attempt
	for rows.Next() {
		var (
			a                 event.Attempt
			started, duration int64
			answer            []byte
			outputs, exchange sql.NullString
		)
		if err := rows.Scan(&a.Delivery, &a.Number, &started, &duration, &a.Status, &a.Error, &answer, &outputs, &exchange); err != nil {
			return nil, fmt.Errorf("list attempts: %w", err)
		}
		a.Started = time.UnixMicro(started).UTC()
		a.Duration = time.Duration(duration) * time.Microsecond
		if a.Answer, err = unpack(answer); err != nil {
			return nil, fmt.Errorf("list attempts of %s: %w", a.Delivery, err)
		}
		if exchange.Valid {
			readExchange(exchange.String, &a.Receipt)
		}
		if outputs.Valid {
			if err := json.Unmarshal([]byte(outputs.String), &a.Outputs); err != nil {
				return nil, fmt.Errorf("list attempts of %s: outputs: %w", a.Delivery, err)
			}
		}
		attempts = append(attempts, a)
	}
	return attempts, rows.Err()
}
