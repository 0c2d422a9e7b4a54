package db_test

import (
	"testing"
	"time"

	"hookgate/db"
	"hookgate/internal/event"
)

func mustDueTimers(t *testing.T, s *db.Store) []event.Timer {
	t.Helper()
	list, err := s.DueTimers(t.Context(), 10, event.MomentTimer, event.TickTimer)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// A timer is due at its time, and one of those who read it deals with it. Fails
// where it is removed by its id alone.
func TestTimers(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		put := func(kind event.TimerKind, name string, in time.Duration) {
			t.Helper()
			err := s.PutTimer(&event.Timer{ID: int64(s.NewIDs(1)), Kind: kind, Name: name, Due: c.Now().Add(in), Value: []byte(`{"a":1}`)})
			if err != nil {
				t.Fatal(err)
			}
		}
		put(event.TickTimer, "monday", time.Hour)
		put(event.MomentTimer, "mail", time.Minute)
		put(event.DigestTimer, "digest", 0)
		if list := mustDueTimers(t, s); len(list) != 0 {
			t.Fatalf("due at once: %+v", list)
		}
		c.Add(time.Hour)
		list := mustDueTimers(t, s)
		if len(list) != 2 || list[0].Name != "mail" || list[1].Kind != event.TickTimer || string(list[1].Value) != `{"a":1}` {
			t.Fatalf("due after an hour: %+v", list)
		}
		put(event.TickTimer, "monday", time.Hour)
		for _, tc := range []struct {
			timer event.Timer
			want  bool
		}{{list[0], true}, {list[0], false}, {list[1], false}} { // the last was put anew since
			if taken, err := s.TakeTimer(&tc.timer); err != nil || taken != tc.want {
				t.Errorf("take %s: %t, %v, want %t", tc.timer.Name, taken, err, tc.want)
			}
		}
		all, err := s.Timers(t.Context(), event.TickTimer, event.MomentTimer)
		if err != nil || len(all) != 1 || !all[0].Due.Equal(c.Now().Add(time.Hour)) {
			t.Errorf("left: %+v, %v", all, err)
		}
		if now, err := s.Clock(t.Context()); err != nil || !now.Equal(c.Now()) {
			t.Errorf("clock: %s, %v, want %s", now, err, c.Now())
		}
	})
}

// One process at a time is to deal with what is due: another once it has not asked for
// a while, also where a wrong clock had put that years ahead.
func TestLead(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		for range 2 {
			if !mustLead(t, s) {
				t.Fatal("a process alone does not lead")
			}
		}
		if !p.shared() {
			return
		}
		other := mustOpen(t, p, c)
		if mustLead(t, other) || !mustLead(t, s) {
			t.Error("two lead, or it went over without need")
		}
		c.Add(4 * time.Second)
		if !mustLead(t, other) || mustLead(t, s) {
			t.Error("nobody followed who asked no more")
		}
		c.Add(-10 * 365 * 24 * time.Hour)
		if !mustLead(t, s) {
			t.Error("nobody leads until a clock is right again")
		}
	})
}

func mustLead(t *testing.T, s *db.Store) bool {
	t.Helper()
	leads, err := s.Lead()
	if err != nil {
		t.Fatal(err)
	}
	return leads
}
