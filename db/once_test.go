package db_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hookgate/db"
	"hookgate/internal/event"
)

// acceptOnce stores an event with a delivery that may go once a day for key.
func acceptOnce(s *db.Store, c *clock, scope, key string) (event.Delivery, error) {
	id := s.NewIDs(2)
	e := event.Event{ID: id, Source: "contact", Form: true, Type: "form_submitted", ReceivedAt: c.Now(), State: event.NoMatch, Body: []byte("{}")}
	ds := []event.Delivery{{
		ID: event.DeliveryID(id) + 1, Event: id, Rule: event.AutoreplyRule, Action: 1, Connection: "mail", Output: []byte(`{}`),
		State: event.Sending, Claim: 1, Once: &event.Once{Scope: scope, Key: key, Window: 24 * time.Hour, Reason: "one was sent already"},
	}}
	_, err := s.Accept(&e, ds)
	return ds[0], err
}

// Without the look at the keys in the accepting transaction, every one of these
// deliveries would go.
func TestOnce(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		for i, step := range []struct {
			scope, key string
			later      time.Duration
			held       bool
		}{
			{"contact/autoreply", "ada", 0, false},
			{"contact/autoreply", "ada", time.Hour, true},
			{"contact/autoreply", "bob", 0, false},
			{"quote/autoreply", "ada", 0, false},
			{"contact/autoreply", "ada", 22*time.Hour + 59*time.Minute, true},
			{"contact/autoreply", "ada", time.Minute + time.Second, false},
			{"contact/autoreply", "ada", time.Minute, true},
		} {
			c.Add(step.later)
			d, err := acceptOnce(s, c, step.scope, step.key)
			if err != nil {
				t.Fatal(err)
			}
			if held := d.State == event.Cancelled; held != step.held || held == (d.Claim > 0) {
				t.Fatalf("step %d: %s with claim %d", i, d.State, d.Claim)
			}
			stored := mustDeliveries(t, s, event.DeliveryFilter{Event: d.Event})
			want, message := event.Sending, ""
			if step.held {
				want, message = event.Cancelled, "one was sent already"
			}
			if len(stored) != 1 || stored[0].State != want || stored[0].Error != message {
				t.Errorf("step %d: stored %+v", i, stored)
			}
		}
	})
}

// Of many at the same moment exactly one goes, also where they are committed
// together, and where several processes share the database.
func TestOnce_together(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		stores := []*db.Store{s}
		if p.shared() {
			stores = append(stores, mustOpen(t, p, c))
		}
		var (
			wg   sync.WaitGroup
			mu   sync.Mutex
			went = map[string]int{}
		)
		for i := range 60 {
			key := fmt.Sprint("address ", i%3)
			wg.Go(func() {
				d, err := acceptOnce(stores[i%len(stores)], c, "contact/autoreply", key)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
				} else if d.State != event.Cancelled {
					went[key]++
				}
			})
		}
		wg.Wait()
		for key, n := range went {
			if n != 1 {
				t.Errorf("%s: %d went", key, n)
			}
		}
		if len(went) != 3 {
			t.Errorf("went: %v", went)
		}
	})
}

// A post that is released from spam gets its reply, once like any other.
func TestOnce_released(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		for _, want := range []event.DeliveryState{event.Waiting, event.Cancelled} {
			id := s.NewIDs(2)
			e := event.Event{ID: id, Source: "contact", Form: true, Type: "form_submitted", ReceivedAt: c.Now(), State: event.Spam, Body: []byte("{}")}
			if _, err := s.Accept(&e, nil); err != nil {
				t.Fatal(err)
			}
			e.State = event.NoMatch
			_, err := s.Readmit(&e, []event.Delivery{{
				ID: event.DeliveryID(id) + 1, Event: id, Rule: event.AutoreplyRule, Action: 1, Connection: "mail", Output: []byte(`{}`), State: event.Waiting,
				Once: &event.Once{Scope: "contact/autoreply", Key: "ada", Window: time.Hour, Reason: "one was sent already"},
			}})
			if err != nil {
				t.Fatal(err)
			}
			if stored := mustDeliveries(t, s, event.DeliveryFilter{Event: id}); len(stored) != 1 || stored[0].State != want {
				t.Errorf("stored %+v, want %s", stored, want)
			}
		}
	})
}

// A repeat sends nothing, so it takes no place of a delivery that goes once:
// neither for later posts nor for those committed together with it.
func TestOnce_repeat(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		accept := func(content string) (event.DeliveryState, event.ID) {
			id := s.NewIDs(2)
			e := event.Event{
				ID: id, Source: "contact", Form: true, ReceivedAt: c.Now(), State: event.NoMatch, Body: []byte("{}"),
				Dedupe: &event.Dedupe{Key: content, Window: 7 * 24 * time.Hour},
			}
			ds := []event.Delivery{{
				ID: event.DeliveryID(id) + 1, Event: id, Rule: event.AutoreplyRule, Action: 1, Connection: "mail", Output: []byte(`{}`), Claim: 1,
				Once: &event.Once{Scope: "contact/autoreply", Key: "ada", Window: 24 * time.Hour, Reason: "one was sent already"},
			}}
			of, err := s.Accept(&e, ds)
			if err != nil {
				t.Error(err)
			}
			return ds[0].State, of
		}
		if state, _ := accept("hello"); state == event.Cancelled {
			t.Fatal("the first was held back")
		}
		c.Add(48 * time.Hour)
		if _, of := accept("hello"); of == 0 {
			t.Fatal("the repeat was not recognised")
		}
		if state, _ := accept("something else"); state == event.Cancelled {
			t.Error("the reply to a post after a repeat was held back")
		}
		c.Add(48 * time.Hour)
		var wg sync.WaitGroup
		var went atomic.Int32
		for i := range 40 {
			wg.Go(func() {
				if i%2 == 0 {
					accept("hello")
				} else if state, of := accept(fmt.Sprint("new ", i)); of == 0 && state != event.Cancelled {
					went.Add(1)
				}
			})
		}
		wg.Wait()
		if went.Load() != 1 {
			t.Errorf("%d went, want one", went.Load())
		}
	})
}

// Of many with one key, from several processes at once and also committed together,
// exactly so many go within the window, and as many again after it.
//
// Promise: F4.
func TestOnce_times(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		stores := []*db.Store{s}
		if p.shared() {
			stores = append(stores, mustOpen(t, p, c), mustOpen(t, p, c))
		}
		const times, key = 3, "ada"
		for range 2 {
			var wg sync.WaitGroup
			var mu sync.Mutex
			went, held := 0, 0
			for i := range 40 {
				wg.Go(func() {
					list, err := acceptCounted(stores[i%len(stores)], c, key, times, i%4 == 0)
					mu.Lock()
					defer mu.Unlock()
					if err != nil {
						t.Error(err)
					}
					for _, d := range list {
						switch {
						case d.State != event.Cancelled:
							went++
						case d.Cancelled == event.ByThrottle:
							held++
						}
					}
				})
			}
			wg.Wait()
			if went != times || held != 50-times {
				t.Errorf("%d went, %d were held back", went, held)
			}
			c.Add(25 * time.Hour)
		}
	})
}

// acceptCounted stores an event with a delivery, or two, of which so many may go a day.
func acceptCounted(s *db.Store, c *clock, key string, times int, two bool) ([]event.Delivery, error) {
	n := 1
	if two {
		n = 2
	}
	id := s.NewIDs(n + 1)
	e := event.Event{ID: id, Source: "shop", ReceivedAt: c.Now(), State: event.Routed, Body: []byte("{}")}
	var list []event.Delivery
	for i := range n {
		list = append(list, event.Delivery{
			ID: event.DeliveryID(id) + 1 + event.DeliveryID(i), Event: id, Rule: "r", Action: 1, Element: i + 1, Connection: "mail", Output: []byte(`{}`), State: event.Waiting,
			Once: &event.Once{Scope: "throttle/r/mail", Key: key, Window: 24 * time.Hour, Times: times, Reason: "throttle"},
		})
	}
	_, err := s.Accept(&e, list)
	return list, err
}

// What a throttle held back is found by that, and sent by hand with the output that it
// has; what was cancelled by hand is not among it.
func TestOnce_retry(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		var held event.DeliveryID
		for range 2 {
			list, err := acceptCounted(s, c, "ada", 1, false)
			if err != nil {
				t.Fatal(err)
			}
			if list[0].State == event.Cancelled {
				held = list[0].ID
			}
		}
		if n, _, err := s.Cancel(t.Context(), event.DeliveryFilter{States: []event.DeliveryState{event.Waiting}}); err != nil || n != 1 {
			t.Fatal(n, err)
		}
		byHand := mustDeliveries(t, s, event.DeliveryFilter{Cancelled: event.ByHand})
		if len(byHand) != 1 || byHand[0].ID == held || byHand[0].Element != 1 {
			t.Errorf("cancelled by hand: %+v", byHand)
		}
		n, _, err := s.Retry(t.Context(), event.DeliveryFilter{States: []event.DeliveryState{event.Cancelled}, Cancelled: event.ByThrottle})
		if err != nil || n != 1 {
			t.Fatal(n, err)
		}
		if d := mustDeliveries(t, s, event.DeliveryFilter{IDs: []event.DeliveryID{held}})[0]; d.State != event.Waiting || d.Error != "" || d.Cancelled != "" {
			t.Errorf("sent by hand: %+v", d)
		}
	})
}
