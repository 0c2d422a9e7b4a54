package db

import (
	"context"
	"fmt"
	"time"

	"hookgate/internal/event"
)

// held is the condition of an open delivery that waits for its paused
// connection. The connections that were ever paused are few.
const held = `(state = 0 AND owner = 0 AND connection IN (SELECT s.connection FROM switches s WHERE s.paused = 1))`

// switchesChanged is what the other replicas are told in place of a
// connection's name, which cannot begin like this.
const switchesChanged = "!switches"

// PauseStates are those of all connections that were ever switched by hand.
func (s *Store) PauseStates(ctx context.Context) ([]event.PauseState, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT connection, paused, count, per, changed, who, note, ends FROM switches ORDER BY connection`)
	if err != nil {
		return nil, fmt.Errorf("read switches: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var list []event.PauseState
	for rows.Next() {
		var w event.PauseState
		var paused, per, changed, ends int64
		if err := rows.Scan(&w.Connection, &paused, &w.Count, &per, &changed, &w.By, &w.Note, &ends); err != nil {
			return nil, fmt.Errorf("read switches: %w", err)
		}
		w.Paused, w.Per, w.At = paused == 1, time.Duration(per)*time.Microsecond, time.UnixMicro(changed).UTC()
		if ends > 0 {
			w.Until = time.UnixMicro(ends).UTC()
		}
		list = append(list, w)
	}
	return list, rows.Err()
}

// pauseNow tells the pauses of a connection apart: when it was said, 0 where there is none.
const pauseNow = `(CASE WHEN switches.paused = 1 THEN switches.changed ELSE 0 END)`

// SetPauseState stores what w says of its connection and tells the other replicas.
// A connection that is as w wants it already stays as it is, with who made it
// so, unless w has another note: that makes it a pause of its own. changed is false then. A Count serves until what is open now is sent: what there is
// up to the newest delivery of all, for to look for that of the connection would be to
// read the whole history where it has none. A pause serves until its end, if it has one:
// see EndPauses.
//
// seen is when the pause was said that w is to change, zero where there was none, and nil
// for whatever there is. With another it is event.ErrNotAsSeen, but for a connection that
// goes on as w wants it already. It is compared as it is written, so that of several at
// once who have seen the same one has their way.
func (s *Store) SetPauseState(w event.PauseState, seen *time.Time) (changed bool, err error) {
	paused, compared, known := int64(0), int64(0), int64(0)
	if w.Paused {
		paused = 1
	}
	if seen != nil {
		compared = 1
		if !seen.IsZero() {
			known = seen.UnixMicro()
		}
	}
	err = s.write(func(tx tx) error {
		changed = false
		ends := int64(0)
		if !w.Until.IsZero() {
			ends = s.stored(tx.stamp(), w.Until)
		}
		err := tx.query(func([]any) error { changed = true; return nil },
			`INSERT INTO switches (connection, paused, count, per, upto, changed, who, note, ends)
			SELECT CAST(?1 AS text), CAST(?2 AS bigint), CAST(?3 AS bigint), CAST(?4 AS bigint), (SELECT coalesce(max(id), 0) FROM deliveries),
				CAST(?5 AS bigint), CAST(?6 AS text), CAST(?7 AS text), CAST(?8 AS bigint)
				WHERE CAST(?9 AS bigint) = 0 OR CAST(?10 AS bigint) = 0 OR EXISTS (SELECT 1 FROM switches WHERE connection = ?1)
			ON CONFLICT (connection) DO UPDATE SET paused = excluded.paused, count = excluded.count, per = excluded.per, upto = excluded.upto,
				changed = excluded.changed, who = excluded.who, note = excluded.note, ends = excluded.ends
			WHERE (switches.paused <> excluded.paused OR switches.count <> excluded.count OR switches.per <> excluded.per OR switches.ends <> excluded.ends
				OR excluded.note NOT IN ('', switches.note)) AND (CAST(?9 AS bigint) = 0 OR `+pauseNow+` = CAST(?10 AS bigint))
			RETURNING connection`,
			w.Connection, paused, int64(w.Count), w.Per.Microseconds(), tx.stamp().now, w.By, w.Note, ends, compared, known)
		switch {
		case err != nil:
			return err
		case changed:
			return tx.notify(switchesChanged)
		case seen == nil:
			return nil
		}
		return asSeen(tx, &w, known)
	})
	if err != nil {
		return false, fmt.Errorf("switch %s: %w", w.Connection, err)
	}
	return changed, nil
}

// asSeen is event.ErrNotAsSeen where the pause of a connection is not the known one,
// and it does not go on as w wants it.
func asSeen(tx tx, w *event.PauseState, known int64) error {
	fine := false
	err := tx.query(func(row []any) error {
		now, goesOn := row[0].(int64), row[1].(int64) == int64(w.Count) && row[2].(int64) == w.Per.Microseconds()
		fine = now == known || now == 0 && !w.Paused && goesOn
		return nil
	}, `SELECT `+pauseNow+`, count, per FROM switches WHERE connection = ?1`, w.Connection)
	if err == nil && !fine {
		err = refusal{event.ErrNotAsSeen}
	}
	return err
}

// EndPauses has those connections go on whose pause is over, and tells the other
// replicas. One of them ends a pause; ended are the connections that it was here.
func (s *Store) EndPauses() (ended []event.PauseState, err error) {
	err = s.write(func(tx tx) error {
		ended = nil
		err := tx.query(func(row []any) error {
			ended = append(ended, event.PauseState{Connection: row[0].(string), By: row[1].(string), Note: row[2].(string)})
			return nil
		}, `UPDATE switches SET paused = 0, ends = 0, changed = ?1 WHERE paused = 1 AND ends > 0 AND ends <= ?1 RETURNING connection, who, note`, tx.stamp().now)
		if err != nil || len(ended) == 0 {
			return err
		}
		return tx.notify(switchesChanged)
	})
	if err != nil {
		return nil, fmt.Errorf("end pauses: %w", err)
	}
	return ended, nil
}

// Drained ends the rates of those connections that have sent what was held: a
// later failure is the schedule's business. It reports whether there were any. What is
// open is found by its index, and not by the ids, which all that ever was has.
func (s *Store) Drained() (ended bool, err error) {
	err = s.write(func(tx tx) error {
		ended = false
		err := tx.query(func([]any) error { ended = true; return nil },
			`UPDATE switches SET count = 0, per = 0 WHERE paused = 0 AND count > 0
				AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.state = 0 AND d.owner = 0 AND d.connection = switches.connection AND d.due <= ?1 AND +d.id <= switches.upto)
				AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.state = 0 AND d.owner > 0 AND d.connection = switches.connection AND +d.id <= switches.upto)
				RETURNING connection`, tx.stamp().now)
		if err != nil || !ended {
			return err
		}
		return tx.notify(switchesChanged)
	})
	if err != nil {
		return false, fmt.Errorf("look for what was held: %w", err)
	}
	return ended, nil
}
