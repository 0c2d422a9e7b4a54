package db

import (
	"context"
	"fmt"

	"hookgate/app/event"
)

// pruneLock, with the schema's number, is held by the replica that prunes.
const pruneLock = 0x7072756e

// prune deletes old events as pruneOlder does, a page in one statement, beside
// the committer. While another replica prunes it does nothing.
func (e *postgres) prune(ctx context.Context, before event.ID, condition string) (int, error) {
	total, cursor := 0, int64(0)
	for ctx.Err() == nil {
		seen, deleted, err := e.prunePage(ctx, &cursor, int64(before), condition)
		total += deleted
		if err != nil || seen < pruneBatch {
			return total, err
		}
	}
	return total, ctx.Err()
}

func (e *postgres) prunePage(ctx context.Context, cursor *int64, before int64, condition string) (seen, deleted int, err error) {
	tx, err := e.side.BeginTx(ctx, nil)
	if err != nil {
		return 0, 0, fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // without effect after the commit
	var mine bool
	if err := tx.QueryRowContext(ctx, `SELECT pg_try_advisory_xact_lock($1)`, e.schema^pruneLock).Scan(&mine); err != nil {
		return 0, 0, fmt.Errorf("lock: %w", err)
	}
	if !mine {
		return 0, 0, nil
	}
	last := *cursor
	err = tx.QueryRowContext(ctx, prunePageQuery(condition),
		*cursor, before, pruneBatch).Scan(&seen, &deleted, &last)
	if err != nil {
		return 0, 0, err
	}
	if err := tx.Commit(); err != nil {
		return 0, 0, fmt.Errorf("commit: %w", err)
	}
	*cursor = last
	return seen, deleted, nil
}

// prunePageQuery is one statement for a page, unlike on SQLite: each statement
// costs a journey to the server. A delivery that is opened again at this moment
// keeps its row, by the condition in the DELETE itself.
//
// Everything is looked up by its own key. As joins over ranges of keys the
// planner takes them for wide, and reads the whole table for each page once
// there is some history.
func prunePageQuery(condition string) string {
	return `WITH page AS (
			SELECT id, first, first + deliveries AS past FROM events WHERE id > $1 AND id < $2 AND ` + condition + ` ORDER BY id LIMIT $3),
		gone AS (
			SELECT * FROM page WHERE (SELECT d.id FROM deliveries d WHERE d.id >= page.first AND d.id < page.past AND d.state IN (0, 2) LIMIT 1) IS NULL
			AND NOT EXISTS (SELECT 1 FROM replays r WHERE r.event = page.id
				AND (SELECT d.id FROM deliveries d WHERE d.id >= r.first AND d.id < r.first + r.deliveries AND d.state IN (0, 2) LIMIT 1) IS NOT NULL)),
		old AS (SELECT generate_series(first, past - 1) AS id FROM gone UNION ALL
			SELECT generate_series(first, first + deliveries - 1) FROM replays WHERE event = ANY (ARRAY(SELECT id FROM gone))),
		r AS (DELETE FROM replays WHERE event = ANY (ARRAY(SELECT id FROM gone))),
		a AS (DELETE FROM attempts WHERE delivery = ANY (ARRAY(SELECT id FROM old))),
		d AS (DELETE FROM deliveries WHERE id = ANY (ARRAY(SELECT id FROM old)) AND state IN (1, 3)),
		f AS (UPDATE files SET event = 0 WHERE event = ANY (ARRAY(SELECT id FROM gone))),
		e AS (DELETE FROM events WHERE id = ANY (ARRAY(SELECT id FROM gone)) RETURNING 1)
		SELECT (SELECT count(*) FROM page), (SELECT count(*) FROM e), (SELECT coalesce(max(id), 0) FROM page)`
}
