package deliver

import (
	"context"
	"time"

	"hookgate/internal/event"
)

// ended counts an attempt that began while the breaker was closed, and opens it
// after too many failures. What began before is no news while it is open.
func (g *breaker) ended(ctx context.Context, settings int, v verdict) {
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
	g.share(ctx, func(ctx context.Context) error { return g.shared.OpenBreaker(ctx, g.name, breakFor) })
}

// settle ends a probe.
func (g *breaker) settle(ctx context.Context, settings int, claim int64, v verdict) {
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
	g.share(ctx, func(ctx context.Context) error { return g.shared.EndProbe(ctx, g.name, claim, v == passed, again) })
	if v == passed {
		g.closed()
	}
}

// pause holds the connection for d, at most maxPause.
func (g *breaker) pause(ctx context.Context, d time.Duration) {
	d = min(d, maxPause)
	until := time.Now().Add(d)
	g.mu.Lock()
	longer := until.Sub(g.until)
	if longer > 0 {
		g.until = until
	}
	g.mu.Unlock()
	if longer > time.Second/10 { // attempts that end together are told the same
		g.share(ctx, func(ctx context.Context) error { return g.shared.Pause(ctx, g.name, d) })
	}
}

// reset makes a fresh start: what was found out was about other settings, or
// somebody says that it is mended. It returns how to tell the others, or nil.
func (g *breaker) reset() func(context.Context) {
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
		g.share(ctx, func(ctx context.Context) error { return g.shared.Reset(ctx, g.name) })
		g.mu.Lock()
		defer g.mu.Unlock()
		g.telling--
	}
}

// share tells the others. One who is not told finds out by itself.
func (g *breaker) share(ctx context.Context, tell func(context.Context) error) {
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
func (g *breaker) follow(now event.BreakerState, asked time.Time) {
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
func (g *breaker) learn(now event.BreakerState, asked time.Time) {
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
func (g *breaker) tell() {
	close(g.changed)
	g.changed = make(chan struct{})
}
