package db_test

import (
	"encoding/json"
	"testing"
	"time"

	"hookgate/db"
	"hookgate/internal/event"
)

// mustSchedule stores an event with a delivery to connection x whose moment is
// in so long.
func mustSchedule(t testing.TB, s *db.Store, c *clock, key string, in time.Duration, wait event.Wait) event.Delivery {
	t.Helper()
	id := s.NewIDs(2)
	e := event.Event{ID: id, Source: "shop", Type: "order", ReceivedAt: c.Now(), State: event.Routed, Body: []byte(`{}`), Plan: 7}
	list := []event.Delivery{{
		ID: event.DeliveryID(id) + 1, Event: id, Rule: "r", Action: 1, Connection: "x", Key: key, Output: json.RawMessage(`{"text":"later"}`),
		State: event.Scheduled, Moment: c.Now().Add(in), Wait: &wait,
	}}
	if _, err := s.Accept(&e, list); err != nil {
		t.Fatal(err)
	}
	return mustDeliveries(t, s, event.DeliveryFilter{IDs: []event.DeliveryID{list[0].ID}})[0]
}

// mustOpenMoments opens all that is due.
func mustOpenMoments(t testing.TB, s *db.Store) (opened int) {
	t.Helper()
	due, err := s.DueTimers(t.Context(), 100, event.MomentTimer)
	if err != nil {
		t.Fatal(err)
	}
	var list []event.Opening
	for _, timer := range due {
		d := mustDeliveries(t, s, event.DeliveryFilter{IDs: []event.DeliveryID{event.DeliveryID(timer.ID)}})[0]
		d.State = event.Waiting
		list = append(list, event.Opening{Timer: timer, Delivery: d})
	}
	for _, want := range []bool{true, false} { // the second finds nothing: the row is the fence
		done, _, err := s.OpenMoments(list)
		if err != nil {
			t.Fatal(err)
		}
		for i := range done {
			if done[i] != want {
				t.Errorf("delivery %s: done %t, want %t", list[i].Delivery.ID, done[i], want)
			}
			if done[i] {
				opened++
			}
		}
	}
	return opened
}

// What is scheduled is sent by nobody before its moment, and by one at it. It
// fails where the timer is not compared.
//
// Promise: F1.
func TestOpenMoments(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		d := mustSchedule(t, s, c, "", time.Hour, event.Wait{Delay: "1h"})
		if d.State != event.Scheduled || !d.Moment.Equal(c.Now().Add(time.Hour)) || d.Wait == nil || d.Wait.Delay != "1h" || string(d.Output) != `{"text":"later"}` {
			t.Fatalf("stored: %+v", d)
		}
		if n, err := s.Scheduled(t.Context()); n != 1 || err != nil {
			t.Errorf("scheduled: %d, %v", n, err)
		}
		if n := mustOpenMoments(t, s); n != 0 || len(mustClaim(t, s, "x", c.Now(), 10)) != 0 {
			t.Fatal("it is sent before its moment")
		}
		c.Add(100 * 24 * time.Hour)
		if n, err := s.Prune(t.Context(), db.Retention{Events: 24 * time.Hour}); n != 0 || err != nil {
			t.Fatalf("retention deleted %d, %v", n, err)
		}
		if plan, err := s.JudgedBy(t.Context(), &d); plan != 7 || err != nil {
			t.Errorf("judged by %d, %v", plan, err)
		}
		if n := mustOpenMoments(t, s); n != 1 {
			t.Fatalf("opened %d", n)
		}
		claimed := mustClaim(t, s, "x", c.Now(), 10)
		if len(claimed) != 1 || claimed[0].ID != d.ID || !claimed[0].Begun().Equal(c.Now()) {
			t.Fatalf("claimed: %+v", claimed)
		}
		mustRecord(t, s, c, &claimed[0], event.Outcome{State: event.Delivered}, "")
		if got := mustDeliveries(t, s, event.DeliveryFilter{IDs: []event.DeliveryID{d.ID}})[0]; got.State != event.Delivered {
			t.Errorf("it is %s", got.State)
		}
	})
}

// A scheduled delivery blocks nobody before its moment. Then it comes after
// what is open, and before what is accepted later. Fails where its turn is its
// id.
//
// Promise: F1.
func TestOpenMoments_orderingKey(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		later := mustSchedule(t, s, c, "k", time.Hour, event.Wait{})
		_, first := mustAccept(t, s, c, "k", "x")
		_, second := mustAccept(t, s, c, "k", "x")
		if first[0].Claim != 1 || second[0].Claim != 0 {
			t.Fatal("what is scheduled holds up the others")
		}
		c.Add(time.Hour)
		if n := mustOpenMoments(t, s); n != 1 {
			t.Fatalf("opened %d", n)
		}
		_, last := mustAccept(t, s, c, "k", "x")
		next := &first[0]
		for _, want := range []event.DeliveryID{second[0].ID, later.ID, last[0].ID} {
			if next = mustRecord(t, s, c, next, event.Outcome{State: event.Delivered}, ""); next == nil || next.ID != want {
				t.Fatalf("next is %+v, want %s", next, want)
			}
		}
	})
}

// What is scheduled can be cancelled, sent now, moved and deleted; nothing of
// it stays.
func TestScheduled_byHand(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		ctx := t.Context()
		cancelled := mustSchedule(t, s, c, "", time.Hour, event.Wait{Late: true})
		if n, _, err := s.Cancel(ctx, event.DeliveryFilter{Connection: "x"}); n != 0 || err != nil {
			t.Errorf("cancelled unasked: %d, %v", n, err)
		}
		if n, _, err := s.Cancel(ctx, event.DeliveryFilter{States: []event.DeliveryState{event.Scheduled}}); n != 1 || err != nil {
			t.Fatalf("cancelled: %d, %v", n, err)
		}
		if n, _, err := s.Retry(ctx, event.DeliveryFilter{States: []event.DeliveryState{event.Cancelled}}); n != 0 || err != nil {
			t.Errorf("what was never rendered is sent: %d, %v", n, err)
		}
		now := mustSchedule(t, s, c, "", time.Hour, event.Wait{During: "office"})
		if n, _, err := s.Retry(ctx, event.DeliveryFilter{IDs: []event.DeliveryID{now.ID, cancelled.ID}}); n != 1 || err != nil {
			t.Fatalf("made now: %d, %v", n, err)
		}
		due, err := s.DueTimers(ctx, 10, event.MomentTimer)
		if err != nil || len(due) != 1 || due[0].ID != int64(now.ID) {
			t.Fatalf("due: %+v, %v", due, err)
		}
		moved := mustDeliveries(t, s, event.DeliveryFilter{IDs: []event.DeliveryID{now.ID}})[0]
		if moved.Wait.During != "" {
			t.Error("who sends it by hand is asked for opening hours")
		}
		moved.Moment = c.Now().Add(time.Minute)
		if done, _, err := s.OpenMoments([]event.Opening{{Timer: due[0], Delivery: moved}}); err != nil || !done[0] {
			t.Fatal(done, err)
		}
		if list, err := s.Timers(ctx, event.MomentTimer); err != nil || len(list) != 1 || !list[0].Due.Equal(moved.Moment) {
			t.Errorf("moved: %+v, %v", list, err)
		}
		if gone, _, err := s.Erase(ctx, []event.ID{now.Event}); err != nil || gone.Open != 1 {
			t.Errorf("deleted: %+v, %v", gone, err)
		}
		if list, err := s.Timers(ctx, event.MomentTimer); err != nil || len(list) != 0 {
			t.Errorf("left: %+v, %v", list, err)
		}
	})
}

// Ids that are reserved are the event's: its deliveries are found among them,
// whenever they are made.
func TestAccept_reserved(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		id := s.NewIDs(6)
		e := event.Event{ID: id, Source: "shop", ReceivedAt: c.Now(), State: event.Routed, Body: []byte(`{}`), First: event.DeliveryID(id) + 1, Reserved: 5}
		made := event.Delivery{ID: event.DeliveryID(id) + 5, Event: id, Rule: "r", Action: 1, Connection: "x", Output: json.RawMessage(`{}`)}
		if _, err := s.Accept(&e, []event.Delivery{made}); err != nil {
			t.Fatal(err)
		}
		if list := mustDeliveries(t, s, event.DeliveryFilter{Event: id}); len(list) != 1 || list[0].ID != made.ID {
			t.Errorf("of the event: %+v", list)
		}
		if gone, _, err := s.Erase(t.Context(), []event.ID{id}); err != nil || gone.Deliveries != 1 {
			t.Errorf("deleted: %+v, %v", gone, err)
		}
	})
}

// A clock that is not to be trusted is known to all, until somebody says that
// it is right.
func TestHoldClock(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		from, to := c.Now(), c.Now().AddDate(10, 0, 0)
		if err := s.HoldClock(from, to); err != nil {
			t.Fatal(err)
		}
		if state, err := s.ClockState(t.Context()); err != nil || !state.Held || !state.From.Equal(from) || !state.To.Equal(to) {
			t.Errorf("held: %+v, %v", state, err)
		}
		if err := s.ReleaseClock(); err != nil {
			t.Fatal(err)
		}
		if state, err := s.ClockState(t.Context()); err != nil || state.Held || !state.Accepted.Equal(c.Now()) || !state.Seen.Equal(c.Now()) {
			t.Errorf("released: %+v, %v", state, err)
		}
	})
}

// What is scheduled is listed in the order in which it goes, page by page.
func TestDeliveries_next(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		third := mustSchedule(t, s, c, "", 3*time.Hour, event.Wait{Delay: "3h"})
		first := mustSchedule(t, s, c, "", time.Hour, event.Wait{Delay: "1h"})
		second := mustSchedule(t, s, c, "", 2*time.Hour, event.Wait{Delay: "2h"})
		turn := event.Turn{}
		for _, want := range []event.Delivery{first, second, third} {
			list := mustDeliveries(t, s, event.DeliveryFilter{Next: &turn, Connection: "x", Limit: 1})
			if len(list) != 1 || list[0].ID != want.ID {
				t.Fatalf("after %v: %+v, want %s", turn, list, want.ID)
			}
			text, err := event.Turn{Moment: list[0].Moment, ID: list[0].ID}.MarshalText()
			if err != nil {
				t.Fatal(err)
			}
			if err := turn.UnmarshalText(text); err != nil {
				t.Fatal(err)
			}
		}
		if list := mustDeliveries(t, s, event.DeliveryFilter{Next: &turn}); len(list) != 0 {
			t.Errorf("after the last: %+v", list)
		}
	})
}
