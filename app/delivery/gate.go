package delivery

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"hookgate/app/event"
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
type gate struct {
	name   string
	gates  Gates
	logger *slog.Logger

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

func newGate(name string, gates Gates, logger *slog.Logger) *gate {
	return &gate{name: name, gates: gates, logger: logger, changed: make(chan struct{})}
}

// enter waits until an attempt may begin, which may take keep, and returns what
// to call with what it says of the receiver. After it more are known to follow.
func (g *gate) enter(ctx context.Context, s *starts, keep time.Duration, more int) (leave func(verdict), err error) {
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
func (g *gate) wait(ctx context.Context) error {
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
func (g *gate) left() time.Duration {
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
func (g *gate) pass(ctx context.Context, keep time.Duration) func(verdict) {
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
	claim, now, err := g.gates.Probe(asking, g.name, keep+probeGrace)
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

// ended counts an attempt that began while the breaker was closed, and opens it
// after too many failures. What began before is no news while it is open.
func (g *gate) ended(ctx context.Context, settings int, v verdict) {
	if v == unknown {
		return
	}
	g.mu.Lock()
	if g.open || settings != g.settings {
		g.mu.Unlock()
		return
	}
	if v == passed {
		g.failures = 0
		g.mu.Unlock()
		return
	}
	if g.failures++; g.failures < breakAfter {
		g.mu.Unlock()
		return
	}
	g.failures, g.open, g.retry = 0, true, time.Now().Add(breakFor)
	g.mu.Unlock()
	g.logger.WarnContext(ctx, "a connection failed many times in a row, it is only probed until an attempt gets through", "connection", g.name, "failures", breakAfter)
	g.share(ctx, func(ctx context.Context) error { return g.gates.Trip(ctx, g.name, breakFor) })
}

// settle ends a probe.
func (g *gate) settle(ctx context.Context, settings int, claim int64, v verdict) {
	g.mu.Lock()
	if settings != g.settings {
		g.mu.Unlock()
		return
	}
	again := time.Duration(0)
	switch v {
	case passed:
		g.open = false
	case failed:
		again = breakFor
	case unknown:
	}
	g.probing, g.retry = false, time.Now().Add(again)
	g.tell()
	g.mu.Unlock()
	if v == passed {
		g.logger.InfoContext(ctx, "a connection works again", "connection", g.name)
	}
	g.share(ctx, func(ctx context.Context) error { return g.gates.Settle(ctx, g.name, claim, v == passed, again) })
}

// pause holds the connection for d, at most maxPause.
func (g *gate) pause(ctx context.Context, d time.Duration) {
	d = min(d, maxPause)
	until := time.Now().Add(d)
	g.mu.Lock()
	longer := until.Sub(g.until)
	if longer > 0 {
		g.until = until
	}
	g.mu.Unlock()
	if longer > time.Second/10 { // attempts that end together are told the same
		g.share(ctx, func(ctx context.Context) error { return g.gates.Pause(ctx, g.name, d) })
	}
}

// reset makes a fresh start: what was found out was about other settings, or
// somebody says that it is mended. It returns how to tell the others, or nil.
func (g *gate) reset() func(context.Context) {
	g.mu.Lock()
	defer g.mu.Unlock()
	known := g.open || time.Until(g.until) > 0
	g.settings++
	g.failures, g.open, g.probing, g.until, g.retry = 0, false, false, time.Time{}, time.Time{}
	g.tell()
	if !known {
		return nil
	}
	g.telling++ // from now on: what is read meanwhile is old
	return func(ctx context.Context) {
		g.share(ctx, func(ctx context.Context) error { return g.gates.Heal(ctx, g.name) })
		g.mu.Lock()
		defer g.mu.Unlock()
		g.telling--
	}
}

// share tells the others. One who is not told finds out by itself.
func (g *gate) share(ctx context.Context, tell func(context.Context) error) {
	g.mu.Lock()
	g.telling++
	g.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), gatesTime)
	defer cancel()
	if err := tell(ctx); err != nil {
		g.logger.WarnContext(ctx, "the other replicas could not be told how a connection is", "connection", g.name, "error", err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.telling--
	g.told = time.Now()
}

// follow takes over what all know, as it was asked for at a time: it is old if
// this process has said anything since.
func (g *gate) follow(now event.Gate, asked time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.telling > 0 || g.probing || asked.Before(g.told) {
		return
	}
	if g.open != now.Open {
		if now.Open {
			g.logger.Info("another replica found that a connection fails, it is only probed until an attempt gets through", "connection", g.name)
		} else {
			g.logger.Info("a connection works again, as another replica found", "connection", g.name)
		}
	}
	g.learn(now, asked)
	g.tell()
}

// learn takes over what was told.
func (g *gate) learn(now event.Gate, asked time.Time) {
	if now.Open != g.open {
		g.failures = 0
	}
	g.open = now.Open
	g.retry = asked.Add(max(now.Retry, now.Probing))
	if g.until = (time.Time{}); now.Paused > 0 {
		g.until = asked.Add(now.Paused)
	}
}

// tell has all who wait look again.
func (g *gate) tell() {
	close(g.changed)
	g.changed = make(chan struct{})
}

// broken reports whether the breaker is open.
func (g *gate) broken() bool {
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
