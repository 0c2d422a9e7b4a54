package db

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// silence is how long the listener's connection is trusted unheard.
const silence = 20 * time.Second

// maxBeat is the longest time between two looks at the others.
const maxBeat = 5 * time.Second

// reapBatch is how many deliveries of a process that is gone one transaction frees.
const reapBatch = 2000

// Watch is what a process wants to know of the others on its database.
type Watch struct {
	// Due is called when connection may have something due in the store; ""
	// stands for every connection.
	Due func(connection string)
	// PauseStates is called when another process has changed them; nil: nobody
	// wants to know.
	PauseStates func()
	// Limits is called when a process has changed what SharedLimits.Blocked lists; nil:
	// nobody wants to know.
	Limits func()
}

// Watch calls w until ctx ends. On a database that is not shared it returns at
// once.
func (s *Store) Watch(ctx context.Context, w Watch) {
	if s.pulse == nil {
		return
	}
	for ctx.Err() == nil {
		if err := s.pulse.listen(ctx, w); err != nil && ctx.Err() == nil {
			s.pulse.engine.logger.DebugContext(ctx, "not told of what is due, the store is polled", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// pulse renews the lease of a process without traffic and takes over from
// those whose lease has run out.
type pulse struct {
	store   *Store
	engine  *postgres
	quit    chan struct{}
	stopped chan struct{}
	once    sync.Once
}

func startPulse(s *Store, e *postgres) *pulse {
	p := &pulse{store: s, engine: e, quit: make(chan struct{}), stopped: make(chan struct{})}
	go p.run()
	return p
}

// stop ends the pulse; it may be called twice, and on nil.
func (p *pulse) stop() {
	if p == nil {
		return
	}
	p.once.Do(func() { close(p.quit) })
	<-p.stopped
}

// run beats six times in a lease, and every maxBeat at least: whoever is gone
// is found soon after the end of its own lease, however long this one's is.
func (p *pulse) run() {
	defer close(p.stopped)
	ticker := time.NewTicker(min(p.engine.opt.Lease/6, maxBeat))
	defer ticker.Stop()
	for {
		p.tick()
		select {
		case <-p.quit:
			return
		case <-ticker.C:
		}
	}
}

// tick does one round. An error was logged by the committer; the next round
// tries again.
func (p *pulse) tick() {
	more := true
	for more {
		err := p.store.write(func(tx tx) error {
			if err := tx.exec(`UPDATE replicas SET last = ?2 WHERE id = ?1`, tx.stamp().owner, int64(p.store.NewIDs(1))); err != nil {
				return err
			}
			freed, err := reap(tx)
			if err != nil {
				return err
			}
			more = freed == reapBatch
			return nil
		})
		if err != nil {
			return
		}
		select {
		case <-p.quit:
			return
		default:
		}
	}
}

// reap ends the registrations whose lease has run out, each by the lease that it
// was promised, for the replicas' settings may differ, and frees some of what
// the dead still hold, the oldest first in line. It returns how many it freed.
func reap(tx tx) (freed int, err error) {
	now := tx.stamp().now
	err = tx.exec(`UPDATE replicas SET dead = true WHERE NOT dead AND heartbeat + lease < ?1`, now)
	if err != nil {
		return 0, err
	}
	connections := map[string]bool{}
	err = tx.query(func(row []any) error {
		freed++
		connections[row[0].(string)] = true
		return nil
	}, `UPDATE deliveries SET owner = 0, due = 0 WHERE id IN (
		SELECT id FROM deliveries WHERE state = 0 AND owner = ANY (ARRAY(SELECT id FROM replicas WHERE dead)) LIMIT ?1 FOR UPDATE SKIP LOCKED)
		RETURNING connection`, int64(reapBatch))
	if err != nil {
		return 0, err
	}
	if freed == 0 {
		if err := tx.exec(`DELETE FROM replicas WHERE dead AND heartbeat < ?1`, now-keepReplica.Microseconds()); err != nil {
			return 0, err
		}
	}
	return freed, notifyAll(tx, connections)
}

// listen hands on what the other replicas tell until something fails.
func (p *pulse) listen(ctx context.Context, w Watch) error {
	config := p.engine.config.Copy()
	delete(config.RuntimeParams, "idle_in_transaction_session_timeout")
	delete(config.RuntimeParams, "statement_timeout")
	conn, err := pgx.ConnectConfig(ctx, inSession(config))
	if err != nil {
		return err
	}
	defer func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(end)
	}()
	if _, err := conn.Exec(ctx, `LISTEN `+channel); err != nil {
		return err
	}
	told := func(payload string) {
		switch {
		case payload != switchesChanged && payload != limitsChanged:
			w.Due(payload)
		case payload == switchesChanged && w.PauseStates != nil:
			w.PauseStates()
		case payload == limitsChanged && w.Limits != nil:
			w.Limits()
		}
	}
	for _, unheard := range []string{"", switchesChanged, limitsChanged} { // while nobody listened
		told(unheard)
	}
	for {
		n, err := nextNotification(ctx, conn)
		if err != nil {
			return err
		}
		if n != nil {
			told(n.Payload)
		}
	}
}

// nextNotification waits a while, and makes sure of the connection if nothing
// came: one that was cut off would stay silent for ever.
func nextNotification(ctx context.Context, conn *pgx.Conn) (*pgconn.Notification, error) {
	waiting, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	n, err := conn.WaitForNotification(waiting)
	if err == nil || ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
		return n, err
	}
	asking, done := context.WithTimeout(ctx, connectTime)
	defer done()
	return nil, conn.Ping(asking)
}
