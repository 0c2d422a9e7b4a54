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
	DueTimers(ctx context.Context, limit int, kinds ...event.TimerKind) ([]event.Timer, error)
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

// Late are moments that are over while nothing has come of them: deliveries that are
// scheduled, digests that are to close, what comes after other deliveries.
type Late struct {
	Count int       `json:"count"` // mostLate at the most
	Since time.Time `json:"since"` // when the first of them was due
}

// mostLate is how many late moments are counted.
const mostLate = 1000

// moments adds to a status what is scheduled and what of it is late, and the clock where it
// is held: then all is late because of it.
func (s *Service) moments(ctx context.Context, out *Status) error {
	n, countErr := s.store.Scheduled(ctx)
	out.Scheduled = n
	state, err := s.store.ClockState(ctx)
	if err == nil && state.Held {
		out.Clock = &Clock{Shows: state.To, Expected: state.From}
		return countErr
	}
	late, lateErr := s.late(ctx)
	out.Late = late
	return errors.Join(countErr, err, lateErr)
}

// late are the moments that are over; nil: there are none.
func (s *Service) late(ctx context.Context) (*Late, error) {
	due, err := s.store.DueTimers(ctx, mostLate, event.MomentTimer, event.DigestTimer, event.FollowTimer)
	if err != nil || len(due) == 0 {
		return nil, err
	}
	now, err := s.store.Clock(ctx)
	if err != nil {
		return nil, err
	}
	n := 0 // those first that are due first
	for n < len(due) && now.Sub(due[n].Due) > tooLate {
		n++
	}
	if n == 0 {
		return nil, nil
	}
	return &Late{Count: n, Since: due[0].Due}, nil
}
