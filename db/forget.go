package db

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"hookgate/internal/event"
)

const (
	// forgetBatch is how many events one transaction of Forget deletes: it
	// stands between the accepts of others.
	forgetBatch = 20
	// forgetTries is how often a batch is begun again whose ordering keys had
	// changed before they could be locked.
	forgetTries = 5
)

// errKeysChanged reports that an event got deliveries under ordering keys that
// the transaction did not lock.
var errKeysChanged = errors.New("the ordering keys of an event have just changed")

// Footprint counts what Forget would delete with some events.
func (s *Store) Footprint(ctx context.Context, ids []event.ID) (event.Footprint, error) {
	var t event.Footprint
	for page := range slices.Chunk(ids, switchBatch) {
		one, err := s.tracePage(ctx, page)
		if err != nil {
			return t, fmt.Errorf("count what is stored of events: %w", err)
		}
		t = t.Add(one)
	}
	return t, nil
}

func (s *Store) tracePage(ctx context.Context, ids []event.ID) (t event.Footprint, err error) {
	c := &conditions{}
	c.in("event", eventValues(ids))
	where := c.where()
	row := s.read.QueryRowContext(ctx, `SELECT count(*), CAST(coalesce(sum(deliveries), 0) AS BIGINT) FROM events WHERE id`+where[len(" WHERE event"):], c.args...)
	if err := row.Scan(&t.Events, &t.Deliveries); err != nil {
		return t, err
	}
	var replayed int
	if err := s.read.QueryRowContext(ctx, `SELECT CAST(coalesce(sum(deliveries), 0) AS BIGINT) FROM replays`+where, c.args...).Scan(&replayed); err != nil {
		return t, err
	}
	t.Deliveries += replayed
	if err := s.read.QueryRowContext(ctx, `SELECT count(*) FROM deliveries`+where+` AND state = 0`, c.args...).Scan(&t.Open); err != nil {
		return t, err
	}
	row = s.read.QueryRowContext(ctx, `SELECT count(*), CAST(coalesce(sum(size), 0) AS BIGINT) FROM files`+where, c.args...)
	return t, row.Scan(&t.Files, &t.Bytes)
}

func eventValues(ids []event.ID) []any {
	values := make([]any, len(ids))
	for i, id := range ids {
		values[i] = int64(id)
	}
	return values
}

// Erase deletes events with all that is stored of them: deliveries, also open
// ones, their attempts, what replays did, and the keys by which a repeat is
// recognised. Their files become removable. What waited behind an open
// delivery's ordering key may go; the result of one that is being sent finds
// nothing and changes nothing. It returns what it deleted, also with an error,
// and the connections that now have something to send. It works in small
// transactions beside the traffic; what is gone already is left out, so that it
// can be called again after an interruption.
func (s *Store) Erase(ctx context.Context, ids []event.ID) (event.Footprint, []string, error) {
	var total event.Footprint
	touched := map[string]bool{}
	marks, err := s.dedupeOf(ctx, ids)
	if err != nil {
		return total, nil, err
	}
	for page := range slices.Chunk(slices.Sorted(slices.Values(ids)), forgetBatch) {
		if err := ctx.Err(); err != nil {
			return total, names(touched), err
		}
		one, connections, err := s.forgetPage(ctx, page, marks)
		if err != nil {
			return total, names(touched), fmt.Errorf("delete events: %w", err)
		}
		total = total.Add(one)
		for c := range connections {
			touched[c] = true
		}
	}
	return total, names(touched), nil
}

// forgetPage deletes a page of events in one transaction.
func (s *Store) forgetPage(ctx context.Context, page []event.ID, marks map[event.ID][]dedupeMark) (event.Footprint, map[string]bool, error) {
	for try := 1; ; try++ {
		keys, err := s.keysOf(ctx, page)
		if err != nil {
			return event.Footprint{}, nil, err
		}
		f := &forgetting{store: s, keys: keys, marks: marks}
		if err = s.write(func(tx tx) error { return f.run(tx, page) }, keys...); err == nil { //nolint:contextcheck // as in Erase
			return f.gone, f.touched, nil
		}
		if !errors.Is(err, errKeysChanged) || try == forgetTries {
			return event.Footprint{}, nil, err
		}
	}
}

// keysOf are the ordering keys of the events' deliveries.
func (s *Store) keysOf(ctx context.Context, ids []event.ID) ([]keyed, error) {
	c := &conditions{}
	c.in("event", eventValues(ids))
	rows, err := s.read.QueryContext(ctx, `SELECT DISTINCT connection, key FROM deliveries`+c.where()+` AND state = 0 AND key IS NOT NULL`, c.args...)
	if err != nil {
		return nil, fmt.Errorf("look for ordering keys: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var keys []keyed
	for rows.Next() {
		var k keyed
		if err := rows.Scan(&k.connection, &k.key); err != nil {
			return nil, fmt.Errorf("look for ordering keys: %w", err)
		}
		keys = append(keys, k)
	}
	return keys, rows.Err()
}

// dedupeMark is the key of a row of table dedupe.
type dedupeMark struct {
	source string
	key    []byte
}

// dedupeOf are the keys that stand for each of the events. There is no index
// by event: the table is gone through beside the writer.
func (s *Store) dedupeOf(ctx context.Context, ids []event.ID) (map[event.ID][]dedupeMark, error) {
	marks := map[event.ID][]dedupeMark{}
	for page := range slices.Chunk(ids, switchBatch) {
		if err := s.addDedupe(ctx, page, marks); err != nil {
			return nil, fmt.Errorf("look for keys of repeats: %w", err)
		}
	}
	return marks, nil
}

func (s *Store) addDedupe(ctx context.Context, ids []event.ID, marks map[event.ID][]dedupeMark) error {
	c := &conditions{}
	c.in("event", eventValues(ids))
	rows, err := s.read.QueryContext(ctx, `SELECT source, key, event FROM dedupe`+c.where(), c.args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var m dedupeMark
		var id event.ID
		if err := rows.Scan(&m.source, &m.key, &id); err != nil {
			return err
		}
		marks[id] = append(marks[id], m)
	}
	return rows.Err()
}
