package db_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"hookgate/db"
	"hookgate/internal/event"
)

// mustRun begins a run over everything that is stored.
func mustRun(t testing.TB, s *db.Store, c *clock) *event.ReplayRun {
	t.Helper()
	run := &event.ReplayRun{ID: event.RunID(s.NewIDs(1)), Created: c.Now(), Selection: []byte(`{}`)}
	run.Past = event.ID(run.ID)
	if err := s.CreateRun(run); err != nil {
		t.Fatal(err)
	}
	return run
}

// mustReplayPlan is the version whose rules make what is replayed.
func mustReplayPlan(t testing.TB, s *db.Store) int64 {
	t.Helper()
	plan, err := s.SavePlan(event.RuleSet{Hash: "h", Rules: []string{"again", "other"}})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// replayed is what a run does with one event: a delivery to each connection.
func replayed(s *db.Store, c *clock, run *event.ReplayRun, id event.ID, plan int64, key string, connections ...string) event.Replayed {
	r := event.Replayed{Replay: event.Replay{Run: run.ID, Event: id, At: c.Now(), Plan: plan, Results: []byte("mn")}}
	first := event.DeliveryID(s.NewIDs(len(connections)))
	for i, connection := range connections {
		r.Deliveries = append(r.Deliveries, event.Delivery{
			ID: first + event.DeliveryID(i), Event: id, Rule: "again", Action: 1, Connection: connection, Key: key,
			Output: json.RawMessage(`{"text":"again"}`), State: event.Waiting,
		})
	}
	return r
}

func TestReplay(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		plan := mustReplayPlan(t, s)
		e, old := mustAccept(t, s, c, "", "x")
		unmatched := event.Event{ID: s.NewIDs(1), Source: "s", ReceivedAt: c.Now(), State: event.NoMatch, Plan: plan, Results: []byte("nn")}
		if _, err := s.Accept(&unmatched, nil); err != nil {
			t.Fatal(err)
		}
		run := mustRun(t, s, c)
		next := *run
		next.Cursor, next.Seen, next.Done = unmatched.ID, 2, true
		list := []event.Replayed{
			replayed(s, c, run, e.ID, plan, "k", "x", "y"), replayed(s, c, run, unmatched.ID, plan, "k", "x"), replayed(s, c, run, unmatched.ID+1, plan, "", "x"),
		}
		touched, err := s.Replay(run, &next, list)
		if err != nil || len(touched) != 2 || next.Events != 2 || next.Deliveries != 3 {
			t.Fatalf("got %v, %+v, %v, want the two events that there are", touched, next, err)
		}
		// The old delivery stays; the new ones wait in the order of their events.
		got := mustDeliveries(t, s, event.DeliveryFilter{Event: e.ID})
		if len(got) != 3 || got[2].ID != old[0].ID || got[1].State != event.Waiting || got[1].BlockedBy != 0 {
			t.Errorf("deliveries of the first event: %+v", got)
		}
		if got := mustDeliveries(t, s, event.DeliveryFilter{Event: unmatched.ID}); len(got) != 1 || got[0].BlockedBy != list[0].Deliveries[0].ID {
			t.Errorf("deliveries of the second event: %+v, want one that waits for %s", got, list[0].Deliveries[0].ID)
		}
		both, err := s.DeliveriesOf(t.Context(), []event.ID{e.ID, unmatched.ID}, 10)
		if err != nil || len(both) != 4 || both[0].ID != list[1].Deliveries[0].ID || both[3].ID != old[0].ID {
			t.Errorf("deliveries of both: %+v, %v, want four, the newest first", both, err)
		}
		if both, err = s.DeliveriesOf(t.Context(), []event.ID{e.ID, unmatched.ID}, 2); err != nil || len(both) != 2 || both[0].ID != list[1].Deliveries[0].ID {
			t.Errorf("two deliveries of both: %+v, %v, want the newest", both, err)
		}
		if claimed := mustClaim(t, s, "x", c.Now(), 10); len(claimed) != 1 || claimed[0].ID != list[0].Deliveries[0].ID {
			t.Errorf("claimed %+v, want the first of the key", claimed)
		}
		replays, err := s.Replays(t.Context(), unmatched.ID)
		if err != nil || len(replays) != 1 || replays[0].Run != run.ID || replays[0].Made != 1 || replays[0].Verdicts[0].Rule != "again" {
			t.Errorf("replays: %+v, %v", replays, err)
		}
		if now, err := s.Event(t.Context(), unmatched.ID); err != nil || now.State != event.Routed || string(now.Results) != "nn" {
			t.Errorf("the event that a rule matches now is %s with %s, %v", now.State, now.Results, err)
		}
		if matched, err := s.Events(t.Context(), event.Filter{Rule: "again"}); err != nil || len(matched) != 2 {
			t.Errorf("matched by the rule: %d, %v, want 2", len(matched), err)
		}
		stored, err := s.Run(t.Context(), run.ID)
		if err != nil || !stored.Done || stored.Seen != 2 || stored.Events != 2 || stored.Deliveries != 3 || string(stored.Selection) != "{}" {
			t.Errorf("run: %+v, %v", stored, err)
		}
	})
}

// A part of a run that is handed in twice, as after a crash of its caller,
// makes nothing the second time. Without the condition on the cursor, and
// without the key of table replays, it makes everything again.
func TestReplay_once(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		plan := mustReplayPlan(t, s)
		e, _ := mustAccept(t, s, c, "", "x")
		run := mustRun(t, s, c)
		next := *run
		next.Cursor, next.Seen = e.ID, 1
		part := func() []event.Replayed { return []event.Replayed{replayed(s, c, run, e.ID, plan, "", "x")} }
		if _, err := s.Replay(run, &next, part()); err != nil {
			t.Fatal(err)
		}
		stale := *run
		if _, err := s.Replay(run, &stale, part()); !errors.Is(err, db.ErrRunMoved) {
			t.Errorf("from where it was: got %v, want ErrRunMoved", err)
		}
		last := next
		last.Seen, last.Done = 2, true
		if _, err := s.Replay(&next, &last, part()); err != nil || last.Events != 1 {
			t.Errorf("from where it is, the same event: %+v, %v, want nothing new", last, err)
		}
		if _, err := s.Replay(&last, &last, part()); !errors.Is(err, db.ErrRunMoved) {
			t.Errorf("when it is done: got %v, want ErrRunMoved", err)
		}
		if got := mustDeliveries(t, s, event.DeliveryFilter{Event: e.ID}); len(got) != 2 {
			t.Errorf("%d deliveries, want the old one and one of the run", len(got))
		}
	})
}

// Retention keeps an event while a delivery of its replay is not done, and
// then takes all of it.
func TestPrune_replays(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		plan := mustReplayPlan(t, s)
		e, ds := mustAccept(t, s, c, "", "x")
		mustRecord(t, s, c, &ds[0], event.Outcome{State: event.Delivered}, "")
		run := mustRun(t, s, c)
		next := *run
		next.Cursor = e.ID
		if _, err := s.Replay(run, &next, []event.Replayed{replayed(s, c, run, e.ID, plan, "", "y")}); err != nil {
			t.Fatal(err)
		}
		c.Add(100 * 24 * time.Hour)
		if n, err := s.Prune(t.Context(), db.Retention{Events: 90 * 24 * time.Hour}); n != 0 || err != nil {
			t.Fatalf("pruned %d, %v, want nothing while the replay is not delivered", n, err)
		}
		claimed := mustClaim(t, s, "y", c.Now(), 10)
		if len(claimed) != 1 {
			t.Fatalf("claimed %+v", claimed)
		}
		mustRecord(t, s, c, &claimed[0], event.Outcome{State: event.Delivered}, "")
		if n, err := s.Prune(t.Context(), db.Retention{Events: 90 * 24 * time.Hour}); n != 1 || err != nil {
			t.Fatalf("pruned %d, %v, want the event", n, err)
		}
		if left := mustDeliveries(t, s, event.DeliveryFilter{}); len(left) != 0 {
			t.Errorf("left: %+v", left)
		}
		if replays, err := s.Replays(t.Context(), e.ID); err != nil || len(replays) != 0 {
			t.Errorf("left: %+v, %v", replays, err)
		}
		if runs, err := s.Runs(t.Context(), event.RunFilter{}); err != nil || len(runs) != 1 {
			t.Errorf("runs: %+v, %v, want the one that may have replayed what is kept for ever", runs, err)
		}
		year := 365 * 24 * time.Hour
		for i, r := range []db.Retention{{Events: 90 * 24 * time.Hour, Submissions: year, Spam: year}, {Events: 1, Submissions: 2, Spam: 3}} {
			if _, err := s.Prune(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			if runs, err := s.Runs(t.Context(), event.RunFilter{}); err != nil || len(runs) != 1-i {
				t.Errorf("runs: %+v, %v, want %d", runs, err, 1-i)
			}
		}
	})
}

func TestScan(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		var ids []event.ID
		for i := range 1203 { // three pages
			e := event.Event{ID: s.NewIDs(1), Source: []string{"a", "b"}[i%2], ReceivedAt: c.Now(), State: event.NoMatch, Body: []byte(`{}`)}
			if _, err := s.Accept(&e, nil); err != nil {
				t.Fatal(err)
			}
			ids = append(ids, e.ID)
			c.Add(time.Second)
		}
		scan := func(f event.Filter) (got []event.ID) {
			t.Helper()
			if err := s.Scan(t.Context(), f, func(e *event.Event) error { got = append(got, e.ID); return nil }); err != nil {
				t.Fatal(err)
			}
			return got
		}
		if got := scan(event.Filter{}); len(got) != 1203 || got[0] != ids[1202] || got[1202] != ids[0] {
			t.Errorf("all: %d", len(got))
		}
		if got := scan(event.Filter{OldestFirst: true, Source: "a"}); len(got) != 602 || got[0] != ids[0] || got[601] != ids[1202] {
			t.Errorf("oldest first: %d", len(got))
		}
		f := event.Filter{After: ids[9], Before: ids[20], Until: ids[15].Time().Add(time.Millisecond)}
		if got := scan(f); len(got) != 6 || got[0] != ids[15] {
			t.Errorf("between: %v", got)
		}
		if n, err := s.CountEvents(t.Context(), f); n != 6 || err != nil {
			t.Errorf("counted %d, %v", n, err)
		}
		if got := scan(event.Filter{IDs: []event.ID{ids[3], ids[1]}}); len(got) != 2 || got[0] != ids[3] {
			t.Errorf("by id: %v", got)
		}
		stopped := 0
		err := s.Scan(t.Context(), event.Filter{}, func(*event.Event) error {
			if stopped++; stopped == 700 {
				return db.ErrStop
			}
			return nil
		})
		if err != nil || stopped != 700 {
			t.Errorf("stopped after %d, %v", stopped, err)
		}
	})
}

// Whoever looks through the history may take long, or ask for more, and keeps nobody from
// reading meanwhile: the store of a test has one connection to read with. With each
// called while the rows are open the read of the event ends with its deadline.
func TestScan_readsNothingMeanwhile(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		const large = 100_000 // so that a part ends by its bytes
		var body [large]byte
		var want []event.ID
		for range 40 {
			_, _ = rand.Read(body[:])
			text, err := json.Marshal(body[:])
			if err != nil {
				t.Fatal(err)
			}
			e := event.Event{ID: s.NewIDs(1), Source: "a", ReceivedAt: c.Now(), State: event.NoMatch, Body: text}
			if _, err := s.Accept(&e, nil); err != nil {
				t.Fatal(err)
			}
			want = append(want, e.ID)
		}
		var got []event.ID
		err := s.Scan(t.Context(), event.Filter{OldestFirst: true}, func(e *event.Event) error {
			got = append(got, e.ID)
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			again, err := s.Event(ctx, e.ID)
			if err == nil && !bytes.Equal(again.Body, e.Body) {
				t.Errorf("event %s is another one when it is read alone", e.ID)
			}
			return err
		})
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%d of %d events, %v", len(got), len(want), err)
		}
	})
}
