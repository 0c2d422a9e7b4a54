package db_test

import (
	"testing"
	"time"

	"hookgate/db"
	"hookgate/internal/event"
)

// acceptFailing stores an event with a claimed delivery that is about to fail.
func acceptFailing(t *testing.T, s *db.Store, c *clock) event.Delivery {
	t.Helper()
	_, deliveries := mustAccept(t, s, c, "", "crm")
	return deliveries[0]
}

func gaveUp(d *event.Delivery) event.Outcome {
	return event.Outcome{State: event.Failed, Signal: &event.Signal{Name: event.DeliveryFailed, Key: d.ID.String(), Value: []byte(`{"error":"422"}`)}}
}

func due(t *testing.T, s *db.Store) []event.Signal {
	t.Helper()
	list, err := s.DueSignals(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// tell makes the event of a signal, as whoever tells does.
func tell(t *testing.T, s *db.Store, c *clock, signal event.Signal) (event.ID, bool) {
	t.Helper()
	id := s.NewIDs(2)
	e := event.Event{ID: id, Source: event.Own, Type: signal.Name, ReceivedAt: c.Now(), State: event.Routed, Body: []byte(`{}`)}
	told, connections, err := s.Tell(&signal, &e, []event.Delivery{{
		ID: event.DeliveryID(id) + 1, Event: id, Rule: "alarm", Action: 1, Connection: "slack", Output: []byte(`{}`), State: event.Waiting,
	}})
	if err != nil {
		t.Fatal(err)
	}
	if told != (len(connections) == 1) {
		t.Errorf("told: %t, connections: %v", told, connections)
	}
	return id, told
}

// The signal of a failure is there when the failure is, and once: a result
// under an old claim, or one that comes again, notes nothing. Fails where the
// signal is written without the condition of the result.
//
// Promise: F7.
func TestRecord_signal(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		d := acceptFailing(t, s, c)
		stale := d
		stale.Claim--
		mustRecord(t, s, c, &stale, gaveUp(&d), "422")
		if list := due(t, s); len(list) != 0 {
			t.Fatalf("a result under an old claim noted %+v", list)
		}
		mustRecord(t, s, c, &d, gaveUp(&d), "422")
		mustRecord(t, s, c, &d, gaveUp(&d), "422")
		list := due(t, s)
		if len(list) != 1 || list[0].Name != event.DeliveryFailed || list[0].Count != 1 || string(list[0].Value) != `{"error":"422"}` {
			t.Fatalf("noted: %+v", list)
		}
		id, told := tell(t, s, c, list[0])
		if !told || len(due(t, s)) != 0 {
			t.Error("nobody was told, or would be again")
		}
		if _, again := tell(t, s, c, list[0]); again {
			t.Error("it was told twice")
		}
		stored := mustDeliveries(t, s, event.DeliveryFilter{Event: id})
		if len(stored) != 1 || stored[0].State != event.Waiting {
			t.Errorf("stored: %+v", stored)
		}
		events, err := s.Events(t.Context(), event.Filter{Source: event.Own})
		if err != nil || len(events) != 1 || events[0].ID != id {
			t.Errorf("of source hookgate: %+v, %v", events, err)
		}
		if events, err = s.Events(t.Context(), event.Filter{}); err != nil || len(events) != 1 || events[0].Source == event.Own {
			t.Errorf("of all: %+v, %v", events, err)
		}
		if n, err := s.CountEvents(t.Context(), event.Filter{WithOwn: true}); err != nil || n != 2 {
			t.Errorf("counted %d, %v", n, err)
		}
	})
}

// What is accepted brings its signals, a repeat does not; those with one key
// are one, and while it rests they are counted.
func TestAccept_signals(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		accept := func() {
			t.Helper()
			e := event.Event{
				ID: s.NewIDs(1), Source: "shop", Type: "x", ReceivedAt: c.Now(), State: event.RuleError, Body: []byte(`{}`),
				Signals: []event.Signal{{Name: event.RuleFailedToJudge, Key: "shop", Value: []byte(`{"rule":"r"}`), Rest: time.Minute}},
			}
			if _, err := s.Accept(&e, nil); err != nil {
				t.Fatal(err)
			}
		}
		accept()
		accept()
		list := due(t, s)
		if len(list) != 1 || list[0].Count != 2 {
			t.Fatalf("noted: %+v", list)
		}
		accept() // between the reading and the telling
		if _, told := tell(t, s, c, list[0]); !told || len(due(t, s)) != 0 {
			t.Fatal("it does not rest")
		}
		accept()
		c.Add(time.Minute + time.Second)
		if list = due(t, s); len(list) != 1 || list[0].Count != 2 {
			t.Fatalf("after the rest: %+v", list)
		}
		e := event.Event{
			ID: s.NewIDs(1), Source: "shop", Type: "x", ReceivedAt: c.Now(), State: event.NoMatch, Body: []byte(`{}`),
			Dedupe: &event.Dedupe{Key: "k", Window: time.Hour},
		}
		if _, err := s.Accept(&e, nil); err != nil {
			t.Fatal(err)
		}
		repeat := e
		repeat.ID, repeat.Signals = s.NewIDs(1), []event.Signal{{Name: event.EventRejected, Key: "shop", Value: []byte(`{}`)}}
		if first, err := s.Accept(&repeat, nil); err != nil || first != e.ID {
			t.Fatal(first, err)
		}
		if list = due(t, s); len(list) != 1 {
			t.Errorf("a repeat noted %+v", list)
		}
	})
}

// What lasts is told of once, until it ends; then its end is told of, if
// anybody knew.
func TestEndSignal(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		failing := event.Signal{Name: event.ConnectionFailing, Key: "crm", Value: []byte(`{}`), Rest: event.UntilEnded}
		recovered := event.Signal{Name: event.ConnectionRecovered, Key: "crm", Value: []byte(`{}`)}
		for _, known := range []bool{true, false} {
			if err := s.Signal(failing); err != nil {
				t.Fatal(err)
			}
			if known {
				tell(t, s, c, due(t, s)[0])
				if err := s.Signal(failing); err != nil {
					t.Fatal(err)
				}
				c.Add(1000 * time.Hour)
				if list := due(t, s); len(list) != 0 {
					t.Errorf("told of again: %+v", list)
				}
			}
			if keys, err := s.SignalKeys(t.Context(), event.ConnectionFailing); err != nil || len(keys) != 1 || keys[0] != "crm" {
				t.Errorf("known: %v, %v", keys, err)
			}
			if err := s.EndSignal(failing.Name, failing.Key, &recovered); err != nil {
				t.Fatal(err)
			}
			list := due(t, s)
			if known != (len(list) == 1 && list[0].Name == event.ConnectionRecovered) {
				t.Errorf("known %t: noted %+v", known, list)
			}
			if known {
				tell(t, s, c, list[0])
			}
		}
	})
}

// Of two replicas that tell of one signal at once, one does. Fails where the
// event is stored although the signal was not taken.
//
// Promise: F7.
func TestTell_once(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		if !p.shared() {
			return // one process
		}
		s, c := newStore(t, p)
		other, _ := newStore(t, p)
		for range 20 {
			if err := s.Signal(event.Signal{Name: event.ConfigRefused, Key: s.NewIDs(1).String(), Value: []byte(`{}`), Rest: event.UntilEnded}); err != nil {
				t.Fatal(err)
			}
			signal := due(t, s)[0]
			told := make(chan bool, 2)
			for _, store := range []*db.Store{s, other} {
				go func() {
					id := store.NewIDs(1)
					one := signal
					ok, _, err := store.Tell(&one, &event.Event{ID: id, Source: event.Own, Type: "x", ReceivedAt: c.Now(), State: event.NoMatch, Body: []byte(`{}`)}, nil)
					told <- ok && err == nil
				}()
			}
			if first, second := <-told, <-told; first == second {
				t.Fatalf("told: %t and %t", first, second)
			}
		}
	})
}
