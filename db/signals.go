package db

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"hookgate/internal/event"
)

// addSignal is the statement that notes one signal, or counts it to the one
// that is there. When that is told of stays as it is: what rests goes on to.
const addSignal = `INSERT INTO signals (name, key, due, rest, count, value) VALUES (?1, ?2, ?3, ?4, ?5, ?6)` + countSignal

const countSignal = `
	ON CONFLICT (name, key) DO UPDATE SET count = signals.count + excluded.count,
		value = CASE WHEN signals.count = 0 THEN excluded.value ELSE signals.value END`

// rest is a Rest as it is stored, in µs.
func rest(s *event.Signal) int64 {
	if s.Rest == event.UntilEnded {
		return math.MaxInt64 / 2 // a time can be added to it
	}
	return s.Rest.Microseconds()
}

// addSignals notes signals in a transaction. They are sorted, for replicas that
// wait for each other's rows must take them in one order.
func addSignals(tx tx, list []event.Signal, now int64) error {
	for _, s := range sortedSignals(list) {
		if err := tx.exec(addSignal, s.Name, s.Key, now, rest(&s), int64(max(s.Count, 1)), string(s.Value)); err != nil {
			return fmt.Errorf("note the signal %s: %w", s.Name, err)
		}
	}
	return nil
}

func sortedSignals(list []event.Signal) []event.Signal {
	if len(list) < 2 {
		return list
	}
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b event.Signal) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Key, b.Key)) })
	return list
}

// Signal notes what happened outside of an Accept or a Record.
func (s *Store) Signal(list ...event.Signal) error {
	return s.write(func(tx tx) error { return addSignals(tx, list, tx.stamp().now) })
}

// EndSignal forgets a signal: what it told of is over. then is noted in its
// place if somebody was told; nil: nothing is.
func (s *Store) EndSignal(name, key string, then *event.Signal) error {
	return s.write(func(tx tx) error {
		told, now := false, tx.stamp().now
		err := tx.query(func(row []any) error { told = row[0].(int64) > now; return nil },
			`DELETE FROM signals WHERE name = ?1 AND key = ?2 RETURNING due`, name, key)
		if err != nil {
			return fmt.Errorf("end the signal %s: %w", name, err)
		}
		if told && then != nil {
			return addSignals(tx, []event.Signal{*then}, now)
		}
		return nil
	})
}

// EndSignals forgets all signals of the name.
func (s *Store) EndSignals(name string) error {
	return s.write(func(tx tx) error { return tx.exec(`DELETE FROM signals WHERE name = ?1`, name) })
}

// SignalKeys are the keys of the signals with the name, told of or not.
func (s *Store) SignalKeys(ctx context.Context, name string) ([]string, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT key FROM signals WHERE name = ?1 ORDER BY key`, name)
	if err != nil {
		return nil, fmt.Errorf("read signals: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var list []string
	for rows.Next() {
		var key string
		if err := rows.Scan(&key); err != nil {
			return nil, fmt.Errorf("read signals: %w", err)
		}
		list = append(list, key)
	}
	return list, rows.Err()
}

// DueSignals are those to be told of now, at most limit.
func (s *Store) DueSignals(ctx context.Context, limit int) ([]event.Signal, error) {
	now := any(micros(s.now()))
	clock := "?1"
	if s.dialect.clock != "" {
		clock, now = s.dialect.clock+" + CAST(?1 AS BIGINT)", int64(0)
	}
	rows, err := s.read.QueryContext(ctx, `SELECT name, key, count, value FROM signals WHERE count > 0 AND due <= `+clock+` ORDER BY due, name, key LIMIT ?2`, now, int64(limit))
	if err != nil {
		return nil, fmt.Errorf("read signals: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var list []event.Signal
	for rows.Next() {
		var one event.Signal
		var value string
		if err := rows.Scan(&one.Name, &one.Key, &one.Count, &value); err != nil {
			return nil, fmt.Errorf("read signals: %w", err)
		}
		one.Value = []byte(value)
		list = append(list, one)
	}
	return list, rows.Err()
}

// Tell stores the event that was made of a due signal, with its deliveries, and
// takes the signal as told, in one transaction: whoever comes second, or again
// after a crash, stores nothing, and told is false. e is nil where nobody is to
// be told. It returns the connections that have something to send.
func (s *Store) Tell(signal *event.Signal, e *event.Event, deliveries []event.Delivery) (told bool, connections []string, err error) {
	told, connections, err = s.storeOwn(func(tx tx) (bool, error) { return takeSignal(tx, signal) }, e, deliveries)
	if err != nil {
		return false, nil, fmt.Errorf("tell of %s: %w", signal.Name, err)
	}
	return told, connections, nil
}

// storeOwn stores an event that came from nowhere but here, if take says in the
// same transaction that it is this process's to store. e may be nil.
func (s *Store) storeOwn(take func(tx) (bool, error), e *event.Event, deliveries []event.Delivery) (taken bool, connections []string, err error) {
	var blob []byte
	if e != nil {
		content, err := appendContent(nil, e)
		if err != nil {
			return false, nil, err
		}
		blob = pack(nil, content)
	}
	var keys []keyed
	if e != nil {
		keys = recordLocks(e)
	}
	for i := range deliveries {
		if d := &deliveries[i]; d.Key != "" && d.State != event.Failed {
			keys = append(keys, keyed{d.Connection, d.Key})
		}
	}
	var touched map[string]bool
	err = s.write(func(tx tx) (err error) {
		touched = map[string]bool{}
		if taken, err = take(tx); err != nil || !taken || e == nil {
			return err
		}
		return s.insertOwn(tx, e, blob, deliveries, touched)
	}, keys...)
	if err != nil {
		return false, nil, err
	}
	return taken, names(touched), nil
}

// takeSignal makes a due signal rest, or forgets it; false: somebody else has.
func takeSignal(tx tx, signal *event.Signal) (taken bool, err error) {
	now := tx.stamp().now
	take := func([]any) error { taken = true; return nil }
	err = tx.query(take, `DELETE FROM signals WHERE name = ?1 AND key = ?2 AND rest = 0 AND count > 0 AND due <= ?3 RETURNING name`, signal.Name, signal.Key, now)
	if err != nil || taken {
		return taken, err
	}
	err = tx.query(take, `UPDATE signals SET count = count - ?4, due = ?3 + rest WHERE name = ?1 AND key = ?2 AND rest > 0 AND count >= ?4 AND due <= ?3 RETURNING name`,
		signal.Name, signal.Key, now, int64(signal.Count))
	return taken, err
}

// insertOwn stores an event that came from nowhere but here.
func (s *Store) insertOwn(tx tx, e *event.Event, blob []byte, deliveries []event.Delivery, touched map[string]bool) error {
	ruleErrors, err := eventErrors(e.Errors)
	if err != nil {
		return err
	}
	err = tx.exec(insertEvent, int64(e.ID), e.Source, int64(0), e.Type, micros(e.ReceivedAt), stateNumber(e.State), nullable(e.Cause), nil,
		e.Plan, string(e.Results), ruleErrors, int64(len(deliveries)), firstOf(e.First, deliveries), blob, reservedOf(e.Reserved))
	if err != nil {
		return fmt.Errorf("insert event %s: %w", e.ID, err)
	}
	if err := acceptRecords(tx, e); err != nil {
		return err
	}
	if err := s.insertMade(tx, deliveries, e.Gathers, touched); err != nil {
		return err
	}
	return notifyAll(tx, touched)
}

// signalsKept is how long it is remembered that a signal was told of, beyond
// its rest.
const signalsKept = time.Hour

// pruneSignals forgets the signals that rest no more and have nothing to tell.
func pruneSignals(tx tx) error {
	return tx.exec(`DELETE FROM signals WHERE count = 0 AND due < ?1`, tx.stamp().now-signalsKept.Microseconds())
}
