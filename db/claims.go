package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"hookgate/internal/event"
)

// claimedColumns are what a sender needs of a delivery, as scanClaimed reads them.
const claimedColumns = `id, event, rule, action, connection, key, claim, attempts, base, output, owner, scheduled IS NOT NULL AS early, moment, flow, element`

func scanClaimed(row []any) (*event.Delivery, error) {
	d := &event.Delivery{
		ID: event.DeliveryID(row[0].(int64)), Event: event.ID(row[1].(int64)), Rule: row[2].(string), Action: int(row[3].(int64)),
		Connection: row[4].(string), Claim: row[6].(int64), Attempts: int(row[7].(int64)), Base: int(row[8].(int64)), Owner: row[10].(int64), State: event.Sending,
	}
	if key, ok := row[5].(string); ok {
		d.Key = key
	}
	switch early := row[11].(type) { // SQLite has no booleans
	case bool:
		d.Early = early
	case int64:
		d.Early = early != 0
	}
	if moment, ok := row[12].(int64); ok {
		d.Moment = time.UnixMicro(moment).UTC()
	}
	if flow, ok := row[13].(int64); ok {
		d.Flow = event.Flow(flow)
	}
	d.Element = int(row[14].(int64))
	output, err := unpack(row[9].([]byte))
	d.Output = json.RawMessage(output)
	d.Created = event.ID(d.ID).Time()
	return d, err
}

// Claim hands out connection's deliveries that are due at now, in the order in
// which they became due, claimed for this process: at most limit, and about as
// many as have so many bytes of output; one of any size. More tells that others
// may be due.
func (s *Store) Claim(connection string, now time.Time, limit, bytes int) (claimed []event.Delivery, more bool, err error) {
	count, more, err := s.due(connection, now, limit, bytes)
	if err != nil || count == 0 {
		return nil, false, err
	}
	err = s.write(func(tx tx) error {
		claimed = claimed[:0]
		at := tx.stamp()
		return tx.query(func(row []any) error {
			d, err := scanClaimed(row)
			if err == nil {
				claimed = append(claimed, *d)
			}
			return err
		}, s.dialect.claim(),
			at.owner, at.until, connection, s.stored(at, now), int64(count))
	})
	if err != nil {
		return nil, false, fmt.Errorf("claim deliveries to %s: %w", connection, err)
	}
	more = more && len(claimed) == count // else somebody else has taken some
	slices.SortFunc(claimed, func(a, b event.Delivery) int { return int(a.ID - b.ID) })
	return claimed, more, nil
}

// claim is the statement of Claim. What is delivered is in none of the indexes
// it reads, so that it costs the same with any length of history.
func (d dialect) claim() string {
	return `UPDATE deliveries SET owner = ?1, due = ?2, claim = claim + 1 WHERE id IN (
			SELECT id FROM deliveries WHERE state = 0 AND owner = 0 AND connection = ?3 AND due <= ?4 ORDER BY due, id LIMIT ?5` + d.skipLocked + `)
			RETURNING ` + claimedColumns
}

// due is how many of connection's deliveries are due, as far as limit and bytes
// allow, and whether others are. It looks without a transaction: a commit would
// cost the disk a flush, and there is often nothing. Of an output it reads the
// first bytes alone, which say how long it is.
func (s *Store) due(connection string, now time.Time, limit, bytes int) (count int, more bool, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), commitTime)
	defer cancel()
	at, until := s.dialect.clock+" + ?2", now.Sub(s.now()).Microseconds()
	if s.dialect.clock == "" {
		at, until = "?2", now.UnixMicro()
	}
	rows, err := s.read.QueryContext(ctx, `SELECT substr(output, 1, ?4) FROM deliveries WHERE state = 0 AND owner = 0 AND connection = ?1 AND due <= `+at+`
		ORDER BY due, id LIMIT ?3`, connection, until, int64(limit), int64(blobHead))
	if err != nil {
		return 0, false, fmt.Errorf("look for deliveries to %s: %w", connection, err)
	}
	defer func() { _ = rows.Close() }()
	for size := 0; rows.Next(); count++ {
		var head sql.RawBytes
		if err := rows.Scan(&head); err != nil {
			return 0, false, fmt.Errorf("look for deliveries to %s: %w", connection, err)
		}
		if size += unpackedSize(head); count > 0 && size > bytes {
			return count, true, nil
		}
	}
	if err := rows.Err(); err != nil {
		return 0, false, fmt.Errorf("look for deliveries to %s: %w", connection, err)
	}
	return count, count == limit, nil
}

// hastenBatch is how many deliveries one transaction of Hasten changes.
const hastenBatch = 500

// Hasten makes those of connection's deliveries due now that last failed as
// Outcome.Early says: once, beside their schedule, which they keep. A result of
// such a try that is Retrying counts no attempt and puts them back to it.
func (s *Store) Hasten(connection string) error {
	for {
		changed := 0
		err := s.write(func(tx tx) error {
			changed = 0
			err := tx.query(func([]any) error { changed++; return nil }, `UPDATE deliveries SET scheduled = due, early = NULL,
				due = CASE WHEN early > ?2 THEN early ELSE CAST(?2 AS BIGINT) END
				WHERE id IN (SELECT id FROM deliveries WHERE state = 0 AND owner = 0 AND connection = ?1 AND due > ?2 AND early < due ORDER BY due LIMIT ?3`+s.dialect.skipLocked+`)
				RETURNING id`, connection, tx.stamp().now, int64(hastenBatch))
			if err != nil || changed == 0 {
				return err
			}
			return tx.notify(connection)
		})
		if err != nil {
			return fmt.Errorf("send again to %s: %w", connection, err)
		}
		if changed < hastenBatch {
			return nil
		}
	}
}

// Release gives claimed deliveries back unsent, to be claimed again at due: all in
// one statement, for a connection that is paused may have held many. Those that are
// no longer held so stay as they are.
func (s *Store) Release(deliveries []event.Delivery, due time.Time) error {
	held, connections := make([][3]int64, len(deliveries)), map[string]bool{}
	for i := range deliveries {
		d := &deliveries[i]
		held[i] = [3]int64{int64(d.ID), d.Claim, d.Owner}
		connections[d.Connection] = true
	}
	list, _ := json.Marshal(held) // numbers never fail
	err := s.write(func(tx tx) error {
		if err := tx.exec(s.dialect.release(), string(list), s.stored(tx.stamp(), due)); err != nil {
			return err
		}
		return notifyAll(tx, connections)
	})
	if err != nil {
		return fmt.Errorf("release deliveries: %w", err)
	}
	return nil
}

// release is the statement of Release.
func (d dialect) release() string {
	return `UPDATE deliveries SET owner = 0, due = CAST(?2 AS BIGINT) FROM ` + d.each + `
		WHERE deliveries.id = CAST(j.value ->> 0 AS BIGINT) AND claim = CAST(j.value ->> 1 AS BIGINT) AND owner = CAST(j.value ->> 2 AS BIGINT) AND state = 0`
}

func notifyAll(tx tx, connections map[string]bool) error {
	for c := range connections {
		if err := tx.notify(c); err != nil {
			return err
		}
	}
	return nil
}

// stored is t, a time of this process's clock, on the clock of the due times.
// The two are one on SQLite.
func (s *Store) stored(at stamp, t time.Time) int64 {
	return at.now + t.Sub(s.now()).Microseconds()
}

// NextDue is when the connection's next delivery that nobody holds is due; the
// zero time when there is none.
func (s *Store) NextDue(ctx context.Context, connection string) (time.Time, error) {
	if s.dialect.clock != "" {
		return s.nextDueIn(ctx, connection)
	}
	var due sql.NullInt64
	row := s.read.QueryRowContext(ctx, `SELECT min(due) FROM deliveries WHERE state = 0 AND owner = 0 AND connection = ?1`, connection)
	if err := row.Scan(&due); err != nil {
		return time.Time{}, fmt.Errorf("read next due time: %w", err)
	}
	if !due.Valid {
		return time.Time{}, nil
	}
	return time.UnixMicro(due.Int64), nil
}

// nextDueIn is NextDue where the due times are not on this process's clock.
func (s *Store) nextDueIn(ctx context.Context, connection string) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, commitTime)
	defer cancel()
	var wait sql.NullInt64
	row := s.read.QueryRowContext(ctx, `SELECT min(due) - `+s.dialect.clock+` FROM deliveries WHERE state = 0 AND owner = 0 AND connection = ?1`, connection)
	if err := row.Scan(&wait); err != nil {
		return time.Time{}, fmt.Errorf("read next due time: %w", err)
	}
	if !wait.Valid {
		return time.Time{}, nil
	}
	return s.now().Add(time.Duration(max(wait.Int64, -int64(time.Hour/time.Microsecond))) * time.Microsecond), nil
}
