package deliver_test

import (
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"hookgate/app/deliver"
	"hookgate/internal/event"
	"hookgate/test/lab"
)

// What is no longer this process's is not sent, and frees its place.
func TestHolds(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var gone atomic.Int64
	asked := make(chan struct{}, 10)
	b.dispatcher = deliver.New(b.store, deliver.Options{
		Logger: slog.New(slog.DiscardHandler), Now: time.Now, Observe: func(string, event.DeliveryState, time.Duration) {},
		Holds: func(d *event.Delivery) bool {
			asked <- struct{}{}
			return int64(d.ID) != gone.Load()
		},
	})
	r := newReceiver(nil)
	id := b.store.NewIDs(2)
	gone.Store(int64(id) + 1)
	c := connection("x", r)
	c.Concurrency = 1
	b.dispatcher.Update([]deliver.Connection{c})
	for !b.dispatcher.Reserve(&event.Delivery{Connection: "x"}) { // after its first look at the store the lane takes in memory
	}
	b.dispatcher.Deliver(event.Delivery{ID: event.DeliveryID(id) + 1, Event: id, Connection: "x", Claim: 1})
	<-asked
	kept := b.accept("x", "")
	if got := r.await(t, 1)[0]; got.ID != kept {
		t.Errorf("sent %s, want %s alone", got.ID, kept)
	}
	b.state(kept, event.Delivered)
	// A look at the store takes places for a moment.
	lab.Eventually(t, "no place is taken but that of the commit under way", func() bool { return b.dispatcher.InMemory()["x"] <= 1 })
}

// What another process left in the store is found when the lane is woken.
func TestWake(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := newReceiver(nil)
	b.dispatcher.Update([]deliver.Connection{connection("x", r)})
	for !b.dispatcher.Reserve(&event.Delivery{Connection: "x"}) { // the lane has looked, and will not by itself for a while
	}
	b.dispatcher.Unreserve(&event.Delivery{Connection: "x"})
	for how, wake := range map[string]func(){
		"by name": func() { b.dispatcher.Poll("x") },
		"by all":  func() { b.dispatcher.Poll("") },
	} {
		id := b.store.NewIDs(2)
		d := event.Delivery{ID: event.DeliveryID(id) + 1, Event: id, Connection: "x", Rule: "r", Action: 1, Output: []byte(`{}`)}
		if _, err := b.store.Accept(&event.Event{ID: id, Source: "s", ReceivedAt: time.Now(), State: event.Routed}, []event.Delivery{d}); err != nil {
			t.Fatal(err)
		}
		wake()
		if got := r.await(t, 1)[0]; got.ID != d.ID {
			t.Errorf("woken %s: got %s, want %s", how, got.ID, d.ID)
		}
	}
}

// One delivery that is left in the store does not send those after it there: each
// would be the next one's reason, although there is room.
//
// Negative control: l.behind.Store(true) in poll.
func TestPoll_room(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.dispatcher.Update([]deliver.Connection{connection("x", newReceiver(nil))})
	for !b.dispatcher.Reserve(&event.Delivery{Connection: "x"}) { // until it has looked at the store
	}
	b.dispatcher.Poll("x")
	if !b.dispatcher.Reserve(&event.Delivery{Connection: "x"}) {
		t.Error("what is accepted after a wake-up is stored unclaimed, want it in memory, where there is room")
	}
}
