package db_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"hookgate/db"
	"hookgate/internal/event"
	"hookgate/test/pgtest"
)

// clock is a time that a test sets: the process's, and the database's.
type clock struct {
	mu  sync.Mutex
	t   time.Time
	set func(time.Time) // the database's
}

func newClock() *clock { return &clock{t: time.Date(2026, 3, 10, 10, 42, 7, 0, time.UTC)} }

func (c *clock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.t }

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
	if c.set != nil {
		c.set(c.t)
	}
}

// place is where a test keeps its database: a file or a schema.
type place struct {
	path string
	url  string
}

func (p place) shared() bool { return p.url != "" }

func (p place) open(ctx context.Context, opt db.Options) (*db.Store, error) {
	if p.shared() {
		return oneReader(db.OpenPostgres(ctx, event.NewSecret(p.url), opt))
	}
	return oneReader(db.Open(ctx, p.path, opt))
}

// oneReader gives a store one connection to read with, so that whoever reads while what
// it reads is still open hangs here: with several, as many such readers would at once.
func oneReader(s *db.Store, err error) (*db.Store, error) {
	if err == nil {
		s.LimitReaders(1)
	}
	return s, err
}

// forEachEngine runs test on an empty database of each kind.
func forEachEngine(t *testing.T, test func(t *testing.T, p place)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, place{path: filepath.Join(t.TempDir(), "test.db")})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, place{url: pgtest.Shared(t).URL(t)})
	})
}

func mustOpen(t testing.TB, p place, c *clock) *db.Store {
	t.Helper()
	s, err := p.open(t.Context(), db.Options{Logger: slog.New(slog.DiscardHandler), Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if p.shared() {
		c.set = func(now time.Time) { pgtest.SetClock(t, p.url, now) }
		c.set(c.Now())
	}
	return s
}

// mustExec runs a statement beside the store.
func mustExec(t testing.TB, url, query string) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(context.Background(), query); err != nil {
		t.Fatal(err)
	}
}

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func newStore(t testing.TB, p place) (*db.Store, *clock) {
	t.Helper()
	c := newClock()
	return mustOpen(t, p, c), c
}

// mustAccept stores an event of source shop with a delivery to each of the
// connections, claimed as the hot path does it.
func mustAccept(t testing.TB, s *db.Store, c *clock, key string, connections ...string) (event.Event, []event.Delivery) {
	t.Helper()
	id := s.NewIDs(1 + len(connections))
	e := event.Event{
		ID: id, Source: "shop", Type: "order", ReceivedAt: c.Now(), State: event.Routed,
		Body: []byte(`{"id":9007199254740993}`), Request: event.Request{Method: "POST", Headers: map[string]string{"user-agent": "x"}},
	}
	var ds []event.Delivery
	for i, connection := range connections {
		ds = append(ds, event.Delivery{
			ID: event.DeliveryID(id) + event.DeliveryID(i) + 1, Event: id, Rule: "r", Action: 1, Connection: connection,
			Key: key, Output: json.RawMessage(`{"text":"hi"}`), Claim: 1,
		})
	}
	if _, err := s.Accept(&e, ds); err != nil {
		t.Fatal(err)
	}
	return e, ds
}

// mustRecord records an attempt at d and waits for the commit.
func mustRecord(t testing.TB, s *db.Store, c *clock, d *event.Delivery, o event.Outcome, message string) *event.Delivery {
	t.Helper()
	done := make(chan *event.Delivery, 1)
	a := event.Attempt{Delivery: d.ID, Number: d.Attempts + 1, Started: c.Now(), Duration: 84 * time.Millisecond, Error: message, Receipt: event.Receipt{
		Status: 200, Answer: []byte("ok"), Request: "POST https://receiver.example/hook", Headers: []event.Header{{Name: "server", Value: "a: b"}, {Name: "via", Value: "1.1 é"}},
	}}
	if o.State == event.Delivered {
		a.Outputs = map[string]event.Output{"id": event.TextOutput(`sub_7"é`)}
	}
	s.Record(d, a, o, func(next *event.Delivery) { done <- next })
	select {
	case next := <-done:
		return next
	case <-time.After(10 * time.Second):
		t.Fatal("the result was not committed")
		return nil
	}
}

func mustClaim(t testing.TB, s *db.Store, connection string, now time.Time, limit int) []event.Delivery {
	t.Helper()
	ds, _, err := s.Claim(connection, now, limit, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

func mustDeliveries(t testing.TB, s *db.Store, f event.DeliveryFilter) []event.Delivery {
	t.Helper()
	ds, err := s.Deliveries(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return ds
}
