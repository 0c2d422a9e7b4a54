package db

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"hookgate/internal/event"
)

// keepReplica is for how long a process that is gone is remembered.
const keepReplica = 24 * time.Hour

// channel is where the replicas tell each other what is due.
const channel = "hookgate"

// fresh reports whether the lease was renewed in time. The time is the one
// before the renewal was sent: by the database's clock it holds longer.
func (e *postgres) fresh() bool {
	return time.Since(e.base)-time.Duration(e.beat.Load()) < e.opt.Lease
}

func (e *postgres) renewed(at time.Time) { e.beat.Store(int64(at.Sub(e.base))) }

// holds reports whether owner is this process and its lease holds. Once it has
// said that the lease does not, the process has to register again: then those
// that were not sent are given back.
func (e *postgres) holds(owner int64) bool {
	if owner != e.id.Load() || e.expired.Load() {
		return false
	}
	if !e.fresh() {
		e.expired.Store(true)
		return false
	}
	return true
}

// register enters this process anew, with a number for its IDs that no living
// one has. What it held under its last registration is given back: nobody
// knows who else has it by now.
func (e *postgres) register(ctx context.Context) error {
	begun := time.Now()
	before := e.id.Load()
	var id, last int64
	var node int
	var moved movedHistory
	err := e.inTransaction(ctx, func(tx pgx.Tx) error {
		if before != 0 {
			if err := leave(ctx, tx, before); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, e.schema^registerLock); err != nil {
			return err
		}
		if err := moved.read(ctx, tx); err != nil {
			return err
		}
		row := tx.QueryRow(ctx, `WITH r AS (SELECT nextval(pg_get_serial_sequence('replicas', 'id')) AS id),
			free AS (SELECT (r.id + k) % $3 AS node FROM r, generate_series(0, $3 - 1) AS k
				WHERE (r.id + k) % $3 NOT IN (SELECT node FROM replicas WHERE NOT dead) ORDER BY k LIMIT 1)
			INSERT INTO replicas (id, node, name, version, started, heartbeat, lease, language) OVERRIDING SYSTEM VALUE
			SELECT r.id, free.node, $1, $2, now_us(), now_us(), $4, $5 FROM r, free
			RETURNING id, node, (SELECT coalesce(max(o.last), 0) FROM replicas o WHERE o.node = replicas.node)`,
			clean(e.opt.Name), clean(e.opt.Version), int64(event.Nodes), e.opt.Lease.Microseconds(), int64(e.opt.Language))
		return row.Scan(&id, &node, &last)
	})
	if err != nil {
		return fmt.Errorf("register this replica: %w", err)
	}
	if before != 0 {
		e.logger.WarnContext(ctx, "the lease had run out: registered again, what was claimed is given back", "replica", id, "before", before)
	}
	e.ids.Store(event.NewIDSource(node, event.ID(max(last, moved.lastOf(node))), e.opt.Now))
	e.number, e.lost = 0, nil
	e.renewed(begun)
	e.id.Store(id)
	e.expired.Store(false)
	return nil
}

// registerLock, with the schema's number, is the lock that registrations take.
const registerLock = 0x7265706c

// leave ends a registration and gives back what it held.
func leave(ctx context.Context, tx pgx.Tx, id int64) error {
	// The row is locked first: a commit that is still under way on a lost
	// connection ends before this goes on, or finds itself fenced.
	if _, err := tx.Exec(ctx, `UPDATE replicas SET dead = true WHERE id = $1`, id); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `WITH free AS (UPDATE deliveries SET owner = 0, due = 0 WHERE state = 0 AND owner = $1 RETURNING connection)
		SELECT pg_notify($2, connection) FROM (SELECT DISTINCT connection FROM free) c`, id, channel)
	return err
}

// settle gives back what commits of an unknown outcome may have claimed: their
// callers were told that they failed, so nobody here will send it. The commit
// number in due says what they are.
func (e *postgres) settle(ctx context.Context) error {
	err := e.inTransaction(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT 1 FROM replicas WHERE id = $1 FOR UPDATE`, e.id.Load()); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `WITH free AS (UPDATE deliveries SET owner = 0, due = now_us() WHERE state = 0 AND owner = $1 AND due = ANY($2) RETURNING connection)
			SELECT pg_notify($3, connection) FROM (SELECT DISTINCT connection FROM free) c`, e.id.Load(), e.lost, channel)
		return err
	})
	if err != nil {
		return fmt.Errorf("settle lost commits: %w", err)
	}
	e.lost = nil
	return nil
}

// retire is the orderly end of a registration.
func (e *postgres) retire(ctx context.Context) error {
	id := e.id.Load()
	if id == 0 {
		return nil
	}
	return e.inTransaction(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE replicas SET last = $2 WHERE id = $1`, id, int64(e.ids.Load().Take(1))); err != nil {
			return err
		}
		return leave(ctx, tx, id)
	})
}

// inTransaction runs do on the writer's connection.
func (e *postgres) inTransaction(ctx context.Context, do func(pgx.Tx) error) error {
	tx, err := e.conn.Begin(ctx)
	if err == nil {
		if _, err = tx.Exec(ctx, planFreely); err == nil {
			err = do(tx)
		}
		if err == nil {
			err = tx.Commit(ctx)
		} else {
			err = errors.Join(err, ignoreClosed(tx.Rollback(ctx)))
		}
	}
	if err != nil && e.conn.IsClosed() {
		return fmt.Errorf("%w: %w", errCutOff, err)
	}
	return err
}

func ignoreClosed(err error) error {
	if errors.Is(err, pgx.ErrTxClosed) {
		return nil
	}
	return err
}

// Replica is a process that uses the database, or did and still holds something.
type Replica struct {
	ID             int64
	Name, Version  string
	Language       int           // as Options has it; 0: the version is older than the number
	Started, Heard time.Time     // Heard: when it renewed its lease
	Left           time.Duration // of the lease; not positive: it is over
	Alive          bool
	Self           bool           // this process
	Holds          map[string]int // deliveries that it has claimed, by connection
}

// Replicas lists the processes on the database in the order of their start, and
// says whether it can be shared. Of the one on a SQLite file only what it holds
// is known here.
func (s *Store) Replicas(ctx context.Context) (list []Replica, shared bool, err error) {
	self, shared := s.engine.replica()
	holds, err := s.claimed(ctx)
	if err != nil {
		return nil, shared, fmt.Errorf("list replicas: %w", err)
	}
	if !shared {
		return []Replica{{ID: self, Alive: true, Self: true, Holds: holds[self]}}, false, nil
	}
	rows, err := s.read.QueryContext(ctx, `SELECT id, name, version, started, heartbeat, heartbeat + lease - now_us(), dead, language FROM replicas ORDER BY id`)
	if err != nil {
		return nil, true, fmt.Errorf("list replicas: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var r Replica
		var started, heard, left int64
		var dead bool
		if err := rows.Scan(&r.ID, &r.Name, &r.Version, &started, &heard, &left, &dead, &r.Language); err != nil {
			return nil, true, fmt.Errorf("list replicas: %w", err)
		}
		r.Holds = holds[r.ID]
		if dead && len(r.Holds) == 0 {
			continue
		}
		r.Started, r.Heard = time.UnixMicro(started).UTC(), time.UnixMicro(heard).UTC()
		r.Left, r.Self = time.Duration(left)*time.Microsecond, r.ID == self
		r.Alive = !dead && left > 0
		list = append(list, r)
	}
	return list, true, rows.Err()
}

// claimed counts the deliveries that are claimed, by owner and connection.
func (s *Store) claimed(ctx context.Context) (map[int64]map[string]int, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT owner, connection, count(*) FROM deliveries WHERE state = 0 AND owner > 0 GROUP BY owner, connection`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	holds := map[int64]map[string]int{}
	for rows.Next() {
		var by int64
		var connection string
		var n int
		if err := rows.Scan(&by, &connection, &n); err != nil {
			return nil, err
		}
		if holds[by] == nil {
			holds[by] = map[string]int{}
		}
		holds[by][connection] = n
	}
	return holds, rows.Err()
}
