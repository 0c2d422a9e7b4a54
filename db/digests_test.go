package db_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"hookgate/db"
	"hookgate/internal/event"
)

// mustGather stores an event that joins a digest, and gives it.
func mustGather(t testing.TB, s *db.Store, now time.Time, g event.Gather) event.Gather {
	t.Helper()
	id := s.NewIDs(2)
	g.Event, g.Delivery = id, event.DeliveryID(id)+1
	g.Info = event.DigestInfo{Rule: "r", Connection: "x", Action: 1, Key: g.Key}
	if g.Max == 0 {
		g.Max = 100
	}
	e := event.Event{
		ID: id, Source: "shop", Type: "order", ReceivedAt: now, State: event.Routed, Body: []byte(`{}`), Plan: 7,
		First: g.Delivery, Reserved: 1, Gathers: []event.Gather{g},
	}
	if _, err := s.Accept(&e, nil); err != nil {
		t.Fatal(err)
	}
	return g
}

func mustDigests(t testing.TB, s *db.Store) []event.OpenDigest {
	t.Helper()
	list, err := s.Digests(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// mustItems are the deliveries that are reserved for what is in a digest.
func mustItems(t testing.TB, s *db.Store, digest int64) (list []event.DeliveryID) {
	t.Helper()
	items, err := s.DigestItems(t.Context(), digest)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range items {
		list = append(list, i.Delivery)
	}
	return list
}

// mustClose closes the digests that are due, each as its newest event's delivery.
func mustClose(t testing.TB, s *db.Store) (made []event.DeliveryID) {
	t.Helper()
	due, err := s.DueTimers(t.Context(), 1000, event.DigestTimer)
	if err != nil {
		t.Fatal(err)
	}
	for i := range due {
		items, err := s.DigestItems(t.Context(), due[i].ID)
		if err != nil {
			t.Fatal(err)
		}
		newest := items[len(items)-1]
		c := event.Closing{Timer: due[i], Delivery: event.Delivery{
			ID: newest.Delivery, Event: newest.Event, Rule: "r", Action: 1, Connection: "x", Output: json.RawMessage(`{"n":1}`), State: event.Waiting, Flow: event.Digest,
		}}
		for _, want := range []bool{true, false} { // the second finds nothing: the row is the fence
			done, _, err := s.CloseDigests([]event.Closing{c})
			if err != nil {
				t.Fatal(err)
			}
			if done[0] != want {
				t.Errorf("digest %d closed: %t, want %t", due[i].ID, done[0], want)
			}
		}
		made = append(made, newest.Delivery)
	}
	return made
}

// Events join the open digest of their action and key until its time has come, and it
// becomes the delivery of the newest. It fails where what comes after the time joins.
//
// Promise: F2.
func TestGather(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		wait := event.Gather{Name: "r/x", Key: "a", After: time.Hour, Size: 10}
		first := mustGather(t, s, c.Now(), wait)
		c.Add(time.Minute)
		second := mustGather(t, s, c.Now(), wait)
		other := wait
		other.Key = "b"
		mustGather(t, s, c.Now(), other)
		list := mustDigests(t, s)
		if len(list) != 2 || list[0].ID != event.DigestID(first.Delivery) || list[0].Events != 2 || list[0].Size != 20 || list[0].Key != "a" || list[0].Full {
			t.Fatalf("open: %+v", list)
		}
		if got := mustClose(t, s); len(got) != 0 {
			t.Fatalf("closed before the time: %v", got)
		}
		c.Add(59 * time.Minute)
		third := mustGather(t, s, c.Now(), wait) // at the second: it opens the next
		if n := len(mustDigests(t, s)); n != 3 {
			t.Errorf("%d are open, want 3", n)
		}
		if got := mustClose(t, s); !slices.Equal(got, []event.DeliveryID{second.Delivery}) {
			t.Fatalf("closed: %v, want that of the second", got)
		}
		if got := mustItems(t, s, int64(second.Delivery)); !slices.Equal(got, []event.DeliveryID{first.Delivery, second.Delivery}) {
			t.Errorf("in it: %v", got)
		}
		if got := mustClaim(t, s, "x", c.Now(), 10); len(got) != 1 || got[0].ID != second.Delivery || got[0].Event != second.Event || got[0].Flow != event.Digest {
			t.Errorf("to be sent: %+v", got)
		}
		if plan, err := s.JudgedBy(t.Context(), &event.Delivery{ID: second.Delivery, Event: second.Event}); plan != 7 || err != nil {
			t.Errorf("judged by %d, %v", plan, err)
		}
		in, err := s.Memberships(t.Context(), first.Event)
		if err != nil || len(in) != 1 || in[0].Closed != second.Delivery || in[0].Others != 1 || in[0].Open != nil {
			t.Errorf("the first is in %+v, %v", in, err)
		}
		in, err = s.Memberships(t.Context(), third.Event)
		if err != nil || len(in) != 1 || in[0].Closed != 0 || in[0].Open == nil || in[0].Open.Key != "a" {
			t.Errorf("the third is in %+v, %v", in, err)
		}
	})
}

// A digest that somebody joins after it was read to be closed, which a clock that is set
// back lets happen, is not closed without it.
//
// Promise: F2.
func TestGather_joined(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		g := event.Gather{Name: "r/x", After: time.Hour}
		first := mustGather(t, s, c.Now(), g)
		c.Add(time.Hour)
		read, err := s.DueTimers(t.Context(), 10, event.DigestTimer)
		if err != nil || len(read) != 1 {
			t.Fatalf("due: %+v, %v", read, err)
		}
		c.Add(-time.Minute)
		second := mustGather(t, s, c.Now(), g)
		c.Add(time.Minute)
		made := event.Delivery{ID: first.Delivery, Event: first.Event, Rule: "r", Action: 1, Connection: "x", Output: json.RawMessage(`{}`), State: event.Waiting, Flow: event.Digest}
		if done, _, err := s.CloseDigests([]event.Closing{{Timer: read[0], Delivery: made}}); err != nil || done[0] {
			t.Errorf("closed as it was read: %v, %v", done, err)
		}
		if got := mustClose(t, s); !slices.Equal(got, []event.DeliveryID{second.Delivery}) {
			t.Fatalf("closed: %v, want that of the second", got)
		}
		if got := mustItems(t, s, int64(second.Delivery)); !slices.Equal(got, []event.DeliveryID{first.Delivery, second.Delivery}) {
			t.Errorf("in it: %v", got)
		}
	})
}

// A digest takes max events, and never one more.
func TestGather_max(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		g := event.Gather{Name: "r/x", After: time.Hour, Max: 3}
		for range 7 {
			mustGather(t, s, c.Now(), g)
		}
		var sizes []int
		for _, d := range mustDigests(t, s) {
			sizes = append(sizes, d.Events)
		}
		if !slices.Equal(sizes, []int{3, 3, 1}) {
			t.Errorf("open: %v, want 3, 3 and 1", sizes)
		}
		if got := mustClose(t, s); len(got) != 2 {
			t.Errorf("closed: %d, want the two that are full", len(got))
		}
		g.Size = event.MaxDigest - 10
		g.Max = 0
		mustGather(t, s, c.Now(), g)
		g.Size = 20
		mustGather(t, s, c.Now(), g) // too large for the open one
		if got := mustClose(t, s); len(got) != 1 {
			t.Errorf("closed: %d, want the one that is too large", len(got))
		}
	})
}

// A digest with quiet closes so long after the last, and at its latest after the
// first; one with cron at its time, or, where that is over, at the next.
func TestGather_quietAndCron(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		began := c.Now()
		g := event.Gather{Name: "r/x", After: 5 * time.Minute, Latest: 12 * time.Minute}
		for _, want := range []time.Duration{5, 9, 12, 12} {
			mustGather(t, s, c.Now(), g)
			if list := mustDigests(t, s); len(list) != 1 || !list[0].Timer.Due.Equal(began.Add(want*time.Minute).Truncate(time.Microsecond)) {
				t.Fatalf("open: %+v, want one that closes %d minutes after the first", list, want)
			}
			c.Add(4 * time.Minute)
			if want == 12 {
				c.Add(-4 * time.Minute)
			}
		}
		c.Add(time.Hour)
		mustClose(t, s)
		at := c.Now().Add(time.Hour).Truncate(time.Second)
		g = event.Gather{Name: "r/y", Due: at, Next: at.Add(24 * time.Hour)}
		mustGather(t, s, c.Now(), g)
		c.Add(2 * time.Hour)
		mustGather(t, s, c.Now(), g) // judged before the time, and stored after it
		if list := mustDigests(t, s); len(list) != 2 || !list[0].Timer.Due.Equal(at) || !list[1].Timer.Due.Equal(g.Next) {
			t.Errorf("open: %+v", list)
		}
	})
}

// A duplicate joins nothing, and a digest is sent now, or given up, by hand.
func TestDigest_byHand(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		g := event.Gather{Name: "r/x", After: time.Hour}
		for n := range 2 {
			id := s.NewIDs(2)
			one := g
			one.Event, one.Delivery, one.Max = id, event.DeliveryID(id)+1, 9
			e := event.Event{
				ID: id, Source: "shop", ReceivedAt: c.Now(), State: event.Routed, Body: []byte(`{}`), Plan: 7, First: one.Delivery, Reserved: 1,
				Gathers: []event.Gather{one}, Dedupe: &event.Dedupe{Key: "same", Window: time.Hour},
			}
			if of, err := s.Accept(&e, nil); err != nil || (of != 0) != (n == 1) {
				t.Fatalf("%d: a duplicate of %v, %v", n, of, err)
			}
		}
		list := mustDigests(t, s)
		if len(list) != 1 || list[0].Events != 1 {
			t.Fatalf("open: %+v", list)
		}
		if found, err := s.SendDigest(list[0].ID); !found || err != nil {
			t.Fatal(found, err)
		}
		after := mustGather(t, s, c.Now(), g)
		if got := mustClose(t, s); len(got) != 1 || got[0] == after.Delivery {
			t.Errorf("closed: %v", got)
		}
		if found, err := s.SendDigest(list[0].ID); found || err != nil {
			t.Error("a digest that is closed is sent", err)
		}
		if found, err := s.CancelDigest(event.DigestID(after.Delivery)); !found || err != nil {
			t.Error(found, err)
		}
		if n, err := s.CountDigests(t.Context()); n != 0 || err != nil {
			t.Error(n, err)
		}
		if _, err := s.Digest(t.Context(), event.DigestID(after.Delivery)); !errors.Is(err, event.ErrNotFound) {
			t.Error(err)
		}
	})
}

// Retention keeps what is gathered, and what is in a digest that was not delivered.
func TestPrune_gathered(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		g := event.Gather{Name: "r/x", After: 100 * 24 * time.Hour}
		mustGather(t, s, c.Now(), g)
		mustGather(t, s, c.Now(), g)
		c.Add(90 * 24 * time.Hour)
		prune := func(want int) {
			t.Helper()
			counts, err := s.Prunable(t.Context(), db.Retention{Events: 24 * time.Hour})
			if err != nil || counts[0] != want {
				t.Errorf("prunable: %v, %v, want %d", counts, err, want)
			}
			if n, err := s.Prune(t.Context(), db.Retention{Events: 24 * time.Hour}); n != want || err != nil {
				t.Errorf("deleted: %d, %v, want %d", n, err, want)
			}
		}
		prune(0)
		c.Add(20 * 24 * time.Hour)
		made := mustClose(t, s)
		prune(0)
		for _, d := range mustClaim(t, s, "x", c.Now(), 10) {
			mustRecord(t, s, c, &d, event.Outcome{State: event.Delivered}, "")
		}
		prune(2)
		if got := mustItems(t, s, int64(made[0])); len(got) != 0 {
			t.Errorf("left: %v", got)
		}
	})
}

// A person is forgotten in a digest: an open one goes on without the event, the others
// of one that was not delivered are gathered anew, and what was sent is erased.
func TestErase_gathered(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		g := event.Gather{Name: "r/x", After: time.Hour}
		var in []event.Gather
		for range 4 {
			in = append(in, mustGather(t, s, c.Now(), g))
		}
		forget := func(of event.Gather) {
			t.Helper()
			if _, _, err := s.Erase(t.Context(), []event.ID{of.Event}); err != nil {
				t.Fatal(err)
			}
		}
		forget(in[0]) // it is open, and the first
		if list := mustDigests(t, s); len(list) != 1 || list[0].Events != 3 {
			t.Fatalf("open: %+v", list)
		}
		c.Add(time.Hour)
		old := mustClose(t, s)
		forget(in[1]) // it is closed, and not the newest
		d := mustDeliveries(t, s, event.DeliveryFilter{IDs: old})[0]
		if d.State != event.Cancelled || d.Cancelled != event.ByRemoval || string(d.Output) != "{}" {
			t.Errorf("what was made of it: %+v", d)
		}
		if n, _, err := s.Retry(t.Context(), event.DeliveryFilter{IDs: old}); n != 0 || err != nil {
			t.Error("it can be sent without its content", n, err)
		}
		again := mustClose(t, s)
		if len(again) != 1 || slices.Contains(old, again[0]) {
			t.Fatalf("closed anew: %v, want one under another id", again)
		}
		if got := mustItems(t, s, int64(again[0])); !slices.Equal(got, []event.DeliveryID{in[2].Delivery, again[0]}) {
			t.Errorf("in it: %v", got)
		}
		if plan, err := s.JudgedBy(t.Context(), &event.Delivery{ID: again[0], Event: in[3].Event}); plan != 7 || err != nil {
			t.Errorf("judged by %d, %v", plan, err)
		}
		if got := mustDeliveries(t, s, event.DeliveryFilter{Event: in[3].Event}); len(got) != 2 {
			t.Errorf("of the newest: %d deliveries, want the old and the new", len(got))
		}
		for _, d := range mustClaim(t, s, "x", c.Now(), 10) {
			mustRecord(t, s, c, &d, event.Outcome{State: event.Delivered}, "")
		}
		forget(in[2])
		d = mustDeliveries(t, s, event.DeliveryFilter{IDs: again})[0]
		if d.State != event.Delivered || string(d.Output) != "{}" {
			t.Errorf("what was delivered: %+v", d)
		}
		forget(in[3])
		if got := mustDeliveries(t, s, event.DeliveryFilter{IDs: slices.Concat(old, again)}); len(got) != 0 {
			t.Errorf("left: %+v", got)
		}
		if n, err := s.CountDigests(t.Context()); n != 0 || err != nil {
			t.Error(n, err)
		}
	})
}

// Of events that come at once each is in exactly one digest.
//
// Promise: F2.
func TestGather_concurrent(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		var all sync.WaitGroup
		want := map[event.DeliveryID]bool{}
		var mu sync.Mutex
		for n := range 8 {
			all.Go(func() {
				for i := range 25 {
					g := mustGather(t, s, c.Now(), event.Gather{Name: "r/x", Key: fmt.Sprint((n + i) % 3), After: time.Hour, Max: 7})
					mu.Lock()
					want[g.Delivery] = true
					mu.Unlock()
				}
			})
		}
		all.Wait()
		seen := map[event.DeliveryID]bool{}
		for _, d := range mustDigests(t, s) {
			got := mustItems(t, s, int64(d.ID))
			if len(got) > 7 || len(got) != d.Events {
				t.Errorf("%s has %d events, want 7 at most and %d", d.ID, len(got), d.Events)
			}
			for _, id := range got {
				if seen[id] || !want[id] {
					t.Errorf("%s is in two digests, or was never stored", id)
				}
				seen[id] = true
			}
		}
		if len(seen) != len(want) {
			t.Errorf("%d events are in digests, of %d", len(seen), len(want))
		}
	})
}

// digests drives what is done with digests.
func (d *driver) digests(c *clock) {
	t, s := d.t, d.s
	t.Helper()
	var first, last event.Gather
	for n := range 4 {
		last = mustGather(t, s, c.Now(), event.Gather{Name: "r/x", Key: "k", After: time.Hour, Max: 3})
		if n == 0 {
			first = last
		}
	}
	_, _, err := s.OpenDigest(t.Context(), "r/x", "k")
	d.do("OpenDigest", err)
	_, err = s.Digests(t.Context())
	d.do("Digests", err)
	_, err = s.Digest(t.Context(), event.DigestID(last.Delivery))
	d.do("Digest", err)
	_, err = s.CountDigests(t.Context())
	d.do("CountDigests", err)
	_, err = s.DigestItems(t.Context(), int64(last.Delivery))
	d.do("DigestItems", err)
	mustClose(t, s)
	d.do("CloseDigests", nil)
	_, err = s.Memberships(t.Context(), first.Event, last.Event)
	d.do("Memberships", err)
	_, err = s.SendDigest(event.DigestID(last.Delivery))
	d.do("SendDigest", err)
	_, err = s.CancelDigest(event.DigestID(last.Delivery))
	d.do("CancelDigest", err)
}
