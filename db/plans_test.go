package db_test

import (
	"errors"
	"testing"
	"time"

	"hookgate/db"
	"hookgate/internal/event"
)

// Versions stay as long as an event or a replay refers to them, and the one in
// force stays whatever its age.
func TestDropPlans(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		save := func(hash string) int64 {
			t.Helper()
			id, err := s.SavePlan(event.RuleSet{Hash: hash, Rules: []string{"r"}, Source: []byte(`{"of":"` + hash + `"}`)})
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

// A post that a later version released keeps that version: without the note of
// Readmit the version goes, and every list with the post in it fails.
func TestDropPlans_released(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		e := event.Event{ID: s.NewIDs(1), Source: "contact", Form: true, ReceivedAt: c.Now(), State: event.Spam, Body: []byte("{}")}
		if _, err := s.Accept(&e, nil); err != nil {
			t.Fatal(err)
		}
		c.Add(20 * 24 * time.Hour)
		plan, err := s.SavePlan(event.RuleSet{Hash: "later", Rules: []string{"lead"}})
		if err != nil {
			t.Fatal(err)
		}
		e.State, e.Plan, e.Results = event.NoMatch, plan, []byte("n")
		if _, err := s.Readmit(&e, nil); err != nil {
			t.Fatal(err)
		}
		c.Add(20 * 24 * time.Hour)
		if n, err := s.DropPlans(t.Context()); n != 0 || err != nil {
			t.Errorf("dropped %d, %v", n, err)
		}
		list, err := s.Events(t.Context(), event.Filter{})
		if err != nil || len(list) != 1 || len(list[0].Verdicts) != 1 || list[0].Verdicts[0].Rule != "lead" {
			t.Errorf("got %+v, %v", list, err)
		}
		if replays, err := s.Replays(t.Context(), e.ID); err != nil || len(replays) != 0 {
			t.Errorf("it counts as a replay: %+v, %v", replays, err)
		}
		if n, err := s.Prune(t.Context(), db.Retention{Submissions: 24 * time.Hour}); n != 1 || err != nil {
			t.Errorf("pruned %d, %v", n, err)
		}
		if _, err := s.Plan(t.Context(), plan); !errors.Is(err, event.ErrNotFound) {
			t.Errorf("after its event: got %v, want not found", err)
		}
	})
}
