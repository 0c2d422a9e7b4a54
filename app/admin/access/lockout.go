package access

import (
	"net/netip"
	"sync"
	"time"
)

const (
	// freeFailures may go wrong before an address has to wait; from then on it
	// waits twice as long after each further failure, up to longestLockout.
	freeFailures   = 5
	longestLockout = 5 * time.Minute
	// maxLockouts bounds the addresses that are remembered.
	maxLockouts = 4096
)

// lockouts slows down whoever tries passwords. It is safe for concurrent use.
type lockouts struct {
	mu   sync.Mutex
	from map[netip.Addr]*failures
}

type failures struct {
	count int
	last  time.Time
	until time.Time
}

func newLockouts() *lockouts { return &lockouts{from: map[netip.Addr]*failures{}} }

// wait is how long the address has to wait before it may try again.
func (l *lockouts) wait(ip netip.Addr, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f := l.from[ip]; f != nil {
		return f.until.Sub(now)
	}
	return 0
}

func (l *lockouts) failed(ip netip.Addr, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.from[ip]
	if f == nil {
		l.forget(now)
		f = &failures{}
		l.from[ip] = f
	}
	f.count++
	f.last = now
	if over := f.count - freeFailures; over >= 0 {
		f.until = now.Add(min(longestLockout, time.Second<<min(over, 20)))
	}
}

func (l *lockouts) succeeded(ip netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.from, ip)
}

// forget makes room: first for what is long over, then for the oldest.
func (l *lockouts) forget(now time.Time) {
	if len(l.from) < maxLockouts {
		return
	}
	var oldest netip.Addr
	for ip, f := range l.from {
		if now.Sub(f.last) > longestLockout {
			delete(l.from, ip)
		} else if o := l.from[oldest]; o == nil || f.last.Before(o.last) {
			oldest = ip
		}
	}
	if len(l.from) >= maxLockouts {
		delete(l.from, oldest)
	}
}

// left is how many failures the address has before it has to wait.
func (l *lockouts) left(ip netip.Addr) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f := l.from[ip]; f != nil {
		return max(0, freeFailures-f.count)
	}
	return freeFailures
}
