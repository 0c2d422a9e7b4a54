package deliver

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	// breakAfter is how many attempts of one process in a row must fail before a
	// connection is left alone for breakFor; then one attempt at a time, of all
	// processes, probes it.
	breakAfter = 10
	breakFor   = 10 * time.Second
	// probeGrace is how much longer than an attempt may take its claim lasts.
	probeGrace = 2 * time.Second
	// maxPause is the longest that one receiver's Retry-After holds up the
	// whole connection; the delivery itself waits as long as it says.
	maxPause = time.Minute
)

// verdict is what an attempt says of its receiver.
type verdict int

const (
	unknown verdict = iota // nothing was sent, or nobody knows what became of it
	passed
	failed
)

// gate is a lane's: its breaker, and a pause that the receiver asked for. What
// it knows is its share of what Gates know.
type breaker struct {
	name   string
	shared SharedLimits
	logger *slog.Logger
	closed func() // called when a probe of this process has closed it

	mu       sync.Mutex
	settings int           // counts what made a fresh start of it
	changed  chan struct{} // closed when one who waits is to look again
	until    time.Time     // paused until then; times are on the monotonic clock
	failures int           // in a row, while it is closed
	open     bool
	retry    time.Time // no probe before, by anybody
	probing  bool      // one of this process's is under way, or being claimed
	telling  int       // changes that the others are being told of
	told     time.Time // when the last of those was done
}

func newBreaker(name string, gates SharedLimits, logger *slog.Logger, closed func()) *breaker {
	return &breaker{closed: closed, name: name, shared: gates, logger: logger, changed: make(chan struct{})}
}

// enter waits until an attempt may begin, which may take keep, and returns what
// to call with what it says of the receiver. After it more are known to follow.
func (g *breaker) enter(ctx context.Context, s *limiter, keep time.Duration, more int) (leave func(verdict), err error) {
	for {
		if err := g.wait(ctx); err != nil {
			return nil, err
		}
		if s != nil {
			if err := s.wait(ctx, more); err != nil {
				return nil, err
			}
		}
		if leave := g.pass(ctx, keep); leave != nil {
			return leave, nil
		}
	}
}

// wait returns when nothing is known that keeps an attempt from beginning.
func (g *breaker) wait(ctx context.Context) error {
	for {
		g.mu.Lock()
		left, changed := g.left(), g.changed
		g.mu.Unlock()
		if left <= 0 {
			return nil
		}
		timer := time.NewTimer(left)
		select {
		case <-timer.C:
		case <-changed:
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// left is how long to wait at least. A probe of this process's own is waited
// for until it ends, which is told.
func (g *breaker) left() time.Duration {
	left := time.Duration(0)
	if !g.until.IsZero() {
		left = time.Until(g.until)
	}
	if g.open {
		left = max(left, time.Until(g.retry))
		if g.probing {
			left = max(left, time.Minute)
		}
	}
	return left
}

// pass lets an attempt through, or returns nil.
func (g *breaker) pass(ctx context.Context, keep time.Duration) func(verdict) {
	g.mu.Lock()
	if g.left() > 0 { // since it waited for its start
		g.mu.Unlock()
		return nil
	}
	settings := g.settings
	if !g.open {
		g.mu.Unlock()
		return func(v verdict) { g.ended(ctx, settings, v) }
	}
	g.probing = true
	g.mu.Unlock()

	asking, cancel := context.WithTimeout(ctx, gatesTime)
	defer cancel()
	asked := time.Now()
	claim, now, err := g.shared.Probe(asking, g.name, keep+probeGrace)
	if err == nil && claim != 0 {
		return func(v verdict) { g.settle(ctx, settings, claim, v) }
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if settings != g.settings {
		return nil
	}
	g.probing = false
	if err != nil {
		g.retry = time.Now().Add(askAgain)
	} else {
		g.learn(now, asked)
	}
	g.tell()
	return nil
}

// broken reports whether the breaker is open.
func (g *breaker) broken() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open
}

// sleep waits for d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
