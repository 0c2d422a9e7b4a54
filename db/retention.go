package db

import (
	"context"
	"fmt"
	"time"

	"hookgate/internal/event"
)

// pruneBatch is how many events one transaction of Prune looks at.
const pruneBatch = 500

// keepHealth is how long counts of attempts are kept: they tell of one day.
const keepHealth = 25 * time.Hour

// Retention says how old things may grow; zero keeps them for ever.
type Retention struct {
	Events      time.Duration // webhook events
	Submissions time.Duration // form posts
	Spam        time.Duration // with posts that were rejected
	Files       time.Duration // of form posts; also gone with their post
}

// kept is one kind of events, and how old they may grow.
type kept struct {
	age       time.Duration
	condition string
}

// parts are the kinds of events: of webhooks, form posts, and spam.
func (r *Retention) parts() [3]kept {
	return [3]kept{
		{r.Events, "form = 0"},
		{r.Submissions, "form = 1 AND state NOT IN (3, 5)"},
		{r.Spam, "form = 1 AND state IN (3, 5)"},
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
		n, err := s.engine.prune(ctx, func(do func(tx) error) error { return s.write(do) }, event.FirstIDAt(s.now().Add(-part.age)), part.condition)
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
	if err := s.write(s.pruneKeys); err != nil {
		return total, fmt.Errorf("delete old keys: %w", err)
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

// pruneKeys deletes what is kept for a time of its own, beside events.
func (s *Store) pruneKeys(tx tx) error {
	if err := tx.exec(`DELETE FROM dedupe WHERE expires <= ?1`, tx.stamp().now); err != nil {
		return err
	}
	if err := tx.exec(`DELETE FROM health WHERE slot < ?1`, event.HealthSlotAt(s.now().Add(-keepHealth))); err != nil {
		return err
	}
	if err := tx.exec(`DELETE FROM traffic WHERE slot < ?1`, event.HealthSlotAt(s.now().Add(-keepTraffic))); err != nil {
		return err
	}
	if err := tx.exec(`DELETE FROM retry_runs WHERE active <> 1 AND id < ?1`, int64(event.FirstIDAt(s.now().Add(-keepRetryRuns)))); err != nil {
		return err
	}
	if err := pruneSignals(tx); err != nil {
		return err
	}
	if err := pruneRecords(tx); err != nil {
		return err
	}
	return tx.exec(`DELETE FROM memory WHERE expires <= ?1`, tx.stamp().now)
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

// prune deletes a page of events in a transaction of the committer.
func (e *sqlite) prune(ctx context.Context, write writer, before event.ID, condition string) (int, error) {
	total, cursor := 0, int64(0)
	for ctx.Err() == nil {
		seen, deleted := 0, 0
		err := write(func(tx tx) (err error) {
			seen, deleted, cursor, err = pruneSome(tx, cursor, int64(before), condition)
			return err
		})
		total += deleted
		if err != nil || seen < pruneBatch {
			return total, err
		}
	}
	return total, ctx.Err()
}

// pruneSome deletes what may go of the next events after cursor.
func pruneSome(tx tx, cursor, before int64, condition string) (seen, deleted int, last int64, err error) {
	type span struct{ id, first, deliveries int64 }
	var spans []span
	last = cursor
	err = tx.query(func(row []any) error {
		spans = append(spans, span{row[0].(int64), row[1].(int64), row[2].(int64)})
		return nil
	}, `SELECT id, first, coalesce(reserved, deliveries) FROM events WHERE id > ?1 AND id < ?2 AND `+condition+` ORDER BY id LIMIT ?3`, cursor, before, int64(pruneBatch))
	if err != nil {
		return 0, 0, cursor, err
	}
	for _, sp := range spans {
		last = sp.id
		gone, err := pruneEvent(tx, sp.id, sp.first, sp.first+sp.deliveries)
		if err != nil {
			return 0, 0, cursor, err
		}
		if gone {
			deleted++
		}
	}
	if deleted > 0 {
		if err := tx.query(nil, `PRAGMA incremental_vacuum(2000)`); err != nil {
			return 0, 0, cursor, err
		}
	}
	return len(spans), deleted, last, nil
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
