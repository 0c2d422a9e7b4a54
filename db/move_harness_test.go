package db_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"hookgate/db"
	"hookgate/internal/event"
)

// mustHistory fills a SQLite file with what a gateway leaves behind when it
// is killed: every state of events and deliveries, some of them claimed, queues
// of ordering keys, and text that PostgreSQL cannot hold. It returns what
// can be read from it after the next start.
func mustHistory(t testing.TB, path string, events int) snapshot {
	t.Helper()
	s, c := newStore(t, place{path: path})
	plan, err := s.SavePlan(event.RuleSet{Hash: "abc", Rules: []string{"first", "second"}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range events {
		c.Add(time.Millisecond)
		mustLive(t, s, c, plan, i)
	}
	if _, _, err := s.Cancel(t.Context(), event.DeliveryFilter{Connection: "failing", States: []event.DeliveryState{event.Failed}, Limit: 1}); err != nil {
		t.Fatal(err)
	}
	mustReplayAll(t, s, c, plan)
	mustSwitch(t, s, event.PauseState{Connection: "good", Paused: true, By: "team", Note: "until Monday"})
	if err := s.Audit(event.Audit{ID: 5, Action: event.EraseAction, Detail: []byte(`{"events":2}`)}); err != nil {
		t.Fatal(err)
	}
	if err := s.AddHealth(event.AttemptStats{
		Counts: []event.AttemptCount{{Connection: "good", Slot: event.HealthSlotAt(c.Now()), Class: 7, Attempts: 3, Failed: 1}},
		Last:   []event.LastAttempt{{Connection: "good", Ended: c.Now(), Failed: true, FailedAt: c.Now(), Delivery: 4711, Number: 2}},
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.Remember("good", "message k", "there", time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := mustOpen(t, place{path: path}, c) // it gives free what was claimed, as each start does
	defer again.Close()
	return mustSnapshot(t, again)
}

// mustLive is the life of the i-th event.
func mustLive(t testing.TB, s *db.Store, c *clock, plan int64, i int) {
	t.Helper()
	state := []event.State{event.Routed, event.NoMatch, event.RuleError, event.Rejected, event.Spam}[i%5]
	id := s.NewIDs(4)
	e := event.Event{
		ID: id, Source: "shop", Type: "order", ReceivedAt: c.Now(), State: state, Plan: plan, Form: state == event.Spam, Results: []byte("mn"),
		Body: []byte(strings.Repeat("body \x00\xff ", i%80)), Request: event.Request{Method: "POST", Headers: map[string]string{"x": "y"}},
		Dedupe: &event.Dedupe{Key: fmt.Sprint(i / 2 * 2 % 500), Window: time.Hour},
	}
	if e.Form {
		e.Files = []event.File{{ID: fmt.Sprint("fil_", i), Event: id, Field: "f", Name: "a.pdf", Type: "application/pdf", Size: int64(i), SHA256: "ab", Created: c.Now()}}
	}
	if state == event.Rejected {
		e.Cause = "bad\x00text\xff"
	}
	var ds []event.Delivery
	if state == event.Routed || state == event.RuleError {
		for n, connection := range []string{"good", "failing", "keyed"} {
			d := event.Delivery{
				ID: event.DeliveryID(id) + event.DeliveryID(n) + 1, Event: id, Rule: "first", Action: 1, Connection: connection,
				Output: json.RawMessage(fmt.Sprintf(`{"n":%d,"text":%q}`, i, strings.Repeat("x", i%600))), Claim: 1,
			}
			if connection == "keyed" {
				d.Key = fmt.Sprintf("k%d", i%7)
			}
			ds = append(ds, d)
		}
	}
	if _, err := s.Accept(&e, ds); err != nil {
		t.Fatal(err)
	}
	if len(ds) == 0 || i%3 == 0 {
		return // under way when the gateway was killed
	}
	mustRecord(t, s, c, &ds[0], event.Outcome{State: event.Delivered}, "")
	mustRecord(t, s, c, &ds[1], event.Outcome{State: []event.DeliveryState{event.Failed, event.Retrying}[i%2], Due: c.Now().Add(time.Minute)}, "503 Service\x00Unavailable")
}

// snapshot is what readers see of a store.
type snapshot struct {
	Events     []event.Event
	Deliveries []event.Delivery
	Attempts   []event.Attempt
	Switches   []event.PauseState
}

func mustSnapshot(t testing.TB, s *db.Store) snapshot {
	t.Helper()
	var shot snapshot
	var err error
	if shot.Events, err = s.Events(t.Context(), event.Filter{Limit: 100_000}); err != nil {
		t.Fatal(err)
	}
	shot.Deliveries = mustDeliveries(t, s, event.DeliveryFilter{Limit: 100_000})
	for part := range slices.Chunk(shot.Deliveries, 500) {
		var ids []event.DeliveryID
		for i := range part {
			ids = append(ids, part[i].ID)
		}
		attempts, err := s.Attempts(t.Context(), ids...)
		if err != nil {
			t.Fatal(err)
		}
		shot.Attempts = append(shot.Attempts, attempts...)
	}
	if shot.Switches, err = s.PauseStates(t.Context()); err != nil {
		t.Fatal(err)
	}
	return shot
}

// cleaned replaces what PostgreSQL's text cannot hold.
func (s snapshot) cleaned() snapshot {
	clean := func(text string) string {
		return strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", "\u2400"), "\uFFFD")
	}
	for i := range s.Events {
		s.Events[i].Cause = clean(s.Events[i].Cause)
	}
	for i := range s.Deliveries {
		s.Deliveries[i].Error = clean(s.Deliveries[i].Error)
	}
	for i := range s.Attempts {
		s.Attempts[i].Error = clean(s.Attempts[i].Error)
	}
	return s
}

func move(ctx context.Context, path, url string, progress func(db.MoveProgress)) ([]db.MovedTable, error) {
	return db.MoveHistory(ctx, path, event.NewSecret(url), db.MoveOptions{
		Options: db.Options{Logger: slog.New(slog.DiscardHandler), Now: time.Now}, Progress: progress, Rows: 97,
	})
}
