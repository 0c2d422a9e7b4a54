package deliver_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hookgate/app/deliver"
	"hookgate/connectors"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
	"hookgate/test/lab"
)

func TestDeliver(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := newReceiver(nil)
	b.dispatcher.Update([]deliver.Connection{connection("x", r)})
	id := b.accept("x", "")
	if got := r.await(t, 1)[0]; got.ID != id {
		t.Errorf("got %s, want %s", got.ID, id)
	}
	b.state(id, event.Delivered)
}

func TestRetry_untilItIsWell(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	tries := 0
	r := newReceiver(func(context.Context, event.Delivery) error {
		if tries++; tries < 3 {
			return errors.New("503 Service Unavailable")
		}
		return nil
	})
	c := connection("x", r, time.Millisecond, time.Millisecond)
	c.Concurrency = 1
	b.dispatcher.Update([]deliver.Connection{c})
	id := b.accept("x", "")
	got := r.await(t, 3)
	if got[0].ID != id || got[2].ID != id || got[2].Attempts != 2 || string(got[2].Output) != string(got[0].Output) {
		t.Errorf("got %+v", got)
	}
	b.state(id, event.Delivered)
	attempts, err := b.store.Attempts(t.Context(), id)
	if err != nil || len(attempts) != 3 || attempts[1].Error != "503 Service Unavailable" || attempts[2].Error != "" {
		t.Errorf("attempts: %+v, %v", attempts, err)
	}
}

// Promise: P11, P19.
func TestRetry_ends(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.dispatcher.Update([]deliver.Connection{
		connection("permanent", newReceiver(func(context.Context, event.Delivery) error {
			return connectors.Permanent(errors.New("channel_is_archived"))
		}), time.Millisecond),
		connection("transient", newReceiver(func(context.Context, event.Delivery) error { return errors.New("500") }), time.Millisecond, time.Millisecond),
		connection("panics", newReceiver(func(context.Context, event.Delivery) error { panic("poison") }), time.Millisecond),
	})
	for name, want := range map[string]int{"permanent": 1, "transient": 3, "panics": 2} {
		id := b.accept(name, "")
		d := b.state(id, event.Failed)
		if d.Attempts != want || d.Error == "" || string(d.Output) == "" {
			t.Errorf("%s: got %+v, want %d attempts and all kept", name, d, want)
		}
	}
}

// Promise: P20.
func TestSlowConnection_holdsUpNoOther(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	unblock := make(chan struct{})
	slow := newReceiver(func(ctx context.Context, _ event.Delivery) error {
		select {
		case <-unblock:
		case <-ctx.Done():
		}
		return nil
	})
	fast := newReceiver(nil)
	b.dispatcher.Update([]deliver.Connection{connection("slow", slow), connection("fast", fast)})
	// More than the slow lane holds in memory: the rest overflows into the store.
	const n = 2500
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range n / 8 {
				b.accept("slow", "")
				b.accept("fast", "")
			}
		})
	}
	wg.Wait()
	const sent = n / 8 * 8
	fast.await(t, sent)
	if depth := b.dispatcher.InMemory()["slow"]; depth > 1024 {
		t.Errorf("the slow lane holds %d in memory, want at most 1024", depth)
	}
	close(unblock)
	seen := map[event.DeliveryID]int{}
	for _, d := range slow.await(t, sent) {
		seen[d.ID]++
	}
	if len(seen) != sent {
		t.Errorf("%d distinct deliveries arrived at the slow connection, want %d", len(seen), sent)
	}
	if slow.most > 4 {
		t.Errorf("%d attempts at once, want at most 4", slow.most)
	}
}

// Deliveries take up a bounded number of bytes, not just of places: handed over
// as well as claimed, however well they were packed. A stuck connection leaves
// room for the others.
//
// Break: memory.take and room that always give. Then 30 were in memory.
//
// Promise: P18.
func TestMemory_isBoundedInBytes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	large := strings.Repeat("large ", 200_000) // 1.2 MB, which pack well
	unblock := make(chan struct{})
	stuck := newReceiver(func(ctx context.Context, _ event.Delivery) error {
		select {
		case <-unblock:
		case <-ctx.Done():
		}
		return ctx.Err()
	})
	few := func() bool { return b.dispatcher.InMemory()["stuck"] <= 4 } // a claim has more places for a moment
	others := newReceiver(nil)
	connections := []deliver.Connection{connection("stuck", stuck), connection("others", others)}
	b.dispatcher.Update(connections)
	const n = 30
	for range n {
		b.acceptText("stuck", "", large)
		b.acceptText("others", "", large)
	}
	others.await(t, n)
	lab.Eventually(t, "few are in memory", few)
	b.stop(0)
	b.start() // now all of them are claimed
	stuck.arrived = make(chan event.Delivery, n)
	b.dispatcher.Update(connections)
	stuck.await(t, 2)
	lab.Eventually(t, "few are in memory after a start", few)
	close(unblock)
	stuck.await(t, n-2)
}

// One delivery goes through, however large it is.
func TestMemory_oneOfAnySize(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := newReceiver(nil)
	b.dispatcher.Update([]deliver.Connection{connection("x", r)})
	for range 3 {
		b.acceptText("x", "", strings.Repeat("large ", 2_500_000))
	}
	r.await(t, 3)
}

func TestOrderingKey_overFailures(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var mu sync.Mutex
	failedOnce := map[event.DeliveryID]bool{}
	done := map[string][]event.DeliveryID{}
	r := newReceiver(func(_ context.Context, d event.Delivery) error {
		mu.Lock()
		defer mu.Unlock()
		if d.ID%3 == 0 && !failedOnce[d.ID] {
			failedOnce[d.ID] = true
			return errors.New("503")
		}
		done[d.Key] = append(done[d.Key], d.ID)
		return nil
	})
	b.dispatcher.Update([]deliver.Connection{connection("x", r, time.Millisecond)})
	want := map[string][]event.DeliveryID{}
	var last event.DeliveryID
	for i := range 200 {
		key := fmt.Sprint("k", i%10)
		last = b.accept("x", key)
		want[key] = append(want[key], last)
	}
	for _, ids := range want {
		b.state(ids[len(ids)-1], event.Delivered)
	}
	mu.Lock()
	defer mu.Unlock()
	for key, ids := range want {
		if fmt.Sprint(done[key]) != fmt.Sprint(ids) {
			t.Errorf("%s: delivered %v, want %v", key, done[key], ids)
		}
	}
	if len(failedOnce) == 0 {
		t.Error("none failed: the test proves nothing")
	}
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := newReceiver(nil)
	c := connection("x", r)
	c.Rate = yamlnode.Rate{Count: 50, Per: time.Second}
	b.dispatcher.Update([]deliver.Connection{c})
	began := time.Now()
	for range 30 {
		b.accept("x", "")
	}
	r.await(t, 30)
	if took := time.Since(began); took < 400*time.Millisecond { // 30 at 50/s, five of them at once
		t.Errorf("30 deliveries at 50/s took only %s", took)
	}
}

// Promise: P9.
func TestRetryAfter_pausesTheConnection(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var first time.Time
	r := newReceiver(func(_ context.Context, d event.Delivery) error {
		if first.IsZero() {
			first = time.Now()
			return connectors.RetryAfter(errors.New("429 Too Many Requests"), 300*time.Millisecond)
		}
		return nil
	})
	c := connection("x", r, time.Millisecond)
	c.Concurrency = 1
	b.dispatcher.Update([]deliver.Connection{c})
	b.accept("x", "")
	r.await(t, 1)
	id := b.accept("x", "")
	r.await(t, 2)
	if waited := time.Since(first); waited < 290*time.Millisecond {
		t.Errorf("the next attempt came after %s, want 300 ms", waited)
	}
	b.state(id, event.Delivered)
}

func TestBreaker(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := newReceiver(func(context.Context, event.Delivery) error { return errors.New("connection refused") })
	c := connection("x", r, time.Hour)
	c.Concurrency = 1
	b.dispatcher.Update([]deliver.Connection{c})
	for range 30 {
		b.accept("x", "")
	}
	r.await(t, 10)
	for range 10 {
		<-b.results
	}
	h := b.dispatcher.Health(event.AttemptStats{})["x"]
	if h.State != deliver.Broken {
		t.Errorf("after ten failures in a row the breaker is not open: %+v", h)
	}
	if text := b.log.String(); !strings.Contains(text, "only probed until an attempt gets through\" connection=x failures=10") {
		t.Errorf("nothing is logged of it:\n%s", text)
	}
	select {
	case d := <-r.arrived:
		t.Errorf("%s was sent while the breaker is open", d.ID)
	case <-time.After(300 * time.Millisecond):
	}
}

// Promise: P17.
func TestStop_finishesWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	finish := make(chan struct{})
	r := newReceiver(func(ctx context.Context, _ event.Delivery) error { <-finish; return ctx.Err() })
	b.dispatcher.Update([]deliver.Connection{connection("x", r)})
	id := b.accept("x", "")
	r.await(t, 1)
	time.AfterFunc(50*time.Millisecond, func() { close(finish) })
	b.stop(10 * time.Second)
	b.start()
	b.state(id, event.Delivered)
}

func TestStop_whatIsBrokenOffIsSentAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := newReceiver(func(ctx context.Context, _ event.Delivery) error { <-ctx.Done(); return ctx.Err() })
	b.dispatcher.Update([]deliver.Connection{connection("x", r)})
	id := b.accept("x", "")
	r.await(t, 1)
	b.stop(50 * time.Millisecond)
	b.start()
	again := newReceiver(nil)
	b.dispatcher.Update([]deliver.Connection{connection("x", again)})
	if got := again.await(t, 1)[0]; got.ID != id || got.Attempts != 0 {
		t.Errorf("got %+v, want %s untried", got, id)
	}
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	block := make(chan struct{})
	first := newReceiver(func(ctx context.Context, _ event.Delivery) error {
		select {
		case <-block:
		case <-ctx.Done():
		}
		return nil
	})
	c := connection("x", first)
	c.Concurrency = 1
	b.dispatcher.Update([]deliver.Connection{c})
	b.accept("x", "")
	first.await(t, 1)
	var waiting []event.DeliveryID
	for range 20 {
		waiting = append(waiting, b.accept("x", ""))
	}
	// New settings: what is queued goes by them, without waiting for the attempt under way.
	second := newReceiver(nil)
	c.Connector, c.Fingerprint = second, "changed"
	b.dispatcher.Update([]deliver.Connection{c})
	second.await(t, 20)
	close(block)
	// Gone: what comes in the meantime waits in the store, and goes when it is back.
	b.dispatcher.Update(nil)
	id := b.accept("x", "")
	b.state(id, event.Waiting)
	third := newReceiver(nil)
	c.Connector = third
	b.dispatcher.Update([]deliver.Connection{c})
	if got := third.await(t, 1)[0]; got.ID != id {
		t.Errorf("got %s, want %s", got.ID, id)
	}
	for _, id := range waiting {
		b.state(id, event.Delivered)
	}
}

// What failed in an outage goes once when the breaker closes, without using up
// an attempt or moving its schedule; one more success sends nothing early.
//
// Promise: P9.
func TestBreaker_sendsWhatFailedOnceItCloses(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var down atomic.Bool
	var stubborn atomic.Int64
	down.Store(true)
	r := newReceiver(func(_ context.Context, d event.Delivery) error {
		if down.Load() || int64(d.ID) == stubborn.Load() {
			return errors.New("connection refused")
		}
		return nil
	})
	b.dispatcher.Update([]deliver.Connection{connection("x", r, time.Hour)})
	stubborn.Store(int64(b.accept("x", "")))
	ids := make([]event.DeliveryID, 9)
	for i := range ids {
		ids[i] = b.accept("x", "")
	}
	r.await(t, 10)
	for _, id := range ids {
		b.state(id, event.Retrying)
	}
	failing := event.DeliveryID(stubborn.Load())
	before := b.state(failing, event.Retrying)
	down.Store(false)
	probe := b.accept("x", "")
	b.state(probe, event.Delivered)
	for _, id := range ids {
		if got := b.state(id, event.Delivered); got.Attempts != 2 {
			t.Errorf("delivered by attempt %d, want 2", got.Attempts)
		}
	}
	var after event.Delivery
	lab.Eventually(t, "the early try of the one that fails is recorded", func() bool {
		after = b.state(failing, event.Retrying)
		return after.Attempts == 2
	})
	if !after.Due.Equal(before.Due) || after.Attempts-after.Base != 1 {
		t.Errorf("after its early try: due %v with %d tries used up, want %v with 1", after.Due, after.Attempts-after.Base, before.Due)
	}
	// One success more, with the breaker closed, sends nothing early.
	b.state(b.accept("x", ""), event.Delivered)
	if got := b.state(failing, event.Retrying); got.Attempts != 2 {
		t.Errorf("a success sent it early again: %d attempts", got.Attempts)
	}
}
