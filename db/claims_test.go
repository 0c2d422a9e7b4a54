package db_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"hookgate/internal/event"
	"hookgate/test/pgtest"
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

// All that a connection held is given back at once, due at one time, and what is no
// longer held so stays as it is: ended, or claimed anew.
//
// Negative control: leave claim out of the statement of Release.
func TestRelease(t *testing.T) {
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		var held []event.Delivery
		for range 4 {
			_, ds := mustAccept(t, s, c, "", "x")
			held = append(held, ds...)
		}
		mustRecord(t, s, c, &held[0], event.Outcome{State: event.Delivered}, "")
		before := held[1]
		before.Claim-- // somebody else's by now
		if err := s.Release([]event.Delivery{held[0], before, held[2], held[3]}, c.Now()); err != nil {
			t.Fatal(err)
		}
		got := mustClaim(t, s, "x", c.Now(), 10)
		if len(got) != 2 || got[0].ID != held[2].ID || got[1].ID != held[3].ID || got[0].Claim != 2 {
			t.Errorf("claimed %+v, want the last two of %+v", got, held)
		}
	})
}

// On PostgreSQL it takes as many journeys for five hundred as for one: while it takes
// them nothing is accepted.
//
// Negative control: have Release run a statement for each of them.
func TestRelease_journeys(t *testing.T) {
	t.Parallel()
	through, url := newProxy(t, pgtest.Shared(t).URL(t))
	s := mustReplica(t, url, 0)
	s.Freeze()
	connections := make([]string, 500)
	for i := range connections {
		connections[i] = "x"
	}
	_, ds := mustAccept(t, s, wall(), "", connections...)
	before := through.asked.Load()
	if err := s.Release(ds, time.Now()); err != nil {
		t.Fatal(err)
	}
	if asked := through.asked.Load() - before; asked > 50 {
		t.Errorf("%d journeys for %d deliveries", asked, len(ds))
	}
	if got := mustClaim(t, s, "x", time.Now().Add(time.Second), len(ds)); len(got) != len(ds) {
		t.Errorf("%d of %d can be claimed", len(got), len(ds))
	}
}
