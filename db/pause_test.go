package db_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/db"
	"hookgate/internal/event"
)

func mustSwitch(t testing.TB, s *db.Store, w event.PauseState) bool {
	t.Helper()
	changed, err := s.SetPauseState(w)
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

func mustSwitches(t testing.TB, s *db.Store) []event.PauseState {
	t.Helper()
	list, err := s.PauseStates(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestSwitch(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		c := newClock()
		s := mustOpen(t, p, c)
		if list := mustSwitches(t, s); len(list) != 0 {
			t.Errorf("got %+v", list)
		}
		at := c.Now()
		pause := event.PauseState{Connection: "crm", Paused: true, By: "team", Note: "maintenance"}
		if !mustSwitch(t, s, pause) {
			t.Error("nothing changed")
		}
		c.Add(time.Minute)
		again := pause
		again.By, again.Note = "other", ""
		if mustSwitch(t, s, again) {
			t.Error("what was paused was paused again")
		}
		pause.At = at
		if d := cmp.Diff([]event.PauseState{pause}, mustSwitches(t, s)); d != "" {
			t.Error(d)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = mustOpen(t, p, c)
		if d := cmp.Diff([]event.PauseState{pause}, mustSwitches(t, s)); d != "" {
			t.Errorf("after a restart: %s", d)
		}
		noted := event.PauseState{Connection: "crm", Paused: true, By: "other", Note: "they move house"}
		if !mustSwitch(t, s, noted) {
			t.Error("another note was not taken")
		}
		if mustSwitch(t, s, noted) {
			t.Error("the same note was taken again")
		}
		noted.At = c.Now()
		if d := cmp.Diff([]event.PauseState{noted}, mustSwitches(t, s)); d != "" {
			t.Errorf("with another note: %s", d)
		}
		resume := event.PauseState{Connection: "crm", Count: 5, Per: time.Second, By: "team"}
		if !mustSwitch(t, s, resume) {
			t.Error("nothing changed")
		}
		resume.At = c.Now()
		if d := cmp.Diff([]event.PauseState{resume}, mustSwitches(t, s)); d != "" {
			t.Error(d)
		}
	})
}

// A pause with an end is over at its end, for one process alone; what holds it is
// stored, so that a restart changes nothing. One that was prolonged, or made to last,
// does not end before.
func TestEndPauses(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		c := newClock()
		s := mustOpen(t, p, c)
		end := func(want ...string) {
			t.Helper()
			list, err := s.EndPauses()
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, w := range list {
				got = append(got, w.Connection+" "+w.By+" "+w.Note)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("ended: %s", d)
			}
		}
		until := c.Now().Add(time.Hour)
		mustSwitch(t, s, event.PauseState{Connection: "crm", Paused: true, By: "team", Note: "moving", Until: until})
		mustSwitch(t, s, event.PauseState{Connection: "lasts", Paused: true})
		if got := mustSwitches(t, s); !got[0].Until.Equal(until) || !got[1].Until.IsZero() {
			t.Errorf("got %+v", got)
		}
		c.Add(time.Hour - time.Second)
		end()
		if !mustSwitch(t, s, event.PauseState{Connection: "crm", Paused: true, By: "team", Note: "moving", Until: c.Now().Add(time.Hour)}) {
			t.Error("it was not prolonged")
		}
		c.Add(time.Minute)
		end()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = mustOpen(t, p, c)
		c.Add(time.Hour)
		end("crm team moving")
		end()
		if got := mustSwitches(t, s); got[0].Paused || !got[0].Until.IsZero() || !got[1].Paused {
			t.Errorf("got %+v", got)
		}
		mustSwitch(t, s, event.PauseState{Connection: "crm", Paused: true, Until: c.Now().Add(time.Hour)})
		mustSwitch(t, s, event.PauseState{Connection: "crm", Paused: true})
		c.Add(2 * time.Hour)
		end()
	})
}

// What nobody holds of a paused connection is held, whatever it waits for, and
// can be selected, counted and cancelled as such.
func TestSwitch_held(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		c := newClock()
		s := mustOpen(t, p, c)
		_, tried := mustAccept(t, s, c, "", "crm", "other")
		mustRecord(t, s, c, &tried[0], event.Outcome{State: event.Retrying, Due: c.Now().Add(time.Hour)}, "503")
		_, sending := mustAccept(t, s, c, "", "crm")
		mustSwitch(t, s, event.PauseState{Connection: "crm", Paused: true})
		states := func() map[event.DeliveryID]event.DeliveryState {
			got := map[event.DeliveryID]event.DeliveryState{}
			for _, d := range mustDeliveries(t, s, event.DeliveryFilter{}) {
				got[d.ID] = d.State
			}
			return got
		}
		want := map[event.DeliveryID]event.DeliveryState{tried[0].ID: event.Held, tried[1].ID: event.Sending, sending[0].ID: event.Sending}
		if d := cmp.Diff(want, states()); d != "" {
			t.Error(d)
		}
		if err := s.Release(sending, c.Now()); err != nil {
			t.Fatal(err)
		}
		want[sending[0].ID] = event.Held
		if d := cmp.Diff(want, states()); d != "" {
			t.Error(d)
		}
		held := event.DeliveryFilter{States: []event.DeliveryState{event.Held}}
		if list := mustDeliveries(t, s, held); len(list) != 2 || list[0].ID != sending[0].ID {
			t.Errorf("held: %+v", list)
		}
		if list := mustDeliveries(t, s, event.DeliveryFilter{States: []event.DeliveryState{event.Waiting, event.Retrying}}); len(list) != 0 {
			t.Errorf("waiting or retrying: %+v", list)
		}
		if n, _, err := s.Cancel(t.Context(), event.DeliveryFilter{IDs: []event.DeliveryID{tried[0].ID}}); n != 1 || err != nil {
			t.Errorf("cancelled %d, %v", n, err)
		}
		mustSwitch(t, s, event.PauseState{Connection: "crm"})
		want[tried[0].ID], want[sending[0].ID] = event.Cancelled, event.Waiting
		if d := cmp.Diff(want, states()); d != "" {
			t.Error(d)
		}
	})
}

// The rate of a resumption ends when what was held is sent, or waits for its
// own next attempt; what came later does not prolong it.
func TestDrained(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		c := newClock()
		s := mustOpen(t, p, c)
		_, first := mustAccept(t, s, c, "", "crm")
		_, second := mustAccept(t, s, c, "", "crm")
		if err := s.Release(second, c.Now()); err != nil {
			t.Fatal(err)
		}
		mustSwitch(t, s, event.PauseState{Connection: "crm", Paused: true})
		mustSwitch(t, s, event.PauseState{Connection: "crm", Count: 5, Per: time.Second})
		mustAccept(t, s, c, "", "crm")
		drained := func(want bool) {
			t.Helper()
			ended, err := s.Drained()
			if err != nil || ended != want || (mustSwitches(t, s)[0].Count == 0) != want {
				t.Errorf("ended is %v (%v), want %v; %+v", ended, err, want, mustSwitches(t, s))
			}
		}
		drained(false)
		mustRecord(t, s, c, &first[0], event.Outcome{State: event.Delivered}, "")
		drained(false) // the second is due
		claimed := mustClaim(t, s, "crm", c.Now(), 1)
		if len(claimed) != 1 || claimed[0].ID != second[0].ID {
			t.Fatalf("claimed %+v", claimed)
		}
		drained(false)
		mustRecord(t, s, c, &claimed[0], event.Outcome{State: event.Retrying, Due: c.Now().Add(time.Hour)}, "503")
		drained(true)
	})
}
