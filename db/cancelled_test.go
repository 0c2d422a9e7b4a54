package db_test

import (
	"log/slog"
	"maps"
	"sync"
	"testing"

	"hookgate/db"
	"hookgate/internal/event"
)

// Each delivery that is cancelled is told once, with why, after its commit. It fails
// where what was accepted as held back, or was ended by hand, is not told.
func TestCancelled_told(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		c := newClock()
		var mu sync.Mutex
		told := map[event.CancelCause]int{}
		s, err := p.open(t.Context(), db.Options{Logger: slog.New(slog.DiscardHandler), Now: c.Now, Cancelled: func(cause event.CancelCause, n int) {
			mu.Lock()
			defer mu.Unlock()
			told[cause] += n
		}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		for range 3 {
			if _, err := acceptCounted(s, c, "ada", 1, false); err != nil {
				t.Fatal(err)
			}
		}
		_, list := mustAccept(t, s, c, "", "crm", "erp")
		if n, _, err := s.Cancel(t.Context(), event.DeliveryFilter{IDs: []event.DeliveryID{list[0].ID}}); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		mustRecord(t, s, c, &list[1], event.Outcome{State: event.Failed}, "422")
		failed := mustDeliveries(t, s, event.DeliveryFilter{IDs: []event.DeliveryID{list[1].ID}})[0]
		failed.State, failed.Cancelled, failed.Error = event.Cancelled, event.ByCondition, "it was not met"
		for range 2 {
			if _, _, err := s.Rerender([]event.Rerendered{{Delivery: failed}}); err != nil {
				t.Fatal(err)
			}
		}
		want := map[event.CancelCause]int{event.ByThrottle: 2, event.ByHand: 1, event.ByCondition: 1}
		if mu.Lock(); !maps.Equal(told, want) {
			t.Errorf("told of %v, want %v", told, want)
		}
		mu.Unlock()
	})
}
