package deliver

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"hookgate/internal/event"
)

const (
	// breakAfter is how many attempts in a row must fail in one process to open
	// the breaker. For breakFor nothing is sent; then one attempt at a time, of
	// all processes, probes the connection.
	breakAfter = 10
	breakFor   = 10 * time.Second
	// probeGrace is how much longer the claim of a probe lasts than its attempt
	// may take.
	probeGrace = 2 * time.Second
	// maxPause is the longest that one receiver's Retry-After holds up the
	// whole connection; the delivery itself waits as long as it says.
	maxPause = time.Minute
)

// verdict is what an attempt tells about its receiver.
type verdict int

const (
	unknown verdict = iota // nothing was sent, or nobody knows what became of it
	passed
	failed
)

// breaker is the circuit breaker of a lane, and the pause that its receiver asked
// for by Retry-After. Its state follows the SharedLimits.
type breaker struct {
	name   string
	shared SharedLimits
	logger *slog.Logger
	closed func() // called after a probe of this process has closed it

	mu       sync.Mutex
	resets   int           // how often it was reset: an attempt from before does not count
	changed  chan struct{} // closed, and replaced, when the state has changed
	until    time.Time     // paused until then; times are on the monotonic clock
	failures int           // in a row, while it is closed
	open     bool
	retry    time.Time // when a probe may be claimed, by any process
	probing  bool      // a probe of this process is under way, or being claimed
	sharing  int       // changes on their way to the SharedLimits
	shareEnd time.Time // when the last of them had arrived
}

func newBreaker(name string, shared SharedLimits, logger *slog.Logger, closed func()) *breaker {
	return &breaker{closed: closed, name: name, shared: shared, logger: logger, changed: make(chan struct{})}
}

// enter waits until an attempt may begin that may take keep, and returns the
// function to call with its verdict. more is how many attempts are known to
// follow it; l may be nil.
func (b *breaker) enter(ctx context.Context, l *limiter, keep time.Duration, more int) (leave func(verdict), err error) {
	for {
		if err := b.wait(ctx); err != nil {
			return nil, err
		}
		if l != nil {
			if err := l.wait(ctx, more); err != nil {
				return nil, err
			}
		}
		if leave := b.pass(ctx, keep); leave != nil {
			return leave, nil
		}
	}
}

// wait returns once no pause and no open breaker is known, or with ctx's error.
func (b *breaker) wait(ctx context.Context) error {
	for {
		b.mu.Lock()
		left, changed := b.left(), b.changed
		b.mu.Unlock()
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

// left is how long to wait at least. The end of this process's own probe wakes
// those who wait.
func (b *breaker) left() time.Duration {
	left := time.Duration(0)
	if !b.until.IsZero() {
		left = time.Until(b.until)
	}
	if b.open {
		left = max(left, time.Until(b.retry))
		if b.probing {
			left = max(left, time.Minute)
		}
	}
	return left
}

// pass lets an attempt through, or returns nil: then wait again. With an open
// breaker the attempt is a probe, which has to be claimed.
func (b *breaker) pass(ctx context.Context, keep time.Duration) func(verdict) {
	b.mu.Lock()
	if b.left() > 0 { // it changed while the limiter was waited for
		b.mu.Unlock()
		return nil
	}
	resets := b.resets
	if !b.open {
		b.mu.Unlock()
		return func(v verdict) { b.ended(ctx, resets, v) }
	}
	b.probing = true
	b.mu.Unlock()

	asking, cancel := context.WithTimeout(ctx, sharedTimeout)
	defer cancel()
	asked := time.Now()
	claim, now, err := b.shared.Probe(asking, b.name, keep+probeGrace)
	if err == nil && claim != 0 {
		return func(v verdict) { b.endProbe(ctx, resets, claim, v) }
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if resets != b.resets {
		return nil
	}
	b.probing = false
	if err != nil {
		b.retry = time.Now().Add(askAgain)
	} else {
		b.set(now, asked)
	}
	b.wakeAll()
	return nil
}

// isOpen reports whether the breaker is open.
func (b *breaker) isOpen() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.open
}

// ended counts an attempt that began while the breaker was closed, and opens it
// after breakAfter failures. While it is open, the attempts that began before do
// not count.
func (b *breaker) ended(ctx context.Context, resets int, v verdict) {
	if v == unknown {
		return
	}
	b.mu.Lock()
	if b.open || resets != b.resets {
		b.mu.Unlock()
		return
	}
	if v == passed {
		b.failures = 0
		b.mu.Unlock()
		return
	}
	if b.failures++; b.failures < breakAfter {
		b.mu.Unlock()
		return
	}
	b.failures, b.open, b.retry = 0, true, time.Now().Add(breakFor)
	b.mu.Unlock()
	b.logger.WarnContext(ctx, "a connection failed many times in a row, it is only probed until an attempt gets through", "connection", b.name, "failures", breakAfter)
	b.share(ctx, func(ctx context.Context) error { return b.shared.OpenBreaker(ctx, b.name, breakFor) })
}

// endProbe takes the verdict of a probe, and shares it.
func (b *breaker) endProbe(ctx context.Context, resets int, claim int64, v verdict) {
	b.mu.Lock()
	if resets != b.resets {
		b.mu.Unlock()
		return
	}
	again := time.Duration(0)
	switch v {
	case passed:
		b.open = false
	case failed:
		again = breakFor
	case unknown:
	}
	b.probing, b.retry = false, time.Now().Add(again)
	b.wakeAll()
	b.mu.Unlock()
	if v == passed {
		b.logger.InfoContext(ctx, "a connection works again", "connection", b.name)
	}
	b.share(ctx, func(ctx context.Context) error { return b.shared.EndProbe(ctx, b.name, claim, v == passed, again) })
	if v == passed {
		b.closed()
	}
}

// pause sends nothing for d, at most maxPause, and shares that.
func (b *breaker) pause(ctx context.Context, d time.Duration) {
	d = min(d, maxPause)
	until := time.Now().Add(d)
	b.mu.Lock()
	longer := until.Sub(b.until)
	if longer > 0 {
		b.until = until
	}
	b.mu.Unlock()
	if longer > time.Second/10 { // attempts that end together get the same Retry-After
		b.share(ctx, func(ctx context.Context) error { return b.shared.Pause(ctx, b.name, d) })
	}
}

// reset closes the breaker and ends the pause, when the settings have changed or
// a person lets the connection go on. It returns the function that shares this,
// or nil if there was nothing to end.
func (b *breaker) reset() func(context.Context) {
	b.mu.Lock()
	defer b.mu.Unlock()
	known := b.open || time.Until(b.until) > 0
	b.resets++
	b.failures, b.open, b.probing, b.until, b.retry = 0, false, false, time.Time{}, time.Time{}
	b.wakeAll()
	if !known {
		return nil
	}
	b.sharing++ // from now on, as what is read meanwhile is old
	return func(ctx context.Context) {
		b.share(ctx, func(ctx context.Context) error { return b.shared.Reset(ctx, b.name) })
		b.mu.Lock()
		defer b.mu.Unlock()
		b.sharing--
	}
}

// share passes a change on to the SharedLimits. If that fails, the other
// processes find out by attempts of their own.
func (b *breaker) share(ctx context.Context, change func(context.Context) error) {
	b.mu.Lock()
	b.sharing++
	b.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sharedTimeout)
	defer cancel()
	if err := change(ctx); err != nil {
		b.logger.WarnContext(ctx, "the other replicas could not be told how a connection is", "connection", b.name, "error", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sharing--
	b.shareEnd = time.Now()
}

// follow takes over the shared state as it was at asked. It is out of date, and
// ignored, if this process has shared a change since or is probing.
func (b *breaker) follow(now event.BreakerState, asked time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sharing > 0 || b.probing || asked.Before(b.shareEnd) {
		return
	}
	if b.open != now.Open {
		if now.Open {
			b.logger.Info("another replica found that a connection fails, it is only probed until an attempt gets through", "connection", b.name)
		} else {
			b.logger.Info("a connection works again, as another replica found", "connection", b.name)
		}
	}
	b.set(now, asked)
	b.wakeAll()
}

// set takes over the shared state, as it was at asked.
func (b *breaker) set(now event.BreakerState, asked time.Time) {
	if now.Open != b.open {
		b.failures = 0
	}
	b.open = now.Open
	b.retry = asked.Add(max(now.Retry, now.Probing))
	if b.until = (time.Time{}); now.Paused > 0 {
		b.until = asked.Add(now.Paused)
	}
}

// wakeAll has every waiting worker look at the state again.
func (b *breaker) wakeAll() {
	close(b.changed)
	b.changed = make(chan struct{})
}
