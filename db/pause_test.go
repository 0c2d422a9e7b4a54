package db_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/db"
	"hookgate/internal/event"
)

func mustSwitch(t testing.TB, s *db.Store, w event.PauseState) bool {
	t.Helper()
	changed, err := s.SetPauseState(w, nil)
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

// Of several who pause a connection at once, change its pause, or end it, each of whom has
// seen the same one, one has their way, and what is stored is theirs.
//
// Break: a SetPauseState that compares before it writes, or an ON CONFLICT without what
// was seen.
func TestSwitch_atOnce(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		stores := mustOpenAll(t, p)
		now := func() event.PauseState { return mustSwitches(t, stores[0])[0] }
		var none time.Time
		for round := range 20 {
			what := fmt.Sprint("round ", round)
			atOnce(t, stores, what+", pauses", func(s *db.Store, i int) error {
				_, err := s.SetPauseState(event.PauseState{Connection: "crm", Paused: true, By: fmt.Sprint(i), Note: fmt.Sprint("note ", i)}, &none)
				return err
			})
			first := now()
			if !first.Paused || first.Note != "note "+first.By {
				t.Errorf("%s: it is %+v", what, first)
			}
			atOnce(t, stores, what+", changes and one end", func(s *db.Store, i int) error {
				w := event.PauseState{Connection: "crm", Paused: i > 0, Note: fmt.Sprint("other ", i)}
				_, err := s.SetPauseState(w, &first.At)
				return err
			})
			if second := now(); second.Paused {
				if _, err := stores[0].SetPauseState(event.PauseState{Connection: "crm"}, &first.At); !errors.Is(err, event.ErrNotAsSeen) {
					t.Errorf("%s: the end of a pause that is another now: %v", what, err)
				}
				if _, err := stores[0].SetPauseState(event.PauseState{Connection: "crm"}, &second.At); err != nil || now().Paused {
					t.Errorf("%s: the end of the pause as it is: %v", what, err)
				}
			}
		}
	})
}

// What a connection is to be is compared with what was seen of its pause: another one is
// refused, also where the connection never had any; but who wants it to go on as it goes
// on is refused nothing.
//
// Break: asSeen without the connection that goes on, or a SetPauseState that stores the
// first state of a connection whatever was seen.
func TestSwitch_seen(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		c := newClock()
		s := mustOpen(t, p, c)
		old := c.Now().Add(-time.Hour)
		set := func(what string, w event.PauseState, seen time.Time, want error) {
			t.Helper()
			c.Add(time.Second)
			w.Connection = "crm"
			if _, err := s.SetPauseState(w, &seen); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", what, err, want)
			}
		}
		paused, goes, slowly := event.PauseState{Paused: true}, event.PauseState{}, event.PauseState{Count: 5, Per: time.Second}
		set("a pause that never was is changed", paused, old, event.ErrNotAsSeen)
		if got := mustSwitches(t, s); len(got) != 0 {
			t.Errorf("it is stored: %+v", got)
		}
		set("it is paused", paused, time.Time{}, nil)
		set("it is paused again, unseen", paused, time.Time{}, event.ErrNotAsSeen)
		set("another pause is ended", goes, old, event.ErrNotAsSeen)
		at := mustSwitches(t, s)[0].At
		set("the pause as it is", paused, at, nil)
		set("it is ended", slowly, at, nil)
		set("it is ended the same way", slowly, at, nil)
		set("it is ended another way", goes, at, event.ErrNotAsSeen)
		set("it is to be paused again", paused, at, event.ErrNotAsSeen)
		set("it goes on as quickly as it may", goes, time.Time{}, nil)
		set("a time before all times", paused, time.Unix(-1, 0), event.ErrNotAsSeen)
		if got := mustSwitches(t, s); got[0].Paused || got[0].Count != 0 {
			t.Errorf("it is %+v", got)
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
