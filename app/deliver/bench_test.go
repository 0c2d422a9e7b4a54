package deliver_test

import (
	"context"
	"log/slog"
	"runtime"
	"testing"
	"time"

	"hookgate/app/deliver"
	"hookgate/internal/event"
)

// free is a store and a connector that cost nothing.
type free struct{ ended chan struct{} }

func (free) Claim(string, time.Time, int, int) ([]event.Delivery, bool, error) {
	return nil, false, nil
}
func (free) NextDue(context.Context, string) (due time.Time, err error) { return due, nil }
func (free) Release([]event.Delivery, time.Time) error                  { return nil }
func (free) Deliver(context.Context, event.Delivery) (event.Receipt, error) {
	return event.Receipt{Status: 204}, nil
}

func (free) Hasten(string) error { return nil }

func (f free) Record(_ *event.Delivery, _ event.Attempt, _ event.Outcome, done func(*event.Delivery)) {
	done(nil)
	f.ended <- struct{}{}
}

// What a delivery costs on its way through a lane, without what it is sent
// with and the store.
func BenchmarkLane(b *testing.B) {
	f := free{ended: make(chan struct{}, 1)}
	dispatcher := deliver.New(f, deliver.Options{
		Logger: slog.New(slog.NewJSONHandler(b.Output(), nil)), Now: time.Now,
		Observe: func(string, event.DeliveryState, time.Duration) {},
	})
	b.Cleanup(func() { dispatcher.Stop(context.Background()) })
	dispatcher.Update([]deliver.Connection{{Name: "crm", Connector: f, Concurrency: 1}})
	d := event.Delivery{ID: 4711, Event: 4710, Rule: "new-site", Action: 1, Connection: "crm", Output: []byte(`{"json":{}}`), State: event.Waiting}
	for !dispatcher.Reserve(&d) { // until the lane has looked at the store
		runtime.Gosched()
	}
	b.ReportAllocs()
	for b.Loop() {
		dispatcher.Deliver(d)
		<-f.ended
		if !dispatcher.Reserve(&d) {
			b.Fatal("there is no slot")
		}
	}
}
