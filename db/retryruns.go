package db

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"hookgate/internal/event"
)

// keepRetryRuns is how long what came of a retry run is kept.
const keepRetryRuns = 90 * 24 * time.Hour

// CreateRetryRun stores a new run.
func (s *Store) CreateRetryRun(r *event.RetryRun) error {
	doc, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode the run %s: %w", r.ID, err)
	}
	err = s.write(func(tx tx) error {
		return tx.exec(`INSERT INTO retry_runs (id, active, version, doc) VALUES (?1, ?2, 1, ?3)`, int64(r.ID), activity(r), string(doc))
	})
	if err != nil {
		return fmt.Errorf("begin the run %s: %w", r.ID, err)
	}
	r.Version = 1
	return nil
}

// What the column active says of a run: nothing is left, it is being done, or it can go on.
const runEnded, runActive, runStands = 0, 1, 2

func activity(r *event.RetryRun) int64 {
	switch {
	case r.State == event.RetryRunning:
		return runActive
	case r.State.Left():
		return runStands
	default:
		return runEnded
	}
}

// UpdateRetryRun stores a run that was changed since it was read, and gives it
// its next version. It reports false, and stores nothing, where somebody else has
// changed it since.
func (s *Store) UpdateRetryRun(r *event.RetryRun) (ok bool, err error) {
	doc, err := json.Marshal(r)
	if err != nil {
		return false, fmt.Errorf("encode the run %s: %w", r.ID, err)
	}
	err = s.write(func(tx tx) error {
		ok = false
		return tx.query(func([]any) error { ok = true; return nil },
			`UPDATE retry_runs SET active = ?2, version = version + 1, doc = ?3 WHERE id = ?1 AND version = ?4 RETURNING id`, int64(r.ID), activity(r), string(doc), r.Version)
	})
	if err != nil {
		return false, fmt.Errorf("go on with the run %s: %w", r.ID, err)
	}
	if ok {
		r.Version++
	}
	return ok, nil
}

// RetryRun is one run; event.ErrNotFound if there is none.
func (s *Store) RetryRun(ctx context.Context, id event.RunID) (event.RetryRun, error) {
	list, err := s.retryRuns(ctx, ` WHERE id = ?1`, int64(id))
	if err == nil && len(list) == 0 {
		err = event.ErrNotFound
	}
	if err != nil {
		return event.RetryRun{}, fmt.Errorf("retry run %s: %w", id, err)
	}
	return list[0], nil
}

// RetryRuns are the runs that f selects.
func (s *Store) RetryRuns(ctx context.Context, f event.RunFilter) ([]event.RetryRun, error) {
	least := runEnded
	if f.Left {
		least = runActive
	}
	return s.retryRuns(ctx, ` WHERE active >= ?1 AND (id < ?2 OR ?2 = 0) ORDER BY id DESC LIMIT ?3`, least, int64(f.Before), limitOr(f.Limit))
}

// ActiveRetryRuns are the runs that are being done, the oldest first, so many as a page has.
func (s *Store) ActiveRetryRuns(ctx context.Context) ([]event.RetryRun, error) {
	return s.retryRuns(ctx, ` WHERE active = ?1 ORDER BY id LIMIT ?2`, runActive, pageLimit)
}

func (s *Store) retryRuns(ctx context.Context, which string, args ...any) ([]event.RetryRun, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT id, version, doc FROM retry_runs`+which, args...)
	if err != nil {
		return nil, fmt.Errorf("list retry runs: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var list []event.RetryRun
	for rows.Next() {
		var id, version int64
		var doc string
		if err := rows.Scan(&id, &version, &doc); err != nil {
			return nil, fmt.Errorf("list retry runs: %w", err)
		}
		var r event.RetryRun
		if err := json.Unmarshal([]byte(doc), &r); err != nil {
			return nil, fmt.Errorf("read the run %s: %w", event.RunID(id), err)
		}
		r.ID, r.Version = event.RunID(id), version
		list = append(list, r)
	}
	return list, rows.Err()
}
