package db_test

import (
	"testing"
	"time"

	"hookgate/internal/event"
)

// A delivery that goes early keeps its schedule: a try that fails puts it back
// there and counts no attempt. One with a Retry-After goes no sooner than that,
// and one that failed for another reason not at all.
func TestHasten(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		_, ds := mustAccept(t, s, c, "", "x", "x", "x")
		due := c.Now().Add(time.Hour)
		mustRecord(t, s, c, &ds[0], event.Outcome{State: event.Retrying, Due: due, Early: c.Now()}, "503")
		mustRecord(t, s, c, &ds[1], event.Outcome{State: event.Retrying, Due: due, Early: c.Now().Add(time.Minute)}, "503")
		mustRecord(t, s, c, &ds[2], event.Outcome{State: event.Retrying, Due: due}, "409")
		for range 2 { // the second one finds nothing
			if err := s.Hasten("x"); err != nil {
				t.Fatal(err)
			}
		}
		claimed := mustClaim(t, s, "x", c.Now(), 10)
		if len(claimed) != 1 || claimed[0].ID != ds[0].ID || !claimed[0].Early {
			t.Fatalf("claimed %+v, want the first, early", claimed)
		}
		mustRecord(t, s, c, &claimed[0], event.Outcome{State: event.Retrying, Due: c.Now(), Early: c.Now()}, "503")
		got := mustDeliveries(t, s, event.DeliveryFilter{IDs: []event.DeliveryID{ds[0].ID}})[0]
		if !got.Due.Equal(due) || got.Attempts != 2 || got.Base != 1 {
			t.Errorf("after its early try: due %v, %d attempts, base %d, want %v, 2, 1", got.Due, got.Attempts, got.Base, due)
		}
		c.Add(time.Minute)
		if claimed = mustClaim(t, s, "x", c.Now(), 10); len(claimed) != 1 || claimed[0].ID != ds[1].ID {
			t.Errorf("after the Retry-After: claimed %+v, want the second", claimed)
		}
		c.Add(time.Hour)
		if claimed = mustClaim(t, s, "x", c.Now(), 10); len(claimed) != 2 || claimed[0].Early || claimed[1].Early {
			t.Errorf("by the schedule: claimed %+v, want the first and the third", claimed)
		}
	})
}
