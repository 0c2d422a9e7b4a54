package db

import (
	"context"
	"fmt"
	"time"

	"hookgate/internal/event"
)

// keepTraffic is how long counts of events and attempts are kept: what the
// charts show, and what is usual for a source.
const keepTraffic = 36 * 24 * time.Hour

const addTraffic = `INSERT INTO traffic (slot, of_what, name, result, count)
	SELECT CAST(j.value ->> 0 AS bigint), CAST(j.value ->> 1 AS bigint), j.value ->> 2, j.value ->> 3, CAST(j.value ->> 4 AS bigint)
	FROM %s WHERE true ON CONFLICT (slot, of_what, name, result) DO UPDATE SET count = traffic.count + excluded.count`

// AddTraffic adds counts to those of the other processes, and of those before.
func (s *Store) AddTraffic(list []event.TrafficCount) error {
	err := s.write(func(tx tx) error { return s.addTraffic(tx, list) })
	if err != nil {
		return fmt.Errorf("keep counts of events: %w", err)
	}
	return nil
}

func (s *Store) addTraffic(tx tx, list []event.TrafficCount) error {
	type key struct {
		of           event.TrafficOf
		name, result string
		slot         int64
	}
	sums := map[key]int{} // one statement may meet a row once only
	for _, c := range list {
		sums[key{c.Of, c.Name, c.Result, c.Slot}] += c.Count
	}
	rows := make([][]any, 0, len(sums))
	for k, count := range sums {
		if count > 0 {
			rows = append(rows, []any{k.slot, int(k.of), k.name, k.result, count})
		}
	}
	return s.addRows(tx, rows, fmt.Sprintf(addTraffic, s.read.dialect.each))
}

// attemptTraffic is what counts of attempts say of the connections' traffic.
func attemptTraffic(counts []event.AttemptCount) []event.TrafficCount {
	list := make([]event.TrafficCount, 0, 2*len(counts))
	for _, c := range counts {
		list = append(list,
			event.TrafficCount{Of: event.ToConnection, Name: c.Connection, Slot: c.Slot, Result: string(event.Delivered), Count: c.Attempts - c.Failed},
			event.TrafficCount{Of: event.ToConnection, Name: c.Connection, Slot: c.Slot, Result: string(event.Failed), Count: c.Failed})
	}
	return list
}

// Traffic sums up the counts from slot since on, by as many slots as per says:
// Slot is the first of them, counted from slot 0.
func (s *Store) Traffic(ctx context.Context, since, per int64) ([]event.TrafficCount, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT slot / ?2 * ?2, of_what, name, result, CAST(sum(count) AS bigint)
		FROM traffic WHERE slot >= ?1 GROUP BY slot / ?2 * ?2, of_what, name, result`, since, per)
	if err != nil {
		return nil, fmt.Errorf("read counts of events: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var list []event.TrafficCount
	for rows.Next() {
		var c event.TrafficCount
		if err := rows.Scan(&c.Slot, &c.Of, &c.Name, &c.Result, &c.Count); err != nil {
			return nil, fmt.Errorf("read counts of events: %w", err)
		}
		list = append(list, c)
	}
	return list, rows.Err()
}

// LastTraffic is the last slot in which anything came from each source, as far as it is
// counted.
func (s *Store) LastTraffic(ctx context.Context) (map[string]int64, error) {
	return maxima[int64](ctx, s, `SELECT name, max(slot) FROM traffic WHERE of_what = ?1 GROUP BY name`, int(event.FromSource))
}

// LastEvents is the newest stored event of each of the sources.
func (s *Store) LastEvents(ctx context.Context, sources []string) (map[string]event.ID, error) {
	list, err := rowsOf(sources)
	if err != nil {
		return nil, err
	}
	return maxima[event.ID](ctx, s, `SELECT source, last FROM (SELECT j.value ->> 0 AS source, (SELECT max(e.id) FROM events e WHERE e.source = j.value ->> 0) AS last
		FROM `+s.dialect.each+`) AS each WHERE last IS NOT NULL`, list)
}

// maxima reads rows of a name and a number.
func maxima[N ~int64](ctx context.Context, s *Store, query string, args ...any) (map[string]N, error) {
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("look for what came last: %w", err)
	}
	defer func() { _ = rows.Close() }()
	all := map[string]N{}
	for rows.Next() {
		var name string
		var last N
		if err := rows.Scan(&name, &last); err != nil {
			return nil, fmt.Errorf("look for what came last: %w", err)
		}
		all[name] = last
	}
	return all, rows.Err()
}
