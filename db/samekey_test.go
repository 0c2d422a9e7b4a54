package db_test

import (
	"testing"
	"time"

	"hookgate/internal/event"
)

// Events are found by an ordering key of their deliveries, whatever became of those,
// before and after another event, so many as are asked for.
func TestEvents_ofKey(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		c := newClock()
		s := mustOpen(t, p, c)
		var ids []event.ID
		for range 6 {
			c.Add(time.Second)
			e, list := mustAccept(t, s, c, "site 7", "crm", "mail")
			mustRecord(t, s, c, &list[0], event.Outcome{State: event.Delivered}, "")
			ids = append(ids, e.ID)
			mustAccept(t, s, c, "site 8", "crm")
			mustAccept(t, s, c, "", "crm")
		}
		want := func(f event.Filter, want ...event.ID) {
			t.Helper()
			list, err := s.Events(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			same := len(list) == len(want)
			for i := range min(len(list), len(want)) {
				same = same && list[i].ID == want[i]
			}
			if !same {
				t.Errorf("%+v: got %d events, want %v", f, len(list), want)
			}
		}
		want(event.Filter{Key: "site 7"}, ids[5], ids[4], ids[3], ids[2], ids[1], ids[0])
		want(event.Filter{Key: "site 7", Before: ids[3], Limit: 2}, ids[2], ids[1])
		want(event.Filter{Key: "site 7", After: ids[3], Limit: 2, OldestFirst: true}, ids[4], ids[5])
		want(event.Filter{Key: "site 7", Connection: "mail", Before: ids[2]}, ids[1], ids[0])
		want(event.Filter{Key: "site 7", Source: "nowhere"})
		want(event.Filter{Key: "site 9"})
		found := 0
		if err := s.Scan(t.Context(), event.Filter{Key: "site 7"}, func(*event.Event) error { found++; return nil }); err != nil || found != 6 {
			t.Errorf("scanned %d, %v", found, err)
		}
	})
}
