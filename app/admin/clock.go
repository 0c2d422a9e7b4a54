package admin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hookgate/internal/event"
)

// Clock is a clock of the database that is not trusted: nothing that is
// scheduled goes until it is back, or somebody accepts it.
type Clock struct {
	Shows    time.Time `json:"shows"`    // when it was held
	Expected time.Time `json:"expected"` // what it ought to have shown then
}

// clockStore knows what is scheduled, and the clock that it waits for.
type clockStore interface {
	Scheduled(ctx context.Context) (int, error)
	ClockState(ctx context.Context) (event.ClockState, error)
	ReleaseClock() error
}

// AcceptClock says that the database's clock is right, so that what is
// scheduled goes on. It gives the clock that was held.
func (s *Service) AcceptClock(ctx context.Context) (Clock, error) {
	state, err := s.store.ClockState(ctx)
	if err != nil {
		return Clock{}, err
	}
	if !state.Held {
		return Clock{}, refuse("the clock is trusted: nothing that is scheduled is held")
	}
	if err := s.store.ReleaseClock(); err != nil {
		return Clock{}, fmt.Errorf("accept the clock: %w", err)
	}
	s.opt.Logger.InfoContext(ctx, "the clock was accepted by hand: what is scheduled goes on", "shows", state.To, "expected", state.From, "by", actor(ctx))
	return Clock{Shows: state.To, Expected: state.From}, nil
}

// moments adds to a status what is scheduled, and the clock where it is held.
func (s *Service) moments(ctx context.Context, out *Status) error {
	n, countErr := s.store.Scheduled(ctx)
	out.Scheduled = n
	state, err := s.store.ClockState(ctx)
	if err == nil && state.Held {
		out.Clock = &Clock{Shows: state.To, Expected: state.From}
	}
	return errors.Join(countErr, err)
}
