package tail_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hookgate/app/admin/tail"
	"hookgate/internal/event"
)

// store is a live.Store in memory.
type store struct {
	mu         sync.Mutex
	ids        *event.IDSource
	events     []event.Event // by id
	deliveries []event.Delivery
	reads      int
}

func newStore() *store { return &store{ids: event.NewIDSource(1, 0, time.Now)} }

func (s *store) Events(_ context.Context, f event.Filter) ([]event.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	var list []event.Event
	for _, e := range slices.Backward(s.events) {
		if e.ID >= event.FirstIDAt(f.Since) && len(list) < f.Limit {
			list = append(list, e)
		}
	}
	return list, nil
}

func (s *store) Deliveries(_ context.Context, f event.DeliveryFilter) ([]event.Delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []event.Delivery
	for _, d := range slices.Backward(s.deliveries) {
		if f.Event == d.Event || slices.Contains(f.IDs, d.ID) {
			list = append(list, d)
		}
	}
	return list, nil
}

func (s *store) Attempts(context.Context, ...event.DeliveryID) ([]event.Attempt, error) {
	return nil, nil
}

// add stores an event with deliveries in the given states.
func (s *store) add(id event.ID, source string, states ...event.DeliveryState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := event.Event{ID: id, Source: source, State: event.NoMatch}
	for i, state := range states {
		e.State = event.Routed
		d := event.Delivery{ID: event.DeliveryID(id) + event.DeliveryID(i) + 1, Event: id, Connection: fmt.Sprint("c", i), State: state}
		if state != event.Sending {
			d.Attempts = 1
		}
		s.deliveries = append(s.deliveries, d)
	}
	s.events = append(s.events, e)
	slices.SortFunc(s.events, func(a, b event.Event) int { return int(a.ID - b.ID) })
}

// finish ends the deliveries of an event.
func (s *store) finish(id event.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.deliveries {
		if d := &s.deliveries[i]; d.Event == id {
			d.State, d.Attempts = event.Delivered, d.Attempts+1
		}
	}
}

// present writes an item as "source: c0 delivered, c1 retrying".
func present(i tail.Item) ([]byte, error) {
	var parts []string
	for _, d := range i.Deliveries {
		parts = append(parts, d.Connection+" "+string(d.State))
	}
	text := i.Event.Source + ": " + strings.Join(parts, ", ")
	if i.Update {
		text = "later, " + text
	}
	return []byte(text), nil
}

func start(t *testing.T, s *store) (*tail.Feed, context.CancelFunc) {
	t.Helper()
	f := tail.New(s, tail.Options{Logger: slog.New(slog.DiscardHandler), Now: time.Now, Present: present})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); f.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return f, cancel
}

func all(*event.Event) bool { return true }

func next(t *testing.T, w *tail.Watcher) string {
	t.Helper()
	select {
	case item, more := <-w.Items:
		if !more {
			t.Fatal("the feed has ended")
		}
		return string(item)
	case <-time.After(20 * time.Second):
		t.Fatal("nothing is shown")
	}
	return ""
}

func TestFeed(t *testing.T) {
	t.Parallel()
	s := newStore()
	s.add(event.FirstIDAt(time.Now().Add(-time.Minute)), "from before")
	f, cancel := start(t, s)
	w := f.Watch(all)
	only := f.Watch(func(e *event.Event) bool { return e.Source == "b" })
	// One number is drawn before that of "a", and committed after "a" was shown.
	late := s.ids.Take(1)
	a := s.ids.Take(5)
	s.add(a, "a", event.Delivered, event.Retrying)
	if got := next(t, w); got != "a: c0 delivered, c1 retrying" {
		t.Errorf("first: %s", got)
	}
	s.add(late, "late")
	if got := next(t, w); got != "late: " {
		t.Errorf("the one that was committed late: %s", got)
	}
	s.add(s.ids.Take(5), "b", event.Sending)
	s.finish(a)
	// c0 has ended before it was shown: only c1 is followed.
	got := []string{next(t, w), next(t, w)}
	slices.Sort(got)
	if got[0] != "b: c0 sending" || got[1] != "later, a: c1 delivered" {
		t.Errorf("then: %q, want b, which was waited for, and the end of a's retry", got)
	}
	if got := next(t, only); got != "b: c0 sending" {
		t.Errorf("with a filter: %s", got)
	}
	cancel()
	if _, more := <-w.Items; more {
		t.Error("it goes on after the end of the feed")
	}
	if _, more := <-f.Watch(all).Items; more {
		t.Error("somebody can watch after the end of the feed")
	}
	w.Close()
}

// Nobody waits for a watcher who does not read: the others see everything, and
// it is told that something was left out. Negative control: a plain send in
// Feed.show never shows the last event.
func TestFeed_slowWatcher(t *testing.T) {
	t.Parallel()
	s := newStore()
	f, _ := start(t, s)
	slow, quick := f.Watch(all), f.Watch(all)
	shown := 0
	for range 3 {
		for range 400 {
			s.add(s.ids.Take(1), "x")
		}
		for range 400 {
			next(t, quick)
			shown++
		}
	}
	if shown != 1200 || quick.Dropped() != 0 {
		t.Errorf("the quick one saw %d", shown)
	}
	if got := slow.Dropped(); got != 1200-512 {
		t.Errorf("%d were left out for the slow one, want all that its buffer does not hold", got)
	}
	if slow.Dropped() != 0 {
		t.Error("what was left out is told twice")
	}
}

// While nobody watches, nothing is read.
func TestFeed_idle(t *testing.T) {
	t.Parallel()
	s := newStore()
	f, _ := start(t, s)
	w := f.Watch(all)
	s.add(s.ids.Take(1), "x")
	next(t, w)
	w.Close()
	reads := func() int { s.mu.Lock(); defer s.mu.Unlock(); return s.reads }
	var before int
	for last := -1; last != before; { // the look that is under way may be the last
		last = before
		before = reads()
		<-time.After(600 * time.Millisecond)
	}
	if got := reads(); got != before {
		t.Errorf("%d reads while nobody watches", got-before)
	}
}
