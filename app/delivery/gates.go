package delivery

import (
	"context"
	"sync"
	"time"

	"hookgate/app/event"
)

// Gates is what all processes that send to the same connections agree on: a
// rate counts for all together, and what one finds out about a receiver holds
// for the others. Its clock is nobody's: times are handed over as distances
// from now.
type Gates interface {
	// Starts reserves times at which attempts may begin, in the order of asking.
	Starts(ctx context.Context, r event.StartRequest) (event.Starts, error)
	// Trip opens connection's breaker: nobody sends for a time, then one probes.
	Trip(ctx context.Context, connection string, open time.Duration) error
	// Probe claims the one attempt that an open breaker lets through, for the
	// time that it may take; claim is 0 if it is not to be had, and now says why.
	Probe(ctx context.Context, connection string, keep time.Duration) (claim int64, now event.Gate, err error)
	// Settle ends a probe: the breaker is closed if it passed, else open again
	// for a time, which is 0 if nothing was found out. A claim that has gone to
	// somebody else settles nothing.
	Settle(ctx context.Context, connection string, claim int64, passed bool, open time.Duration) error
	// Pause keeps everybody from sending for a time.
	Pause(ctx context.Context, connection string, d time.Duration) error
	// Heal closes the breaker and ends the pause: what was known is no longer true.
	Heal(ctx context.Context, connection string) error
}

// alone are the Gates of the only process: the rate is kept in memory, and
// there is nobody to agree with about the rest.
type alone struct {
	mu   sync.Mutex
	next map[string]time.Duration // the next free start of each connection, since base
}

func newAlone() *alone { return &alone{next: map[string]time.Duration{}} }

// Starts implements Gates.
func (a *alone) Starts(_ context.Context, r event.StartRequest) (event.Starts, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now, apart := time.Since(base), float64(r.Per)/float64(r.Count)
	start := now - time.Duration(float64(r.Burst-1)*apart)
	if next, asked := a.next[r.Connection]; asked {
		start = max(start, next)
	}
	ahead := now + r.Ahead - start
	if ahead < 0 {
		return event.Starts{In: -ahead}, nil
	}
	n := int(min(float64(r.Want), float64(ahead)/apart+1))
	a.next[r.Connection] = start + time.Duration(float64(n)*apart)
	return event.Starts{Count: n, In: start - now}, nil
}

// Trip implements Gates.
func (*alone) Trip(context.Context, string, time.Duration) error { return nil }

// Probe implements Gates.
func (*alone) Probe(context.Context, string, time.Duration) (int64, event.Gate, error) {
	return 1, event.Gate{}, nil
}

// Settle implements Gates.
func (*alone) Settle(context.Context, string, int64, bool, time.Duration) error { return nil }

// Pause implements Gates.
func (*alone) Pause(context.Context, string, time.Duration) error { return nil }

// Heal implements Gates.
func (*alone) Heal(context.Context, string) error { return nil }
