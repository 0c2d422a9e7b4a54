package db_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"hookgate/db"
	"hookgate/internal/event"
	"hookgate/test/pgtest"
)

// Promise: P7.
func TestReplicas_claimEachOnce(t *testing.T) {
	t.Parallel()
	url := pgtest.Shared(t).URL(t)
	a, b := mustReplica(t, url, 0), mustReplica(t, url, 0)
	const count = 500
	for range count {
		id := a.NewIDs(2)
		e := event.Event{ID: id, Source: "s", ReceivedAt: time.Now(), State: event.Routed}
		if _, err := a.Accept(&e, []event.Delivery{{ID: event.DeliveryID(id) + 1, Event: id, Connection: "x", Rule: "r", Action: 1, Output: json.RawMessage(`{}`)}}); err != nil {
			t.Fatal(err)
		}
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	times := map[event.DeliveryID]int{}
	for i := range 8 {
		s := []*db.Store{a, b}[i%2]
		wg.Go(func() {
			for {
				got, _, err := s.Claim("x", time.Now().Add(time.Second), 7, 1<<20)
				if err != nil {
					t.Error(err)
					return
				}
				if len(got) == 0 {
					return
				}
				mu.Lock()
				for _, d := range got {
					times[d.ID]++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(times) != count {
		t.Errorf("%d of %d were claimed", len(times), count)
	}
	for id, n := range times {
		if n != 1 {
			t.Errorf("%s was claimed %d times", id, n)
		}
	}
}

// A replica that is silent for longer than its lease loses what it holds; what
// it does about that later changes nothing, and it goes on under a new number.
//
// Negative control: without `AND d.owner = …` and the claim in recordDelivered
// the stale result is taken.
func TestReplicas_takeover(t *testing.T) {
	t.Parallel()
	const lease = 1500 * time.Millisecond
	url := pgtest.Shared(t).URL(t)
	a, b := mustReplica(t, url, lease), mustReplica(t, url, lease)
	due := make(chan string, 100)
	go b.Watch(t.Context(), db.Watch{Due: func(c string) { due <- c }})
	before := a.Replica()
	_, held := mustAccept(t, a, wall(), "", "x", "x")
	if !a.Holds(&held[0]) || b.Holds(&held[0]) {
		t.Fatalf("who holds it: a %v, b %v, want a alone", a.Holds(&held[0]), b.Holds(&held[0]))
	}
	a.Freeze()
	frozen := time.Now()
	var got []event.Delivery
	for len(got) == 0 {
		select {
		case <-due: // what is taken over is announced
		case <-time.After(50 * time.Millisecond):
		}
		got = mustClaim(t, b, "x", time.Now(), 10)
		if time.Since(frozen) > lease+5*time.Second {
			t.Fatalf("not taken over %s after the end of the lease", time.Since(frozen)-lease)
		}
	}
	if took := time.Since(frozen); took < lease/2 {
		t.Errorf("taken over after %s, before the lease of %s had run out", took, lease)
	}
	if len(got) != 2 || got[0].ID != held[0].ID || got[0].Claim != 2 {
		t.Fatalf("took over %+v", got)
	}
	if a.Holds(&held[0]) {
		t.Error("the silent one still believes that it holds the delivery")
	}
	mustRecord(t, a, wall(), &held[0], event.Outcome{State: event.Failed}, "stale")
	mustRecord(t, a, wall(), &held[1], event.Outcome{State: event.Delivered}, "")
	for _, d := range mustDeliveries(t, b, event.DeliveryFilter{}) {
		if d.State != event.Sending || d.Attempts != 0 {
			t.Errorf("a stale result changed %s to %s", d.ID, d.State)
		}
	}
	if a.Replica() == before {
		t.Error("the silent one goes on under its old number")
	}
	mustRecord(t, b, wall(), &got[0], event.Outcome{State: event.Delivered}, "")
	_, again := mustAccept(t, a, wall(), "", "x")
	if !a.Holds(&again[0]) {
		t.Error("after it registered again it does not hold what it accepts")
	}
}

// Deliveries of one key that two replicas accept at the same time go one after
// the other, and in the order of acceptance.
//
// Negative control: without the lock of the key in askKeys two of them are due
// at once; with id in place of turn the order is wrong where clocks differ.
func TestReplicas_order(t *testing.T) {
	t.Parallel()
	url := pgtest.Shared(t).URL(t)
	ahead := func() time.Time { return time.Now().Add(time.Hour) }
	stores := []*db.Store{mustReplica(t, url, 0), nil}
	other, err := db.OpenPostgres(t.Context(), event.NewSecret(url), db.Options{Logger: slog.New(slog.DiscardHandler), Now: ahead})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	stores[1] = other // its clock is an hour ahead, and so are its ids

	const workers, each = 8, 40
	type span struct{ begin, end time.Time }
	var mu sync.Mutex
	var wg sync.WaitGroup
	spans := map[event.DeliveryID]span{}
	var first []event.Delivery
	for w := range workers {
		s := stores[w%2]
		wg.Go(func() {
			for range each {
				begin := time.Now()
				_, ds := mustAccept(t, s, wall(), "k", "x")
				mu.Lock()
				spans[ds[0].ID] = span{begin, time.Now()}
				if ds[0].Claim > 0 {
					first = append(first, ds[0])
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(first) != 1 {
		t.Fatalf("%d deliveries of the key are under way at once, want 1", len(first))
	}
	var order []event.DeliveryID
	for d := &first[0]; d != nil; {
		order = append(order, d.ID)
		s := stores[0]
		if s.Replica() != d.Owner {
			s = stores[1]
		}
		d = mustRecord(t, s, wall(), d, event.Outcome{State: event.Delivered}, "")
	}
	if len(order) != workers*each {
		t.Fatalf("%d of %d were delivered", len(order), workers*each)
	}
	for i, id := range order {
		for _, later := range order[i+1:] {
			if spans[later].end.Before(spans[id].begin) {
				t.Fatalf("%s, accepted %s earlier, came after %s", later, spans[id].begin.Sub(spans[later].end), id)
			}
		}
	}
}

// Promise: P6.
func TestReplicas_duplicates(t *testing.T) {
	t.Parallel()
	url := pgtest.Shared(t).URL(t)
	stores := []*db.Store{mustReplica(t, url, 0), mustReplica(t, url, 0)}
	for round := range 20 {
		var wg sync.WaitGroup
		ids, firsts := make([]event.ID, 6), make([]event.ID, 6)
		for i := range ids {
			wg.Go(func() {
				s := stores[i%2]
				e := event.Event{
					ID: s.NewIDs(1), Source: "s", ReceivedAt: time.Now(), State: event.NoMatch,
					Dedupe: &event.Dedupe{Key: fmt.Sprint("k", round), Window: time.Hour},
				}
				first, err := s.Accept(&e, nil)
				if err != nil {
					t.Error(err)
				}
				ids[i], firsts[i] = e.ID, first
			})
		}
		wg.Wait()
		fresh := slices.Index(firsts, 0)
		if fresh < 0 {
			t.Fatalf("round %d: all six are duplicates", round)
		}
		for i, first := range firsts {
			if i != fresh && first != ids[fresh] {
				t.Errorf("round %d: %s is a duplicate of %s, want %s", round, ids[i], first, ids[fresh])
			}
		}
	}
}

func TestReplicas_ids(t *testing.T) {
	t.Parallel()
	url := pgtest.Shared(t).URL(t)
	nodes := map[int64]bool{}
	for range 4 {
		nodes[int64(mustReplica(t, url, 0).NewIDs(1))>>11&1023] = true
	}
	if len(nodes) != 4 {
		t.Errorf("four replicas make ids of the nodes %v, want four", nodes)
	}
}

func TestWatch(t *testing.T) {
	t.Parallel()
	url := pgtest.Shared(t).URL(t)
	a, b := mustReplica(t, url, time.Second), mustReplica(t, url, time.Second)
	due := make(chan string, 100)
	go a.Watch(t.Context(), db.Watch{Due: func(c string) { due <- c }})
	if c := <-due; c != "" {
		t.Errorf("first called for %q, want all", c)
	}
	_, ds := mustAccept(t, b, wall(), "", "x")
	if err := b.Release(ds, time.Now()); err != nil {
		t.Fatal(err)
	}
	for c := range due { // the cluster is shared: other tests are heard as well
		if c == "x" {
			break
		}
	}
}
