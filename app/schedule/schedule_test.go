package schedule_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"hookgate/app/ingest"
	"hookgate/app/schedule"
	"hookgate/db"
	"hookgate/internal/event"
	"hookgate/test/pgtest"
	"hookgate/test/planned"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// nobody takes no deliveries.
type nobody struct{}

func (nobody) Reserve(*event.Delivery) bool { return false }
func (nobody) Unreserve(*event.Delivery)    {}
func (nobody) Deliver(event.Delivery)       {}
func (nobody) Poll(string)                  {}

// world is a clock, which all of a test's processes and their database share.
type world struct {
	t   *testing.T
	url string
	mu  sync.Mutex
	now time.Time
}

func (w *world) Now() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.now }

func (w *world) set(now time.Time) {
	w.mu.Lock()
	w.now = now
	w.mu.Unlock()
	if w.url != "" {
		pgtest.Exec(w.t, w.url, fmt.Sprintf(`CREATE OR REPLACE FUNCTION now_us() RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT %d::bigint'`, now.UnixMicro()))
	}
}

// process is one that follows schedules.
type process struct {
	*schedule.Ticker
	store *db.Store
	plan  *ingest.Plan
}

func (w *world) process(store *db.Store, text string) *process {
	w.t.Helper()
	p := &process{store: store, plan: planned.Must(w.t, text)}
	log := slog.New(slog.DiscardHandler)
	p.Ticker = schedule.New(schedule.Options{
		Store: store, Plan: func() *ingest.Plan { return p.plan }, Logger: log, Now: w.Now, Ticked: func(string) {},
		Alive: func(ctx context.Context) (self int64, alive []int64, err error) {
			list, _, err := store.Replicas(ctx)
			for i := range list {
				if list[i].Self {
					self = list[i].ID
				}
				if list[i].Alive {
					alive = append(alive, list[i].ID)
				}
			}
			return self, alive, err
		},
		Intake: ingest.New(store, nobody{}, ingest.Options{Logger: log, Observe: func(string, event.State) {}}),
	})
	return p
}

func (p *process) look(t *testing.T) {
	t.Helper()
	if err := p.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// ticks are the events that were made, as scheduled_for and missed.
func ticks(t *testing.T, store *db.Store) string {
	t.Helper()
	list, err := store.Events(context.Background(), event.Filter{OldestFirst: true, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for i := range list {
		text := string(list[i].Data())
		_, at, _ := strings.Cut(text, `"scheduled_for":"`)
		_, missed, _ := strings.Cut(text, `"missed":`)
		out = append(out, at[11:16]+"+"+missed[:1])
	}
	return strings.Join(out, " ")
}

const (
	hourly = `{ sources: { a: { type: schedule, cron: "0 * * * *" } } }`
	half   = `{ sources: { a: { type: schedule, cron: "30 * * * *" } } }`
	skips  = `{ sources: { a: { type: schedule, cron: "0 * * * *", missed: skip } } }`
	none   = `{ sources: { b: { type: manual } } }`
)

var noon = time.Date(2026, 3, 10, 12, 10, 0, 0, time.UTC)

// forEachEngine runs test on both, with two stores on PostgreSQL.
func forEachEngine(t *testing.T, test func(t *testing.T, w *world, stores []*db.Store)) {
	t.Helper()
	open := func(t *testing.T, w *world, n int, open func(db.Options) (*db.Store, error)) []*db.Store {
		var list []*db.Store
		for range n {
			store, err := open(db.Options{Logger: slog.New(slog.DiscardHandler), Now: w.Now, Lease: 24 * 365 * time.Hour})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = store.Close() })
			list = append(list, store)
		}
		w.set(noon)
		return list
	}
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		w := &world{t: t, now: noon}
		path := filepath.Join(t.TempDir(), "test.db")
		test(t, w, open(t, w, 1, func(o db.Options) (*db.Store, error) { return db.Open(t.Context(), path, o) }))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		w := &world{t: t, now: noon, url: pgtest.Shared(t).URL(t)}
		test(t, w, open(t, w, 3, func(o db.Options) (*db.Store, error) { return db.OpenPostgres(t.Context(), event.NewSecret(w.url), o) }))
	})
}

// A tick is one event over all processes that look at once, missed ones are one,
// and a reload around a tick neither loses nor repeats it.
//
// Break: changeTimer compares nothing.
//
// Promise: F3.
func TestTicker(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world, stores []*db.Store) {
		var all []*process
		for _, s := range stores {
			for range 3 {
				all = append(all, w.process(s, hourly))
			}
		}
		look := func() {
			var group sync.WaitGroup
			for _, p := range all {
				group.Go(func() { p.look(t) })
			}
			group.Wait()
		}
		look()
		for i := range 5 {
			w.set(noon.Add(time.Duration(i)*time.Hour + 49*time.Minute + 59*time.Second))
			for _, p := range all { // a reload of what is as it was
				p.plan = planned.Must(t, hourly)
			}
			look()
			w.set(noon.Add(time.Duration(i)*time.Hour + 50*time.Minute))
			look()
			look()
		}
		w.set(noon.Add(9*time.Hour + 51*time.Minute + 30*time.Second)) // down over 5 ticks, the last a minute and a half ago
		look()
		if got, want := ticks(t, stores[0]), "13:00+0 14:00+0 15:00+0 16:00+0 17:00+0 22:00+4"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

// What is loaded decides what a row holds: another cron counts from then on, and
// an old file moves nothing.
func TestTicker_reload(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world, stores []*db.Store) {
		old, fresh := w.process(stores[len(stores)-1], hourly), w.process(stores[0], hourly)
		old.look(t)
		fresh.look(t)
		fresh.plan = planned.Must(t, half)
		fresh.look(t)
		w.set(noon.Add(20 * time.Minute)) // 12:30
		old.look(t)
		fresh.look(t)
		w.set(noon.Add(50 * time.Minute)) // 13:00, by the old file alone
		old.look(t)
		fresh.look(t)
		fresh.plan = planned.Must(t, skips)
		fresh.look(t)
		w.set(noon.Add(2*time.Hour + 52*time.Minute)) // 15:02: skipped
		fresh.look(t)
		w.set(noon.Add(3*time.Hour + 50*time.Minute)) // 16:00
		fresh.look(t)
		w.set(noon.Add(4 * 365 * 24 * time.Hour)) // a clock that is wrong, and put back
		fresh.look(t)
		w.set(noon.Add(4 * time.Hour))
		fresh.look(t)
		w.set(noon.Add(4*time.Hour + 50*time.Minute)) // 17:00
		fresh.look(t)
		if got, want := ticks(t, stores[0]), "12:30+0 16:00+0 17:00+0"; !strings.HasPrefix(got, "12:30+0 16:00+0") || !strings.HasSuffix(got, "17:00+0") {
			t.Errorf("got %s, want %s", got, want)
		}
		fresh.plan = planned.Must(t, none)
		fresh.look(t)
		if rows, err := stores[0].Timers(t.Context(), event.TickTimer); err != nil || len(rows) != 0 {
			t.Errorf("got the rows %v, %v", rows, err)
		}
	})
}
