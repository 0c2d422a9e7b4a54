package db

import (
	"context"
	"fmt"
	"time"

	"hookgate/internal/event"
)

// pruneBatch is how many events one transaction of Prune looks at, pruneBytes after how
// many bytes of what is packed of them it looks at no more, and pruneKeys how many keys
// and records one deletes.
const pruneBatch, pruneBytes, pruneKeys = 500, 4 << 20, 2000

// keepHealth is how long counts of attempts are kept: they tell of one day.
const keepHealth = 25 * time.Hour

// Retention says how old things may grow; zero keeps them for ever.
type Retention struct {
	Events      time.Duration // webhook events
	Submissions time.Duration // form posts
	Spam        time.Duration // with posts that were rejected
	Files       time.Duration // of form posts; also gone with their post
}

// kept is one kind of events, how old they may grow, and the index of SQLite that leads
// to them; "": that of the ids.
type kept struct {
	age       time.Duration
	condition string
	index     string
}

// parts are the kinds of events: of webhooks, form posts, and spam.
func (r *Retention) parts() [3]kept {
	return [3]kept{
		{r.Events, "form = 0", ""},
		{r.Submissions, "form = 1 AND state NOT IN (3, 5)", " INDEXED BY events_form"},
		{r.Spam, "form = 1 AND state >= 2 AND state IN (3, 5)", " INDEXED BY events_rare"},
	}
}

// Prunable counts what Prune would delete: webhook events, form posts and spam.
func (s *Store) Prunable(ctx context.Context, r Retention) (counts [3]int, err error) {
	const delivered = ` AND (SELECT d.id FROM deliveries d WHERE d.id >= e.first AND d.id < e.first + coalesce(e.reserved, e.deliveries) AND d.state IN (0, 2, 4) LIMIT 1) IS NULL
		AND (SELECT t.id FROM timers t WHERE t.id <= -e.first AND t.id > -e.first - coalesce(e.reserved, e.deliveries) LIMIT 1) IS NULL
		AND NOT EXISTS (SELECT 1 FROM replays r WHERE r.event = e.id
			AND ((SELECT d.id FROM deliveries d WHERE d.id >= r.first AND d.id < r.first + coalesce(r.reserved, r.deliveries) AND d.state IN (0, 2, 4) LIMIT 1) IS NOT NULL
				OR (SELECT t.id FROM timers t WHERE t.id <= -r.first AND t.id > -r.first - coalesce(r.reserved, r.deliveries) LIMIT 1) IS NOT NULL))
		AND NOT EXISTS (SELECT 1 FROM digest_items i WHERE i.event = e.id AND ` + ofOpenDigest + `)`
	for i, part := range r.parts() {
		if part.age <= 0 {
			continue
		}
		row := s.read.QueryRowContext(ctx, `SELECT count(*) FROM events e WHERE e.id < ?1 AND `+part.condition+delivered, int64(event.FirstIDAt(s.now().Add(-part.age))))
		if err := row.Scan(&counts[i]); err != nil {
			return counts, fmt.Errorf("count old events: %w", err)
		}
	}
	return counts, nil
}

// Prune deletes events older than r allows, with their deliveries and
// attempts, and gives the space back. It keeps every event that has a delivery
// which has not ended or has failed, or that something else still comes after,
// however old. It works in small transactions beside the traffic and can be
// interrupted at any time.
func (s *Store) Prune(ctx context.Context, r Retention) (int, error) {
	total := 0
	for _, part := range r.parts() {
		if part.age <= 0 {
			continue
		}
		n, err := s.engine.prune(ctx, s.read, func(do func(tx) error) error { return s.write(do) }, event.FirstIDAt(s.now().Add(-part.age)), part)
		total += n
		if err != nil {
			return total, fmt.Errorf("delete old events: %w", err)
		}
	}
	if r.Files > 0 {
		if err := s.expireFiles(ctx, event.FirstIDAt(s.now().Add(-r.Files))); err != nil {
			return total, err
		}
	}
	if err := s.pruneExpired(ctx); err != nil {
		return total, fmt.Errorf("delete old keys: %w", err)
	}
	if err := s.write(s.pruneCounts); err != nil {
		return total, fmt.Errorf("delete old counts: %w", err)
	}
	if g := s.SharedLimits(); g != nil { // of connections that are gone
		if err := g.exec(ctx, `DELETE FROM gates WHERE greatest(next, retry, probing, paused) < now_us() - 86400000000`); err != nil {
			return total, fmt.Errorf("delete old gates: %w", err)
		}
	}
	if err := s.pruneRuns(r); err != nil {
		return total, err
	}
	if _, err := s.DropPlans(ctx); err != nil {
		return total, err
	}
	return total, nil
}

// pruneExpired deletes the keys and records whose time is over, a part in each
// transaction: there can be millions.
func (s *Store) pruneExpired(ctx context.Context) error {
	for _, t := range []struct{ table, key string }{{"dedupe", "source, key"}, {"memory", "connection, key"}, {"records", "tbl, key"}} {
		for n := pruneKeys; n == pruneKeys; {
			if err := ctx.Err(); err != nil {
				return err
			}
			err := s.write(func(tx tx) error {
				n = 0
				return tx.query(func([]any) error { n++; return nil },
					`DELETE FROM `+t.table+` WHERE (`+t.key+`) IN (SELECT `+t.key+` FROM `+t.table+` WHERE expires <= ?1 LIMIT ?2) RETURNING 1`, tx.stamp().now, int64(pruneKeys))
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// pruneCounts deletes what is kept for a time of its own, and is little.
func (s *Store) pruneCounts(tx tx) error {
	if err := tx.exec(`DELETE FROM health WHERE slot < ?1`, event.HealthSlotAt(s.now().Add(-keepHealth))); err != nil {
		return err
	}
	if err := tx.exec(`DELETE FROM traffic WHERE slot < ?1`, event.HealthSlotAt(s.now().Add(-keepTraffic))); err != nil {
		return err
	}
	if err := tx.exec(`DELETE FROM retry_runs WHERE active <> ?2 AND id < ?1`, int64(event.FirstIDAt(s.now().Add(-keepRetryRuns))), int64(runActive)); err != nil {
		return err
	}
	return pruneSignals(tx)
}

// pruneRuns deletes the runs of replays whose events have all become too old.
func (s *Store) pruneRuns(r Retention) error {
	if min(r.Events, r.Submissions, r.Spam) <= 0 { // some are kept for ever
		return nil
	}
	age := max(r.Events, r.Submissions, r.Spam)
	before := event.FirstIDAt(s.now().Add(-age))
	err := s.write(func(tx tx) error {
		return tx.exec(`DELETE FROM replay_runs WHERE id < ?1`, int64(before))
	})
	if err != nil {
		return fmt.Errorf("delete old replays: %w", err)
	}
	return nil
}

// prune finds a page of events beside the writer, and deletes it in a transaction of the
// committer: what there is to delete can be little, and what has to be read to find that
// much.
func (e *sqlite) prune(ctx context.Context, read pool, write writer, before event.ID, part kept) (int, error) {
	total, cursor := 0, int64(0)
	for {
		page, err := oldEvents(ctx, read, cursor, int64(before), part)
		if err != nil || len(page) == 0 {
			return total, err
		}
		deleted := 0
		err = write(func(tx tx) (err error) {
			deleted, err = e.pruneEvents(tx, page, part.condition)
			return err
		})
		total += deleted
		if err != nil {
			return total, err
		}
		cursor = page[len(page)-1]
	}
}

// oldEvents are the next events of a kind after cursor and before an id: at most
// pruneBatch, up to the one with which they have more than pruneBytes.
func oldEvents(ctx context.Context, read pool, cursor, before int64, part kept) (page []int64, err error) {
	rows, err := read.QueryContext(ctx, `SELECT id, coalesce(length(content), 0) FROM events`+part.index+` WHERE id > ?1 AND id < ?2 AND `+part.condition+` ORDER BY id LIMIT ?3`, cursor, before, int64(pruneBatch))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for bytes := int64(0); bytes <= pruneBytes && rows.Next(); {
		var id, length int64
		if err := rows.Scan(&id, &length); err != nil {
			return nil, err
		}
		page, bytes = append(page, id), bytes+length
	}
	return page, rows.Err()
}

// pruneEvents deletes what may go of the events: those that still are of the kind.
func (e *sqlite) pruneEvents(tx tx, page []int64, condition string) (deleted int, err error) {
	for _, id := range page {
		first, behind, found := int64(0), int64(0), false
		err := tx.query(func(row []any) error {
			first, found = row[0].(int64), true
			behind = first + row[1].(int64)
			return nil
		}, `SELECT first, coalesce(reserved, deliveries) FROM events WHERE id = ?1 AND `+condition, id)
		if err != nil {
			return 0, err
		}
		if !found {
			continue
		}
		gone, err := pruneEvent(tx, id, first, behind)
		if err != nil {
			return 0, err
		}
		if gone {
			deleted++
		}
	}
	if deleted > 0 {
		if err := tx.query(nil, fmt.Sprintf(`PRAGMA incremental_vacuum(%d)`, vacuumPages)); err != nil {
			return 0, err
		}
		e.besides += vacuumPages * pageSize
	}
	return deleted, nil
}

// ofOpenDigest is true of a row i of digest_items whose digest is open, or was not
// delivered: what was made of it may have to be made again.
const ofOpenDigest = `(EXISTS (SELECT 1 FROM timers t WHERE t.id = i.digest AND t.kind = 2) OR EXISTS (SELECT 1 FROM deliveries d WHERE d.id = i.digest AND d.state IN (0, 2, 4)))`

// pruneEvent deletes the event with its deliveries, numbered from first to
// before end, and with those of its replays, unless one of them is undelivered or it is gathered.
func pruneEvent(tx tx, id, first, end int64) (bool, error) {
	spans := [][2]int64{{first, end}}
	err := tx.query(func(row []any) error {
		first := row[0].(int64)
		spans = append(spans, [2]int64{first, first + row[1].(int64)})
		return nil
	}, `SELECT first, coalesce(reserved, deliveries) FROM replays WHERE event = ?1`, id)
	if err != nil {
		return false, err
	}
	for _, span := range spans {
		undelivered := false
		err := tx.query(func([]any) error { undelivered = true; return nil },
			`SELECT 1 WHERE EXISTS (SELECT 1 FROM deliveries WHERE id >= ?1 AND id < ?2 AND state IN (0, 2, 4)) OR EXISTS (SELECT 1 FROM timers WHERE id <= -?1 AND id > -?2)`, span[0], span[1])
		if err != nil || undelivered {
			return false, err
		}
	}
	gathered := false
	if err := tx.query(func([]any) error { gathered = true; return nil }, `SELECT 1 FROM digest_items i WHERE i.event = ?1 AND `+ofOpenDigest+` LIMIT 1`, id); err != nil || gathered {
		return false, err
	}
	for _, span := range spans {
		for _, query := range []string{
			`DELETE FROM attempts WHERE delivery >= ?1 AND delivery < ?2`,
			`DELETE FROM deliveries WHERE id >= ?1 AND id < ?2`,
		} {
			if err := tx.exec(query, span[0], span[1]); err != nil {
				return false, err
			}
		}
	}
	if err := tx.exec(`DELETE FROM replays WHERE event = ?1`, id); err != nil {
		return false, err
	}
	if err := tx.exec(`DELETE FROM digest_items WHERE event = ?1`, id); err != nil {
		return false, err
	}
	if err := tx.exec(`UPDATE files SET event = 0 WHERE event = ?1`, id); err != nil {
		return false, err
	}
	return true, tx.exec(`DELETE FROM events WHERE id = ?1`, id)
}
