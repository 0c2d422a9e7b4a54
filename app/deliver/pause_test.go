package deliver_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hookgate/app/deliver"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

// held waits until nobody holds any of the deliveries: all are in the store.
func (b *bench) held(ids ...event.DeliveryID) {
	b.t.Helper()
	for _, id := range ids {
		if d := b.state(id, event.Waiting); d.Owner != 0 {
			b.t.Errorf("%+v is not free", d)
		}
	}
}

// What is being sent when a connection is paused ends; what was in memory goes
// back to the store, and what comes later stays there, until it goes on. The
// order is that of acceptance.
func TestPause(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	sending := make(chan struct{})
	r := newReceiver(func(_ context.Context, d event.Delivery) error {
		<-sending
		return nil
	})
	c := connection("x", r)
	c.Concurrency = 1
	other := newReceiver(nil)
	b.dispatcher.Update([]deliver.Connection{c, connection("other", other)})
	for !b.dispatcher.Reserve(&event.Delivery{Connection: "x"}) { // from now on it takes in memory
	}
	b.dispatcher.Unreserve(&event.Delivery{Connection: "x"})
	var ids []event.DeliveryID
	for range 5 {
		ids = append(ids, b.accept("x", ""))
	}
	r.await(t, 1) // it is being sent
	b.dispatcher.SetPauseStates([]event.PauseState{{Connection: "x", Paused: true}})
	if b.dispatcher.Reserve(&event.Delivery{Connection: "x"}) {
		t.Error("a paused lane takes deliveries into memory")
	}
	ids = append(ids, b.accept("x", ""))
	close(sending)
	b.state(ids[0], event.Delivered)
	b.held(ids[1:]...)
	if h := b.dispatcher.Health(event.AttemptStats{}); h["x"].State != deliver.Paused || h["other"].State != deliver.Working {
		t.Errorf("got %+v", h)
	}
	b.accept("other", "")
	other.await(t, 1)
	c.Fingerprint = "changed" // a reload while it is paused
	b.dispatcher.Update([]deliver.Connection{c, connection("other", other)})
	ids = append(ids, b.accept("x", ""))
	b.held(ids[len(ids)-1])
	if len(r.arrived) > 0 {
		t.Fatal("something was sent while the connection was paused")
	}
	b.dispatcher.SetPauseStates([]event.PauseState{{Connection: "x"}})
	for i, d := range r.await(t, len(ids)-1) {
		if d.ID != ids[i+1] {
			t.Errorf("number %d was %s, want %s", i+1, d.ID, ids[i+1])
		}
		b.state(d.ID, event.Delivered)
	}
}

// unwilling is a store that takes nothing back at first.
type unwilling struct {
	deliver.Store
	refusals atomic.Int32 // how many are left
}

func (u *unwilling) Release(list []event.Delivery, due time.Time) error {
	if u.refusals.Add(-1) >= 0 {
		return event.ErrUnavailable
	}
	return u.Store.Release(list, due)
}

// What the store could not take back when a connection was paused is given back
// later, and sent once the connection goes on.
//
// Negative control: try only once in Dispatcher.giveBack.
func TestPause_unavailable(t *testing.T) {
	t.Parallel()
	b := &bench{t: t, path: filepath.Join(t.TempDir(), "test.db"), wrap: func(s deliver.Store) deliver.Store {
		u := &unwilling{Store: s}
		u.refusals.Store(1)
		return u
	}}
	b.start()
	t.Cleanup(func() { b.stop(time.Second) })
	sending := make(chan struct{})
	r := newReceiver(func(context.Context, event.Delivery) error { <-sending; return nil })
	c := connection("x", r)
	c.Concurrency = 1
	b.dispatcher.Update([]deliver.Connection{c})
	for !b.dispatcher.Reserve(&event.Delivery{Connection: "x"}) { // from now on it takes in memory
	}
	b.dispatcher.Unreserve(&event.Delivery{Connection: "x"})
	var ids []event.DeliveryID
	for range 4 {
		ids = append(ids, b.accept("x", ""))
	}
	r.await(t, 1)
	b.dispatcher.SetPauseStates([]event.PauseState{{Connection: "x", Paused: true}})
	close(sending)
	b.state(ids[0], event.Delivered)
	b.log.Await(t, "could not be given back")
	b.dispatcher.SetPauseStates([]event.PauseState{{Connection: "x"}})
	r.await(t, len(ids)-1)
	for _, id := range ids {
		b.state(id, event.Delivered)
	}
}

// A connection that is paused at the start sends nothing.
func TestPause_beforeTheFirstUpdate(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := newReceiver(nil)
	b.dispatcher.SetPauseStates([]event.PauseState{{Connection: "x", Paused: true}})
	b.dispatcher.Update([]deliver.Connection{connection("x", r)})
	id := b.accept("x", "key")
	later := b.accept("x", "key")
	if len(r.arrived) > 0 {
		t.Error("it was sent")
	}
	b.dispatcher.SetPauseStates(nil)
	got := r.await(t, 2)
	if got[0].ID != id || got[1].ID != later {
		t.Errorf("got %+v", got)
	}
}

// What was held goes at the rate that was asked for, and no quicker than the
// connection's own allows.
func TestPause_rate(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r, limited := newReceiver(nil), newReceiver(nil)
	own := connection("limited", limited)
	own.Rate = yamlnode.Rate{Count: 20, Per: time.Second}
	rates := []event.PauseState{
		{Connection: "x", Count: 20, Per: time.Second},
		{Connection: "limited", Count: 1000, Per: time.Second},
	}
	b.dispatcher.SetPauseStates(rates)
	b.dispatcher.Update([]deliver.Connection{connection("x", r), own})
	begun := time.Now()
	for range 8 {
		b.accept("x", "")
		b.accept("limited", "")
	}
	r.await(t, 8)
	limited.await(t, 8)
	// Two may go at once, the others 50 ms apart.
	if took := time.Since(begun); took < 250*time.Millisecond {
		t.Errorf("8 were sent in %s at 20 a second", took)
	}
	b.dispatcher.SetPauseStates(nil)
	begun = time.Now()
	for range 200 {
		b.accept("x", "")
	}
	r.await(t, 200)
	if took := time.Since(begun); took > 8*time.Second {
		t.Errorf("without the rate, 200 took %s", took)
	}
}

// Stop does not wait for what is paused, and what was held is there afterwards.
func TestPause_stop(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := newReceiver(nil)
	b.dispatcher.Update([]deliver.Connection{connection("x", r)})
	b.dispatcher.SetPauseStates([]event.PauseState{{Connection: "x", Paused: true}})
	id := b.accept("x", "")
	b.stop(time.Second)
	b.start()
	b.dispatcher.Update([]deliver.Connection{connection("x", r)})
	if got := r.await(t, 1)[0]; got.ID != id {
		t.Errorf("got %s, want %s", got.ID, id)
	}
}

// closing is a receiver that keeps something open.
type closing struct {
	*receiver
	closed chan string
	name   string
}

func (c closing) Close() error {
	c.closed <- c.name
	return nil
}

// A connector lets go of what it keeps open when nobody uses it any more, and
// not before.
func TestClose(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	closed := make(chan string, 10)
	settings := func(name string) deliver.Connection {
		c := connection("x", closing{newReceiver(nil), closed, name})
		c.Fingerprint = strings.TrimSuffix(name, " again")
		return c
	}
	expect := func(want string) {
		t.Helper()
		select {
		case got := <-closed:
			if got != want {
				t.Errorf("%q was closed, want %q", got, want)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%q was not closed", want)
		}
	}
	b.dispatcher.Update([]deliver.Connection{settings("first")})
	b.dispatcher.Update([]deliver.Connection{settings("first again")}) // the same: the first stays in use
	b.dispatcher.SetPauseStates([]event.PauseState{{Connection: "x", Paused: true}})
	b.dispatcher.SetPauseStates([]event.PauseState{{Connection: "x", Count: 1, Per: time.Second}})
	b.dispatcher.Update([]deliver.Connection{settings("second")})
	expect("first")
	b.dispatcher.SetPauseStates([]event.PauseState{{Connection: "x", Paused: true}})
	b.dispatcher.Update([]deliver.Connection{settings("third")})
	expect("second")
	b.dispatcher.SetPauseStates(nil)
	b.dispatcher.Update(nil)
	expect("third")
	b.dispatcher.Update([]deliver.Connection{settings("fourth")})
	b.dispatcher.Stop(t.Context())
	expect("fourth")
	if len(closed) > 0 {
		t.Errorf("%q was closed too", <-closed)
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	bad := true
	r := newReceiver(func(context.Context, event.Delivery) error {
		if bad {
			return errors.New("503 Service Unavailable")
		}
		return nil
	})
	c := connection("x", r)
	c.Concurrency = 1
	b.dispatcher.Update([]deliver.Connection{c})
	if h := b.dispatcher.Health(event.AttemptStats{})["x"]; h != (deliver.Health{State: deliver.Working}) {
		t.Errorf("got %+v", h)
	}
	b.state(b.accept("x", ""), event.Failed)
	h := b.dispatcher.Health(event.AttemptStats{})["x"]
	if h.State != deliver.Failing || h.LastError != "503 Service Unavailable" || h.FailedAt.IsZero() || h.Hour.Attempts != 1 || h.Hour.Failed != 1 {
		t.Errorf("got %+v", h)
	}
	bad = false
	for range 3 {
		b.state(b.accept("x", ""), event.Delivered)
	}
	h = b.dispatcher.Health(event.AttemptStats{})["x"]
	if h.State != deliver.Working || h.LastError == "" || h.Day.Attempts != 4 || h.Day.Failed != 1 || h.Day.P95 <= 0 || h.Day.P95 > 10*time.Second {
		t.Errorf("got %+v", h)
	}
}
