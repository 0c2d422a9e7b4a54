package web

import (
	"container/list"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxBuckets bounds the memory of a limiter: some 3 MB. Under an attack from
// more addresses than that, the ones seen longest ago are forgotten.
const maxBuckets = 10_000

// buckets is one token bucket per key. It is safe for concurrent use.
type buckets[K comparable] struct {
	mu    sync.Mutex
	max   int
	byKey map[K]*list.Element
	order *list.List // of *bucket[K], the latest used first
}

type bucket[K comparable] struct {
	key     K
	limiter *rate.Limiter
}

func newBuckets[K comparable](n int) *buckets[K] {
	return &buckets[K]{max: n, byKey: map[K]*list.Element{}, order: list.New()}
}

// take takes one token of key's bucket, which holds count and fills up in per.
// When it is empty, wait says when there will be one.
func (b *buckets[K]) take(key K, count int, per time.Duration, now time.Time) (wait time.Duration, ok bool) {
	limit := rate.Limit(float64(count) / per.Seconds())
	limiter := b.limiter(key, limit, count)
	if limiter.Limit() != limit || limiter.Burst() != count { // a reload changed it
		limiter.SetLimitAt(now, limit)
		limiter.SetBurstAt(now, count)
	}
	r := limiter.ReserveN(now, 1)
	wait = r.DelayFrom(now)
	if !r.OK() || wait > 0 {
		r.CancelAt(now)
		return wait, false
	}
	return 0, true
}

func (b *buckets[K]) limiter(key K, limit rate.Limit, burst int) *rate.Limiter {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e, ok := b.byKey[key]; ok {
		b.order.MoveToFront(e)
		return e.Value.(*bucket[K]).limiter
	}
	if b.order.Len() >= b.max {
		oldest := b.order.Back()
		b.order.Remove(oldest)
		delete(b.byKey, oldest.Value.(*bucket[K]).key)
	}
	made := &bucket[K]{key: key, limiter: rate.NewLimiter(limit, burst)}
	b.byKey[key] = b.order.PushFront(made)
	return made.limiter
}

// network is what counts as one sender: an IPv4 address, or the /64 that an
// IPv6 customer is given at least.
func network(ip netip.Addr) netip.Addr {
	if !ip.Is6() {
		return ip
	}
	prefix, err := ip.Prefix(64)
	if err != nil {
		return ip
	}
	return prefix.Addr()
}
