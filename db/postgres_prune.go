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
	// Unlike on SQLite this is one statement for a page: each statement costs a
	// journey to the server. A delivery that is opened again at this moment
	// keeps its row, by the condition in the DELETE itself.
	last := *cursor
	err = tx.QueryRowContext(ctx, `WITH page AS (
			SELECT id, first, first + deliveries AS past FROM events WHERE id > $1 AND id < $2 AND `+condition+` ORDER BY id LIMIT $3),
		gone AS (
			SELECT * FROM page WHERE NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.id >= page.first AND d.id < page.past AND d.state IN (0, 2))),
		a AS (DELETE FROM attempts USING gone WHERE delivery >= gone.first AND delivery < gone.past),
		d AS (DELETE FROM deliveries USING gone WHERE deliveries.id >= gone.first AND deliveries.id < gone.past AND state IN (1, 3)),
		e AS (DELETE FROM events USING gone WHERE events.id = gone.id RETURNING 1)
		SELECT (SELECT count(*) FROM page), (SELECT count(*) FROM e), (SELECT coalesce(max(id), 0) FROM page)`,
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
