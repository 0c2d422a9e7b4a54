package db

import (
	"context"
	"database/sql"
	"fmt"

	"hookgate/internal/event"
)

// pruneLock, with the schema's number, is held by the replica that prunes.
const pruneLock = 0x7072756e

// prune deletes a page in one transaction beside the committer. While another
// replica prunes it does nothing.
func (e *postgres) prune(ctx context.Context, _ pool, _ writer, before event.ID, part kept) (int, error) {
	total, cursor := 0, int64(0)
	for ctx.Err() == nil {
		seen, deleted, err := e.prunePage(ctx, &cursor, int64(before), part.condition)
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
	if mine, err := e.pruning(ctx, tx); err != nil || !mine {
		return 0, 0, err
	}
	page, err := lockPage(ctx, tx, lockPageQuery(condition), *cursor, before, pruneBatch)
	if err != nil || len(page) == 0 {
		return 0, 0, err
	}
	if err := tx.QueryRowContext(ctx, prunePageQuery, page).Scan(&deleted); err != nil {
		return 0, 0, err
	}
	if err := tx.Commit(); err != nil {
		return 0, 0, fmt.Errorf("commit: %w", err)
	}
	*cursor = page[len(page)-1]
	return len(page), deleted, nil
}

// pruning reports whether it is this replica that prunes, until tx ends.
func (e *postgres) pruning(ctx context.Context, tx *sql.Tx) (mine bool, err error) {
	if err := tx.QueryRowContext(ctx, `SELECT pg_try_advisory_xact_lock($1)`, e.schema^pruneLock).Scan(&mine); err != nil {
		return false, fmt.Errorf("lock: %w", err)
	}
	return mine, nil
}

// lockPage locks the next rows and gives their numbers, in their order.
func lockPage(ctx context.Context, tx *sql.Tx, query string, args ...any) (page []int64, err error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("look for what is old: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("look for what is old: %w", err)
		}
		page = append(page, id)
	}
	return page, rows.Err()
}

// lockPageQuery locks a page of the events that meet condition: $1 the one
// before, $2 the end, $3 how many. It passes over those to which another
// replica is just giving deliveries, by a replay, by releasing a post, or by
// sending one again: they hold the event, see dialect.hold. One that comes later
// waits, and then finds no event any more.
func lockPageQuery(condition string) string {
	return `SELECT id FROM events WHERE id > $1 AND id < $2 AND ` + condition + ` ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED`
}

// prunePageQuery deletes what may go of the events $1, which are locked, and
// counts them. It is one statement, unlike on SQLite: each costs a journey to
// the server. And it is not that of lockPageQuery: it has to see what was
// committed before the lock. The state of deliveries is asked once more for the
// sake of a replica of a version that does not hold the event.
//
// Everything is looked up by its own key. As joins over ranges of keys the
// planner takes them for wide, and reads the whole table for each page once
// there is some history.
const prunePageQuery = `WITH page AS (
		SELECT id, first, first + coalesce(reserved, deliveries) AS past FROM events WHERE id = ANY ($1::bigint[])),
	gone AS (
		SELECT * FROM page WHERE (SELECT d.id FROM deliveries d WHERE d.id >= page.first AND d.id < page.past AND d.state IN (0, 2, 4) LIMIT 1) IS NULL
		AND (SELECT t.id FROM timers t WHERE t.id <= -page.first AND t.id > -page.past LIMIT 1) IS NULL
		AND NOT EXISTS (SELECT 1 FROM digest_items i WHERE i.event = page.id AND ` + ofOpenDigest + `)
		AND NOT EXISTS (SELECT 1 FROM replays r WHERE r.event = page.id
			AND ((SELECT d.id FROM deliveries d WHERE d.id >= r.first AND d.id < r.first + coalesce(r.reserved, r.deliveries) AND d.state IN (0, 2, 4) LIMIT 1) IS NOT NULL
				OR (SELECT t.id FROM timers t WHERE t.id <= -r.first AND t.id > -r.first - coalesce(r.reserved, r.deliveries) LIMIT 1) IS NOT NULL))),
	old AS (SELECT generate_series(first, past - 1) AS id FROM gone UNION ALL
		SELECT generate_series(first, first + coalesce(reserved, deliveries) - 1) FROM replays WHERE event = ANY (ARRAY(SELECT id FROM gone))),
	r AS (DELETE FROM replays WHERE event = ANY (ARRAY(SELECT id FROM gone))),
	a AS (DELETE FROM attempts WHERE delivery = ANY (ARRAY(SELECT id FROM old))),
	d AS (DELETE FROM deliveries WHERE id = ANY (ARRAY(SELECT id FROM old)) AND state IN (1, 3)),
	g AS (DELETE FROM digest_items WHERE event = ANY (ARRAY(SELECT id FROM gone))),
	f AS (UPDATE files SET event = 0 WHERE event = ANY (ARRAY(SELECT id FROM gone))),
	e AS (DELETE FROM events WHERE id = ANY (ARRAY(SELECT id FROM gone)) RETURNING 1)
	SELECT count(*) FROM e`
