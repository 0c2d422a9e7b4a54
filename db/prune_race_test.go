package db_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"hookgate/db"
	"hookgate/internal/event"
	"hookgate/test/lab"
	"hookgate/test/pgtest"
)

// gateOf stops whoever does an operation on a table, from now on, until the
// function that it returns is called.
func gateOf(t *testing.T, url, operation, table string) (open func()) {
	t.Helper()
	const number = 4242
	mustExec(t, url, fmt.Sprintf(`CREATE FUNCTION wait_here() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN PERFORM pg_advisory_xact_lock(%d, hashtext(current_schema())); RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END; END $$;
		CREATE TRIGGER wait_here BEFORE %s ON %s FOR EACH ROW EXECUTE FUNCTION wait_here()`, number, operation, table))
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), `SELECT pg_advisory_lock($1, hashtext(current_schema()))`, number); err != nil {
		t.Fatal(err)
	}
	open = func() { _ = conn.Close(context.Background()) }
	t.Cleanup(open)
	return open
}

// awaitWaiting waits until n sessions on the schema of url wait for a lock.
func awaitWaiting(t *testing.T, url string, n int64) {
	t.Helper()
	lab.Eventually(t, fmt.Sprint(n, " wait for a lock"), func() bool {
		return pgtest.Number(t, url, `WITH RECURSIVE waiting AS (
				SELECT pid FROM pg_locks WHERE NOT granted AND locktype = 'advisory' AND classid = 4242 AND objid = hashtext(current_schema())::oid
				UNION SELECT l.pid FROM pg_locks l JOIN waiting w ON w.pid = ANY (pg_blocking_pids(l.pid)) WHERE NOT l.granted)
			SELECT count(*) FROM waiting`) >= n
	})
}

// wantNoOrphans fails the test where something is left of an event that is gone.
func wantNoOrphans(t *testing.T, url string) {
	t.Helper()
	for what, query := range map[string]string{
		"deliveries": `SELECT count(*) FROM deliveries d WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.id = d.event)`,
		"replays":    `SELECT count(*) FROM replays r WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.id = r.event)`,
		"attempts":   `SELECT count(*) FROM attempts a WHERE NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.id = a.delivery)`,
		"files":      `SELECT count(*) FROM files f WHERE f.event > 0 AND NOT EXISTS (SELECT 1 FROM events e WHERE e.id = f.event)`,
	} {
		if n := pgtest.Number(t, url, query); n != 0 {
			t.Errorf("%d %s without their event", n, what)
		}
	}
}

const hundredDays = 100 * 24 * time.Hour

// revival is a way in which an old event gets something to deliver again.
// prepare makes an event, and lets it become a hundred days old.
type revival struct {
	name      string
	operation string // on deliveries
	prepare   func(t *testing.T, s *db.Store, c *clock) func(s *db.Store) error
}

func revivals() []revival {
	return []revival{
		{"replay", "INSERT", func(t *testing.T, s *db.Store, c *clock) func(*db.Store) error {
			plan := mustReplayPlan(t, s)
			e, ds := mustAccept(t, s, c, "", "x")
			mustRecord(t, s, c, &ds[0], event.Outcome{State: event.Delivered}, "")
			c.Add(hundredDays)
			run := mustRun(t, s, c)
			next := *run
			next.Cursor, next.Done = e.ID, true
			return func(s *db.Store) error {
				_, err := s.Replay(run, &next, []event.Replayed{replayed(s, c, run, e.ID, plan, "", "y")})
				return err
			}
		}},
		{"release from spam", "INSERT", func(t *testing.T, s *db.Store, c *clock) func(*db.Store) error {
			e := event.Event{ID: s.NewIDs(1), Source: "contact", Form: true, Type: event.FormSubmitted, ReceivedAt: c.Now(), State: event.Spam, Body: []byte("{}")}
			if _, err := s.Accept(&e, nil); err != nil {
				t.Fatal(err)
			}
			c.Add(hundredDays)
			e.State = event.Routed
			return func(s *db.Store) error {
				id := event.DeliveryID(s.NewIDs(1))
				_, err := s.Readmit(&e, []event.Delivery{{ID: id, Event: e.ID, Rule: "r", Action: 1, Connection: "y", Output: []byte(`{}`), State: event.Waiting}})
				if errors.Is(err, event.ErrNotKept) {
					return nil // it is gone
				}
				return err
			}
		}},
		{"retry", "UPDATE", func(t *testing.T, s *db.Store, c *clock) func(*db.Store) error {
			_, ds := mustAccept(t, s, c, "", "x")
			ids := event.DeliveryFilter{IDs: []event.DeliveryID{ds[0].ID}}
			if _, _, err := s.Cancel(t.Context(), ids); err != nil {
				t.Fatal(err)
			}
			c.Add(hundredDays)
			return func(s *db.Store) error {
				_, _, err := s.Retry(context.Background(), ids)
				return err
			}
		}},
	}
}

// forEachRevival runs test for each, with what revives the event on one replica,
// and with another replica.
func forEachRevival(t *testing.T, test func(t *testing.T, url, operation string, revive func() error, other *db.Store)) {
	t.Helper()
	for _, r := range revivals() {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			url := pgtest.Shared(t).URL(t)
			a, c := newStore(t, place{url: url})
			b := mustOpen(t, place{url: url}, c)
			revive := r.prepare(t, a, c)
			test(t, url, r.operation, func() error { return revive(a) }, b)
		})
	}
}

// Retention on one replica meets an event at its edge that just gets something
// to deliver on another: it leaves the event. Without the lock on the event in
// holdEvents and Replay, or without SKIP LOCKED, the event is deleted, and an
// open delivery is left that belongs to nothing.
//
// Promise: P21.
func TestPrune_leavesWhatIsRevived(t *testing.T) {
	t.Parallel()
	forEachRevival(t, func(t *testing.T, url, operation string, revive func() error, b *db.Store) {
		open := gateOf(t, url, operation, "deliveries")
		revived := make(chan error, 1)
		go func() { revived <- revive() }()
		awaitWaiting(t, url, 1)
		month := 30 * 24 * time.Hour
		if n, err := b.Prune(t.Context(), db.Retention{Events: month, Submissions: month, Spam: month}); n != 0 || err != nil {
			t.Errorf("pruned %d, %v", n, err)
		}
		open()
		err := <-revived
		if errors.Is(err, event.ErrUnavailable) { // a busy machine: it waited for longer than a commit may take
			err = revive()
		}
		if err != nil {
			t.Error(err)
		}
		wantNoOrphans(t, url)
		if n := pgtest.Number(t, url, `SELECT count(*) FROM deliveries WHERE state = 0`); n != 1 {
			t.Errorf("%d open deliveries, want the new one", n)
		}
	})
}

// The other way round: what retention is just deleting gets nothing any more.
// Without the lock, it gets a delivery that belongs to nothing.
func TestPrune_isNotRevived(t *testing.T) {
	t.Parallel()
	forEachRevival(t, func(t *testing.T, url, _ string, revive func() error, b *db.Store) {
		open := gateOf(t, url, "DELETE", "events")
		pruned := make(chan int, 1)
		month := 30 * 24 * time.Hour
		go func() {
			n, err := b.Prune(context.Background(), db.Retention{Events: month, Submissions: month, Spam: month})
			if err != nil {
				t.Error(err)
			}
			pruned <- n
		}()
		awaitWaiting(t, url, 1)
		revived := make(chan error, 1)
		go func() { revived <- revive() }()
		awaitWaiting(t, url, 2)
		open()
		if err := <-revived; err != nil {
			t.Error(err)
		}
		if n := <-pruned; n != 1 {
			t.Errorf("pruned %d, want the event", n)
		}
		wantNoOrphans(t, url)
		if n := pgtest.Number(t, url, `SELECT (SELECT count(*) FROM deliveries) + (SELECT count(*) FROM replays)`); n != 0 {
			t.Errorf("%d deliveries and replays are left", n)
		}
	})
}
