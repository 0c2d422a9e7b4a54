package db_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/db"
	"hookgate/internal/event"
)

// A post that was kept as spam is given to the rules once, however many people
// say so at the same time. It breaks where the update does not ask for the
// state.
func TestReadmit(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		plan, err := s.SavePlan(event.RuleSet{Hash: "abc", Rules: []string{"lead"}})
		if err != nil {
			t.Fatal(err)
		}
		spam := event.Event{
			ID: s.NewIDs(1), Source: "contact", Form: true, Type: event.FormSubmitted, ReceivedAt: c.Now(), State: event.Spam, Cause: "honeypot",
			Body: []byte("a=1"), JSON: []byte(`{"a":"1"}`),
		}
		if _, err := s.Accept(&spam, nil); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		var released, refused atomic.Int32
		for range 8 {
			wg.Go(func() {
				e := spam
				e.State, e.Cause, e.Plan, e.Results = event.Routed, "released by hand", plan, []byte("m")
				first := event.DeliveryID(s.NewIDs(2))
				connections, err := s.Readmit(&e, []event.Delivery{
					{ID: first, Event: e.ID, Rule: "lead", Action: 1, Connection: "slack", Key: "k", Output: json.RawMessage(`{"text":"hi"}`), State: event.Waiting},
					{ID: first + 1, Event: e.ID, Rule: "lead", Action: 2, Connection: "crm", Output: json.RawMessage(`{}`), State: event.Failed, Error: "no name"},
				})
				switch {
				case err == nil && len(connections) == 1 && connections[0] == "slack":
					released.Add(1)
				case errors.Is(err, event.ErrNotKept):
					refused.Add(1)
				default:
					t.Errorf("connections %v, %v", connections, err)
				}
			})
		}
		wg.Wait()
		if released.Load() != 1 || refused.Load() != 7 {
			t.Errorf("released %d times, refused %d times, want 1 and 7", released.Load(), refused.Load())
		}
		got, err := s.Event(t.Context(), spam.ID)
		if err != nil || got.State != event.Routed || got.Cause != "released by hand" || string(got.Data()) != `{"a":"1"}` || len(got.Verdicts) != 1 {
			t.Errorf("got %+v, %v", got, err)
		}
		ds := mustDeliveries(t, s, event.DeliveryFilter{Event: spam.ID})
		if len(ds) != 2 || ds[0].State == ds[1].State {
			t.Errorf("deliveries: %+v", ds)
		}
		claimed, _, err := s.Claim("slack", c.Now().Add(time.Second), 10, 1<<20)
		if err != nil || len(claimed) != 1 {
			t.Errorf("claimed %+v, %v", claimed, err)
		}
	})
}

func TestFormCounts(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		var ids []event.ID
		for _, e := range []event.Event{
			{Source: "contact", Form: true, State: event.Routed},
			{Source: "contact", Form: true, State: event.Spam},
			{Source: "contact", Form: true, State: event.Spam},
			{Source: "quote", Form: true, State: event.NoMatch},
			{Source: "shop", State: event.Routed},
		} {
			e.ID, e.ReceivedAt = s.NewIDs(1), c.Now()
			if _, err := s.Accept(&e, nil); err != nil {
				t.Fatal(err)
			}
			ids = append(ids, e.ID)
		}
		got, err := s.FormCounts(t.Context(), []string{"contact", "quote", "none"}, c.Now().Add(-time.Hour))
		want := map[string]map[event.State]int{
			"contact": {event.Spam: 2, event.Routed: 1},
			"quote":   {event.NoMatch: 1},
		}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		unread := func(want map[string]int) {
			t.Helper()
			if got, err := s.NewPosts(t.Context(), []string{"contact", "quote", "shop", "none"}, 1); err != nil || !maps.Equal(got, want) {
				t.Errorf("new: got %v, %v, want %v", got, err, want)
			}
		}
		unread(map[string]int{"contact": 1, "quote": 1})
		// It is said once that one was read, and of forms alone.
		for _, c := range []struct {
			id            event.ID
			read, changed bool
		}{{ids[0], true, true}, {ids[0], true, false}, {ids[3], true, true}, {ids[3], false, true}, {ids[4], true, false}, {ids[0] + 1<<30, true, false}} {
			if changed, err := s.SetRead(c.id, c.read); err != nil || changed != c.changed {
				t.Errorf("%s read: %t: changed %t, %v", c.id, c.read, changed, err)
			}
		}
		c.Add(90 * 24 * time.Hour) // what nobody has read stays new, however old it is
		unread(map[string]int{"quote": 1})
		for i, read := range []bool{true, false, false, false, false} {
			if e, err := s.Event(t.Context(), ids[i]); err != nil || e.Read != read {
				t.Errorf("event %d: read %t, %v", i, e.Read, err)
			}
		}
		if got, err := s.FormCounts(t.Context(), []string{"contact", "quote", "none"}, c.Now().Add(time.Hour)); err != nil || len(got) != 0 {
			t.Errorf("later: got %v, %v", got, err)
		}
	})
}

// Form posts that could not be read grow as old as spam, events of sources as
// old as others of theirs.
func TestPrune_rejectedPosts(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		left := map[event.ID]bool{}
		for _, e := range []event.Event{
			{Source: "contact", Form: true, State: event.Rejected},
			{Source: "contact", Form: true, State: event.Spam},
			{Source: "contact", Form: true, State: event.NoMatch},
			{Source: "shop", State: event.Rejected},
		} {
			e.ID, e.ReceivedAt = s.NewIDs(1), c.Now()
			if _, err := s.Accept(&e, nil); err != nil {
				t.Fatal(err)
			}
			left[e.ID] = e.Source == "shop" || e.State == event.NoMatch
		}
		c.Add(15 * 24 * time.Hour)
		if n, err := s.Prune(t.Context(), db.Retention{Events: 90 * 24 * time.Hour, Submissions: 365 * 24 * time.Hour, Spam: 14 * 24 * time.Hour}); err != nil || n != 2 {
			t.Errorf("%d deleted, %v", n, err)
		}
		for id, want := range left {
			if _, err := s.Event(t.Context(), id); (err == nil) != want {
				t.Errorf("event %s: %v, want it left: %t", id, err, want)
			}
		}
	})
}

func TestFormKey(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, _ := newStore(t, p)
		first, err := s.FormKey(t.Context())
		if err != nil || len(first) != 32 || bytes.Equal(first, make([]byte, 32)) {
			t.Fatalf("key %x, %v", first, err)
		}
		if again, err := s.FormKey(t.Context()); err != nil || !bytes.Equal(first, again) {
			t.Errorf("key %x, then %x, %v", first, again, err)
		}
	})
}
