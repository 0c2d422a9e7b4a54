package db_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/db"
	"hookgate/internal/event"
)

func mustForget(t *testing.T, s *db.Store, ids ...event.ID) (event.Footprint, []string) {
	t.Helper()
	gone, connections, err := s.Erase(t.Context(), ids)
	if err != nil {
		t.Fatal(err)
	}
	return gone, connections
}

func count(t *testing.T, s *db.Store, table string) (n int) {
	t.Helper()
	if err := s.Read(t.Context(), "SELECT count(*) FROM "+table, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// Forget takes an event with everything of it, and nothing else. It fails if a
// statement of Forget is left out, or is not bound to the event.
func TestForget(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		gone, ds := mustSubmit(t, s, c, `{"email":"ada@example.com"}`, []string{"fil_a", "fil_b"}, "x", "y", "z")
		kept, other := mustSubmit(t, s, c, `{"email":"ben@example.com"}`, []string{"fil_c"}, "x")
		for i, d := range []*event.Delivery{&ds[0], &other[0]} {
			mustRecord(t, s, c, d, event.Outcome{State: event.Retrying, Due: c.Now().Add(time.Hour)}, fmt.Sprint("no ", i))
		}
		mustRecord(t, s, c, &ds[1], event.Outcome{State: event.Delivered}, "")
		run := event.ReplayRun{ID: event.RunID(s.NewIDs(1)), Created: c.Now(), Selection: []byte(`{}`)}
		run.Past = event.ID(run.ID)
		if err := s.CreateRun(&run); err != nil {
			t.Fatal(err)
		}
		var list []event.Replayed
		for _, id := range []event.ID{gone.ID, kept.ID} {
			d := event.Delivery{ID: event.DeliveryID(s.NewIDs(1)), Event: id, Rule: "r", Action: 1, Connection: "x", Output: []byte(`{}`), State: event.Waiting}
			list = append(list, event.Replayed{Replay: event.Replay{Event: id, Run: run.ID, At: c.Now(), First: d.ID, Made: 1}, Deliveries: []event.Delivery{d}})
		}
		next := run
		next.Done = true
		if _, err := s.Replay(&run, &next, list); err != nil {
			t.Fatal(err)
		}
		want := event.Footprint{Events: 1, Deliveries: 4, Open: 3, Files: 2, Bytes: 2 << 40}
		found, err := s.Footprint(t.Context(), []event.ID{gone.ID, 12345})
		if err != nil || found != want {
			t.Errorf("trace %+v, %v, want %+v", found, err, want)
		}
		got, _ := mustForget(t, s, gone.ID, 12345)
		if got != want {
			t.Errorf("deleted %+v, want %+v", got, want)
		}
		if again, _ := mustForget(t, s, gone.ID); again != (event.Footprint{}) {
			t.Errorf("deleted again: %+v", again)
		}
		if _, err := s.Event(t.Context(), gone.ID); !errors.Is(err, event.ErrNotFound) {
			t.Errorf("the event: %v", err)
		}
		rows := map[string]int{}
		for _, table := range []string{"events", "deliveries", "attempts", "replays"} {
			rows[table] = count(t, s, table)
		}
		if diff := cmp.Diff(map[string]int{"events": 1, "deliveries": 2, "attempts": 1, "replays": 1}, rows); diff != "" {
			t.Errorf("what is left (-want +got):\n%s", diff)
		}
		if got := removable(t, s); !slices.Equal(got, []string{"fil_a", "fil_b"}) {
			t.Errorf("removable files %v", got)
		}
		// The third delivery was being sent: its result finds nothing.
		if next := mustRecord(t, s, c, &ds[2], event.Outcome{State: event.Delivered}, ""); next != nil {
			t.Errorf("its end hands over %+v", next)
		}
		if n := count(t, s, "deliveries"); n != 2 {
			t.Errorf("%d deliveries after the result", n)
		}
	})
}

// What waits behind the ordering key of a deleted delivery may go. It fails if
// the key is not freed: then nothing is ever sent under it again.
func TestForget_orderingKey(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		first, ds := mustAccept(t, s, c, "k", "x")
		middle, _ := mustAccept(t, s, c, "k", "x")
		_, last := mustAccept(t, s, c, "k", "x")
		if _, connections := mustForget(t, s, middle.ID); !slices.Equal(connections, []string{"x"}) {
			t.Errorf("touched %v", connections)
		}
		if got := mustClaim(t, s, "x", c.Now(), 10); len(got) != 0 {
			t.Fatalf("the key's first is still under way, and %+v was claimed", got)
		}
		mustForget(t, s, first.ID)
		got := mustClaim(t, s, "x", c.Now(), 10)
		if len(got) != 1 || got[0].ID != last[0].ID {
			t.Fatalf("claimed %+v, want %s", got, last[0].ID)
		}
		if next := mustRecord(t, s, c, &ds[0], event.Outcome{State: event.Delivered}, ""); next != nil {
			t.Errorf("the end of what was deleted hands over %+v", next)
		}
	})
}

// A repeat of what was deleted is new, and so is a reply to the address.
func TestForget_repeats(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		accept := func(key string) (event.ID, event.ID, *event.Delivery) {
			t.Helper()
			e := event.Event{ID: s.NewIDs(2), Source: "contact", Form: true, ReceivedAt: c.Now(), State: event.Routed, Dedupe: &event.Dedupe{Key: key, Window: time.Hour}}
			ds := []event.Delivery{{
				ID: event.DeliveryID(e.ID) + 1, Event: e.ID, Connection: "mail", Rule: event.AutoreplyRule, Action: 1, Output: []byte(`{}`),
				Once: &event.Once{Scope: "contact/autoreply", Key: "who" + key, Window: time.Hour, Reason: "told"},
			}}
			first, err := s.Accept(&e, ds)
			if err != nil {
				t.Fatal(err)
			}
			return e.ID, first, &ds[0]
		}
		ada, _, _ := accept("ada")
		ben, _, _ := accept("ben")
		mustForget(t, s, ada)
		if n := count(t, s, "dedupe"); n != 2 {
			t.Errorf("%d keys are left, want Ben's 2", n)
		}
		if _, first, d := accept("ada"); first != 0 || d.State == event.Cancelled {
			t.Errorf("a repeat of what was deleted: duplicate of %s, its reply %s", first, d.State)
		}
		if _, first, _ := accept("ben"); first != ben {
			t.Errorf("a repeat of what was kept: duplicate of %s, want %s", first, ben)
		}
	})
}

func TestForgetNames(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		for i := range 2500 { // several pages
			if err := s.Remember(fmt.Sprint("slack-", i%3), fmt.Sprint("message ", i), `{"ts":"1"}`, time.Hour); err != nil {
				t.Fatal(err)
			}
		}
		for _, connection := range []string{"slack-0", "slack-2", "z"} {
			if err := s.Remember(connection, "message ada", `{"ts":"1"}`, time.Hour); err != nil {
				t.Fatal(err)
			}
		}
		for _, selection := range []string{`{"text":"ada"}`, `{"source":"shop"}`} {
			id := event.RunID(s.NewIDs(1))
			if err := s.CreateRun(&event.ReplayRun{ID: id, Created: c.Now(), Selection: []byte(selection)}); err != nil {
				t.Fatal(err)
			}
		}
		n, err := s.EraseNames(t.Context(), func(text string) bool { return strings.Contains(text, "ada") })
		if err != nil || n != (event.Named{Memory: 3, Runs: 1}) {
			t.Errorf("%+v, %v, want 3 entries and a run", n, err)
		}
		if memory, runs := count(t, s, "memory"), count(t, s, "replay_runs"); memory != 2500 || runs != 1 {
			t.Errorf("%d entries and %d runs are left", memory, runs)
		}
	})
}

// Beside traffic nothing else is lost: all that others store meanwhile is
// there afterwards, and every key goes on.
func TestForget_besideTraffic(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		var ids []event.ID
		for i := range 60 {
			e, _ := mustAccept(t, s, c, fmt.Sprint("k", i%4), "x")
			ids = append(ids, e.ID)
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		var kept []event.ID
		for w := range 4 {
			wg.Go(func() {
				for range 40 {
					e, ds := mustAccept(t, s, c, fmt.Sprint("k", w), "x")
					if ds[0].Claim > 0 {
						mustRecord(t, s, c, &ds[0], event.Outcome{State: event.Delivered}, "")
					}
					mu.Lock()
					kept = append(kept, e.ID)
					mu.Unlock()
				}
			})
		}
		gone, _ := mustForget(t, s, ids...)
		wg.Wait()
		if gone.Events != len(ids) || gone.Deliveries != len(ids) {
			t.Errorf("deleted %+v, want %d", gone, len(ids))
		}
		found, err := s.Footprint(t.Context(), kept)
		if err != nil || found.Events != 160 || found.Deliveries != 160 {
			t.Errorf("of others %+v is left, %v", found, err)
		}
		for found.Open > 0 { // each key has one that is due or under way
			ds := mustClaim(t, s, "x", c.Now(), 100)
			for i := range ds {
				for d := &ds[i]; d != nil; {
					d = mustRecord(t, s, c, d, event.Outcome{State: event.Delivered}, "")
				}
			}
			before := found.Open
			if found, err = s.Footprint(t.Context(), kept); err != nil || found.Open == before {
				t.Fatalf("%d deliveries are stuck, %v", found.Open, err)
			}
		}
	})
}
