package planner_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"hookgate/app/ingest"
	"hookgate/app/planner"
	"hookgate/db"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
	"hookgate/rules"
	"hookgate/rules/lang"
)

// bench is a planner over a SQLite file, with two clocks that a test sets: the
// database's, and that of the time that has passed.
type bench struct {
	*planner.Planner
	store *db.Store

	mu          sync.Mutex
	now, passed time.Time
	added       []string
	failed      []string
	opens       time.Time // the calendar: closed before
}

func (b *bench) clock() time.Time { b.mu.Lock(); defer b.mu.Unlock(); return b.now }

// pass lets time pass, by both clocks.
func (b *bench) pass(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now, b.passed = b.now.Add(d), b.passed.Add(d)
}

// set sets the database's clock alone.
func (b *bench) set(d time.Duration) { b.mu.Lock(); defer b.mu.Unlock(); b.now = b.now.Add(d) }

func newBench(t *testing.T, text string) *bench {
	t.Helper()
	b := &bench{now: time.Date(2026, 3, 10, 10, 0, 0, 0, time.UTC), passed: time.Now()}
	store, err := db.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), db.Options{Logger: slog.New(slog.DiscardHandler), Now: b.clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	b.store = store
	b.restart(text)
	return b
}

func (b *bench) restart(text string) {
	b.Planner = planner.New(planner.Options{
		Store: b.store, Logger: slog.New(slog.DiscardHandler), Late: func(time.Duration) {},
		RuleSet: func(context.Context, int64) (*ingest.RuleSet, error) {
			node, list := yamlnode.Parse("config.yaml", []byte(text))
			var f struct {
				Rules []rules.Rule `yaml:"rules"`
			}
			if err := append(list, node.Decode("the file", &f)...).Err(); err != nil {
				return nil, err
			}
			set, faults := rules.Compile(lang.NewCompiler(), f.Rules, rules.Origins{"shop": nil}, rules.Targets{"x": {Noun: "x", Inputs: []lang.Input{{Name: "text", Required: true}}}})
			return &ingest.RuleSet{Rules: set}, faults.Err()
		},
		Opening: func(_ string, at time.Time) time.Time {
			if at.Before(b.opens) {
				return b.opens
			}
			return at
		},
		Added:  func(c string) { b.added = append(b.added, c) },
		Failed: func(_ *event.Delivery, reason string) *event.Signal { b.failed = append(b.failed, reason); return nil },
		Passed: func() time.Time { b.mu.Lock(); defer b.mu.Unlock(); return b.passed },
	})
}

func (b *bench) schedule(t *testing.T, data string, in time.Duration, wait event.Wait) event.DeliveryID {
	t.Helper()
	id := b.store.NewIDs(2)
	e := event.Event{ID: id, Source: "shop", ReceivedAt: b.clock(), State: event.Routed, Body: []byte(data)}
	d := event.Delivery{
		ID: event.DeliveryID(id) + 1, Event: id, Rule: "r", Action: 1, Connection: "x", Output: json.RawMessage(`{"text":"early"}`),
		State: event.Scheduled, Moment: b.clock().Add(in), Wait: &wait,
	}
	if wait.Late {
		d.Output = nil
	}
	if _, err := b.store.Accept(&e, []event.Delivery{d}); err != nil {
		t.Fatal(err)
	}
	return d.ID
}

func (b *bench) look(t *testing.T, id event.DeliveryID) event.Delivery {
	t.Helper()
	if err := b.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := b.store.Deliveries(t.Context(), event.DeliveryFilter{IDs: []event.DeliveryID{id}})
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	return list[0]
}

const rule = `rules: [{ name: r, from: shop, then: [{ to: x, delay: 1h, when: data.n == 1, text: "${{ data.text }}" }] }]`

// At its moment a delivery is opened; what is late is asked and rendered then,
// and ends with the reason where it is not sent.
func TestLook(t *testing.T) {
	t.Parallel()
	b := newBench(t, rule)
	early := b.schedule(t, `{}`, time.Hour, event.Wait{})
	late := b.schedule(t, `{"n":1,"text":"late"}`, time.Hour, event.Wait{Late: true})
	unmet := b.schedule(t, `{"n":2,"text":"late"}`, time.Hour, event.Wait{Late: true})
	broken := b.schedule(t, `{"n":1}`, time.Hour, event.Wait{Late: true})
	if got := b.look(t, early); got.State != event.Scheduled {
		t.Fatalf("before its moment: %s", got.State)
	}
	b.pass(time.Hour)
	for _, tc := range []struct {
		id            event.DeliveryID
		state         event.DeliveryState
		output, error string
	}{
		{early, event.Waiting, `{"text":"early"}`, ""},
		{late, event.Waiting, `{"text":"late"}`, ""},
		{unmet, event.Cancelled, `{}`, "data.n == 1: it is 2"},
		{broken, event.Failed, `{"text":""}`, "text is empty: data.text is missing"},
	} {
		if got := b.look(t, tc.id); got.State != tc.state || string(got.Output) != tc.output || got.Error != tc.error {
			t.Errorf("%s: %s, %s, %q, want %+v", got.ID, got.State, got.Output, got.Error, tc)
		}
	}
	if len(b.added) != 1 || len(b.failed) != 1 {
		t.Errorf("told of %v and of %v", b.added, b.failed)
	}
}

// A calendar is asked again at the moment, for a holiday may have been added.
func TestLook_calendar(t *testing.T) {
	t.Parallel()
	b := newBench(t, rule)
	id := b.schedule(t, `{}`, time.Hour, event.Wait{During: "office"})
	b.opens = b.clock().Add(48 * time.Hour)
	b.pass(time.Hour)
	if got := b.look(t, id); got.State != event.Scheduled || !got.Moment.Equal(b.opens) {
		t.Errorf("on a holiday: %s, %s", got.State, got.Moment)
	}
	b.pass(47 * time.Hour)
	if got := b.look(t, id); got.State != event.Waiting {
		t.Errorf("when it opens: %s", got.State)
	}
}

// Rules that can't be read now keep what waits by them: nothing is lost.
func TestLook_unreadable(t *testing.T) {
	t.Parallel()
	b := newBench(t, `rules: [{ name: r, from: nobody, then: [] }]`)
	id := b.schedule(t, `{"n":1,"text":"late"}`, time.Hour, event.Wait{Late: true})
	b.pass(time.Hour)
	if got := b.look(t, id); got.State != event.Scheduled {
		t.Fatalf("it is %s", got.State)
	}
	b.restart(rule)
	b.pass(2 * time.Minute)
	if got := b.look(t, id); got.State != event.Waiting {
		t.Errorf("then: %s", got.State)
	}
}

// A clock that is set far ahead lets nothing go, also over a restart, until it
// is back or accepted. Fails where the clock is not compared with the time that
// has passed.
//
// Promise: F1.
func TestClock(t *testing.T) {
	t.Parallel()
	const tenYears = 10 * 365 * 24 * time.Hour
	for name, end := range map[string]func(b *bench) error{
		"back":     func(b *bench) error { b.set(-tenYears); b.pass(2 * time.Hour); return nil },
		"accepted": func(b *bench) error { return b.store.ReleaseClock() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, rule)
			id := b.schedule(t, `{}`, time.Hour, event.Wait{})
			b.look(t, id)
			b.set(tenYears)
			if got := b.look(t, id); got.State != event.Scheduled {
				t.Fatal("it went ten years early")
			}
			b.restart(rule)
			b.pass(time.Minute)
			if got := b.look(t, id); got.State != event.Scheduled {
				t.Fatal("it went after a restart")
			}
			if err := end(b); err != nil {
				t.Fatal(err)
			}
			b.look(t, id)
			b.pass(2 * time.Minute)
			if got := b.look(t, id); got.State != event.Waiting {
				t.Errorf("then: %s", got.State)
			}
			if state, err := b.store.ClockState(t.Context()); err != nil || state.Held {
				t.Errorf("still held: %+v, %v", state, err)
			}
		})
	}
}

// After a long stop nothing goes unasked; after a short one it does.
func TestClock_stop(t *testing.T) {
	t.Parallel()
	for stop, want := range map[time.Duration]event.DeliveryState{6 * 24 * time.Hour: event.Waiting, 8 * 24 * time.Hour: event.Scheduled} {
		b := newBench(t, rule)
		id := b.schedule(t, `{}`, time.Hour, event.Wait{})
		b.look(t, id)
		b.pass(stop)
		b.restart(rule)
		if got := b.look(t, id); got.State != want {
			t.Errorf("after %s: %s, want %s", stop, got.State, want)
		}
	}
}
