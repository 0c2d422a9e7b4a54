package db_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"hookgate/db"
	"hookgate/internal/event"
)

// Promise: P21.
func TestPrune(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		_, old := mustAccept(t, s, c, "", "x")
		_, stuck := mustAccept(t, s, c, "", "x")
		_, lost := mustAccept(t, s, c, "", "x")
		mustRecord(t, s, c, &old[0], event.Outcome{State: event.Delivered}, "")
		mustRecord(t, s, c, &lost[0], event.Outcome{State: event.Failed}, "410 Gone")
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

// A page of large events must not take up their memory: a list leaves their
// bodies out, packed well or not.
func TestEvents_largeBodies(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		noise := make([]byte, 300_000)
		for i := range noise {
			noise[i] = byte(i * i >> 7 * i)
		}
		var ids []event.ID
		for _, text := range [][]byte{[]byte(`{"a":1}`), bytes.Repeat([]byte("a"), 1<<20), noise} {
			e := event.Event{ID: s.NewIDs(1), Source: "s", Type: "t", ReceivedAt: c.Now(), State: event.NoMatch, Body: text}
			if _, err := s.Accept(&e, nil); err != nil {
				t.Fatal(err)
			}
			if got, err := s.Event(t.Context(), e.ID); err != nil || !bytes.Equal(got.Body, text) {
				t.Errorf("alone: got %d bytes, %v, want %d", len(got.Body), err, len(text))
			}
			ids = append(ids, e.ID)
		}
		list, err := s.Events(t.Context(), event.Filter{Limit: 10})
		if err != nil || len(list) != 3 {
			t.Fatalf("got %d, %v", len(list), err)
		}
		for i, want := range []int{0, 0, 7} {
			if got := list[i]; got.ID != ids[2-i] || len(got.Body) != want {
				t.Errorf("%d: got %s with %d bytes, want %s with %d", i, got.ID, len(got.Body), ids[2-i], want)
			}
		}
	})
}

// An event is routed when one rule matched and another failed: it is found
// under both. A repeat of it has not failed itself.
func TestEvents_ruleErrorBesideAMatch(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		mixed := event.Event{
			ID: s.NewIDs(1), Source: "s", Type: "t", ReceivedAt: c.Now(), State: event.Routed,
			Errors: []event.Verdict{{Rule: "r", Result: event.RuleFailed, Message: "x is null"}}, Dedupe: &event.Dedupe{Key: "same", Window: time.Hour},
		}
		repeat := mixed
		repeat.ID = s.NewIDs(1)
		plain := event.Event{ID: s.NewIDs(1), Source: "s", Type: "t", ReceivedAt: c.Now(), State: event.NoMatch}
		for _, e := range []*event.Event{&mixed, &repeat, &plain} {
			if _, err := s.Accept(e, nil); err != nil {
				t.Fatal(err)
			}
		}
		for _, states := range [][]event.State{{event.RuleError}, {event.Routed}, {event.Spam, event.RuleError}} {
			got, err := s.Events(t.Context(), event.Filter{Source: "s", States: states, Limit: 10})
			if err != nil || len(got) != 1 || got[0].ID != mixed.ID || got[0].State != event.Routed {
				t.Errorf("%v: got %+v, %v, want the mixed one", states, got, err)
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

// Keys and records whose time is over go, however many there are: a part in each
// transaction. One that goes on for as long as all of them take keeps senders waiting, and
// on PostgreSQL it ended with its time limit, each time anew.
//
// Negative control: pruneExpired without its second round.
func TestPrune_expired(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		const keys = 4500 // three parts
		var senders sync.WaitGroup
		for sender := range 50 {
			senders.Go(func() {
				for n := range keys / 50 {
					e := event.Event{
						ID: s.NewIDs(1), Source: "shop", ReceivedAt: c.Now(), State: event.NoMatch, Body: []byte(`{}`),
						Dedupe: &event.Dedupe{Key: fmt.Sprintf("%d-%d", sender, n), Window: time.Hour},
					}
					if _, err := s.Accept(&e, nil); err != nil {
						t.Error(err)
					}
				}
			})
		}
		senders.Wait()
		left := func() (n int) {
			t.Helper()
			if err := s.Read(t.Context(), `SELECT count(*) FROM dedupe`, &n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		if n := left(); n != keys {
			t.Fatalf("%d keys", n)
		}
		for _, step := range []struct {
			after time.Duration
			want  int
		}{{30 * time.Minute, keys}, {time.Hour, 0}} {
			c.Add(step.after)
			if _, err := s.Prune(t.Context(), db.Retention{}); err != nil {
				t.Fatal(err)
			}
			if n := left(); n != step.want {
				t.Errorf("%d keys are left, want %d", n, step.want)
			}
		}
	})
}
