package deliver

import (
	"sync/atomic"
	"time"
)

const (
	// throughputWindow is over how long a lane's speed is measured, and fastEnough
	// how many deliveries must end in it for a slot to be worth waiting for.
	throughputWindow = 100 * time.Millisecond
	fastEnough       = 50
	// patience is how long a reservation waits for a slot of a fast lane.
	patience = 20 * time.Millisecond
)

// throughput measures how fast a lane is. The zero value is a lane that stands
// still.
type throughput struct {
	start atomic.Int64 // of the window, in ns since some fixed time
	count atomic.Int64 // ended in the window
	last  atomic.Int64 // ended in the window before
}

// base is the fixed time; its monotonic clock does not jump.
var base = time.Now()

// ended counts one delivery.
func (p *throughput) ended() {
	now, start := int64(time.Since(base)), p.start.Load()
	if now-start > int64(throughputWindow) && p.start.CompareAndSwap(start, now) {
		count := p.count.Swap(0)
		if now-start > 2*int64(throughputWindow) {
			count = 0 // it was idle in between
		}
		p.last.Store(count)
	}
	p.count.Add(1)
}

// fast reports whether a slot will be free in no time: the lane takes in more
// than it sends only because both ends are busy.
func (p *throughput) fast() bool {
	age := int64(time.Since(base)) - p.start.Load()
	return age < 2*int64(throughputWindow) && max(p.last.Load(), p.count.Load()) >= fastEnough
}
