package db_test

import (
	"encoding/json"
	"testing"

	"hookgate/internal/event"
)

// What is rendered again goes once, under its id, in the order of its new key; what was
// changed meanwhile is left as it is. It fails where its state is not compared.
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

// A step that was delivered is noted in the run that does not send it again, with what
// it was answered, and what comes after it is made. It fails where the outputs are not
// taken along, or where no timer stands for what comes after.
func TestReplay_done(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		plan := mustReplayPlan(t, s)
		mustChain(t, s, c, "", 2)
		first := mustClaim(t, s, "x", c.Now(), 10)[0]
		mustRecord(t, s, c, &first, event.Outcome{State: event.Delivered}, "")
		for _, timer := range mustFollowTimers(t, s) {
			if _, err := s.TakeTimer(&timer); err != nil {
				t.Fatal(err)
			}
		}
		run := mustRun(t, s, c)
		next := *run
		next.Cursor, next.Done = first.Event, true
		r := replayed(s, c, run, first.Event, plan, "")
		r.First, r.Reserved = event.DeliveryID(s.NewIDs(2)), 2
		r.Done = []event.Done{{Of: first.ID, Delivery: event.Delivery{ID: r.First, Event: first.Event, Rule: "again", Action: 1, Connection: "x", State: event.Delivered, Flow: event.Followed}}}
		if _, err := s.Replay(run, &next, []event.Replayed{r}); err != nil || next.Events != 1 || next.Deliveries != 0 {
			t.Fatalf("%+v, %v", next, err)
		}
		chain, err := s.Progress(t.Context(), []event.DeliveryID{r.First, r.First + 1})
		if made := chain[r.First]; err != nil || len(chain) != 1 || made == nil || made.State != event.Delivered || made.Outputs["id"] == "" {
			t.Fatalf("chain: %+v, %v", chain, err)
		}
		if due := mustFollowTimers(t, s); len(due) != 1 || due[0].ID != -int64(r.First) {
			t.Fatalf("due: %+v", due)
		}
		if claimed := mustClaim(t, s, "x", c.Now(), 10); len(claimed) != 0 {
			t.Fatalf("sent again: %+v", claimed)
		}
	})
}
