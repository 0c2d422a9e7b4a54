package deliver_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"hookgate/app/deliver"
	"hookgate/connectors"
	"hookgate/db"
	"hookgate/internal/event"
	"hookgate/test/journal"
)

// receiver is a connector that a test scripts.
type receiver struct {
	mu       sync.Mutex
	got      []event.Delivery
	arrived  chan event.Delivery
	respond  func(ctx context.Context, d event.Delivery) error // nil: all is well
	underWay int
	most     int
}

func newReceiver(respond func(context.Context, event.Delivery) error) *receiver {
	return &receiver{arrived: make(chan event.Delivery, 10_000), respond: respond}
}

func (r *receiver) Deliver(ctx context.Context, d event.Delivery) (event.Receipt, error) {
	r.mu.Lock()
	r.got = append(r.got, d)
	r.underWay++
	r.most = max(r.most, r.underWay)
	r.mu.Unlock()
	defer func() { r.mu.Lock(); r.underWay--; r.mu.Unlock() }()
	r.arrived <- d
	if r.respond == nil {
		return event.Receipt{Status: 200}, nil
	}
	return event.Receipt{}, r.respond(ctx, d)
}

// await takes the next n deliveries that arrived.
func (r *receiver) await(t *testing.T, n int) []event.Delivery {
	t.Helper()
	var list []event.Delivery
	deadline := time.After(20 * time.Second)
	for len(list) < n {
		select {
		case d := <-r.arrived:
			list = append(list, d)
		case <-deadline:
			t.Fatalf("%d of %d deliveries arrived", len(list), n)
		}
	}
	return list
}

type bench struct {
	t          *testing.T
	log        journal.Journal
	path       string
	store      *db.Store
	dispatcher *deliver.Dispatcher
	results    chan event.DeliveryState
	clock      func() time.Time // nil: the real one
	poll       time.Duration
	wrap       func(deliver.Store) deliver.Store // nil: the dispatcher has the store itself
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, path: filepath.Join(t.TempDir(), "test.db")}
	b.start()
	t.Cleanup(func() { b.stop(time.Second) })
	return b
}

func (b *bench) start() {
	b.t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	store, err := db.Open(context.Background(), b.path, db.Options{Logger: quiet, Now: time.Now})
	if err != nil {
		b.t.Fatal(err)
	}
	b.store = store
	b.results = make(chan event.DeliveryState, 10_000)
	results := b.results
	now := time.Now
	if b.clock != nil {
		now = b.clock
	}
	var used deliver.Store = store
	if b.wrap != nil {
		used = b.wrap(store)
	}
	b.dispatcher = deliver.New(used, deliver.Options{
		Logger: slog.New(slog.NewTextHandler(&b.log, nil)), Now: now, Poll: b.poll,
		Observe: func(_ string, result event.DeliveryState, _ time.Duration) { results <- result },
	})
}

func (b *bench) stop(grace time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	b.dispatcher.Stop(ctx)
	if err := b.store.Close(); err != nil {
		b.t.Error(err)
	}
}

// accept stores an event with one delivery, as intake does.
func (b *bench) accept(connection, key string) event.DeliveryID {
	b.t.Helper()
	return b.acceptText(connection, key, "")
}

// acceptText is accept of a delivery whose text ends with so much more.
func (b *bench) acceptText(connection, key, text string) event.DeliveryID {
	b.t.Helper()
	id := b.store.NewIDs(2)
	d := event.Delivery{
		ID: event.DeliveryID(id) + 1, Event: id, Rule: "r", Action: 1, Connection: connection, Key: key,
		Output: json.RawMessage(fmt.Sprintf(`{"text":"%d%s"}`, id, text)), State: event.Waiting, Created: time.Now(),
	}
	reserved := b.dispatcher.Reserve(&d)
	if reserved {
		d.Claim = 1
	}
	ds := []event.Delivery{d}
	if _, err := b.store.Accept(&event.Event{ID: id, Source: "s", Type: "t", ReceivedAt: time.Now(), State: event.Routed}, ds); err != nil {
		b.t.Fatal(err)
	}
	switch {
	case ds[0].Claim > 0:
		b.dispatcher.Deliver(ds[0])
	case reserved:
		b.dispatcher.Unreserve(&d)
	default:
		b.dispatcher.Poll(connection)
	}
	return d.ID
}

// state waits until the store says that the delivery is in the state.
func (b *bench) state(id event.DeliveryID, want event.DeliveryState) event.Delivery {
	b.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		ds, err := b.store.Deliveries(context.Background(), event.DeliveryFilter{IDs: []event.DeliveryID{id}})
		if err != nil || len(ds) != 1 {
			b.t.Fatal(ds, err)
		}
		if ds[0].State == want {
			return ds[0]
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("delivery %s is %s (%s), want %s", id, ds[0].State, ds[0].Error, want)
		}
		if err := b.store.Ping(); err != nil { // a commit later it may be
			b.t.Fatal(err)
		}
	}
}

func connection(name string, c connectors.Connector, delays ...time.Duration) deliver.Connection {
	return deliver.Connection{Name: name, Connector: c, Concurrency: 4, Policy: deliver.Policy{Delays: delays}, Fingerprint: name}
}
