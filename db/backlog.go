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
	mu      sync.Mutex
	last    map[string]Backlog
	begun   time.Time // when they were counted, on the clock of the machine
	until   time.Time // they serve until then, as they are
	slow    bool      // so much waits that nobody is to wait for a count
	renewed bool      // somebody counts
	behind  sync.WaitGroup
	stop    context.CancelFunc // ends that count; nil: there was none
}

const (
	// manyOpen is how many open deliveries take so long to count that a count is used
	// again.
	manyOpen = 5000
	// countShare is how many times as long as a count took it is used: who asks for it
	// all the time takes a twentieth of a processor, however much waits.
	countShare = 20
	// countOld is the age from which on somebody waits for another count all the same,
	// and countTime how long one may take that nobody waits for.
	countOld, countTime = time.Minute, 5 * time.Minute
)

// Backlogs tells what waits, by connection. Where much waits, what it tells is a little
// more than countShare times as old as it takes to count, and counting goes on behind
// the caller's back. The map is not to be changed.
func (s *Store) Backlogs(ctx context.Context) (map[string]Backlog, error) {
	c := &s.backlogs
	c.mu.Lock()
	defer c.mu.Unlock()
	begun := time.Now()
	switch {
	case begun.Before(c.until):
		return c.last, nil
	case c.slow && begun.Sub(c.begun) < countOld:
		if !c.renewed {
			c.renewed = true
			var behind context.Context
			behind, c.stop = context.WithTimeout(context.WithoutCancel(ctx), countTime)
			c.behind.Go(func() { s.renewBacklogs(behind) })
		}
		return c.last, nil
	}
	counted, err := s.countBacklogs(ctx)
	if err == nil {
		c.keep(counted, begun)
	}
	return counted, err
}

// renewBacklogs counts for those who ask later.
func (s *Store) renewBacklogs(ctx context.Context) {
	begun := time.Now()
	counted, err := s.countBacklogs(ctx)
	c := &s.backlogs
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stop()
	c.renewed = false
	if err == nil && begun.After(c.begun) { // else the next who asks counts
		c.keep(counted, begun)
	}
}

// end has nobody count any more, and waits for who does.
func (c *countedBacklogs) end() {
	c.mu.Lock()
	if c.stop != nil {
		c.stop()
	}
	c.mu.Unlock()
	c.behind.Wait()
}

// keep keeps a count that was begun then.
func (c *countedBacklogs) keep(counted map[string]Backlog, begun time.Time) {
	open := 0
	for _, b := range counted {
		open += b.Open
	}
	c.last, c.begun, c.until, c.slow = counted, begun, begun, open >= manyOpen
	if c.slow {
		ended := time.Now()
		c.until = ended.Add(countShare * ended.Sub(begun))
	}
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
