package deliver

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

const (
	// atOnce is the time whose share of a rate may go at once, at least one
	// attempt, and how far ahead tokens are reserved: a batch is both together.
	atOnce = 100 * time.Millisecond
	// tokenLife is for how long after its time a token may be used. The tokens of
	// a process that had nothing left to send, or was stopped, are lost: used
	// later they would come on top of the rate.
	tokenLife = 100 * time.Millisecond
	// sharedTimeout is how long one call of SharedLimits may take, and askAgain the
	// pause after one that failed.
	sharedTimeout = 2 * time.Second
	askAgain      = 500 * time.Millisecond
)

// SharedLimits is the state of limits and breakers that all processes share
// that send to the same connections: a rate counts for all together, and what
// one finds out about a receiver holds for the others. The processes' clocks may
// differ, so times are passed as durations from now.
type SharedLimits interface {
	// Reserve takes tokens of a rate, in the order of the calls.
	Reserve(ctx context.Context, r event.ReservationRequest) (event.Reservation, error)
	// OpenBreaker opens connection's breaker: for the time open nothing is sent,
	// then one attempt at a time probes it.
	OpenBreaker(ctx context.Context, connection string, open time.Duration) error
	// Probe claims the one attempt that an open breaker lets through, for the
	// time keep that it may take. Without a claim to be had, claim is 0 and now
	// is the state of the breaker.
	Probe(ctx context.Context, connection string, keep time.Duration) (claim int64, now event.BreakerState, err error)
	// EndProbe ends a probe: the breaker closes if it passed, and stays open for
	// the time open otherwise, which is 0 for a probe without a result. It does
	// nothing for a claim that another process has taken over.
	EndProbe(ctx context.Context, connection string, claim int64, passed bool, open time.Duration) error
	// Pause stops sending to connection for d, in all processes.
	Pause(ctx context.Context, connection string, d time.Duration) error
	// Reset closes the breaker and ends the pause.
	Reset(ctx context.Context, connection string) error
}

// localLimits are the SharedLimits of a process that shares its connections with
// no other: the rate is kept in memory, and each lane's breaker knows the rest.
type localLimits struct {
	mu   sync.Mutex
	next map[string]time.Duration // when the next token of each connection is free, since base
}

func newLocalLimits() *localLimits { return &localLimits{next: map[string]time.Duration{}} }

// Reserve implements SharedLimits.
func (a *localLimits) Reserve(_ context.Context, r event.ReservationRequest) (event.Reservation, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now, apart := time.Since(base), float64(r.Per)/float64(r.Count)
	start := now - time.Duration(float64(r.Burst-1)*apart)
	if next, asked := a.next[r.Connection]; asked {
		start = max(start, next)
	}
	ahead := now + r.Ahead - start
	if ahead < 0 {
		return event.Reservation{In: -ahead}, nil
	}
	n := int(min(float64(r.Want), float64(ahead)/apart+1))
	a.next[r.Connection] = start + time.Duration(float64(n)*apart)
	return event.Reservation{Count: n, In: start - now}, nil
}

// OpenBreaker implements SharedLimits.
func (*localLimits) OpenBreaker(context.Context, string, time.Duration) error { return nil }

// Probe implements SharedLimits.
func (*localLimits) Probe(context.Context, string, time.Duration) (int64, event.BreakerState, error) {
	return 1, event.BreakerState{}, nil
}

// EndProbe implements SharedLimits.
func (*localLimits) EndProbe(context.Context, string, int64, bool, time.Duration) error { return nil }

// Pause implements SharedLimits.
func (*localLimits) Pause(context.Context, string, time.Duration) error { return nil }

// Reset implements SharedLimits.
func (*localLimits) Reset(context.Context, string) error { return nil }

// limiter keeps the attempts of one connection's workers to a rate. It reserves
// no more tokens than there are deliveries, a few at a time.
type limiter struct {
	shared  SharedLimits
	request event.ReservationRequest
	logger  *slog.Logger
	apart   time.Duration

	waiting atomic.Int64 // workers that need a token

	lock  chan struct{} // a mutex that is waited for with a context; guards what follows
	next  time.Time     // when the first of the reserved tokens may be used
	left  int           // how many tokens are reserved
	again time.Time     // when more may be reserved
}

// newLimiter is nil for the zero rate, which is no limit.
func newLimiter(connection string, r yamlnode.Rate, shared SharedLimits, logger *slog.Logger) *limiter {
	if r.Count <= 0 {
		return nil
	}
	burst := int(float64(r.Count) * float64(atOnce) / float64(r.Per))
	l := &limiter{
		shared: shared, logger: logger, apart: time.Duration(float64(r.Per) / float64(r.Count)), lock: make(chan struct{}, 1),
		request: event.ReservationRequest{Connection: connection, Count: r.Count, Per: r.Per, Burst: max(1, burst), Ahead: atOnce},
	}
	l.lock <- struct{}{}
	return l
}

// wait returns when an attempt may begin, or with ctx's error. more is how many
// attempts are known to follow it. While the shared state of the rate cannot be
// reached it waits: results could not be stored either.
func (l *limiter) wait(ctx context.Context, more int) error {
	for {
		at, err := l.take(ctx, more)
		if err != nil {
			return err
		}
		if err := sleep(ctx, time.Until(at)); err != nil {
			return err
		}
		if time.Since(at) <= tokenLife { // else the process was stopped meanwhile
			return nil
		}
	}
}

// take takes the next token. While there is none, one worker reserves for all.
func (l *limiter) take(ctx context.Context, more int) (time.Time, error) {
	l.waiting.Add(1)
	defer l.waiting.Add(-1)
	select {
	case <-l.lock:
	case <-ctx.Done():
		return time.Time{}, ctx.Err()
	}
	defer func() { l.lock <- struct{}{} }()
	for {
		for ; l.left > 0 && time.Since(l.next) > tokenLife; l.left-- {
			l.next = l.next.Add(l.apart)
		}
		if l.left > 0 {
			at := l.next
			l.left--
			l.next = l.next.Add(l.apart)
			return at, nil
		}
		if err := sleep(ctx, time.Until(l.again)); err != nil {
			return time.Time{}, err
		}
		l.reserve(ctx, more)
		if ctx.Err() != nil {
			return time.Time{}, ctx.Err()
		}
	}
}

// reserve takes the tokens that the next attempts need. The answer counts from
// when it came, so that a token is used late rather than early.
func (l *limiter) reserve(ctx context.Context, more int) {
	asking, cancel := context.WithTimeout(ctx, sharedTimeout)
	defer cancel()
	r := l.request
	r.Want = min(int(l.waiting.Load())+more, 2*r.Burst)
	got, err := l.shared.Reserve(asking, r)
	now := time.Now()
	if err != nil {
		l.again = now.Add(askAgain)
		if ctx.Err() == nil {
			l.logger.DebugContext(ctx, "the rate limit that replicas share cannot be read, trying again", "connection", r.Connection, "error", err)
		}
		return
	}
	if l.left = got.Count; l.left == 0 {
		l.again = now.Add(max(got.In, time.Millisecond))
		if r.Burst > 1 { // a little later there are several: one call reserves them all
			l.again = l.again.Add(r.Ahead / 2)
		}
		return
	}
	l.next = now.Add(got.In)
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
