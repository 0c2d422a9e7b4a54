package planner

import (
	"context"
	"log/slog"
	"time"

	"hookgate/internal/event"
)

const (
	// jump is how far the clock may be ahead of the time that has passed.
	jump = 10 * time.Minute
	// longStop is how long the gateway may have stood still.
	longStop = 7 * 24 * time.Hour
	// checkEvery is how often the clock is looked at where nothing is due, and
	// noteEvery how often it is noted that the gateway ran.
	checkEvery = time.Minute
	noteEvery  = time.Hour
)

// clockStore keeps what is known of the database's clock.
type clockStore interface {
	Clock(ctx context.Context) (time.Time, error)
	ClockState(ctx context.Context) (event.ClockState, error)
	HoldClock(from, to time.Time) error
	ReleaseClock() error
	NoteClock(now time.Time) error
}

// guard compares the database's clock with the time that has passed, for a
// clock that was set far ahead would make all due that is scheduled.
type guard struct {
	store  clockStore
	logger *slog.Logger
	passed func() time.Time

	base    time.Time // the clock, as it was or ought to have been
	at      time.Time // when it was: with a monotonic reading
	checked time.Time
	noted   time.Time
	held    bool
}

// holds reports whether nothing may be opened now.
func (g *guard) holds(ctx context.Context, due bool) (bool, error) {
	passed := g.passed()
	if !due && !g.at.IsZero() && passed.Sub(g.checked) < checkEvery {
		return g.held, nil
	}
	now, err := g.store.Clock(ctx)
	if err != nil {
		return g.held, err
	}
	now = now.Round(0) // what it shows, and not what has passed
	state, err := g.store.ClockState(ctx)
	if err != nil {
		return g.held, err
	}
	g.checked = passed
	if err := g.judge(ctx, now, passed, &state, due); err != nil {
		return true, err
	}
	if !g.held && passed.Sub(g.noted) >= noteEvery {
		if err := g.store.NoteClock(now); err != nil {
			return g.held, err
		}
		g.noted = passed
	}
	return g.held, nil
}

// judge compares now, the database's clock, with what is known of it. passed
// is this moment on the clock that is never set.
func (g *guard) judge(ctx context.Context, now, passed time.Time, state *event.ClockState, due bool) error {
	trust := func() { g.base, g.at, g.held = now, passed, false }
	switch {
	case state.Held && !g.held: // by another process, or before the start
		g.base, g.at, g.held = now.Add(-state.To.Sub(state.From)), passed, true
		if !now.Before(state.To) {
			return nil
		}
	case state.Held:
		if now.Sub(g.expected(passed)) > jump {
			return nil
		}
	case g.held, g.at.IsZero() && !g.stopped(now, state, due):
		if g.held {
			g.logger.InfoContext(ctx, "the clock was accepted: what is scheduled goes on", "clock", now)
		}
		trust()
		return nil
	default:
		from := state.Seen
		if !g.at.IsZero() {
			from = g.expected(passed)
		}
		if ahead := now.Sub(from); ahead <= jump || state.Accepted.After(from.Add(jump)) {
			trust()
			return nil
		}
		if err := g.store.HoldClock(from, now); err != nil {
			return err
		}
		g.base, g.at, g.held = from, passed, true
		g.logger.ErrorContext(ctx, "the database's clock is far ahead of the time that has passed: nothing that is scheduled goes until it is back, or somebody says hookgate clock accept",
			"clock", now, "expected", from)
		return nil
	}
	if err := g.store.ReleaseClock(); err != nil {
		return err
	}
	g.logger.InfoContext(ctx, "the clock is back: what is scheduled goes on", "clock", now)
	trust()
	return nil
}

// stopped reports whether the gateway stood still for so long before its start
// that what has become due meanwhile waits for somebody to say so.
func (g *guard) stopped(now time.Time, state *event.ClockState, due bool) bool {
	return due && !state.Seen.IsZero() && now.Sub(state.Seen) > longStop
}

// expected is what the clock ought to show.
func (g *guard) expected(passed time.Time) time.Time { return g.base.Add(passed.Sub(g.at)) }
