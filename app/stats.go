package app

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"hookgate/app/deliver"
	"hookgate/db"
)

// statsEvery is how often what connections did is stored: what a process that
// is killed did since is not counted.
const statsEvery = 30 * time.Second

// attemptStats stores what connections did.
type attemptStats struct {
	store   *db.Store
	workers *deliver.Dispatcher
	logger  *slog.Logger
	mu      sync.Mutex // what is pending must not be stored twice
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
