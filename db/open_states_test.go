package db_test

import (
	"testing"
	"time"

	"hookgate/internal/event"
)

// Promise: P8.
func TestOrderingKey(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		_, first := mustAccept(t, s, c, "k", "x")
		_, second := mustAccept(t, s, c, "k", "x")
		_, third := mustAccept(t, s, c, "k", "x")
		_, other := mustAccept(t, s, c, "other", "x")
		if first[0].Claim != 1 || second[0].Claim != 0 || third[0].Claim != 0 || other[0].Claim != 1 {
			t.Fatalf("claims: %d %d %d %d, want 1 0 0 1", first[0].Claim, second[0].Claim, third[0].Claim, other[0].Claim)
		}
		if got := mustDeliveries(t, s, event.DeliveryFilter{IDs: []event.DeliveryID{third[0].ID}})[0]; got.BlockedBy != first[0].ID || got.State != event.Waiting {
			t.Errorf("third: got %+v, want it to wait for %s", got, first[0].ID)
		}
		due := c.Now().Add(time.Minute)
		if next := mustRecord(t, s, c, &first[0], event.Outcome{State: event.Retrying, Due: due}, "503"); next != nil {
			t.Errorf("a retry freed the key for %s", next.ID)
		}
		if got := mustClaim(t, s, "x", c.Now().Add(time.Hour), 10); len(got) != 1 || got[0].ID != first[0].ID {
			t.Fatalf("claimed %+v, want the first alone", got)
		} else if next := mustRecord(t, s, c, &got[0], event.Outcome{State: event.Failed}, "400"); next == nil || next.ID != second[0].ID {
			t.Fatalf("after it failed: next is %+v, want the second", next)
		} else if next := mustRecord(t, s, c, next, event.Outcome{State: event.Delivered}, ""); next == nil || next.ID != third[0].ID {
			t.Fatalf("after the second: next is %+v, want the third", next)
		}
		// The failed one, retried by hand while the third is under way, waits for it.
		if n, connections, err := s.Retry(t.Context(), event.DeliveryFilter{Connection: "x"}); err != nil || n != 1 || len(connections) != 1 {
			t.Fatalf("retry: %d %v %v", n, connections, err)
		}
		got := mustDeliveries(t, s, event.DeliveryFilter{IDs: []event.DeliveryID{first[0].ID}})[0]
		if got.State != event.Waiting || got.BlockedBy != third[0].ID || got.Base != 2 {
			t.Errorf("retried by hand: got %+v, want it to wait for the third", got)
		}
	})
}

func TestRetry_states(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		ids := map[event.DeliveryState]event.DeliveryID{}
		for _, state := range []event.DeliveryState{event.Sending, event.Delivered, event.Failed, event.Retrying, event.Cancelled} {
			_, ds := mustAccept(t, s, c, "", "x")
			ids[state] = ds[0].ID
			switch state {
			case event.Delivered, event.Failed:
				mustRecord(t, s, c, &ds[0], event.Outcome{State: state}, "")
			case event.Retrying:
				mustRecord(t, s, c, &ds[0], event.Outcome{State: state, Due: c.Now().Add(time.Hour)}, "503")
			case event.Cancelled:
				if _, _, err := s.Cancel(t.Context(), event.DeliveryFilter{IDs: []event.DeliveryID{ds[0].ID}}); err != nil {
					t.Fatal(err)
				}
			default:
			}
		}
		state := func(of event.DeliveryState) event.DeliveryState {
			return mustDeliveries(t, s, event.DeliveryFilter{IDs: []event.DeliveryID{ids[of]}})[0].State
		}
		for _, tc := range []struct {
			filter event.DeliveryFilter
			want   event.DeliveryState // of which one is changed
		}{
			{event.DeliveryFilter{Connection: "x"}, event.Failed},
			{event.DeliveryFilter{States: []event.DeliveryState{event.Cancelled}}, event.Cancelled},
			{event.DeliveryFilter{IDs: []event.DeliveryID{ids[event.Retrying], ids[event.Delivered], ids[event.Sending]}}, event.Retrying},
		} {
			n, _, err := s.Retry(t.Context(), tc.filter)
			if n != 1 || err != nil || state(tc.want) != event.Waiting {
				t.Errorf("%+v: changed %d, %v; the %s one is %s, want it alone to wait", tc.filter, n, err, tc.want, state(tc.want))
			}
		}
		if state(event.Sending) != event.Sending || state(event.Delivered) != event.Delivered {
			t.Errorf("sending became %s, delivered became %s", state(event.Sending), state(event.Delivered))
		}
		if due := mustClaim(t, s, "x", c.Now(), 10); len(due) != 3 {
			t.Errorf("%d are due now, want the three", len(due))
		}
	})
}

// It fails when Retry asks for the state alone: the part of an output that
// could be rendered is sent then.
func TestRetry_leavesWhatCouldNotBeRendered(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		e := &event.Event{ID: s.NewIDs(1), Source: "shop", ReceivedAt: c.Now(), State: event.Routed}
		d := event.Delivery{
			ID: event.DeliveryID(s.NewIDs(1)), Event: e.ID, Rule: "r", Connection: "x",
			State: event.Failed, Error: "data.by is null", Output: []byte(`{"text":"by "}`),
		}
		if _, err := s.Accept(e, []event.Delivery{d}); err != nil {
			t.Fatal(err)
		}
		only := event.DeliveryFilter{IDs: []event.DeliveryID{d.ID}}
		for _, state := range []event.DeliveryState{event.Failed, event.Cancelled} {
			if state == event.Cancelled {
				if _, _, err := s.Cancel(t.Context(), only); err != nil {
					t.Fatal(err)
				}
			}
			for _, f := range []event.DeliveryFilter{only, {States: []event.DeliveryState{state}}} {
				if n, _, err := s.Retry(t.Context(), f); n != 0 || err != nil {
					t.Errorf("retry of %+v: %d, %v, want none", f, n, err)
				}
			}
			whole := event.DeliveryFilter{States: []event.DeliveryState{state}, Rendered: true}
			if n, _, _, err := s.Count(t.Context(), whole); n != 0 || err != nil {
				t.Errorf("counted beforehand: %d, %v, want none", n, err)
			}
			if got := mustDeliveries(t, s, only)[0].State; got != state {
				t.Errorf("it is %s, want %s", got, state)
			}
		}
	})
}

func TestCancel_freesTheKey(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		_, first := mustAccept(t, s, c, "k", "x")
		_, second := mustAccept(t, s, c, "k", "x")
		if n, _, err := s.Cancel(t.Context(), event.DeliveryFilter{IDs: []event.DeliveryID{first[0].ID}}); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		if got := mustClaim(t, s, "x", c.Now(), 10); len(got) != 1 || got[0].ID != second[0].ID {
			t.Errorf("claimed %+v, want the second", got)
		}
		mustRecord(t, s, c, &first[0], event.Outcome{State: event.Delivered}, "")
		if got := mustDeliveries(t, s, event.DeliveryFilter{IDs: []event.DeliveryID{first[0].ID}})[0]; got.State != event.Cancelled {
			t.Errorf("a late result changed the cancelled delivery to %s", got.State)
		}
	})
}
