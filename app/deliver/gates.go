package deliver

import (
	"context"
	"sync"
	"time"

	"hookgate/internal/event"
)

// SharedLimits is what all processes that send to the same connections agree on: a
// rate counts for all together, and what one finds out about a receiver holds
// for the others. Its clock is nobody's: times are handed over as distances
// from now.
type SharedLimits interface {
	// Starts reserves times at which attempts may begin, in the order of asking.
	Reserve(ctx context.Context, r event.ReservationRequest) (event.Reservation, error)
	// Trip opens connection's breaker: nobody sends for a time, then one probes.
	OpenBreaker(ctx context.Context, connection string, open time.Duration) error
	// Probe claims the one attempt that an open breaker lets through, for the
	// time that it may take; claim is 0 if it is not to be had, and now says why.
	Probe(ctx context.Context, connection string, keep time.Duration) (claim int64, now event.BreakerState, err error)
	// Settle ends a probe: the breaker is closed if it passed, else open again
	// for a time, which is 0 if nothing was found out. A claim that has gone to
	// somebody else settles nothing.
	EndProbe(ctx context.Context, connection string, claim int64, passed bool, open time.Duration) error
	// Pause keeps everybody from sending for a time.
	Pause(ctx context.Context, connection string, d time.Duration) error
	// Heal closes the breaker and ends the pause: what was known is no longer true.
	Reset(ctx context.Context, connection string) error
}

// alone are the Gates of the only process: the rate is kept in memory, and
// there is nobody to agree with about the rest.
type localLimits struct {
	mu   sync.Mutex
	next map[string]time.Duration // the next free start of each connection, since base
}

func newLocalLimits() *localLimits { return &localLimits{next: map[string]time.Duration{}} }

// Starts implements Gates.
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

// Trip implements Gates.
func (*localLimits) OpenBreaker(context.Context, string, time.Duration) error { return nil }

// Probe implements Gates.
func (*localLimits) Probe(context.Context, string, time.Duration) (int64, event.BreakerState, error) {
	return 1, event.BreakerState{}, nil
}

// Settle implements Gates.
func (*localLimits) EndProbe(context.Context, string, int64, bool, time.Duration) error { return nil }

// Pause implements Gates.
func (*localLimits) Pause(context.Context, string, time.Duration) error { return nil }

// Heal implements Gates.
func (*localLimits) Reset(context.Context, string) error { return nil }
