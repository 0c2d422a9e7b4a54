package db_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"hookgate/internal/event"
)

// A claim takes as many bytes of output as it may, as they are once they are
// unpacked, and one delivery of any size.
//
// Break: leave bytes out of Store.due.
//
// Promise: P18.
func TestClaim_bytes(t *testing.T) {
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		for range 6 {
			id := s.NewIDs(2)
			e := event.Event{ID: id, Source: "shop", Type: "order", ReceivedAt: c.Now(), State: event.Routed}
			d := event.Delivery{
				ID: event.DeliveryID(id) + 1, Event: id, Rule: "r", Action: 1, Connection: "x",
				Output: json.RawMessage(fmt.Sprintf(`{"text":%q}`, strings.Repeat("packs well ", 10_000))),
			}
			if _, err := s.Accept(&e, []event.Delivery{d}); err != nil {
				t.Fatal(err)
			}
		}
		for _, step := range []struct {
			limit, bytes, want int
			more               bool
		}{{10, 1, 1, true}, {10, 250_000, 2, true}, {1, 1 << 20, 1, true}, {10, 1 << 20, 2, false}, {10, 1 << 20, 0, false}} {
			got, more, err := s.Claim("x", c.Now(), step.limit, step.bytes)
			if err != nil || len(got) != step.want || more != step.more {
				t.Errorf("limit %d and %d bytes: %d claimed, more: %t, %v; want %d, %t", step.limit, step.bytes, len(got), more, err, step.want, step.more)
			}
		}
	})
}
