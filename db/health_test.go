package db_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"hookgate/db"
	"hookgate/internal/event"
)

// Counts of all processes add up, are there for the next one, and are forgotten
// after a day. To store them by overwriting breaks the sums.
func TestHealth(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		must := noError(t)
		now := c.Now().UTC().Truncate(time.Microsecond)
		slot := event.HealthSlotAt(now)
		first := event.AttemptStats{
			Counts: []event.AttemptCount{
				{Connection: "billing", Slot: slot - 20, Class: 7, Attempts: 5, Failed: 1},
				{Connection: "billing", Slot: slot, Class: 7, Attempts: 2},
				{Connection: "slack", Slot: slot, Class: 3, Attempts: 1},
			},
			Last: []event.LastAttempt{{Connection: "billing", Ended: now, Failed: true, FailedAt: now, Delivery: event.DeliveryID(event.FirstIDAt(now)), Number: 3, Error: "503"}},
		}
		must(s.AddHealth(first))
		must(s.AddHealth(event.AttemptStats{}))
		must(s.AddHealth(event.AttemptStats{
			Counts: []event.AttemptCount{
				{Connection: "billing", Slot: slot, Class: 7, Attempts: 40, Failed: 30},
				{Connection: "billing", Slot: slot - 1, Class: 7, Attempts: 100},
				{Connection: "billing", Slot: slot - 300, Class: 7, Attempts: 1000},
			},
			Last: []event.LastAttempt{
				{Connection: "billing", Ended: now.Add(-time.Minute)}, // of a process that was earlier
				{Connection: "slack", Ended: now},
			},
		}))
		must(s.Close())
		s = mustOpen(t, p, c)
		got, err := s.Health(t.Context(), slot-12, slot-288)
		must(err)
		want := event.AttemptStats{
			Counts: []event.AttemptCount{
				{Connection: "billing", Slot: slot - 20, Class: 7, Attempts: 5, Failed: 1},
				{Connection: "billing", Slot: slot, Class: 7, Attempts: 142, Failed: 30},
				{Connection: "slack", Slot: slot, Class: 3, Attempts: 1},
			},
			Last: []event.LastAttempt{
				{Connection: "billing", Ended: now, Failed: true, FailedAt: now, Delivery: first.Last[0].Delivery, Number: 3}, // its attempt is not stored
				{Connection: "slack", Ended: now},
			},
		}
		order := cmpopts.SortSlices(func(a, b event.AttemptCount) bool {
			return a.Connection < b.Connection || a.Connection == b.Connection && a.Slot < b.Slot
		})
		byName := cmpopts.SortSlices(func(a, b event.LastAttempt) bool { return a.Connection < b.Connection })
		if diff := cmp.Diff(want, got, order, byName); diff != "" {
			t.Error(diff)
		}
		must(s.AddHealth(event.AttemptStats{Last: []event.LastAttempt{{Connection: "billing", Ended: now.Add(time.Minute)}}}))
		got, err = s.Health(t.Context(), slot-12, slot-288)
		must(err)
		for _, l := range got.Last {
			if l.Connection == "billing" && (l.Failed || !l.FailedAt.Equal(now) || l.Number != 3) {
				t.Errorf("after a success: %+v", l)
			}
		}
		c.Add(26 * time.Hour)
		_, err = s.Prune(t.Context(), db.Retention{})
		must(err)
		if got, err := s.Health(t.Context(), 0, 0); err != nil || len(got.Counts) != 0 {
			t.Errorf("a day later: %+v, %v", got.Counts, err)
		}
	})
}

// What an attempt failed with is read from the attempt: with the event it goes.
func TestHealth_error(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		_, deliveries := mustAccept(t, s, c, "", "billing")
		const text = "550 no such user (ada@example.com)"
		mustRecord(t, s, c, &deliveries[0], event.Outcome{State: event.Failed}, text)
		if err := s.AddHealth(event.AttemptStats{Last: []event.LastAttempt{{Connection: "billing", Ended: c.Now(), Failed: true, FailedAt: c.Now(), Delivery: deliveries[0].ID, Number: 1, Error: text}}}); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Health(t.Context(), 0, 0); err != nil || len(got.Last) != 1 || got.Last[0].Error != text {
			t.Errorf("got %+v, %v", got.Last, err)
		}
	})
}
