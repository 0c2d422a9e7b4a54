package db_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/internal/event"
)

// What failed is counted by connection, rule and error, in the stretches of time
// that are asked for; events are found by where they went and how that stands.
func TestFailureCounts(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		must := noError(t)
		var events []event.Event
		fail := func(connection, text string) event.DeliveryID {
			e, ds := mustAccept(t, s, c, "", connection)
			events = append(events, e)
			mustRecord(t, s, c, &ds[0], event.Outcome{State: event.Failed}, text)
			return ds[0].ID
		}
		old := fail("x", "503")
		c.Add(50 * time.Hour)
		first := fail("x", "503")
		last := fail("x", "503")
		other := fail("y", "422")
		ok, ds := mustAccept(t, s, c, "", "y")
		mustRecord(t, s, c, &ds[0], event.Outcome{State: event.Delivered}, "")
		failed := event.DeliveryFilter{States: []event.DeliveryState{event.Failed}}

		got, err := s.FailureCounts(t.Context(), failed, c.Now().Add(time.Second), 24*time.Hour, 2)
		must(err)
		want := map[event.DeliveryID]event.FailureCount{
			old:   {Connection: "x", Rule: "r", Error: "503", Rendered: true, Part: 2, Count: 1, First: old, Last: old},
			first: {Connection: "x", Rule: "r", Error: "503", Rendered: true, Part: 0, Count: 2, First: first, Last: last},
			other: {Connection: "y", Rule: "r", Error: "422", Rendered: true, Part: 0, Count: 1, First: other, Last: other},
		}
		found := map[event.DeliveryID]event.FailureCount{}
		for _, n := range got {
			found[n.First] = n
		}
		if diff := cmp.Diff(want, found); diff != "" {
			t.Error(diff)
		}
		newest := failed
		newest.Limit = 1
		if got, err := s.FailureCounts(t.Context(), newest, c.Now(), time.Hour, 0); err != nil || len(got) != 1 || got[0].Last != other {
			t.Errorf("of the newest: %+v, %v", got, err)
		}
		chosen := failed
		chosen.Errors = []string{"422", "nothing"}
		if n, _, _, err := s.Count(t.Context(), chosen); err != nil || n != 1 {
			t.Errorf("with one of these errors: %d, %v", n, err)
		}
		chosen.Errors = []string{}
		if n, _, _, err := s.Count(t.Context(), chosen); err != nil || n != 0 {
			t.Errorf("with none of no errors: %d, %v", n, err)
		}
		for _, f := range []struct {
			filter event.Filter
			want   []event.ID
		}{
			{event.Filter{Connection: "y"}, []event.ID{ok.ID, events[3].ID}},
			{event.Filter{Connection: "y", Deliveries: []event.DeliveryState{event.Failed}}, []event.ID{events[3].ID}},
			{event.Filter{Connection: "y", Deliveries: []event.DeliveryState{event.Delivered}}, []event.ID{ok.ID}},
			{event.Filter{Deliveries: []event.DeliveryState{event.Failed}, Limit: 2}, []event.ID{events[3].ID, events[2].ID}},
			{event.Filter{Deliveries: []event.DeliveryState{event.Retrying}}, nil},
		} {
			list, err := s.Events(t.Context(), f.filter)
			must(err)
			var ids []event.ID
			for i := range list {
				ids = append(ids, list[i].ID)
			}
			if diff := cmp.Diff(f.want, ids); diff != "" {
				t.Errorf("%+v:\n%s", f.filter, diff)
			}
		}
	})
}
