package ingest_test

import (
	"errors"
	"log/slog"
	"sync"
	"testing"

	"hookgate/app/ingest"
	"hookgate/internal/event"
	"hookgate/test/planned"
)

// stuckStore is a store whose disk answers late.
type stuckStore struct {
	entered chan struct{}
	release chan struct{}
}

func (s *stuckStore) NewIDs(int) event.ID { return 1 << 40 }

func (s *stuckStore) Accept(*event.Event, []event.Delivery) (event.ID, error) {
	s.entered <- struct{}{}
	<-s.release
	return 0, nil
}

func (s *stuckStore) Readmit(*event.Event, []event.Delivery) ([]string, error) { return nil, nil }

func (s *stuckStore) Tell(*event.Signal, *event.Event, []event.Delivery) (bool, []string, error) {
	return false, nil, nil
}

func (s *stuckStore) Tick(_, _ *event.Timer, _ *event.Event, _ []event.Delivery, _ []event.Signal) (bool, []string, error) {
	return false, nil, nil
}

// What is under way is bounded, of one source and altogether: what is more is
// refused, as the source's fault or as everybody's, and told when to come again.
//
// Break: one of the two counts in traffic.enter.
//
// Promise: P18.
func TestTraffic_isBounded(t *testing.T) {
	t.Parallel()
	const ofSource = 1024
	store := &stuckStore{entered: make(chan struct{}, 3*ofSource), release: make(chan struct{})}
	in := ingest.New(store, &dispatcher{}, ingest.Options{Logger: slog.New(slog.DiscardHandler), Observe: func(string, event.State) {}})
	plan := planned.Must(t, document)
	var under sync.WaitGroup
	fill := func(source string) {
		for range ofSource {
			under.Go(func() {
				if _, err := in.Accept(plan, request(source, "application/json", "{}")); err != nil {
					t.Errorf("%s: %v", source, err)
				}
			})
		}
		for range ofSource {
			<-store.entered
		}
	}
	refused := func(source string, itsOwn bool) {
		t.Helper()
		answers := make(chan error, 1)
		under.Go(func() { _, err := in.Accept(plan, request(source, "application/json", "{}")); answers <- err })
		select {
		case err := <-answers:
			if busy := (*ingest.BusyError)(nil); !errors.As(err, &busy) || busy.Source != itsOwn || busy.RetryAfter <= 0 {
				t.Errorf("%s: %v", source, err)
			}
		case <-store.entered:
			t.Errorf("%s: one more was let in", source)
		}
	}
	fill("echo")
	refused("echo", true)
	fill("plain")
	refused("shop", false)
	close(store.release)
	under.Wait()
}
