package delivery

import (
	"math"
	"sync"
	"time"
)

const (
	// slots of slotTime make a day.
	slotTime = 5 * time.Minute
	slots    = int(24 * time.Hour / slotTime)
	// The longest attempt of class n is firstClass · growth^n: from 1 ms to
	// more than the longest timeout, each told within an eighth.
	classes    = 60
	firstClass = time.Millisecond
	growth     = 1.25
)

// Window is what a connection did in some time.
type Window struct {
	Attempts, Failed int
	// P95 is how long 95 of 100 attempts took at most, within an eighth; 0
	// without attempts.
	P95 time.Duration
}

// tally counts a connection's attempts over a day, in memory alone. The zero
// value has seen none. It is safe for concurrent use.
type tally struct {
	mu    sync.Mutex
	slots *[slots]slot // made at the first attempt

	failing   bool // the last attempt failed
	lastError string
	failedAt  time.Time
}

type slot struct {
	number   int64 // of the slot since 1970: what it holds may be a day old
	attempts uint32
	failed   uint32
	took     [classes]uint32
}

// ended counts an attempt; failed is "" for one that got through.
func (t *tally) ended(now time.Time, took time.Duration, failed string) {
	number := now.UnixNano() / int64(slotTime)
	class := classOf(took)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.slots == nil {
		t.slots = new([slots]slot)
	}
	s := &t.slots[number%int64(slots)]
	if s.number != number {
		*s = slot{number: number}
	}
	s.attempts++
	s.took[class]++
	if t.failing = failed != ""; t.failing {
		s.failed++
		t.lastError, t.failedAt = failed, now
	}
}

func classOf(took time.Duration) int {
	if took <= firstClass {
		return 0
	}
	n := int(math.Ceil(math.Log(float64(took)/float64(firstClass)) / math.Log(growth)))
	return min(n, classes-1)
}

// report sums up.
func (t *tally) report(now time.Time) Health {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := Health{State: Working, LastError: t.lastError, FailedAt: t.failedAt}
	if t.failing {
		r.State = Failing
	}
	r.Hour = t.window(now, int(time.Hour/slotTime))
	r.Day = t.window(now, slots)
	return r
}

// window sums the last n slots, of which the newest is not over.
func (t *tally) window(now time.Time, n int) Window {
	var w Window
	if t.slots == nil {
		return w
	}
	var took [classes]int
	newest := now.UnixNano() / int64(slotTime)
	for i := range t.slots {
		s := &t.slots[i]
		if s.number > newest || s.number <= newest-int64(n) {
			continue
		}
		w.Attempts += int(s.attempts)
		w.Failed += int(s.failed)
		for class, count := range s.took {
			took[class] += int(count)
		}
	}
	w.P95 = percentile95(took[:], w.Attempts)
	return w
}

// percentile95 is the middle of the class that holds the 95th of 100.
func percentile95(took []int, attempts int) time.Duration {
	if attempts == 0 {
		return 0
	}
	seen, want := 0, (attempts*95+99)/100
	for class, count := range took {
		if seen += count; seen >= want {
			longest := float64(firstClass) * math.Pow(growth, float64(class))
			return time.Duration(longest * (1 + 1/growth) / 2).Round(time.Millisecond / 10)
		}
	}
	return 0
}
