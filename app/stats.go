package app

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"hookgate/app/deliver"
	"hookgate/db"
	"hookgate/internal/event"
)

// statsEvery is how often what connections did, and what came in, is stored: what
// happened since is not counted of a process that is killed.
const statsEvery = 30 * time.Second

// attemptStats stores what connections did, and what came in.
type attemptStats struct {
	store    *db.Store
	workers  *deliver.Dispatcher
	arrivals *arrivals
	logger   *slog.Logger
	mu       sync.Mutex // what is pending must not be stored twice
}

// keep stores it from time to time, until ctx ends.
func (s *attemptStats) keep(ctx context.Context) {
	every(ctx, statsEvery, func() {
		if err := s.save(ctx); err != nil {
			s.logger.WarnContext(ctx, "what connections did could not be stored, trying again", "error", err)
		}
	})
}

// save stores what is not stored yet. One that fails leaves it for the next.
func (s *attemptStats) save(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if came := s.arrivals.Pending(); len(came) > 0 {
		if err := s.store.AddTraffic(came); err != nil {
			return fmt.Errorf("store how many events came in: %w", err)
		}
		s.arrivals.settle(came)
	}
	list := s.workers.Pending()
	if len(list.Counts) == 0 && len(list.Last) == 0 {
		return nil
	}
	if err := s.store.AddHealth(list); err != nil {
		return fmt.Errorf("store the health of connections: %w", err)
	}
	s.workers.Settle(list)
	return nil
}

// arrivals counts what came in until it is stored. The zero value is ready for
// use; it is safe for concurrent use.
type arrivals struct {
	mu     sync.Mutex
	counts map[arrival]int
}

type arrival struct {
	source string
	state  event.State
	slot   int64
}

// count counts one event. hookgate's own are none that came in.
func (a *arrivals) count(source string, state event.State, now time.Time) {
	if source == event.Own {
		return
	}
	key := arrival{source, state, event.HealthSlotAt(now)}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.counts == nil {
		a.counts = map[arrival]int{}
	}
	a.counts[key]++
}

// Pending are the counts that are not stored yet.
func (a *arrivals) Pending() []event.TrafficCount {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := make([]event.TrafficCount, 0, len(a.counts))
	for key, n := range a.counts {
		list = append(list, event.TrafficCount{Of: event.FromSource, Name: key.source, Slot: key.slot, Result: string(key.state), Count: n})
	}
	return list
}

// settle takes off what is stored by now.
func (a *arrivals) settle(list []event.TrafficCount) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range list {
		key := arrival{c.Name, event.State(c.Result), c.Slot}
		if a.counts[key] -= c.Count; a.counts[key] == 0 {
			delete(a.counts, key)
		}
	}
}
