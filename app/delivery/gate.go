package delivery

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"
	"golang.org/x/time/rate"
)

const (
	// breakAfter is how many attempts in a row must fail before a connection
	// is left alone for breakFor; then one attempt at a time probes it.
	breakAfter = 10
	breakFor   = 10 * time.Second
	// probeEvery is how often workers look whether an open breaker lets one through.
	probeEvery = 100 * time.Millisecond
	// maxPause is the longest that one receiver's Retry-After holds up the
	// whole connection; the delivery itself waits as long as it says.
	maxPause = time.Minute
)

// gate decides when a connection may be sent to: its rate limit, its breaker,
// and a pause that the receiver asked for.
type gate struct {
	limiter *rate.Limiter // nil: no limit
	breaker *gobreaker.TwoStepCircuitBreaker[struct{}]

	mu    sync.Mutex
	until time.Time // paused until then, on the monotonic clock
}

// newGate makes the gate of one of so many processes.
func newGate(c Connection, processes int, logger *slog.Logger) *gate {
	g := &gate{breaker: gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		Name:        c.Name,
		Timeout:     breakFor,
		MaxRequests: 1,
		ReadyToTrip: func(counts gobreaker.Counts) bool { return counts.ConsecutiveFailures >= breakAfter },
		OnStateChange: func(name string, from, to gobreaker.State) {
			switch {
			case from == gobreaker.StateClosed && to == gobreaker.StateOpen:
				logger.Warn("a connection failed many times in a row, it is only probed until an attempt gets through", "connection", name, "failures", breakAfter)
			case to == gobreaker.StateClosed:
				logger.Info("a connection works again", "connection", name)
			}
		},
	})}
	if c.Rate.Count > 0 {
		g.limiter = rate.NewLimiter(limit(c, processes), burst(c, processes))
	}
	return g
}

// limit is an equal part of the connection's rate.
func limit(c Connection, processes int) rate.Limit {
	return rate.Limit(float64(c.Rate.Count) / c.Rate.Per.Seconds() / float64(processes))
}

// burst is what may go at once: what is due in a tenth of a second, at least one.
func burst(c Connection, processes int) int {
	return max(1, int(int64(c.Rate.Count)*int64(100*time.Millisecond)/int64(c.Rate.Per))/processes)
}

// divide makes the gate that of one of so many processes.
func (g *gate) divide(c Connection, processes int) {
	if g.limiter != nil {
		g.limiter.SetLimit(limit(c, processes))
		g.limiter.SetBurst(burst(c, processes))
	}
}

// enter waits until an attempt may begin and returns what to call with its
// error: nil, or one that speaks of the receiver's health.
func (g *gate) enter(ctx context.Context) (leave func(error), err error) {
	if err := g.waitPause(ctx); err != nil {
		return nil, err
	}
	for {
		leave, err := g.breaker.Allow()
		if err == nil {
			if g.limiter == nil {
				return leave, nil
			}
			if err := g.limiter.Wait(ctx); err != nil {
				leave(nil)
				return nil, err
			}
			return leave, nil
		}
		if !errors.Is(err, gobreaker.ErrOpenState) && !errors.Is(err, gobreaker.ErrTooManyRequests) {
			return nil, err
		}
		if err := sleep(ctx, probeEvery); err != nil {
			return nil, err
		}
	}
}

// waitPause waits until no pause is left.
func (g *gate) waitPause(ctx context.Context) error {
	for {
		g.mu.Lock()
		left := time.Until(g.until)
		g.mu.Unlock()
		if left <= 0 {
			return nil
		}
		if err := sleep(ctx, left); err != nil {
			return err
		}
	}
}

// pause holds the connection for d, at most maxPause.
func (g *gate) pause(d time.Duration) {
	until := time.Now().Add(min(d, maxPause))
	g.mu.Lock()
	defer g.mu.Unlock()
	if until.After(g.until) {
		g.until = until
	}
}

// broken reports whether the breaker is open.
func (g *gate) broken() bool { return g.breaker.State() == gobreaker.StateOpen }

// sleep waits for d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
