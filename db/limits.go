package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"hookgate/internal/event"
)

// limitsChanged is what the other replicas are told in place of a connection's
// name, which cannot begin like this.
const limitsChanged = "!gates"

// SharedLimits is what all replicas on a database share of sending: see event.BreakerState.
// Its statements go past the committer, so that no event waits for them, and
// are not flushed to the disk: what a server forgets of them when it fails is
// as much as a moment of a rate.
type SharedLimits struct {
	engine *postgres
	pool   pool
	reads  pool
}

// SharedLimits is nil where no other process can be on the database.
func (s *Store) SharedLimits() *SharedLimits { return s.engine.limits(s.read) }

func (e *postgres) limits(reads pool) *SharedLimits {
	return &SharedLimits{engine: e, pool: newPool(e.gates, reads.dialect), reads: reads}
}

// reserveQuery reserves tokens (1: connection, 2: of the rate, the count, and 3:
// its time, 4: how far back a start may lie that nobody took, 5: how far ahead,
// 6: how many at most; times in µs) and returns how many there are, and when
// the first is, from now. The row is locked before it is looked at, so that
// those who ask at once get different ones.
const reserveQuery = `WITH clock AS MATERIALIZED (SELECT now_us() AS now),
	free AS (SELECT connection, greatest(next, now - CAST(?4 AS BIGINT)) AS start FROM gates, clock WHERE connection = ?1 FOR UPDATE OF gates),
	given AS (SELECT start, CASE WHEN start > now + CAST(?5 AS BIGINT) THEN 0
		ELSE least(CAST(?6 AS BIGINT), (now + CAST(?5 AS BIGINT) - start) * CAST(?2 AS BIGINT) / CAST(?3 AS BIGINT) + 1) END AS n FROM free, clock)
	UPDATE gates SET next = CASE WHEN n = 0 THEN next ELSE start + (n * CAST(?3 AS BIGINT) + CAST(?2 AS BIGINT) - 1) / CAST(?2 AS BIGINT) END
	FROM given, clock WHERE connection = ?1 RETURNING n, start - now`

// Reserve implements deliver.SharedLimits. Each costs the rate its full distance, so
// that all replicas together never have more than the rate and the burst.
func (g *SharedLimits) Reserve(ctx context.Context, r event.ReservationRequest) (event.Reservation, error) {
	back := time.Duration(float64(r.Burst-1) * float64(r.Per) / float64(r.Count))
	var n, in int64
	ask := func() error {
		return g.pool.QueryRowContext(ctx, reserveQuery, r.Connection, int64(r.Count), r.Per.Microseconds(),
			back.Microseconds(), r.Ahead.Microseconds(), int64(r.Want)).Scan(&n, &in)
	}
	err := ask()
	if errors.Is(err, sql.ErrNoRows) {
		if err = g.exec(ctx, `INSERT INTO gates (connection) VALUES (?1) ON CONFLICT DO NOTHING`, r.Connection); err == nil {
			err = ask()
		}
	}
	if err != nil {
		return event.Reservation{}, fmt.Errorf("reserve tokens of %s: %w", r.Connection, err)
	}
	got := event.Reservation{Count: int(n), In: time.Duration(in) * time.Microsecond}
	if n == 0 {
		got.In -= r.Ahead
	}
	return got, nil
}

// OpenBreaker implements deliver.SharedLimits. A breaker that another replica has opened
// meanwhile stays as it is.
func (g *SharedLimits) OpenBreaker(ctx context.Context, connection string, open time.Duration) error {
	err := g.change(ctx, `INSERT INTO gates (connection, opened, retry) VALUES (?1, now_us(), now_us() + CAST(?2 AS BIGINT))
		ON CONFLICT (connection) DO UPDATE SET opened = excluded.opened, retry = excluded.retry, probing = 0, prober = 0 WHERE gates.opened = 0`,
		connection, open.Microseconds())
	if err != nil {
		return fmt.Errorf("open the breaker of %s: %w", connection, err)
	}
	return nil
}

// Probe implements deliver.SharedLimits.
func (g *SharedLimits) Probe(ctx context.Context, connection string, keep time.Duration) (claim int64, now event.BreakerState, err error) {
	row := g.pool.QueryRowContext(ctx, `UPDATE gates SET claim = claim + 1, prober = ?2, probing = now_us() + CAST(?3 AS BIGINT)
		WHERE connection = ?1 AND opened > 0 AND retry <= now_us() AND probing <= now_us() RETURNING claim`,
		connection, g.engine.id.Load(), keep.Microseconds())
	err = row.Scan(&claim)
	if err == nil || !errors.Is(err, sql.ErrNoRows) {
		if err != nil {
			err = fmt.Errorf("claim a probe of %s: %w", connection, err)
		}
		return claim, event.BreakerState{}, err
	}
	list, err := g.read(ctx, `WHERE connection = ?1`, connection)
	if err != nil || len(list) == 0 {
		return 0, event.BreakerState{}, err
	}
	return 0, list[0], nil
}

// EndProbe implements deliver.SharedLimits.
func (g *SharedLimits) EndProbe(ctx context.Context, connection string, claim int64, passed bool, open time.Duration) error {
	err := g.change(ctx, `UPDATE gates SET probing = 0, opened = CASE WHEN ?3 THEN 0 ELSE opened END, retry = now_us() + CAST(?4 AS BIGINT)
		WHERE connection = ?1 AND claim = ?2 AND opened > 0`, connection, claim, passed, open.Microseconds())
	if err != nil {
		return fmt.Errorf("tell the others of the probe of %s: %w", connection, err)
	}
	return nil
}

// Pause implements deliver.SharedLimits. The longest that was asked for holds.
func (g *SharedLimits) Pause(ctx context.Context, connection string, d time.Duration) error {
	err := g.change(ctx, `INSERT INTO gates (connection, paused) VALUES (?1, now_us() + CAST(?2 AS BIGINT))
		ON CONFLICT (connection) DO UPDATE SET paused = excluded.paused WHERE gates.paused < excluded.paused`, connection, d.Microseconds())
	if err != nil {
		return fmt.Errorf("share the pause of %s: %w", connection, err)
	}
	return nil
}

// Reset implements deliver.SharedLimits.
func (g *SharedLimits) Reset(ctx context.Context, connection string) error {
	err := g.change(ctx, `UPDATE gates SET opened = 0, retry = 0, probing = 0, paused = 0
		WHERE connection = ?1 AND (opened > 0 OR paused > now_us())`, connection)
	if err != nil {
		return fmt.Errorf("close the breaker of %s: %w", connection, err)
	}
	return nil
}

// CloseExpired closes the breakers whose time is over, so that none outlives the
// processes that saw the failures by more than that.
func (g *SharedLimits) CloseExpired(ctx context.Context) error {
	err := g.change(ctx, `UPDATE gates SET opened = 0 WHERE opened > 0 AND retry <= now_us() AND probing <= now_us()`)
	if err != nil {
		return fmt.Errorf("close old breakers: %w", err)
	}
	return nil
}

// Blocked lists what keeps replicas from sending now, by connection.
func (g *SharedLimits) Blocked(ctx context.Context) ([]event.BreakerState, error) {
	return g.read(ctx, `WHERE opened > 0 OR paused > now_us() ORDER BY connection`)
}

func (g *SharedLimits) read(ctx context.Context, where string, args ...any) ([]event.BreakerState, error) {
	rows, err := g.reads.QueryContext(ctx, `SELECT connection, opened, retry - now_us(), probing - now_us(), paused - now_us(), prober FROM gates `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read what replicas share: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var list []event.BreakerState
	for rows.Next() {
		var one event.BreakerState
		var opened, retry, probing, paused int64
		if err := rows.Scan(&one.Connection, &opened, &retry, &probing, &paused, &one.Prober); err != nil {
			return nil, fmt.Errorf("read what replicas share: %w", err)
		}
		if one.Open = opened > 0; one.Open {
			one.Since = time.UnixMicro(opened).UTC()
			one.Retry, one.Probing = distance(retry), distance(probing)
		}
		one.Paused = distance(paused)
		list = append(list, one)
	}
	return list, rows.Err()
}

// distance is what is left of µs, 0 if nothing is.
func distance(µs int64) time.Duration { return time.Duration(max(µs, 0)) * time.Microsecond }

// change runs a statement and, if it changed anything, tells the other replicas.
func (g *SharedLimits) change(ctx context.Context, statement string, args ...any) error {
	return g.exec(ctx, `WITH changed AS (`+statement+` RETURNING connection)
		SELECT pg_notify('`+channel+`', '`+limitsChanged+`') FROM changed LIMIT 1`, args...)
}

func (g *SharedLimits) exec(ctx context.Context, statement string, args ...any) error {
	_, err := g.pool.db.ExecContext(ctx, g.pool.bound.bind(statement), Clean(args)...)
	return err
}
