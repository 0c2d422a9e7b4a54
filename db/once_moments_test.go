package db_test

import (
	"encoding/json"
	"testing"
	"time"

	"hookgate/internal/event"
)

// scheduleCounted stores an event with two deliveries of elements whose moments are in
// an hour, and which are counted then.
func scheduleCounted(c *clock, id event.ID) []event.Delivery {
	var list []event.Delivery
	for i := range 2 {
		list = append(list, event.Delivery{
			ID: event.DeliveryID(id) + event.DeliveryID(i) + 1, Event: id, Rule: "r", Action: 1, Element: i + 1, Connection: "x", Output: json.RawMessage(`{}`),
			State: event.Scheduled, Moment: c.Now().Add(time.Hour),
			Wait: &event.Wait{Once: &event.Once{Scope: "throttle/r/x", Key: "ada", Window: 24 * time.Hour, Times: 1, Reason: "one in 1 d"}},
		})
	}
	return list
}

// What has its moment later is counted then, and its element is kept; a replay of what
// has gone goes again, and counts nothing. It fails where a delivery is counted as it
// is accepted.
//
// Promise: F4.
func TestOpenMoments_throttle(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		id := s.NewIDs(3)
		e := event.Event{ID: id, Source: "shop", Type: "order", ReceivedAt: c.Now(), State: event.Routed, Body: []byte(`{}`), Plan: 7}
		if _, err := s.Accept(&e, scheduleCounted(c, id)); err != nil {
			t.Fatal(err)
		}
		open := func(id event.DeliveryID, asked func(*event.Delivery)) event.Delivery {
			due, err := s.DueTimers(t.Context(), 100, event.MomentTimer)
			if err != nil {
				t.Fatal(err)
			}
			for _, timer := range due {
				if event.DeliveryID(timer.ID) != id {
					continue
				}
				d := mustDeliveries(t, s, event.DeliveryFilter{IDs: []event.DeliveryID{id}})[0]
				d.State, d.Once = event.Waiting, d.Wait.Once
				asked(&d)
				if _, _, err := s.OpenMoments([]event.Opening{{Timer: timer, Delivery: d}}); err != nil {
					t.Fatal(err)
				}
			}
			return mustDeliveries(t, s, event.DeliveryFilter{IDs: []event.DeliveryID{id}})[0]
		}
		as := func(*event.Delivery) {}
		c.Add(time.Hour)
		first := open(event.DeliveryID(id)+1, as)
		if first.State != event.Waiting || first.Element != 1 {
			t.Errorf("the first: %+v", first)
		}
		held := open(event.DeliveryID(id)+2, as)
		if held.State != event.Cancelled || held.Cancelled != event.ByThrottle || held.Error != "one in 1 d" || held.Element != 2 {
			t.Errorf("the second: %+v", held)
		}
		for i, want := range []event.DeliveryState{event.Waiting, event.Cancelled} {
			run := mustRun(t, s, c)
			made := scheduleCounted(c, id)[i : i+1]
			made[0].ID = event.DeliveryID(s.NewIDs(1))
			next := *run
			next.Events++
			if _, err := s.Replay(run, &next, []event.Replayed{{Replay: event.Replay{Event: id, Run: run.ID, At: c.Now(), Plan: 7, Results: []byte("m")}, Deliveries: made}}); err != nil {
				t.Fatal(err)
			}
			c.Add(time.Hour)
			if again := open(made[0].ID, as); again.State != want {
				t.Errorf("the replay of element %d: %+v, want %s", i+1, again, want)
			}
		}
		id = s.NewIDs(3)
		e = event.Event{ID: id, Source: "shop", Type: "order", ReceivedAt: c.Now(), State: event.Routed, Body: []byte(`{}`), Plan: 7}
		if _, err := s.Accept(&e, scheduleCounted(c, id)); err != nil {
			t.Fatal(err)
		}
		c.Add(time.Hour)
		unmet := open(event.DeliveryID(id)+1, func(d *event.Delivery) {
			d.State, d.Error, d.Cancelled, d.Once = event.Cancelled, "data.x was false", event.ByCondition, nil
		})
		if unmet.State != event.Cancelled || unmet.Cancelled != event.ByCondition {
			t.Errorf("its condition was not met: %+v", unmet)
		}
	})
}
