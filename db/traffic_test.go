package db_test

import (
	"cmp"
	"slices"
	"testing"
	"time"

	diff "github.com/google/go-cmp/cmp"

	"hookgate/db"
	"hookgate/internal/event"
)

func TestTraffic(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		now := event.HealthSlotAt(c.Now())
		of := func(name string, slot int64, result event.State, n int) event.TrafficCount {
			return event.TrafficCount{Of: event.FromSource, Name: name, Slot: slot, Result: string(result), Count: n}
		}
		for range 2 { // counts add up
			noError(t)(s.AddTraffic([]event.TrafficCount{
				of("shop", now, event.Routed, 2), of("shop", now, event.Routed, 1), of("shop", now, event.NoMatch, 1), of("shop", now-1, event.Routed, 5), of("x", now-100, event.Spam, 1),
			}))
		}
		noError(t)(s.AddHealth(event.AttemptStats{Counts: []event.AttemptCount{
			{Connection: "x", Slot: now, Class: 1, Attempts: 3, Failed: 1}, {Connection: "x", Slot: now, Class: 2, Attempts: 2, Failed: 2},
		}}))
		read := func(since, per int64) []event.TrafficCount {
			list, err := s.Traffic(t.Context(), since, per)
			noError(t)(err)
			slices.SortFunc(list, func(a, b event.TrafficCount) int {
				return cmp.Or(cmp.Compare(a.Of, b.Of), cmp.Compare(a.Slot, b.Slot), cmp.Compare(a.Result, b.Result))
			})
			return list
		}
		to := func(result event.DeliveryState, slot int64, n int) event.TrafficCount {
			return event.TrafficCount{Of: event.ToConnection, Name: "x", Slot: slot, Result: string(result), Count: n}
		}
		want := []event.TrafficCount{
			of("shop", now-1, event.Routed, 10), of("shop", now, event.NoMatch, 2), of("shop", now, event.Routed, 6), to(event.Delivered, now, 2), to(event.Failed, now, 3),
		}
		if d := diff.Diff(want, read(now-1, 1)); d != "" {
			t.Error(d)
		}
		const per = 1000
		start := now / per * per
		list := read(0, per)
		if slices.ContainsFunc(list, func(c event.TrafficCount) bool { return c.Slot%per != 0 }) || list[0].Slot > start {
			t.Errorf("by %d: %+v", per, list)
		}

		last, err := s.LastTraffic(t.Context())
		noError(t)(err)
		if d := diff.Diff(map[string]int64{"shop": now, "x": now - 100}, last); d != "" {
			t.Error(d)
		}

		c.Add(40 * 24 * time.Hour)
		_, err = s.Prune(t.Context(), db.Retention{})
		noError(t)(err)
		if list := read(0, 1); len(list) > 0 {
			t.Errorf("after 40 days: %+v", list)
		}
	})
}

// Which event of a source came last is told of those that are asked for, and of which
// one is stored.
func TestLastEvents(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		accept := func(source string) event.ID {
			c.Add(time.Second)
			e := event.Event{ID: s.NewIDs(1), Source: source, ReceivedAt: c.Now(), State: event.NoMatch}
			_, err := s.Accept(&e, nil)
			noError(t)(err)
			return e.ID
		}
		rare := accept("rare")
		accept("shop")
		accept("form")
		form, shop := accept("form"), accept("shop")
		accept("other")
		last, err := s.LastEvents(t.Context(), []string{"form", "rare", "never", "shop"})
		noError(t)(err)
		if d := diff.Diff(map[string]event.ID{"form": form, "rare": rare, "shop": shop}, last); d != "" {
			t.Error(d)
		}
	})
}

// Events are counted by parts of the time before now, the newest first, as many as are
// asked for.
func TestCountStretches(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		accept := func(source string, n int) {
			for range n {
				e := event.Event{ID: s.NewIDs(1), Source: source, ReceivedAt: c.Now(), State: event.NoMatch}
				_, err := s.Accept(&e, nil)
				noError(t)(err)
			}
		}
		accept("shop", 3) // older than the parts
		c.Add(30 * time.Hour)
		accept("shop", 2)
		accept("form", 1)
		c.Add(20 * time.Hour)
		accept("shop", 1)
		now := c.Now().Add(time.Second)
		for _, tt := range []struct {
			filter event.Filter
			want   []int
		}{
			{event.Filter{}, []int{1, 3, 3}},
			{event.Filter{Source: "shop"}, []int{1, 2, 3}},
			{event.Filter{Source: "shop", Limit: 2}, []int{1, 1, 0}},
			{event.Filter{Source: "never"}, []int{0, 0, 0}},
		} {
			got, err := s.CountStretches(t.Context(), tt.filter, now, 20*time.Hour, 2)
			noError(t)(err)
			if d := diff.Diff(tt.want, got); d != "" {
				t.Errorf("%+v: %s", tt.filter, d)
			}
		}
	})
}
