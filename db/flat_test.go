package db_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"hookgate/db"
	"hookgate/internal/event"
	"hookgate/test/lab"
)

// TestLists_stayFlat holds lists and pages to the same time with a long history
// as with 1,000 events: 100,000 in the short form, 1,000,000 in the long one.
// It fails where the deliveries of an event are looked for by more than their
// ids, where failed ones are looked for in the order of all, and where those that are
// tried again are looked for among all that is open.
func TestLists_stayFlat(t *testing.T) {
	if lab.Race() {
		lab.Skip(t, "times are not measured under the race detector")
	}
	few, many := lists(t, 1000), lists(t, lab.Pick(100_000, 1_000_000))
	for name, before := range few {
		t.Logf("%-36s %8v with 1,000 events, %8v with many", name, before, many[name])
		if after := many[name]; after > 3*before+5*time.Millisecond {
			t.Errorf("%s takes %v with a long history, %v with 1,000 events", name, after, before)
		}
	}
}

// lists are how long each list takes over a history of n events, with two
// deliveries each, of which one of a thousand has failed, and a tenth waits.
func lists(t *testing.T, n int) map[string]time.Duration {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.db")
	s, c := newStore(t, place{path: path})
	mustAccept(t, s, c, "", "x", "y")
	conn, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	last := int64(event.FirstIDAt(c.Now().Add(-time.Minute)))
	series := fmt.Sprintf("WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < %d) ", n)
	for _, query := range []string{
		series + `INSERT INTO events (id, source, form, type, received, state, plan, verdicts, deliveries, first, content)
			SELECT %[1]d - n * 64, 'shop', 0, 'order', 0, 0, 0, '', 2, %[1]d - n * 64 + 1, content FROM n, events WHERE state = 0`,
		series + `INSERT INTO deliveries (id, event, rule, action, connection, state, owner, claim, attempts, base, output)
			SELECT %[1]d - n * 64 + k, %[1]d - n * 64, 'r', 1, CASE WHEN k = 1 THEN 'x' ELSE 'y' END, CASE WHEN n %% 1000 = 999 AND k = 1 THEN 2 WHEN n %% 5 = 0 AND k = 2 THEN 0 ELSE 1 END, 0, 1, CASE WHEN n %% 5 = 0 AND k = 2 THEN 0 ELSE 1 END, 0, x'007b7d' FROM n, (SELECT 1 AS k UNION ALL SELECT 2)`,
		series + `INSERT INTO attempts (delivery, number, started, duration, status, error) SELECT %[1]d - n * 64 + 1, 1, 0, 0, 500, 'x' FROM n`,
	} {
		if _, err := conn.ExecContext(t.Context(), fmt.Sprintf(query, last)); err != nil {
			t.Fatal(err)
		}
	}
	middle := event.ID(last - int64(n/2)*64)
	took := map[string]time.Duration{}
	measure := func(name string, list func() error) {
		t.Helper()
		var all []time.Duration
		for range 5 {
			began := time.Now()
			if err := list(); err != nil {
				t.Fatal(err)
			}
			all = append(all, time.Since(began))
		}
		took[name] = slices.Min(all)
	}
	measure("the newest page of events", func() error { return page(t, s, event.Filter{Limit: 50}) })
	measure("a page in the middle", func() error { return page(t, s, event.Filter{Limit: 50, Before: middle}) })
	measure("rejected events", func() error {
		_, err := s.Events(t.Context(), event.Filter{States: []event.State{event.Rejected}})
		return err
	})
	for name, f := range map[string]event.DeliveryFilter{
		"the newest page of deliveries": {}, "failed deliveries": {States: []event.DeliveryState{event.Failed}, Limit: 1}, "what is being sent": {States: []event.DeliveryState{event.Sending}},
		"what is open of a connection": {Connection: "x", States: []event.DeliveryState{event.Waiting, event.Sending, event.Retrying}},
		"what is tried again":          {States: []event.DeliveryState{event.Retrying}},
	} {
		measure(name, func() error { _, err := s.Deliveries(t.Context(), f); return err })
	}
	measure("why it is tried again", func() error {
		_, err := s.FailureCounts(t.Context(), event.DeliveryFilter{States: []event.DeliveryState{event.Retrying}, Limit: 1000}, c.Now(), time.Hour, 24)
		return err
	})
	return took
}

// page lists events as the command line does: each with its deliveries and
// their attempts.
func page(t *testing.T, s *db.Store, f event.Filter) error {
	t.Helper()
	list, err := s.Events(t.Context(), f)
	for i := range list {
		ds, err := s.Deliveries(t.Context(), event.DeliveryFilter{Event: list[i].ID})
		if err != nil {
			return err
		}
		if len(ds) != 2 {
			t.Fatalf("event %s has %d deliveries, want 2", list[i].ID, len(ds))
		}
		if _, err := s.Attempts(t.Context(), ds[0].ID, ds[1].ID); err != nil {
			return err
		}
	}
	return err
}
