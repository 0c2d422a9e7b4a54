package db

import (
	"context"
	"fmt"
	"sync"
	"time"

	"hookgate/internal/event"
)

// Backlog is what waits in the store for one connection.
type Backlog struct {
	Open    int       // waiting, sending and retrying
	Claimed int       // of these, by a process that sends them or is about to
	NextDue time.Time // of those that nobody holds; zero: none
	Oldest  time.Time // when the first open one was accepted; zero: none
}

// countedBacklogs are those that were counted last.
type countedBacklogs struct {
	mu    sync.Mutex
	last  map[string]Backlog
	until time.Time // they serve until then; on the clock of the machine
}

const (
	// manyOpen is how many open deliveries take so long to count that a count is used
	// again.
	manyOpen = 5000
	// countShare is how many times as long as a count took it is used: who asks for it
	// all the time takes a twentieth of a processor, however much waits.
	countShare = 20
)

// Backlogs tells what waits, by connection. Where much waits, what it tells is up to
// countShare times as old as it takes to count. The map is not to be changed.
func (s *Store) Backlogs(ctx context.Context) (map[string]Backlog, error) {
	c := &s.backlogs
	c.mu.Lock()
	defer c.mu.Unlock()
	begun := time.Now()
	if begun.Before(c.until) {
		return c.last, nil
	}
	counted, err := s.countBacklogs(ctx)
	if err != nil {
		return nil, err
	}
	open := 0
	for _, b := range counted {
		open += b.Open
	}
	if c.last, c.until = counted, begun; open >= manyOpen {
		ended := time.Now()
		c.until = ended.Add(countShare * ended.Sub(begun))
	}
	return counted, nil
}

func (s *Store) countBacklogs(ctx context.Context) (map[string]Backlog, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT connection, count(*), count(CASE WHEN owner > 0 THEN 1 END), coalesce(min(CASE WHEN owner = 0 THEN due END), -1), min(id)
		FROM deliveries WHERE state = 0 GROUP BY connection`)
	if err != nil {
		return nil, fmt.Errorf("read backlogs: %w", err)
	}
	defer func() { _ = rows.Close() }()
	backlogs := map[string]Backlog{}
	for rows.Next() {
		var (
			connection string
			due, first int64
			b          Backlog
		)
		if err := rows.Scan(&connection, &b.Open, &b.Claimed, &due, &first); err != nil {
			return nil, fmt.Errorf("read backlogs: %w", err)
		}
		if due >= 0 {
			b.NextDue = time.UnixMicro(due)
		}
		b.Oldest = event.ID(first).Time()
		backlogs[connection] = b
	}
	return backlogs, rows.Err()
}

// Failure sums up what failed of one connection.
type Failure struct {
	Count int
	Error string // of the last one
	Last  time.Time
}

// Failures tells what was accepted since a time and has failed for good, by
// connection. It reads failed deliveries alone, which have an index.
func (s *Store) Failures(ctx context.Context, since time.Time) (map[string]Failure, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT f.connection, f.n, coalesce(d.error, ''), f.last FROM (
			SELECT connection, count(*) AS n, max(id) AS last FROM deliveries WHERE state = 2 AND id >= ?1 GROUP BY connection) f
		JOIN deliveries d ON d.id = f.last`, int64(event.FirstIDAt(since)))
	if err != nil {
		return nil, fmt.Errorf("count failures: %w", err)
	}
	defer func() { _ = rows.Close() }()
	all := map[string]Failure{}
	for rows.Next() {
		var connection string
		var f Failure
		var last event.ID
		if err := rows.Scan(&connection, &f.Count, &f.Error, &last); err != nil {
			return nil, fmt.Errorf("count failures: %w", err)
		}
		f.Last = last.Time().UTC()
		all[connection] = f
	}
	return all, rows.Err()
}
