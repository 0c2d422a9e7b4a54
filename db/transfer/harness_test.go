package transfer_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hookgate/db"
	"hookgate/db/transfer"
	"hookgate/internal/event"
	"hookgate/test/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// clock is a time that a test sets, in ns.
type clock struct{ atomic.Int64 }

func newClock(at time.Time) *clock {
	c := &clock{}
	c.Store(at.UnixNano())
	return c
}

func (c *clock) Now() time.Time { return time.Unix(0, c.Load()).UTC() }

// newFile makes a store in a file whose clock stands still.
func newFile(t testing.TB, path string) (*db.Store, *clock) {
	t.Helper()
	c := newClock(time.Date(2026, 3, 10, 10, 42, 7, 0, time.UTC))
	return openFile(t, path, c), c
}

func openFile(t testing.TB, path string, c *clock) *db.Store {
	t.Helper()
	s, err := db.Open(t.Context(), path, db.Options{Logger: slog.New(slog.DiscardHandler), Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// startReplica opens a store on the PostgreSQL database at url.
func startReplica(t testing.TB, url string, now func() time.Time) (*db.Store, error) {
	t.Helper()
	s, err := db.OpenPostgres(t.Context(), event.NewSecret(url), db.Options{Logger: slog.New(slog.DiscardHandler), Now: now, Name: t.Name()})
	if err == nil {
		t.Cleanup(func() { _ = s.Close() })
	}
	return s, err
}

func mustReplica(t testing.TB, url string) *db.Store {
	t.Helper()
	s, err := startReplica(t, url, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// mustAccept stores an event with a delivery to x, claimed as the hot path does it.
func mustAccept(t testing.TB, s *db.Store, now time.Time, key string) (event.Event, event.Delivery) {
	t.Helper()
	id := s.NewIDs(2)
	e := event.Event{ID: id, Source: "shop", Type: "order", ReceivedAt: now, State: event.Routed, Body: []byte(`{"id":9007199254740993}`)}
	ds := []event.Delivery{{
		ID: event.DeliveryID(id) + 1, Event: id, Rule: "r", Action: 1, Connection: "x", Key: key, Output: json.RawMessage(`{"text":"hi"}`), Claim: 1,
	}}
	if _, err := s.Accept(&e, ds); err != nil {
		t.Fatal(err)
	}
	return e, ds[0]
}

// mustRecord records an attempt at d and waits for the commit. It returns what
// is next of d's ordering key.
func mustRecord(t testing.TB, s *db.Store, now time.Time, d *event.Delivery, o event.Outcome, message string) *event.Delivery {
	t.Helper()
	a := event.Attempt{
		Delivery: d.ID, Number: d.Attempts + 1, Started: now, Duration: 84 * time.Millisecond, Error: message,
		Receipt: event.Receipt{Status: 200, Answer: []byte("ok"), Request: "POST https://a.example/b", Headers: []event.Header{{Name: "retry-after", Value: "7"}}},
	}
	if o.State == event.Delivered {
		a.Outputs = map[string]event.Output{"id": event.TextOutput(`sub_7"é`)}
	}
	done := make(chan *event.Delivery, 1)
	s.Record(d, a, o, func(next *event.Delivery) { done <- next })
	select {
	case next := <-done:
		return next
	case <-time.After(10 * time.Second):
		t.Fatal("the result was not committed")
		return nil
	}
}

// mustReplay replays ten of the events.
func mustReplay(t testing.TB, s *db.Store, now time.Time, plan int64) {
	t.Helper()
	run := &event.ReplayRun{ID: event.RunID(s.NewIDs(1)), Created: now, Selection: []byte(`{}`)}
	run.Past = event.ID(run.ID)
	if err := s.CreateRun(run); err != nil {
		t.Fatal(err)
	}
	events, err := s.Events(t.Context(), event.Filter{OldestFirst: true, Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	next := *run
	var list []event.Replayed
	for i := range events {
		r := event.Replayed{Replay: event.Replay{Run: run.ID, Event: events[i].ID, At: now, Plan: plan, Results: []byte("mn")}}
		first := event.DeliveryID(s.NewIDs(2))
		for n, connection := range []string{"good", "keyed"} {
			r.Deliveries = append(r.Deliveries, event.Delivery{
				ID: first + event.DeliveryID(n), Event: events[i].ID, Rule: "first", Action: 1, Connection: connection, Key: "k1",
				Output: json.RawMessage(`{"text":"again"}`), State: event.Waiting,
			})
		}
		list = append(list, r)
		next.Cursor, next.Seen = events[i].ID, next.Seen+1
	}
	if _, err := s.Replay(run, &next, list); err != nil {
		t.Fatal(err)
	}
}

// mustHistory fills a SQLite file with what a gateway leaves behind when it
// is killed: every state of events and deliveries, some of them claimed, queues
// of ordering keys, and text that PostgreSQL cannot hold. It returns what
// can be read from it after the next start.
func mustHistory(t testing.TB, path string, events int) snapshot {
	t.Helper()
	s, c := newFile(t, path)
	plan, err := s.SavePlan(event.RuleSet{Hash: "abc", Rules: []string{"first", "second"}, Parts: []event.Part{{Hash: "of a table", Text: []byte(`{"rows":[]}`)}}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range events {
		c.Add(int64(time.Millisecond))
		mustLive(t, s, c, plan, i)
	}
	if _, _, err := s.Cancel(t.Context(), event.DeliveryFilter{Connection: "failing", States: []event.DeliveryState{event.Failed}, Limit: 1}); err != nil {
		t.Fatal(err)
	}
	mustReplay(t, s, c.Now(), plan)
	if _, err := s.SetPauseState(event.PauseState{Connection: "good", Paused: true, By: "team", Note: "until Monday", Until: c.Now().Add(time.Hour)}, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.CreateRetryRun(&event.RetryRun{ID: 6, State: event.RetryRunning, By: "ada"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Audit(event.Audit{ID: 5, Action: event.EraseAction, Detail: []byte(`{"events":2}`)}); err != nil {
		t.Fatal(err)
	}
	gathered := event.Event{ID: s.NewIDs(2), Source: "shop", ReceivedAt: c.Now(), State: event.Routed, Body: []byte(`{}`), Reserved: 1}
	gathered.First = event.DeliveryID(gathered.ID) + 1
	gathered.Gathers = []event.Gather{{Delivery: gathered.First, Event: gathered.ID, Name: "r/x", Key: "k", Max: 9, Size: 2, After: time.Hour, Latest: 2 * time.Hour}}
	if _, err := s.Accept(&gathered, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.PutTimer(&event.Timer{ID: int64(s.NewIDs(1)), Kind: event.TickTimer, Name: "monday", Due: c.Now().Add(time.Hour), Value: []byte("0 8 * * mon")}); err != nil {
		t.Fatal(err)
	}
	if err := s.Signal(event.Signal{Name: event.ConnectionFailing, Key: "good", Value: []byte(`{}`), Rest: event.UntilEnded}); err != nil {
		t.Fatal(err)
	}
	if err := s.AddHealth(event.AttemptStats{
		Counts: []event.AttemptCount{{Connection: "good", Slot: event.HealthSlotAt(c.Now()), Class: 7, Attempts: 3, Failed: 1}},
		Last:   []event.LastAttempt{{Connection: "good", Ended: c.Now(), Failed: true, FailedAt: c.Now(), Delivery: 4711, Number: 2}},
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SetRecord(event.RecordWrite{
		RecordKey: event.RecordKey{Table: "sites", Key: "7"}, Set: map[string]json.RawMessage{"status": json.RawMessage(`"Interest"`)}, Keep: 1000 * 24 * time.Hour,
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.AddToken(event.Token{ID: 7, Name: "nagios", Scope: event.ScopeRead, Hash: []byte{0, 1, 255}, Expires: c.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if kept, err := s.SetView(event.View{Name: "open", Query: "state:failed", By: "team"}, 50, false); err != nil || !kept {
		t.Fatal(kept, err)
	}
	if err := s.Remember("good", "message k", "there", time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := openFile(t, path, c) // it gives free what was claimed, as each start does
	defer again.Close()
	return mustSnapshot(t, again)
}

// mustLive is the life of the i-th event.
func mustLive(t testing.TB, s *db.Store, c *clock, plan int64, i int) {
	t.Helper()
	state := []event.State{event.Routed, event.NoMatch, event.RuleError, event.Rejected, event.Spam}[i%5]
	id := s.NewIDs(4)
	e := event.Event{
		ID: id, Source: "shop", Type: "order", ReceivedAt: c.Now(), State: state, Plan: plan, Form: state == event.Spam, Results: []byte("mn"),
		Body: []byte(strings.Repeat("body \x00\xff ", i%80)), Request: event.Request{Method: "POST", Headers: map[string]string{"x": "y"}},
		Dedupe: &event.Dedupe{Key: fmt.Sprint(i / 2 * 2 % 500), Window: time.Hour},
	}
	if e.Form {
		e.Files = []event.File{{ID: fmt.Sprint("fil_", i), Event: id, Field: "f", Name: "a.pdf", Type: "application/pdf", Size: int64(i), SHA256: "ab", Created: c.Now()}}
	}
	if state == event.Rejected {
		e.Cause = "bad\x00text\xff"
	}
	var ds []event.Delivery
	if state == event.Routed || state == event.RuleError {
		for n, connection := range []string{"good", "failing", "keyed"} {
			d := event.Delivery{
				ID: event.DeliveryID(id) + event.DeliveryID(n) + 1, Event: id, Rule: "first", Action: 1, Connection: connection,
				Output: json.RawMessage(fmt.Sprintf(`{"n":%d,"text":%q}`, i, strings.Repeat("x", i%600))), Claim: 1,
			}
			if connection == "keyed" {
				d.Key = fmt.Sprintf("k%d", i%7)
			}
			ds = append(ds, d)
		}
	}
	if _, err := s.Accept(&e, ds); err != nil {
		t.Fatal(err)
	}
	if len(ds) == 0 || i%3 == 0 {
		return // under way when the gateway was killed
	}
	mustRecord(t, s, c.Now(), &ds[0], event.Outcome{State: event.Delivered}, "")
	mustRecord(t, s, c.Now(), &ds[1], event.Outcome{State: []event.DeliveryState{event.Failed, event.Retrying}[i%2], Due: c.Now().Add(time.Minute)}, "503 Service\x00Unavailable")
}

// snapshot is what readers see of a store.
type snapshot struct {
	Events     []event.Event
	Deliveries []event.Delivery
	Attempts   []event.Attempt
	Switches   []event.PauseState
	Tokens     []event.Token
	Views      []event.View
}

func mustSnapshot(t testing.TB, s *db.Store) snapshot {
	t.Helper()
	var shot snapshot
	var err error
	if shot.Events, err = s.Events(t.Context(), event.Filter{Limit: 100_000}); err != nil {
		t.Fatal(err)
	}
	if shot.Deliveries, err = s.Deliveries(t.Context(), event.DeliveryFilter{Limit: 100_000}); err != nil {
		t.Fatal(err)
	}
	for part := range slices.Chunk(shot.Deliveries, 500) {
		var ids []event.DeliveryID
		for i := range part {
			ids = append(ids, part[i].ID)
		}
		attempts, err := s.Attempts(t.Context(), ids...)
		if err != nil {
			t.Fatal(err)
		}
		shot.Attempts = append(shot.Attempts, attempts...)
	}
	if shot.Tokens, err = s.Tokens(t.Context()); err != nil {
		t.Fatal(err)
	}
	if shot.Views, err = s.Views(t.Context()); err != nil {
		t.Fatal(err)
	}
	if shot.Switches, err = s.PauseStates(t.Context()); err != nil {
		t.Fatal(err)
	}
	return shot
}

// cleaned replaces what PostgreSQL's text cannot hold.
func (s snapshot) cleaned() snapshot {
	clean := func(text string) string {
		return strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", "\u2400"), "\uFFFD")
	}
	for i := range s.Events {
		s.Events[i].Cause = clean(s.Events[i].Cause)
	}
	for i := range s.Deliveries {
		s.Deliveries[i].Error = clean(s.Deliveries[i].Error)
	}
	for i := range s.Attempts {
		s.Attempts[i].Error = clean(s.Attempts[i].Error)
	}
	return s
}

func move(ctx context.Context, path, url string, progress func(transfer.Progress)) ([]transfer.Table, error) {
	return transfer.Run(ctx, path, event.NewSecret(url), transfer.Options{
		Logger: slog.New(slog.DiscardHandler), Now: time.Now, Progress: progress, Rows: 97,
	})
}
