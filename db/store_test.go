package db_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"hookgate/app/event"
	"hookgate/db"
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
		return db.OpenPostgres(ctx, event.NewSecret(p.url), opt)
	}
	return db.Open(ctx, p.path, opt)
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
		c.set = func(now time.Time) { setClock(t, p.url, now) }
		c.set(c.Now())
	}
	return s
}

// setClock stops the clock of a database, for all that is compared with it.
func setClock(t testing.TB, url string, now time.Time) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	query := fmt.Sprintf(`CREATE OR REPLACE FUNCTION now_us() RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT %d::bigint'`, now.UnixMicro())
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
	a := event.Attempt{Delivery: d.ID, Number: d.Attempts + 1, Started: c.Now(), Duration: 84 * time.Millisecond, Receipt: event.Receipt{Status: 200, Answer: []byte("ok")}, Error: message}
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
	ds, err := s.Claim(connection, now, limit)
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

func TestAccept_keepsAll(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		plan, err := s.SavePlan("abc", []string{"one", "two", "three"})
		if err != nil {
			t.Fatal(err)
		}
		id := s.NewIDs(2)
		body := bytes.Repeat([]byte(`{"a":1} `), 200)
		want := event.Event{
			ID: id, Source: "contact", Form: true, Type: event.FormSubmitted, ReceivedAt: c.Now(), State: event.Routed,
			Body: body, JSON: []byte(`{"a":"1"}`), Plan: plan, Results: []byte("m-e"),
			Errors:  []event.Verdict{{Rule: "three", Result: event.Failed, Message: "data.x is null"}},
			Request: event.Request{Method: "POST", ContentType: "text/plain", RemoteIP: "192.0.2.1", Headers: map[string]string{"a": "b", "c": ""}, Query: map[string]any{"q": "1"}},
		}
		delivery := event.Delivery{ID: event.DeliveryID(id) + 1, Event: id, Rule: "one", Action: 2, Connection: "slack", Output: json.RawMessage(`{"text":"hi"}`), Warnings: []string{"data.y is missing"}}
		if _, err := s.Accept(&want, []event.Delivery{delivery}); err != nil {
			t.Fatal(err)
		}
		got, err := s.Event(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Body, want.Body) || string(got.JSON) != string(want.JSON) || got.Source != want.Source || !got.Form ||
			!got.ReceivedAt.Equal(want.ReceivedAt) || got.State != want.State || got.Request.Headers["a"] != "b" || got.Request.Query["q"] != "1" {
			t.Errorf("got %+v", got)
		}
		if len(got.Verdicts) != 3 || got.Verdicts[2] != want.Errors[0] || got.Verdicts[0].Rule != "one" || got.Verdicts[1].Result != event.Skipped {
			t.Errorf("verdicts: got %+v", got.Verdicts)
		}
		ds := mustDeliveries(t, s, event.DeliveryFilter{Event: id})
		if len(ds) != 1 || ds[0].Name() != "one/slack#2" || ds[0].Warnings[0] != "data.y is missing" || string(ds[0].Output) != `{"text":"hi"}` || ds[0].State != event.Waiting {
			t.Errorf("deliveries: got %+v", ds)
		}
		if _, err := s.Event(t.Context(), id+1); !errors.Is(err, event.ErrNotFound) {
			t.Errorf("unknown id: got %v", err)
		}
	})
}

func TestAccept_duplicate(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		accept := func(source string) (event.ID, event.ID) {
			e := event.Event{ID: s.NewIDs(2), Source: source, ReceivedAt: c.Now(), State: event.Routed, Dedupe: &event.Dedupe{Key: "k", Window: time.Hour}}
			ds := []event.Delivery{{ID: event.DeliveryID(e.ID) + 1, Event: e.ID, Connection: "x", Rule: "r", Action: 1, Output: json.RawMessage(`{}`)}}
			first, err := s.Accept(&e, ds)
			if err != nil {
				t.Fatal(err)
			}
			return e.ID, first
		}
		one, first := accept("a")
		if first != 0 {
			t.Fatalf("the first is a duplicate of %s", first)
		}
		// Two at once: exactly one of ten is new, the others repeat it.
		var wg sync.WaitGroup
		var mu sync.Mutex
		fresh := 0
		for range 10 {
			wg.Go(func() {
				_, first := accept("b")
				mu.Lock()
				defer mu.Unlock()
				if first == 0 {
					fresh++
				}
			})
		}
		wg.Wait()
		if fresh != 1 {
			t.Errorf("of ten at once %d were taken as new, want 1", fresh)
		}
		two, first := accept("a")
		if first != one {
			t.Errorf("repeat: got %s, want %s", first, one)
		}
		got, err := s.Event(t.Context(), two)
		if err != nil || got.State != event.Duplicate || got.DuplicateOf != one {
			t.Errorf("repeat is stored as %+v, %v", got.State, err)
		}
		if ds := mustDeliveries(t, s, event.DeliveryFilter{Event: two}); len(ds) != 0 {
			t.Errorf("repeat made deliveries: %+v", ds)
		}
		c.Add(time.Hour + time.Second)
		if _, first := accept("a"); first != 0 {
			t.Errorf("after the window it is still a duplicate of %s", first)
		}
	})
}

func TestRecord(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		_, ds := mustAccept(t, s, c, "", "x")
		d := &ds[0]
		if got := mustClaim(t, s, "x", c.Now().Add(time.Minute), 10); len(got) != 0 {
			t.Fatalf("a delivery under way was claimed again: %+v", got)
		}
		due := c.Now().Add(5 * time.Second)
		mustRecord(t, s, c, d, event.Outcome{State: event.Retrying, Due: due}, "503 Service Unavailable")
		got := mustDeliveries(t, s, event.DeliveryFilter{})[0]
		if got.State != event.Retrying || got.Attempts != 1 || !got.Due.Equal(due) || got.Error != "503 Service Unavailable" {
			t.Errorf("after a failure: got %+v", got)
		}
		if next, err := s.NextDue(t.Context(), "x"); err != nil || !next.Equal(due) {
			t.Errorf("NextDue: got %v, %v", next, err)
		}
		if early := mustClaim(t, s, "x", due.Add(-time.Microsecond), 10); len(early) != 0 {
			t.Errorf("claimed before it was due")
		}
		again := mustClaim(t, s, "x", due, 10)
		if len(again) != 1 || again[0].Attempts != 1 || string(again[0].Output) != `{"text":"hi"}` {
			t.Fatalf("claim: got %+v", again)
		}
		// The first claim is stale now: its result must change nothing.
		mustRecord(t, s, c, d, event.Outcome{State: event.GaveUp}, "stale")
		if got := mustDeliveries(t, s, event.DeliveryFilter{})[0]; got.State != event.Sending || got.Attempts != 1 {
			t.Errorf("a stale result changed the delivery: %+v", got)
		}
		mustRecord(t, s, c, &again[0], event.Outcome{State: event.Delivered}, "")
		attempts, err := s.Attempts(t.Context(), d.ID)
		if err != nil || len(attempts) != 2 || attempts[0].Error != "503 Service Unavailable" || attempts[1].Status != 200 ||
			attempts[1].Number != 2 || string(attempts[1].Answer) != "ok" || attempts[1].Duration != 84*time.Millisecond {
			t.Errorf("attempts: got %+v, %v", attempts, err)
		}
	})
}

func TestOrderingKey(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		_, first := mustAccept(t, s, c, "k", "x")
		_, second := mustAccept(t, s, c, "k", "x")
		_, third := mustAccept(t, s, c, "k", "x")
		_, other := mustAccept(t, s, c, "other", "x")
		if first[0].Claim != 1 || second[0].Claim != 0 || third[0].Claim != 0 || other[0].Claim != 1 {
			t.Fatalf("claims: %d %d %d %d, want 1 0 0 1", first[0].Claim, second[0].Claim, third[0].Claim, other[0].Claim)
		}
		if got := mustDeliveries(t, s, event.DeliveryFilter{IDs: []event.DeliveryID{third[0].ID}})[0]; got.BlockedBy != first[0].ID || got.State != event.Waiting {
			t.Errorf("third: got %+v, want it to wait for %s", got, first[0].ID)
		}
		due := c.Now().Add(time.Minute)
		if next := mustRecord(t, s, c, &first[0], event.Outcome{State: event.Retrying, Due: due}, "503"); next != nil {
			t.Errorf("a retry freed the key for %s", next.ID)
		}
		if got := mustClaim(t, s, "x", c.Now().Add(time.Hour), 10); len(got) != 1 || got[0].ID != first[0].ID {
			t.Fatalf("claimed %+v, want the first alone", got)
		} else if next := mustRecord(t, s, c, &got[0], event.Outcome{State: event.GaveUp}, "400"); next == nil || next.ID != second[0].ID {
			t.Fatalf("after it failed: next is %+v, want the second", next)
		} else if next := mustRecord(t, s, c, next, event.Outcome{State: event.Delivered}, ""); next == nil || next.ID != third[0].ID {
			t.Fatalf("after the second: next is %+v, want the third", next)
		}
		// The failed one, retried by hand while the third is under way, waits for it.
		if n, connections, err := s.Retry(t.Context(), event.DeliveryFilter{Connection: "x"}); err != nil || n != 1 || len(connections) != 1 {
			t.Fatalf("retry: %d %v %v", n, connections, err)
		}
		got := mustDeliveries(t, s, event.DeliveryFilter{IDs: []event.DeliveryID{first[0].ID}})[0]
		if got.State != event.Waiting || got.BlockedBy != third[0].ID || got.Base != 2 {
			t.Errorf("retried by hand: got %+v, want it to wait for the third", got)
		}
	})
}

func TestRetry_states(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		ids := map[event.DeliveryState]event.DeliveryID{}
		for _, state := range []event.DeliveryState{event.Sending, event.Delivered, event.GaveUp, event.Retrying, event.Cancelled} {
			_, ds := mustAccept(t, s, c, "", "x")
			ids[state] = ds[0].ID
			switch state {
			case event.Delivered, event.GaveUp:
				mustRecord(t, s, c, &ds[0], event.Outcome{State: state}, "")
			case event.Retrying:
				mustRecord(t, s, c, &ds[0], event.Outcome{State: state, Due: c.Now().Add(time.Hour)}, "503")
			case event.Cancelled:
				if _, _, err := s.Cancel(t.Context(), event.DeliveryFilter{IDs: []event.DeliveryID{ds[0].ID}}); err != nil {
					t.Fatal(err)
				}
			default:
			}
		}
		state := func(of event.DeliveryState) event.DeliveryState {
			return mustDeliveries(t, s, event.DeliveryFilter{IDs: []event.DeliveryID{ids[of]}})[0].State
		}
		for _, tc := range []struct {
			filter event.DeliveryFilter
			want   event.DeliveryState // of which one is changed
		}{
			{event.DeliveryFilter{Connection: "x"}, event.GaveUp},
			{event.DeliveryFilter{States: []event.DeliveryState{event.Cancelled}}, event.Cancelled},
			{event.DeliveryFilter{IDs: []event.DeliveryID{ids[event.Retrying], ids[event.Delivered], ids[event.Sending]}}, event.Retrying},
		} {
			n, _, err := s.Retry(t.Context(), tc.filter)
			if n != 1 || err != nil || state(tc.want) != event.Waiting {
				t.Errorf("%+v: changed %d, %v; the %s one is %s, want it alone to wait", tc.filter, n, err, tc.want, state(tc.want))
			}
		}
		if state(event.Sending) != event.Sending || state(event.Delivered) != event.Delivered {
			t.Errorf("sending became %s, delivered became %s", state(event.Sending), state(event.Delivered))
		}
		if due := mustClaim(t, s, "x", c.Now(), 10); len(due) != 3 {
			t.Errorf("%d are due now, want the three", len(due))
		}
	})
}

func TestCancel_freesTheKey(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		_, first := mustAccept(t, s, c, "k", "x")
		_, second := mustAccept(t, s, c, "k", "x")
		if n, _, err := s.Cancel(t.Context(), event.DeliveryFilter{IDs: []event.DeliveryID{first[0].ID}}); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		if got := mustClaim(t, s, "x", c.Now(), 10); len(got) != 1 || got[0].ID != second[0].ID {
			t.Errorf("claimed %+v, want the second", got)
		}
		mustRecord(t, s, c, &first[0], event.Outcome{State: event.Delivered}, "")
		if got := mustDeliveries(t, s, event.DeliveryFilter{IDs: []event.DeliveryID{first[0].ID}})[0]; got.State != event.Cancelled {
			t.Errorf("a late result changed the cancelled delivery to %s", got.State)
		}
	})
}

func TestOpen_takesOverWhatADeadProcessClaimed(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		c := newClock()
		s := mustOpen(t, p, c)
		_, first := mustAccept(t, s, c, "", "x", "y")
		_, second := mustAccept(t, s, c, "", "x")
		if !p.shared() {
			if _, err := p.open(t.Context(), db.Options{Logger: slog.New(slog.DiscardHandler), Now: c.Now}); !errors.Is(err, db.ErrInUse) {
				t.Errorf("second process: got %v, want ErrInUse", err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = mustOpen(t, p, c)
		got := mustClaim(t, s, "x", c.Now(), 10)
		if len(got) != 2 || got[0].ID != first[0].ID || got[1].ID != second[0].ID || got[0].Claim != 2 {
			t.Errorf("claimed after restart: %+v", got)
		}
		if next := s.NewIDs(1); next <= event.ID(second[0].ID) {
			t.Errorf("ids start again: %s after %s", next, second[0].ID)
		}
	})
}

func TestBadEventFailsAlone(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		e, _ := mustAccept(t, s, c, "", "x")
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				if i == 25 { // its number is taken: a constraint error in the middle of a batch
					if _, err := s.Accept(&event.Event{ID: e.ID, Source: "bad", ReceivedAt: c.Now(), State: event.NoMatch}, nil); err == nil || errors.Is(err, event.ErrUnavailable) {
						t.Errorf("bad event: got %v", err)
					}
					return
				}
				if _, err := s.Accept(&event.Event{ID: s.NewIDs(1), Source: "good", ReceivedAt: c.Now(), State: event.NoMatch}, nil); err != nil {
					t.Errorf("good event: got %v", err)
				}
			})
		}
		wg.Wait()
		if got, err := s.Events(t.Context(), event.Filter{Source: "good", Limit: 100}); err != nil || len(got) != 49 {
			t.Errorf("stored %d good events, %v, want 49", len(got), err)
		}
	})
}

func TestPrune(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		_, old := mustAccept(t, s, c, "", "x")
		_, stuck := mustAccept(t, s, c, "", "x")
		_, lost := mustAccept(t, s, c, "", "x")
		mustRecord(t, s, c, &old[0], event.Outcome{State: event.Delivered}, "")
		mustRecord(t, s, c, &lost[0], event.Outcome{State: event.GaveUp}, "410 Gone")
		c.Add(91 * 24 * time.Hour)
		_, young := mustAccept(t, s, c, "", "x")
		mustRecord(t, s, c, &young[0], event.Outcome{State: event.Delivered}, "")
		n, err := s.Prune(t.Context(), db.Retention{Events: 90 * 24 * time.Hour})
		if err != nil || n != 1 {
			t.Fatalf("pruned %d, %v, want 1", n, err)
		}
		events, err := s.Events(t.Context(), event.Filter{})
		if err != nil || len(events) != 3 {
			t.Errorf("kept %d events, %v, want 3", len(events), err)
		}
		left := map[event.DeliveryID]bool{}
		for _, d := range mustDeliveries(t, s, event.DeliveryFilter{}) {
			left[d.ID] = true
		}
		if left[old[0].ID] || !left[stuck[0].ID] || !left[lost[0].ID] || !left[young[0].ID] {
			t.Errorf("kept deliveries %v", left)
		}
	})
}

func TestPrune_givesSpaceBack(t *testing.T) {
	t.Parallel()
	s, c := newStore(t, place{path: filepath.Join(t.TempDir(), "test.db")}) // PostgreSQL's vacuum works by itself
	noise := make([]byte, 20_000)
	for i := range noise {
		noise[i] = byte(i*i>>3) ^ byte(i*7919>>5)
	}
	for range 300 {
		if _, err := s.Accept(&event.Event{ID: s.NewIDs(1), Source: "s", ReceivedAt: c.Now(), Body: noise, State: event.NoMatch}, nil); err != nil {
			t.Fatal(err)
		}
		noise[0]++
	}
	c.Add(100 * 24 * time.Hour)
	if n, err := s.Prune(t.Context(), db.Retention{Events: 90 * 24 * time.Hour}); n != 300 || err != nil {
		t.Fatal(n, err)
	}
	var pages, free int
	if err := s.Read(t.Context(), `SELECT (SELECT page_count FROM pragma_page_count), (SELECT freelist_count FROM pragma_freelist_count)`, &pages, &free); err != nil {
		t.Fatal(err)
	}
	if pages > 200 || free > 100 {
		t.Errorf("after deleting all there are still %d pages, %d of them free", pages, free)
	}
}

func TestEvents_filters(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		for i, state := range []event.State{event.Routed, event.NoMatch, event.Rejected, event.Spam, event.RuleError} {
			e := event.Event{ID: s.NewIDs(1), Source: fmt.Sprint("s", i%2), Type: "t", ReceivedAt: c.Now(), State: state}
			if _, err := s.Accept(&e, nil); err != nil {
				t.Fatal(err)
			}
			c.Add(time.Minute)
		}
		for _, tc := range []struct {
			filter event.Filter
			want   int
		}{
			{event.Filter{}, 5},
			{event.Filter{Source: "s0"}, 3},
			{event.Filter{States: []event.State{event.Rejected}}, 1},
			{event.Filter{States: []event.State{event.Rejected, event.Routed}}, 2},
			{event.Filter{Since: c.Now().Add(-150 * time.Second)}, 2},
			{event.Filter{Limit: 2}, 2},
		} {
			got, err := s.Events(t.Context(), tc.filter)
			if err != nil || len(got) != tc.want {
				t.Errorf("%+v: got %d, %v, want %d", tc.filter, len(got), err, tc.want)
			}
			for i := 1; i < len(got); i++ {
				if got[i].ID >= got[i-1].ID {
					t.Errorf("%+v: not newest first", tc.filter)
				}
			}
		}
	})
}

func TestClose_thenContextOfReads(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, _ := newStore(t, p)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.Events(ctx, event.Filter{}); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want the context's error", err)
		}
	})
}
