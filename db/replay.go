package db

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"hookgate/internal/event"
)

// ErrRunMoved reports that a run of a replay is not where its caller believes:
// somebody else has continued it, or it is done.
var ErrRunMoved = errors.New("somebody else has continued this replay")

// CreateRun stores a run of a replay that is about to begin.
func (s *Store) CreateRun(r *event.ReplayRun) error {
	err := s.write(func(tx tx) error {
		return tx.exec(`INSERT INTO replay_runs (id, created, selection, past, cursor, seen, events, made, done) VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, 0, 0)`,
			int64(r.ID), micros(r.Created), string(r.Selection), int64(r.Past), int64(r.Cursor))
	})
	if err != nil {
		return fmt.Errorf("store the replay: %w", err)
	}
	return nil
}

// Replay does a part of a run in one transaction: it stores the deliveries of
// each event, notes what became of it, and moves the run from where it was to
// next, whose counts it sets. Either all of it happens or nothing; an event
// that the run has done before is left alone. It returns the connections that
// now have something to send.
func (s *Store) Replay(from, next *event.ReplayRun, list []event.Replayed) ([]string, error) {
	bytes := int64(4096)
	var keys []keyed
	for i := range list {
		for k := range list[i].Deliveries {
			d := &list[i].Deliveries[k]
			if d.Key != "" && d.State != event.Failed {
				keys = append(keys, keyed{d.Connection, d.Key})
			}
			bytes += int64(len(d.Output)) + 256
		}
	}
	var touched map[string]bool
	var counts [2]int
	op := &writeOp{keys: keys, bytes: bytes, done: make(chan error, 1), do: func(tx tx) (err error) {
		touched = map[string]bool{}
		counts, err = s.replay(tx, from, next, list, touched)
		return err
	}}
	if err := s.submit(op); err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	next.Events, next.Deliveries = from.Events+counts[0], from.Deliveries+counts[1]
	return names(touched), nil
}

// replay is Replay in its transaction; it counts the events and deliveries.
func (s *Store) replay(tx tx, from, next *event.ReplayRun, list []event.Replayed, touched map[string]bool) (counts [2]int, err error) {
	moved := false
	err = tx.query(func([]any) error { moved = true; return nil },
		`UPDATE replay_runs SET cursor = ?3, seen = ?4, done = ?5 WHERE id = ?1 AND cursor = ?2 AND done = 0 RETURNING id`,
		int64(from.ID), int64(from.Cursor), int64(next.Cursor), int64(next.Seen), number(next.Done))
	if err != nil {
		return counts, err
	}
	if !moved {
		return counts, refusal{ErrRunMoved}
	}
	for i := range list {
		made, fresh, err := s.replayOne(tx, &list[i], touched)
		if err != nil {
			return counts, fmt.Errorf("event %s: %w", list[i].Event, err)
		}
		if fresh {
			counts[0]++
			counts[1] += made
		}
	}
	err = tx.exec(`UPDATE replay_runs SET events = events + ?2, made = made + ?3 WHERE id = ?1`, int64(from.ID), int64(counts[0]), int64(counts[1]))
	if err != nil {
		return counts, err
	}
	return counts, notifyAll(tx, touched)
}

// insertMade stores what rules made of an event beside accepting one: its deliveries,
// and the digests that it joins.
func (s *Store) insertMade(tx tx, deliveries []event.Delivery, gathers []event.Gather, touched map[string]bool) error {
	for i := range deliveries {
		if err := s.insertReplayed(tx, &deliveries[i], touched); err != nil {
			return fmt.Errorf("insert delivery %s: %w", deliveries[i].ID, err)
		}
	}
	return s.dialect.gather(tx, gathers)
}

// replayOne stores what a run does with one event, unless it has done it or the event
// is gone, and counts what it has made: deliveries, and places in digests. An event
// that no rule matched is routed from now on, if one does now: who looks for those that
// need a replay does not find it again.
func (s *Store) replayOne(tx tx, r *event.Replayed, touched map[string]bool) (made int, fresh bool, err error) {
	ruleErrors, err := eventErrors(r.Errors)
	if err != nil {
		return 0, false, err
	}
	// It holds the event: else retention on PostgreSQL could delete it now and
	// not see the new deliveries.
	err = tx.query(func([]any) error { fresh = true; return nil },
		`INSERT INTO replays (event, run, at, plan, verdicts, errors, deliveries, first, reserved)
		SELECT id, CAST(?2 AS BIGINT), CAST(?3 AS BIGINT), CAST(?4 AS BIGINT), CAST(?5 AS TEXT), CAST(?6 AS TEXT), CAST(?7 AS BIGINT), CAST(?8 AS BIGINT), CAST(?9 AS INTEGER) FROM events WHERE id = ?1`+s.dialect.hold+`
		ON CONFLICT (event, run) DO NOTHING RETURNING event`,
		int64(r.Event), int64(r.Run), micros(r.At), r.Plan, string(r.Results), ruleErrors, int64(len(r.Deliveries)), firstOf(r.First, r.Deliveries), reservedOf(r.Reserved))
	if err != nil || !fresh {
		return 0, false, err
	}
	if err := s.insertMade(tx, r.Deliveries, r.Gathers, touched); err != nil {
		return 0, false, err
	}
	for i := range r.Done {
		if err := insertDone(tx, &r.Done[i]); err != nil {
			return 0, false, err
		}
	}
	made = len(r.Deliveries) + len(r.Gathers)
	for _, letter := range r.Results {
		if event.Result(letter) == event.Matched {
			err := tx.exec(`UPDATE events SET state = 0 WHERE id = ?1 AND state IN (1, 2)`, int64(r.Event))
			return made, true, err
		}
	}
	return made, true, nil
}

// insertReplayed stores a delivery that nobody holds.
func (s *Store) insertReplayed(tx tx, d *event.Delivery, touched map[string]bool) error {
	if d.State == event.Scheduled {
		return schedule(tx, d)
	}
	if d.Once != nil {
		if err := onceAgain(tx, d, tx.stamp().now); err != nil {
			return err
		}
	}
	state, due := int64(open), any(tx.stamp().now)
	if d.State == event.Failed { // it could not be rendered
		state, due = failed, nil
	} else if d.State == event.Cancelled {
		state, due = cancelled, nil
		countCancelled(tx, d.Cancelled)
	} else if d.Key != "" {
		switch taken, err := isKeyTaken(tx, d); {
		case err != nil:
			return err
		case taken:
			due = nil
		}
	}
	if due != nil {
		touched[d.Connection] = true
	}
	warnings, err := jsonList(d.Warnings)
	if err != nil {
		return err
	}
	err = tx.exec(`INSERT INTO deliveries (id, event, rule, action, connection, key, state, owner, due, claim, attempts, base, error, warnings, output, element, cause, flow`+s.dialect.turnColumn+`)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8, 0, 0, 0, ?9, ?10, ?11, ?12, ?13, ?14`+s.dialect.turnValue+`)`,
		int64(d.ID), int64(d.Event), d.Rule, int64(d.Action), d.Connection, nullable(d.Key), state, due, nullable(d.Error), warnings, pack(nil, d.Output),
		int64(d.Element), int64(causeNumber(d.Cancelled)), flowOf(d.Flow))
	if err != nil || state == open {
		return err
	}
	return ended(tx, d)
}

// insertDone stores a step that was delivered before, with what was sent then and
// answered. Nothing is sent of it, and what comes after it is made.
func insertDone(tx tx, d *event.Done) error {
	made := false
	err := tx.query(func([]any) error { made = true; return nil },
		`INSERT INTO deliveries (id, event, rule, action, connection, key, state, owner, due, claim, attempts, base, error, warnings, output, outputs, element, cause, flow)
		SELECT CAST(?1 AS BIGINT), event, CAST(?2 AS TEXT), CAST(?3 AS INTEGER), CAST(?4 AS TEXT), NULL, 1, 0, NULL, 0, 0, 0, CAST(?5 AS TEXT), warnings, output, outputs, CAST(?6 AS INTEGER), 0, CAST(?7 AS SMALLINT)
		FROM deliveries WHERE id = ?8 AND state = 1 RETURNING id`,
		int64(d.ID), d.Rule, int64(d.Action), d.Connection, "it was delivered before, as "+d.Of.String(), int64(d.Element), flowOf(d.Flow), int64(d.Of))
	if err != nil {
		return fmt.Errorf("note that %s was delivered: %w", d.Of, err)
	}
	if !made {
		return nil // it was deleted meanwhile
	}
	return ended(tx, &d.Delivery)
}

func number(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}

// Run is a run of a replay; event.ErrNotFound if there is none.
func (s *Store) Run(ctx context.Context, id event.RunID) (event.ReplayRun, error) {
	list, err := s.runs(ctx, ` WHERE id = ?1`, int64(id))
	if err != nil {
		return event.ReplayRun{}, err
	}
	if len(list) == 0 {
		return event.ReplayRun{}, fmt.Errorf("replay %s: %w", id, event.ErrNotFound)
	}
	return list[0], nil
}

// Runs are the runs of replays that f selects.
func (s *Store) Runs(ctx context.Context, f event.RunFilter) ([]event.ReplayRun, error) {
	which := ` WHERE (id < ?1 OR ?1 = 0)`
	if f.Left {
		which += ` AND done = 0`
	}
	return s.runs(ctx, which+` ORDER BY id DESC LIMIT ?2`, int64(f.Before), limitOr(f.Limit))
}

func (s *Store) runs(ctx context.Context, which string, args ...any) ([]event.ReplayRun, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT id, created, selection, past, cursor, seen, events, made, done FROM replay_runs`+which, args...)
	if err != nil {
		return nil, fmt.Errorf("list replays: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var list []event.ReplayRun
	for rows.Next() {
		var (
			r             event.ReplayRun
			created, done int64
		)
		if err := rows.Scan(&r.ID, &created, &r.Selection, &r.Past, &r.Cursor, &r.Seen, &r.Events, &r.Deliveries, &done); err != nil {
			return nil, fmt.Errorf("list replays: %w", err)
		}
		r.Created, r.Done = time.UnixMicro(created).UTC(), done == 1
		list = append(list, r)
	}
	return list, rows.Err()
}

// Replays tells what runs have done with an event, the oldest first.
func (s *Store) Replays(ctx context.Context, id event.ID) ([]event.Replay, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT run, at, plan, verdicts, coalesce(errors, ''), deliveries, first FROM replays WHERE event = ?1 AND run > ?2 ORDER BY run`, int64(id), int64(noReplay))
	if err != nil {
		return nil, fmt.Errorf("list the replays of %s: %w", id, err)
	}
	defer func() { _ = rows.Close() }()
	var list []event.Replay
	var failed []string // of each the errors of its rules
	for rows.Next() {
		r := event.Replay{Event: id}
		var (
			at              int64
			results, errors string
		)
		if err := rows.Scan(&r.Run, &at, &r.Plan, &results, &errors, &r.Made, &r.First); err != nil {
			return nil, fmt.Errorf("list the replays of %s: %w", id, err)
		}
		r.At, r.Results = time.UnixMicro(at).UTC(), []byte(results)
		list, failed = append(list, r), append(failed, errors)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list the replays of %s: %w", id, err)
	}
	for i := range list { // the rules' names may have to be read: not while the rows are open
		r := &list[i]
		if r.Verdicts, r.Errors, err = s.verdicts(ctx, r.Plan, r.Results, failed[i]); err != nil {
			return nil, fmt.Errorf("list the replays of %s: %w", id, err)
		}
	}
	return list, nil
}

// verdicts gives stored letters the names of their rules.
func (s *Store) verdicts(ctx context.Context, plan int64, results []byte, ruleErrors string) (all, failed []event.Verdict, err error) {
	if len(results) == 0 {
		return nil, nil, nil
	}
	names, err := s.ruleNames(ctx, plan)
	if err != nil {
		return nil, nil, err
	}
	var messages map[string]string
	if ruleErrors != "" {
		if err := json.Unmarshal([]byte(ruleErrors), &messages); err != nil {
			return nil, nil, fmt.Errorf("rule errors: %w", err)
		}
	}
	all = make([]event.Verdict, 0, min(len(results), len(names)))
	for i, letter := range results[:cap(all)] {
		v := event.Verdict{Rule: names[i], Result: event.Result(letter), Message: messages[names[i]]}
		all = append(all, v)
		if v.Result == event.RuleFailed {
			failed = append(failed, v)
		}
	}
	return all, failed, nil
}
