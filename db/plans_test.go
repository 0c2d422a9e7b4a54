package db_test

import (
	"errors"
	"testing"
	"time"

	"hookgate/app/event"
	"hookgate/db"
)

// Versions stay as long as an event or a replay refers to them, and the one in
// force stays whatever its age.
func TestDropPlans(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		save := func(hash string) int64 {
			t.Helper()
			id, err := s.SavePlan(event.Version{Hash: hash, Rules: []string{"r"}, Source: []byte(`{"of":"` + hash + `"}`)})
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		old, idle, now := save("old"), save("idle"), save("now")
		e := event.Event{ID: s.NewIDs(1), Source: "s", ReceivedAt: c.Now(), State: event.NoMatch, Plan: old, Results: []byte("n")}
		if _, err := s.Accept(&e, nil); err != nil {
			t.Fatal(err)
		}
		if n, err := s.DropPlans(t.Context()); n != 0 || err != nil {
			t.Errorf("dropped %d, %v, of versions that were in force just now", n, err)
		}
		c.Add(60 * 24 * time.Hour)
		if err := s.UsePlan(now); err != nil {
			t.Fatal(err)
		}
		if n, err := s.DropPlans(t.Context()); n != 1 || err != nil {
			t.Errorf("dropped %d, %v, want the one without events", n, err)
		}
		if _, err := s.Plan(t.Context(), idle); !errors.Is(err, event.ErrNotFound) {
			t.Errorf("the one without events: got %v, want not found", err)
		}
		if v, err := s.Plan(t.Context(), old); err != nil || string(v.Source) != `{"of":"old"}` || v.Hash != "old" || v.Rules[0] != "r" {
			t.Errorf("the one with an event: got %+v, %v", v, err)
		}
		if v, err := s.LatestPlan(t.Context()); err != nil || v.Plan != now {
			t.Errorf("latest: got %d, %v, want %d", v.Plan, err, now)
		}
		c.Add(60 * 24 * time.Hour)
		if err := s.UsePlan(now); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Prune(t.Context(), db.Retention{Events: 24 * time.Hour}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Plan(t.Context(), old); !errors.Is(err, event.ErrNotFound) {
			t.Errorf("after its event: got %v, want not found", err)
		}
	})
}
