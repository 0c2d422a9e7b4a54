package db_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"hookgate/db"
	"hookgate/internal/event"
)

// mustChain stores an event with n reserved ids, of which the first is a delivery
// that something comes after.
func mustChain(t testing.TB, s *db.Store, c *clock, key string, n int) event.Delivery {
	t.Helper()
	id := s.NewIDs(1 + n)
	e := event.Event{ID: id, Source: "shop", Type: "order", ReceivedAt: c.Now(), State: event.Routed, Body: []byte(`{}`), Plan: 7, First: event.DeliveryID(id) + 1, Reserved: n}
	list := []event.Delivery{{
		ID: event.DeliveryID(id) + 1, Event: id, Rule: "r", Action: 1, Connection: "x", Key: key, Output: json.RawMessage(`{"n":1}`),
		State: event.Waiting, Flow: event.Followed.InBranch(2), Created: c.Now(),
	}}
	if _, err := s.Accept(&e, list); err != nil {
		t.Fatal(err)
	}
	return list[0]
}

// follower is the next of d's chain.
func follower(d *event.Delivery, place int) event.Delivery {
	return event.Delivery{
		ID: d.ID + event.DeliveryID(place), Event: d.Event, Rule: "r", Action: 1 + place, Connection: "x", Key: d.Key, Output: json.RawMessage(`{"n":2}`),
		State: event.Waiting, Flow: event.Follows,
	}
}

// What follows a result is noted in its commit, is made once, and what is there
// already is left as it is. It fails where the timer is not compared.
//
// Promise: F8.
func TestFollow(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		mustChain(t, s, c, "", 3)
		d := mustClaim(t, s, "x", c.Now(), 10)[0]
		if d.Flow&event.Followed == 0 || d.Flow.Branch() != 2 {
			t.Fatalf("claimed with the flow %d", d.Flow)
		}
		mustRecord(t, s, c, &d, event.Outcome{State: event.Retrying, Due: c.Now()}, "no")
		if due := mustFollowTimers(t, s); len(due) != 0 {
			t.Fatal("something follows what has not ended")
		}
		d = mustClaim(t, s, "x", c.Now(), 10)[0]
		mustRecord(t, s, c, &d, event.Outcome{State: event.Delivered}, "")
		due := mustFollowTimers(t, s)
		if len(due) != 1 || due[0].ID != -int64(d.ID) {
			t.Fatalf("due: %+v", due)
		}
		c.Add(100 * 24 * time.Hour)
		if n, err := s.Prune(t.Context(), db.Retention{Events: 24 * time.Hour}); n != 0 || err != nil {
			t.Fatalf("retention deleted %d, %v", n, err)
		}
		next := event.Following{Timer: due[0], Of: d, Next: []event.Delivery{follower(&d, 1)}}
		for _, want := range []bool{true, false} {
			if done, _, err := s.Follow([]event.Following{next}); err != nil || done[0] != want {
				t.Fatalf("done %v, %v", done, err)
			}
		}
		chain, err := s.Progress(t.Context(), []event.DeliveryID{d.ID, d.ID + 1, d.ID + 2})
		if err != nil || len(chain) != 2 || chain[d.ID].State != event.Delivered || chain[d.ID+1].State != event.Waiting {
			t.Fatalf("chain: %+v, %v", chain, err)
		}
		second := mustClaim(t, s, "x", c.Now(), 10)
		if len(second) != 1 || second[0].ID != d.ID+1 || second[0].Flow != event.Follows || !second[0].Begun().Equal(c.Now()) {
			t.Fatalf("claimed: %+v", second)
		}
	})
}

// What comes after a delivery counts its delay from when that ended, by the database's
// clock, also where it ended as its event was stored. It fails where the time of the
// timer is one that is not known yet.
func TestFollow_time(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		mustChain(t, s, c, "", 2)
		c.Add(time.Hour)
		d := mustClaim(t, s, "x", c.Now(), 10)[0]
		mustRecord(t, s, c, &d, event.Outcome{State: event.Failed}, "no")
		id := s.NewIDs(2)
		e := event.Event{ID: id, Source: "shop", ReceivedAt: c.Now(), State: event.Routed, Body: []byte(`{}`), Plan: 7, First: event.DeliveryID(id) + 1, Reserved: 2}
		broken := event.Delivery{
			ID: e.First, Event: id, Rule: "r", Action: 1, Connection: "x", Output: json.RawMessage(`{}`),
			State: event.Failed, Error: "it could not be made", Flow: event.Followed, Created: c.Now(),
		}
		if _, err := s.Accept(&e, []event.Delivery{broken}); err != nil {
			t.Fatal(err)
		}
		due := mustFollowTimers(t, s)
		if len(due) != 2 {
			t.Fatalf("%d have ended, want 2", len(due))
		}
		for _, timer := range due {
			if !timer.Due.Equal(c.Now().Truncate(time.Microsecond)) {
				t.Errorf("it ended at %s, and it is %s", timer.Due, c.Now())
			}
		}
	})
}

// A delivery that is cancelled by hand, or retried and delivered, has ended anew.
func TestFollow_byHand(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		d := mustChain(t, s, c, "", 2)
		filter := event.DeliveryFilter{IDs: []event.DeliveryID{d.ID}}
		for _, step := range []func() (int, []string, error){
			func() (int, []string, error) { return s.Cancel(t.Context(), filter) },
			func() (int, []string, error) { return s.Retry(t.Context(), filter) },
		} {
			if n, _, err := step(); n != 1 || err != nil {
				t.Fatal(n, err)
			}
		}
		before := mustFollowTimers(t, s)
		if len(before) != 1 || before[0].Count != 0 {
			t.Fatalf("after it was cancelled: %+v", before)
		}
		claimed := mustClaim(t, s, "x", c.Now(), 10)
		mustRecord(t, s, c, &claimed[0], event.Outcome{State: event.Failed}, "no")
		after := mustFollowTimers(t, s)
		if len(after) != 1 || after[0].Count != 1 {
			t.Fatalf("after it failed: %+v", after)
		}
		if done, _, err := s.Follow([]event.Following{{Timer: before[0], Of: claimed[0]}}); err != nil || done[0] {
			t.Errorf("what was read before it ended anew is dealt with: %v", err)
		}
	})
}

// What follows with the same key goes before what waits for the key, and the key
// is free again when the event is erased.
func TestFollow_orderingKey(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		mustChain(t, s, c, "k", 2)
		d := mustClaim(t, s, "x", c.Now(), 10)[0]
		_, waiting := mustAccept(t, s, c, "k", "x")
		if next := mustRecord(t, s, c, &d, event.Outcome{State: event.Delivered}, ""); next != nil {
			t.Fatal("the key goes on before what follows is made")
		}
		timer := mustFollowTimers(t, s)[0]
		if done, _, err := s.Follow([]event.Following{{Timer: timer, Of: d, Next: []event.Delivery{follower(&d, 1)}}}); err != nil || !done[0] {
			t.Fatal(done, err)
		}
		claimed := mustClaim(t, s, "x", c.Now(), 10)
		if len(claimed) != 1 || claimed[0].ID != d.ID+1 {
			t.Fatalf("claimed: %+v", claimed)
		}
		next := mustRecord(t, s, c, &claimed[0], event.Outcome{State: event.Delivered}, "")
		if next == nil || next.ID != waiting[0].ID {
			t.Fatalf("then: %+v", next)
		}
		mustRecord(t, s, c, next, event.Outcome{State: event.Delivered}, "")

		mustChain(t, s, c, "k", 2)
		d = mustClaim(t, s, "x", c.Now(), 10)[0]
		_, waiting = mustAccept(t, s, c, "k", "x")
		mustRecord(t, s, c, &d, event.Outcome{State: event.Delivered}, "")
		if _, _, err := s.Erase(t.Context(), []event.ID{d.Event}); err != nil {
			t.Fatal(err)
		}
		if len(mustFollowTimers(t, s)) != 0 {
			t.Error("a timer of what was erased is left")
		}
		if claimed := mustClaim(t, s, "x", c.Now(), 10); len(claimed) != 1 || claimed[0].ID != waiting[0].ID {
			t.Errorf("after it was erased: %+v", claimed)
		}
	})
}

// What comes in while something is to be made that comes after a delivery of its key
// waits for that, unless the rules of that cannot be used for now.
//
// Promise: P8.
func TestFollow_meanwhile(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		for key, unusable := range map[string]bool{"k": false, "l": true} {
			mustChain(t, s, c, key, 2)
			d := mustClaim(t, s, "x", c.Now(), 10)[0]
			mustRecord(t, s, c, &d, event.Outcome{State: event.Delivered}, "")
			_, later := mustAccept(t, s, c, key, "x")
			if claimed := mustClaim(t, s, "x", c.Now(), 10); later[0].Claim != 0 || len(claimed) != 0 {
				t.Fatalf("what came meanwhile begins: %+v", claimed)
			}
			f := event.Following{Timer: mustFollowTimers(t, s)[0], Of: d, Next: []event.Delivery{follower(&d, 1)}}
			want := d.ID + 1
			if unusable {
				f.Next, f.Again, want = nil, c.Now().Add(time.Minute), later[0].ID
			}
			if done, _, err := s.Follow([]event.Following{f}); err != nil || !done[0] {
				t.Fatal(done, err)
			}
			claimed := mustClaim(t, s, "x", c.Now(), 10)
			if len(claimed) != 1 || claimed[0].ID != want {
				t.Fatalf("then: %+v, want %s", claimed, want)
			}
			next := mustRecord(t, s, c, &claimed[0], event.Outcome{State: event.Delivered}, "")
			if unusable != (next == nil) || next != nil && next.ID != later[0].ID {
				t.Fatalf("at last: %+v", next)
			}
			if next != nil {
				mustRecord(t, s, c, next, event.Outcome{State: event.Delivered}, "")
			}
		}
	})
}

func mustFollowTimers(t testing.TB, s *db.Store) []event.Timer {
	t.Helper()
	due, err := s.DueTimers(t.Context(), 100, event.FollowTimer)
	if err != nil {
		t.Fatal(err)
	}
	return due
}

// What is remembered after a step is written in the transaction that makes its delivery,
// once, however often the step ends; what a record cannot take is written by nobody, and
// the error names its delivery. It fails where it is written whether or not its delivery
// is there.
//
// Promise: F8.
func TestFollow_remember(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		count := event.RecordWrite{RecordKey: event.RecordKey{Table: "clients", Key: "all"}, Rule: "r", Add: map[string]json.RawMessage{"n": json.RawMessage(`1`)}, Keep: time.Hour}
		record := func(d *event.Delivery, place int, w event.RecordWrite) event.Delivery {
			made := follower(d, place)
			made.Connection, made.State, made.Record = "remember", event.Delivered, &w
			return made
		}
		mustChain(t, s, c, "", 3)
		d := mustClaim(t, s, "x", c.Now(), 10)[0]
		mustRecord(t, s, c, &d, event.Outcome{State: event.Failed}, "no")
		for round := range 2 { // it is retried by hand, and ends again
			f := event.Following{Timer: mustFollowTimers(t, s)[0], Of: d, Next: []event.Delivery{record(&d, 1, count)}}
			for _, want := range []bool{true, false} {
				if done, touched, err := s.Follow([]event.Following{f}); err != nil || done[0] != want || len(touched) != 0 {
					t.Fatalf("done %v, %v, %v", done, touched, err)
				}
			}
			if got, err := s.ReadRecord(t.Context(), count.RecordKey); err != nil || string(got.Value) != `{"n":1}` || got.Event != d.Event {
				t.Fatalf("after %d ends the record is %s, %v", round+1, got.Value, err)
			}
			if round == 0 {
				if n, _, err := s.Retry(t.Context(), event.DeliveryFilter{IDs: []event.DeliveryID{d.ID}}); n != 1 || err != nil {
					t.Fatal(n, err)
				}
				d = mustClaim(t, s, "x", c.Now(), 10)[0]
				mustRecord(t, s, c, &d, event.Outcome{State: event.Delivered}, "")
			}
		}
		made := mustDeliveries(t, s, event.DeliveryFilter{IDs: []event.DeliveryID{d.ID + 1}})[0]
		if made.State != event.Delivered || made.Attempts != 0 || made.Error != "" {
			t.Errorf("its delivery: %+v", made)
		}
		if chain, err := s.Progress(t.Context(), []event.DeliveryID{d.ID, d.ID + 1}); err != nil || chain[d.ID+1] == nil || chain[d.ID+1].State != event.Delivered {
			t.Errorf("its chain: %+v, %v", chain, err)
		}

		text := count
		text.Key, text.Add, text.Set = "other", nil, map[string]json.RawMessage{"n": json.RawMessage(`"many"`)}
		if _, err := s.SetRecord(text); err != nil {
			t.Fatal(err)
		}
		broken := count
		broken.RecordKey = text.RecordKey
		mustChain(t, s, c, "", 3)
		d = mustClaim(t, s, "x", c.Now(), 10)[0]
		mustRecord(t, s, c, &d, event.Outcome{State: event.Delivered}, "")
		f := event.Following{Timer: mustFollowTimers(t, s)[0], Of: d, Next: []event.Delivery{record(&d, 1, count), record(&d, 2, broken)}}
		fault := (*event.RecordError)(nil)
		if _, _, err := s.Follow([]event.Following{f}); !errors.As(err, &fault) || fault.Delivery != d.ID+2 {
			t.Fatalf("a record that cannot be added to: %v", err)
		}
		f.Next[1].Record, f.Next[1].State, f.Next[1].Error = nil, event.Failed, fault.Error()
		if done, _, err := s.Follow([]event.Following{f}); err != nil || !done[0] {
			t.Fatal(done, err)
		}
		if got, err := s.ReadRecord(t.Context(), count.RecordKey); err != nil || string(got.Value) != `{"n":2}` {
			t.Errorf("the record is %s, %v", got.Value, err)
		}
		failed := mustDeliveries(t, s, event.DeliveryFilter{States: []event.DeliveryState{event.Failed}})
		if len(failed) != 1 || failed[0].ID != d.ID+2 {
			t.Fatalf("failed: %+v", failed)
		}
		again := event.Rerendered{Delivery: failed[0]}
		again.Delivery.State, again.Delivery.Record, again.Delivery.Error = event.Delivered, &count, ""
		for _, want := range []bool{true, false} {
			if done, _, err := s.Rerender([]event.Rerendered{again}); err != nil || done[0] != want {
				t.Fatal(done, err)
			}
		}
		if got, err := s.ReadRecord(t.Context(), count.RecordKey); err != nil || string(got.Value) != `{"n":3}` {
			t.Errorf("rendered again, the record is %s, %v", got.Value, err)
		}
	})
}
