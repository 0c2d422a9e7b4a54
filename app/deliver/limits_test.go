package deliver_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"hookgate/app/deliver"
	"hookgate/connectors"
	"hookgate/db"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
	"hookgate/test/lab"
	"hookgate/test/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// replica is one of several processes on a database.
type replica struct {
	t          *testing.T
	store      *db.Store
	dispatcher *deliver.Dispatcher
}

// newReplicas starts so many on a database of their own. They follow what the
// others find out, as app has them do.
func newReplicas(t *testing.T, n int) ([]*replica, string) {
	t.Helper()
	url := pgtest.Shared(t).URL(t)
	quiet := slog.New(slog.DiscardHandler)
	var list []*replica
	for range n {
		store, err := db.OpenPostgres(t.Context(), event.NewSecret(url), db.Options{Logger: quiet, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		r := &replica{t: t, store: store, dispatcher: deliver.New(store, deliver.Options{
			Logger: quiet, Now: time.Now, Holds: store.Holds, Poll: time.Second, SharedLimits: store.SharedLimits(),
			Observe: func(string, event.DeliveryState, time.Duration) {},
		})}
		ctx, end := context.WithCancel(context.Background())
		go store.Watch(ctx, db.Watch{Due: func(string) {}, Limits: func() { r.follow(ctx) }})
		t.Cleanup(func() {
			gone, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			r.dispatcher.Stop(gone)
			end()
			_ = store.Close()
		})
		list = append(list, r)
	}
	return list, url
}

func (r *replica) follow(ctx context.Context) {
	asked := time.Now()
	if list, err := r.store.SharedLimits().Blocked(ctx); err == nil {
		r.dispatcher.Follow(list, asked)
	}
}

// accept has the replica send n deliveries to x.
func (r *replica) accept(n int) {
	r.t.Helper()
	for range n {
		id := r.store.NewIDs(2)
		d := event.Delivery{
			ID: event.DeliveryID(id) + 1, Event: id, Rule: "r", Action: 1, Connection: "x", Output: json.RawMessage(`{}`), Created: time.Now(),
		}
		for !r.dispatcher.Reserve(&event.Delivery{Connection: "x"}) { // until the lane has looked at the store
			<-time.After(time.Millisecond)
		}
		d.Claim = 1
		ds := []event.Delivery{d}
		if _, err := r.store.Accept(&event.Event{ID: id, Source: "s", ReceivedAt: time.Now(), State: event.Routed}, ds); err != nil {
			r.t.Fatal(err)
		}
		r.dispatcher.Deliver(ds[0])
	}
}

// arrivals are the times at which n deliveries arrived.
func arrivals(t *testing.T, r *timed, n int) []time.Time {
	t.Helper()
	var list []time.Time
	for len(list) < n {
		select {
		case at := <-r.at:
			list = append(list, at)
		case <-time.After(30 * time.Second):
			t.Fatalf("%d of %d arrived", len(list), n)
		}
	}
	slices.SortFunc(list, time.Time.Compare)
	return list
}

// timed is a receiver that notes when something arrives.
type timed struct{ at chan time.Time }

func newTimed() *timed { return &timed{at: make(chan time.Time, 10_000)} }

func (r *timed) Deliver(context.Context, event.Delivery) (event.Receipt, error) {
	r.at <- time.Now()
	return event.Receipt{Status: 200}, nil
}

// within checks that no window of time has more arrivals than the rate, and two
// tenths of a second's worth: one may go at once, and one is the longest that a
// token is used late. Another two are for a machine that is busy.
func within(t *testing.T, at []time.Time, perSecond float64) {
	t.Helper()
	for i := range at {
		for j := i + 1; j < len(at); j++ {
			window := at[j].Sub(at[i])
			if most := 1 + perSecond*(window.Seconds()+0.4); float64(j-i+1) > most {
				t.Fatalf("%d arrived within %s, want at most %.1f", j-i+1, window, most)
			}
		}
	}
}

// A rate is one for all replicas: the one that has all the work has all of it,
// and all together have no more.
//
// Negative control: no SharedLimits in the Options for the second part; a rate that
// is divided by the number of replicas for the first.
func TestSharedLimits_rate(t *testing.T) {
	t.Parallel()
	const rate, most = 50, 60
	replicas, _ := newReplicas(t, 3)
	r := newTimed()
	c := connection("x", nil)
	c.Connector, c.Rate = r, yamlnode.Rate{Count: rate, Per: time.Second}
	for _, one := range replicas {
		one.dispatcher.Update([]deliver.Connection{c})
	}
	replicas[1].accept(most)
	at := arrivals(t, r, most)
	within(t, at, rate)
	if took := at[most-1].Sub(at[0]); took > 3*time.Second { // a third of the rate takes 3.5 s
		t.Errorf("one replica alone took %s for %d of %d a second", took, most, rate)
	}
	done := make(chan struct{}, 3)
	for _, one := range replicas {
		go func() { one.accept(most / 2); done <- struct{}{} }()
	}
	at = arrivals(t, r, 3*most/2)
	for range replicas {
		<-done
	}
	within(t, at, rate)
}

// A replica whose rate was made slower when a pause ended sends no more than
// that with all the others.
func TestSharedLimits_released(t *testing.T) {
	t.Parallel()
	replicas, _ := newReplicas(t, 2)
	r := newTimed()
	c := connection("x", nil)
	c.Connector = r
	for _, one := range replicas {
		one.dispatcher.Update([]deliver.Connection{c})
		one.dispatcher.SetPauseStates([]event.PauseState{{Connection: "x", Count: 40, Per: time.Second}})
	}
	for _, one := range replicas {
		one.accept(20)
	}
	within(t, arrivals(t, r, 40), 40)
}

// What one replica finds out about a receiver holds for the others; when it is
// time one of all sends a probe, and when that gets through all go on.
//
// Negative control: OpenBreaker tells nobody (the others send), Probe is claimed by
// everybody (more than one arrives while the first is under way).
func TestSharedLimits_breaker(t *testing.T) {
	t.Parallel()
	replicas, url := newReplicas(t, 3)
	var sick atomic.Bool
	sick.Store(true)
	hold := make(chan struct{})
	var arrived, probes atomic.Int64
	r := newReceiver(func(context.Context, event.Delivery) error {
		arrived.Add(1)
		if sick.Load() {
			return errors.New("connection refused")
		}
		probes.Add(1)
		<-hold
		return nil
	})
	for _, one := range replicas {
		c := connection("x", r, 20*time.Millisecond)
		c.Concurrency, c.Policy.Delays, c.Timeout = 2, slices.Repeat([]time.Duration{time.Hour}, 3), time.Minute
		one.dispatcher.Update([]deliver.Connection{c})
	}
	replicas[0].accept(12)
	state := func(want deliver.State) {
		t.Helper()
		for i, one := range replicas {
			lab.Eventually(t, fmt.Sprintf("replica %d says %s", i, want), func() bool { return one.dispatcher.Health(event.AttemptStats{})["x"].State == want })
		}
	}
	state(deliver.Broken)
	lab.Eventually(t, "what was under way has ended", func() bool { r.mu.Lock(); defer r.mu.Unlock(); return r.underWay == 0 })
	before := arrived.Load()
	if before > 11 {
		t.Errorf("%d were sent although ten failed", before)
	}
	for _, one := range replicas[1:] {
		one.accept(5)
	}
	<-time.After(400 * time.Millisecond) // nothing is sent for ten seconds
	if got := arrived.Load(); got != before {
		t.Errorf("%d were sent while the breaker is open", got-before)
	}
	sick.Store(false)
	pgtest.Exec(t, url, `UPDATE gates SET retry = 0`) // as if the ten seconds were over
	for _, one := range replicas {
		one.follow(t.Context())
	}
	lab.Eventually(t, "a probe arrives", func() bool { return probes.Load() > 0 })
	<-time.After(400 * time.Millisecond) // the others look, and send nothing
	for _, one := range replicas {
		one.follow(t.Context())
	}
	if got := probes.Load(); got != 1 {
		t.Errorf("%d were sent at once to see whether it works, want one", got)
	}
	close(hold)
	// What waits, and once more what had failed: Hasten does that after an outage.
	lab.Eventually(t, "everything is sent", func() bool { return probes.Load() == 12+10 })
	for i, one := range replicas {
		lab.Eventually(t, fmt.Sprintf("replica %d says it works", i), func() bool { return one.dispatcher.Health(event.AttemptStats{})["x"].State != deliver.Broken })
	}
}

// The receiver's Retry-After holds for all replicas, and a reset of the
// connection, by other settings, for all as well.
func TestSharedLimits_pause(t *testing.T) {
	t.Parallel()
	replicas, _ := newReplicas(t, 2)
	first := newReceiver(func(context.Context, event.Delivery) error {
		return &connectors.Error{Err: errors.New("429"), After: time.Minute}
	})
	c := connection("x", first, time.Hour)
	replicas[0].dispatcher.Update([]deliver.Connection{c})
	second := newReceiver(nil)
	c = connection("x", second, time.Hour)
	replicas[1].dispatcher.Update([]deliver.Connection{c})
	replicas[0].accept(1)
	first.await(t, 1)
	lab.Eventually(t, "the pause is known", func() bool {
		list, err := replicas[1].store.SharedLimits().Blocked(t.Context())
		return err == nil && len(list) == 1 && list[0].Paused > 50*time.Second
	})
	replicas[1].follow(t.Context())
	replicas[1].accept(1)
	select {
	case <-second.arrived:
		t.Error("it was sent although the receiver had asked another replica to wait")
	case <-time.After(300 * time.Millisecond):
	}
	c = connection("x", newReceiver(nil), time.Hour)
	c.Fingerprint = "other settings"
	replicas[0].dispatcher.Update([]deliver.Connection{c})
	second.await(t, 1)
}
