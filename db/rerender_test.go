package db_test

import (
	"encoding/json"
	"testing"

	"hookgate/internal/event"
)

// What is rendered again goes once, under its id, in the order of its new key; what was
// changed meanwhile is left as it is. It fails where the claim is not compared.
func TestRerender(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		fail := func(key string) event.Delivery {
			_, list := mustAccept(t, s, c, key, "crm")
			mustRecord(t, s, c, &list[0], event.Outcome{State: event.Failed}, "422")
			return mustDeliveries(t, s, event.DeliveryFilter{IDs: []event.DeliveryID{list[0].ID}})[0]
		}
		_, open := mustAccept(t, s, c, "b", "crm")
		again := func(d event.Delivery, key string, state event.DeliveryState) event.Rerendered {
			r := event.Rerendered{Delivery: d, Before: d.Key}
			r.Delivery.State, r.Delivery.Key, r.Delivery.Output, r.Delivery.Error = state, key, json.RawMessage(`{"n":2}`), ""
			if state == event.Cancelled {
				r.Delivery.Error, r.Delivery.Cancelled = "it was not met", event.ByCondition
			}
			return r
		}
		plain, moved, unmet := fail(""), fail("a"), fail("a")
		list := []event.Rerendered{again(plain, "", event.Waiting), again(moved, "b", event.Waiting), again(unmet, "", event.Cancelled)}
		for _, want := range []bool{true, false} {
			done, touched, err := s.Rerender(list)
			if err != nil || len(done) != 3 || done[0] != want || done[1] != want || done[2] != want || want && len(touched) != 1 {
				t.Fatalf("done %v, %v, %v", done, touched, err)
			}
		}
		claimed := mustClaim(t, s, "crm", c.Now(), 10)
		if len(claimed) != 1 || claimed[0].ID != plain.ID || string(claimed[0].Output) != `{"n":2}` || claimed[0].Base != 1 {
			t.Fatalf("claimed: %+v", claimed)
		}
		next := mustRecord(t, s, c, &open[0], event.Outcome{State: event.Delivered}, "")
		if next == nil || next.ID != moved.ID || next.Key != "b" {
			t.Fatalf("behind the key's first comes %+v", next)
		}
		got := mustDeliveries(t, s, event.DeliveryFilter{IDs: []event.DeliveryID{unmet.ID}})[0]
		if got.State != event.Cancelled || got.Cancelled != event.ByCondition || got.Error != "it was not met" {
			t.Errorf("not met: %+v", got)
		}
	})
}
