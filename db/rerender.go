package db

import (
	"fmt"

	"hookgate/internal/event"
)

// setRendered replaces what a failed delivery sends, if it still is as it was read.
const setRendered = `UPDATE deliveries SET state = ?3, owner = 0, due = CAST(?4 AS BIGINT), claim = claim + 1, base = attempts, early = NULL, scheduled = NULL,
	key = ?5, warnings = ?6, output = ?7, error = ?8, cause = ?9 WHERE id = ?1 AND claim = ?2 AND state = 2 RETURNING id`

// Rerender stores what failed deliveries come to that were rendered again: each is sent
// anew under its id (Waiting), or has ended (Cancelled; Delivered, for a record that is
// written), if it still is as it was read;
// done tells which were. It returns the connections that have something to send.
func (s *Store) Rerender(list []event.Rerendered) (done []bool, connections []string, err error) {
	defer s.backlogs.Forget()
	var keys []keyed
	made := make([]event.Delivery, 0, len(list))
	for i := range list {
		d := &list[i].Delivery
		made = append(made, *d)
		for _, key := range []string{list[i].Before, d.Key} {
			if key != "" {
				keys = append(keys, keyed{d.Connection, key})
			}
		}
		if d.Record != nil {
			keys = append(keys, recordLock(d.Record.RecordKey))
		}
	}
	done, connections, err = s.changeEach(len(list), made, keys, func(tx tx, i int, touched map[string]bool) (bool, error) {
		done, err := s.rerender(tx, &list[i], touched)
		if err != nil {
			return false, fmt.Errorf("delivery %s: %w", list[i].Delivery.ID, err)
		}
		return done, nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("render deliveries again: %w", err)
	}
	return done, connections, nil
}

func (s *Store) rerender(tx tx, r *event.Rerendered, touched map[string]bool) (done bool, err error) {
	d, now := &r.Delivery, tx.stamp().now
	warnings, err := jsonList(d.Warnings)
	if err != nil {
		return false, err
	}
	state, due := int64(open), any(now)
	switch {
	case d.State == event.Cancelled:
		state, due = cancelled, nil
	case d.Record != nil:
		state, due = delivered, nil
	case d.Key != "":
		due = nil // until its turn
	}
	err = tx.query(func([]any) error { done = true; return nil }, setRendered,
		int64(d.ID), d.Claim, state, due, nullable(d.Key), warnings, pack(nil, d.Output), nullable(d.Error), int64(causeNumber(d.Cancelled)))
	switch {
	case err != nil || !done:
		return false, err
	case d.State == event.Cancelled:
		countCancelled(tx, d.Cancelled)
		return true, ended(tx, d)
	case d.Record != nil:
		return true, writeRecordOf(tx, d)
	}
	touched[d.Connection] = true
	if d.Key == "" {
		return true, nil
	}
	if d.Key != r.Before { // it takes its place behind those of its new key
		err := tx.exec(`UPDATE deliveries SET turn = `+s.dialect.nextTurn+` WHERE id = ?1 AND connection = ?2 AND key = ?3`, int64(d.ID), d.Connection, d.Key)
		if err != nil {
			return false, err
		}
	}
	return true, s.unblock(tx, keyed{d.Connection, d.Key}, now)
}
