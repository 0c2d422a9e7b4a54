package db

import (
	"context"
	"fmt"
	"time"

	"hookgate/internal/event"
	"hookgate/internal/memo"
)

// Backlog is what waits in the store for one connection.
type Backlog struct {
	Open    int       // waiting, sending and retrying
	Claimed int       // of these, by a process that sends them or is about to
	NextDue time.Time // of those that nobody holds; zero: none
	Oldest  time.Time // when the first open one was accepted; zero: none
}

// countedBacklogs are those of all connections, as they were counted last.
type countedBacklogs = memo.Memo[struct{}, map[string]Backlog]

const (
	// manyOpen is how many open deliveries take so long to count that a count is used
	// again.
	manyOpen = 5000
	// countLeast is how long it is, at least.
	countLeast = time.Second
	// countOld is the age from which on somebody waits for another count all the same.
	countOld = time.Minute
)

func newCountedBacklogs() *countedBacklogs {
	many := func(counted map[string]Backlog, _ time.Duration) bool {
		open := 0
		for _, b := range counted {
			open += b.Open
		}
		return open >= manyOpen
	}
	return memo.New[struct{}](memo.Options[map[string]Backlog]{Slow: many, Least: countLeast, Old: countOld})
}

// Backlogs tells what waits, by connection. Where much waits, what it tells is a little
// more than [memo.Share] times as old as it takes to count, and counting goes on behind
// the caller's back. The map is not to be changed.
func (s *Store) Backlogs(ctx context.Context) (map[string]Backlog, error) {
	return s.backlogs.Get(ctx, struct{}{}, s.countBacklogs)
}

func (s *Store) countBacklogs(ctx context.Context) (map[string]Backlog, error) {
	// By owner, too: so the rows come in the order of the index.
	rows, err := s.read.QueryContext(ctx, `SELECT connection, owner, count(*), coalesce(min(due), -1), min(id)
		FROM deliveries WHERE state = 0 GROUP BY owner, connection`)
	if err != nil {
		return nil, fmt.Errorf("read backlogs: %w", err)
	}
	defer func() { _ = rows.Close() }()
	backlogs := map[string]Backlog{}
	for rows.Next() {
		var (
			connection        string
			owner, due, first int64
			open              int
		)
		if err := rows.Scan(&connection, &owner, &open, &due, &first); err != nil {
			return nil, fmt.Errorf("read backlogs: %w", err)
		}
		b := backlogs[connection]
		b.Open += open
		switch {
		case owner > 0:
			b.Claimed += open
		case due >= 0:
			b.NextDue = time.UnixMicro(due)
		}
		if oldest := event.ID(first).Time(); b.Oldest.IsZero() || oldest.Before(b.Oldest) {
			b.Oldest = oldest
		}
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
