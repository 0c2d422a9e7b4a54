package db

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"hookgate/internal/event"
)

// AddHealth adds counts of attempts to those of the other processes, and of
// those before, and to the connections' traffic.
func (s *Store) AddHealth(t event.AttemptStats) error {
	counts, last := make([][]any, 0, len(t.Counts)), make([][]any, 0, len(t.Last))
	for _, c := range t.Counts {
		counts = append(counts, []any{c.Connection, c.Slot, c.Class, c.Attempts, c.Failed})
	}
	for _, l := range t.Last {
		failing, failedAt := 0, int64(0)
		if l.Failed {
			failing = 1
		}
		if !l.FailedAt.IsZero() {
			failedAt = micros(l.FailedAt)
		}
		last = append(last, []any{l.Connection, micros(l.Ended), failing, failedAt, int64(l.Delivery), l.Number})
	}
	err := s.write(func(tx tx) error {
		err := s.addRows(tx, counts, `INSERT INTO health (connection, slot, class, attempts, failed)
			SELECT j.value ->> 0, CAST(j.value ->> 1 AS bigint), CAST(j.value ->> 2 AS bigint), CAST(j.value ->> 3 AS bigint), CAST(j.value ->> 4 AS bigint)
			FROM `+s.read.dialect.each+` WHERE true ON CONFLICT (slot, connection, class) DO UPDATE
			SET attempts = health.attempts + excluded.attempts, failed = health.failed + excluded.failed`)
		if err != nil {
			return err
		}
		if err := s.addTraffic(tx, attemptTraffic(t.Counts)); err != nil {
			return err
		}
		return s.addRows(tx, last, `INSERT INTO health_last (connection, ended, failing, failed_at, delivery, number)
			SELECT j.value ->> 0, CAST(j.value ->> 1 AS bigint), CAST(j.value ->> 2 AS bigint), CAST(j.value ->> 3 AS bigint), CAST(j.value ->> 4 AS bigint), CAST(j.value ->> 5 AS bigint)
			FROM `+s.read.dialect.each+` WHERE true ON CONFLICT (connection) DO UPDATE SET
				failing = CASE WHEN excluded.ended >= health_last.ended THEN excluded.failing ELSE health_last.failing END,
				delivery = CASE WHEN excluded.failed_at >= health_last.failed_at THEN excluded.delivery ELSE health_last.delivery END,
				number = CASE WHEN excluded.failed_at >= health_last.failed_at THEN excluded.number ELSE health_last.number END,
				failed_at = CASE WHEN excluded.failed_at >= health_last.failed_at THEN excluded.failed_at ELSE health_last.failed_at END,
				ended = CASE WHEN excluded.ended >= health_last.ended THEN excluded.ended ELSE health_last.ended END`)
	})
	if err != nil {
		return fmt.Errorf("keep the health of connections: %w", err)
	}
	return nil
}

// addRows runs a statement over rows: one journey to a server, however many.
func (s *Store) addRows(tx tx, rows [][]any, statement string) error {
	if len(rows) == 0 {
		return nil
	}
	list, err := json.Marshal(rows)
	if err != nil {
		return fmt.Errorf("encode rows: %w", err)
	}
	return tx.exec(statement, string(list))
}

// Health sums up what AddHealth was given of the slots after day: of each
// connection and class one count for those after hour, and one for those
// before, of which Slot is the latest.
func (s *Store) Health(ctx context.Context, hour, day int64) (t event.AttemptStats, err error) {
	rows, err := s.read.QueryContext(ctx, `SELECT connection, class, max(slot), CAST(sum(attempts) AS bigint), CAST(sum(failed) AS bigint)
		FROM health WHERE slot > ?1 GROUP BY connection, class, CASE WHEN slot > ?2 THEN 1 ELSE 0 END`, day, hour)
	if err != nil {
		return t, fmt.Errorf("read the health of connections: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var c event.AttemptCount
		if err := rows.Scan(&c.Connection, &c.Class, &c.Slot, &c.Attempts, &c.Failed); err != nil {
			return t, fmt.Errorf("read the health of connections: %w", err)
		}
		t.Counts = append(t.Counts, c)
	}
	if err := rows.Err(); err != nil {
		return t, err
	}
	t.Last, err = s.lastAttempts(ctx)
	return t, err
}

// lastAttempts looks each attempt up by its key: of a join a planner would read
// all attempts.
func (s *Store) lastAttempts(ctx context.Context) ([]event.LastAttempt, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT l.connection, l.ended, l.failing, l.failed_at, l.delivery, l.number,
			coalesce((SELECT a.error FROM attempts a WHERE a.delivery = l.delivery AND a.number = l.number), '')
		FROM health_last l`)
	if err != nil {
		return nil, fmt.Errorf("read the last attempts: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var list []event.LastAttempt
	for rows.Next() {
		var l event.LastAttempt
		var ended, failing, failedAt int64
		if err := rows.Scan(&l.Connection, &ended, &failing, &failedAt, &l.Delivery, &l.Number, &l.Error); err != nil {
			return nil, fmt.Errorf("read the last attempts: %w", err)
		}
		l.Ended, l.Failed = time.UnixMicro(ended).UTC(), failing == 1
		if failedAt > 0 {
			l.FailedAt = time.UnixMicro(failedAt).UTC()
		}
		list = append(list, l)
	}
	return list, rows.Err()
}
