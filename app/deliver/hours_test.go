package deliver_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"hookgate/app/deliver"
	"hookgate/internal/calendar"
	"hookgate/internal/event"
)

// handClock is a clock that a test sets. Between two settings it stands.
type handClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *handClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *handClock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

// nextFriday is the beginning of one to come: what the store calls due by the real
// clock is due by then.
func nextFriday() time.Time {
	day := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, 2)
	for day.Weekday() != time.Friday {
		day = day.AddDate(0, 0, 1)
	}
	return day
}

func office(t *testing.T) *calendar.Calendar {
	t.Helper()
	c, err := calendar.New(calendar.Definition{
		Days: []calendar.Days{{From: time.Monday, To: time.Friday}}, Hours: []calendar.Hours{{From: 9 * 60, To: 17*60 + 30}}, Zone: "UTC",
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// newHoursBench is a bench whose lanes go by clock, and look at it all the time.
func newHoursBench(t *testing.T, clock *handClock) *bench {
	t.Helper()
	b := newBench(t)
	b.stop(time.Second)
	b.clock = clock.Now
	b.poll = 5 * time.Millisecond
	b.start()
	return b
}

// No attempt begins outside of the hours of a connection, be it the first, a
// retry or an early one; what is due is sent at the opening, and nothing is given
// up before. Without closed in reconcile all is sent at night.
func TestHours(t *testing.T) {
	t.Parallel()
	friday := nextFriday()
	clock := &handClock{now: friday.Add(17 * time.Hour)}
	b := newHoursBench(t, clock)
	var mu sync.Mutex
	var at []time.Time
	r := newReceiver(func(context.Context, event.Delivery) error {
		mu.Lock()
		defer mu.Unlock()
		at = append(at, clock.Now())
		return errors.New("no")
	})
	c := connection("x", r)
	c.Hours = office(t)
	c.Policy = deliver.Policy{Delays: []time.Duration{time.Hour}, For: time.Until(friday.Add(18 * time.Hour))}
	b.dispatcher.Update([]deliver.Connection{c})
	first := b.accept("x", "")
	r.await(t, 1)
	b.state(first, event.Retrying)

	clock.set(friday.Add(17*time.Hour + 30*time.Minute))
	for b.dispatcher.Reserve(&event.Delivery{Connection: "x"}) { // until it is closed
		b.dispatcher.Unreserve(&event.Delivery{Connection: "x"})
		time.Sleep(time.Millisecond)
	}
	second := b.accept("x", "")
	for _, later := range []time.Duration{18 * time.Hour, 20 * time.Hour, 30 * time.Hour, 3*24*time.Hour + 9*time.Hour - time.Second} {
		clock.set(friday.Add(later))
		b.dispatcher.Poll("x")
		time.Sleep(20 * time.Millisecond)
	}
	if h := b.dispatcher.Health(event.AttemptStats{}); h["x"].State != deliver.Closed {
		t.Errorf("got %+v", h)
	}
	c.Fingerprint = "changed" // a reload while it is closed
	b.dispatcher.Update([]deliver.Connection{c})
	b.dispatcher.SetPauseStates([]event.PauseState{{Connection: "x", Paused: true}})
	b.dispatcher.SetPauseStates(nil) // to go on opens nothing
	time.Sleep(20 * time.Millisecond)
	b.held(second)
	if len(r.arrived) > 0 {
		t.Fatalf("something was sent at night: %v", at)
	}
	monday := friday.Add(3*24*time.Hour + 9*time.Hour)
	clock.set(monday)
	r.await(t, 2)
	b.state(first, event.Failed) // its last attempt, long after retry.for
	mu.Lock()
	defer mu.Unlock()
	for _, when := range at[1:] {
		if when.Before(monday) {
			t.Errorf("an attempt at %s", when)
		}
	}
}

// What waits for the rate when a connection closes is not sent after it.
func TestHours_waitingForTheRate(t *testing.T) {
	t.Parallel()
	clock := &handClock{now: nextFriday().Add(17*time.Hour + 29*time.Minute)}
	b := newHoursBench(t, clock)
	b.stop(time.Second)
	b.poll = time.Hour // nobody stops the workers: they see it themselves
	b.start()
	r := newReceiver(nil)
	c := connection("x", r)
	c.Hours = office(t)
	c.Concurrency = 1
	c.Rate.Count, c.Rate.Per = 5, time.Second
	b.dispatcher.Update([]deliver.Connection{c})
	for range 4 {
		b.accept("x", "")
	}
	r.await(t, 1)
	clock.set(nextFriday().Add(17*time.Hour + 30*time.Minute))
	time.Sleep(20 * time.Millisecond) // for one that had passed the check
	got := len(r.arrived)
	time.Sleep(700 * time.Millisecond)
	if len(r.arrived) > got {
		t.Errorf("%d were sent after the end", len(r.arrived)-got)
	}
}
