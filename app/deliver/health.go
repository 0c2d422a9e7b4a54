package deliver

import (
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"hookgate/internal/event"
)

const (
	// day and hour are how many slots they are.
	day  = int(24 * time.Hour / event.HealthSlot)
	hour = int(time.Hour / event.HealthSlot)
	// The longest attempt of class n is firstClass · growth^n: from 1 ms to
	// more than the longest timeout, each told within an eighth.
	classes    = 60
	firstClass = time.Millisecond
	growth     = 1.25
)

// State is how a connection is.
type State string

// The states of a connection.
const (
	Working State = "ok"      // the last attempt got through, or there was none
	Failing State = "failing" // the last attempt did not
	Broken  State = "open"    // many in a row did not: its breaker lets a probe through from time to time
	Paused  State = "paused"  // by hand
	Closed  State = "closed"  // outside of its hours
)

// Health is how a connection is and has been, by all processes.
type Health struct {
	State     State
	Hour, Day Window
	LastError string    // of the last attempt that failed; "" without one
	FailedAt  time.Time // when that was
}

// Window is what a connection did in some time.
type Window struct {
	Attempts, Failed int
	// P95 is how long 95 of 100 attempts took at most, within an eighth; 0
	// without attempts.
	P95 time.Duration
}

// attemptStats counts a connection's attempts until they are stored. The zero value
// has seen none. It is safe for concurrent use.
type attemptStats struct {
	mu     sync.Mutex
	slots  []slot            // the newest is the last; at most those of a day
	last   event.LastAttempt // without the connection's name
	stored time.Time         // what of last is stored ended then
}

type slot struct {
	number           int64
	attempts, failed [classes]uint32
}

// ended counts an attempt; a.Error is "" for one that got through.
func (t *attemptStats) ended(now time.Time, a *event.Attempt) {
	number, class := event.HealthSlotAt(now), classOf(a.Duration)
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(t.slots); n == 0 || t.slots[n-1].number < number { // a clock that was put back counts on
		if n == day {
			t.slots = slices.Delete(t.slots, 0, 1)
		}
		t.slots = append(t.slots, slot{number: number})
	}
	s := &t.slots[len(t.slots)-1]
	s.attempts[class]++
	t.last.Ended = now
	if t.last.Failed = a.Error != ""; t.last.Failed {
		s.failed[class]++
		t.last.FailedAt, t.last.Delivery, t.last.Number, t.last.Error = now, a.Delivery, a.Number, a.Error
	}
}

func classOf(took time.Duration) int {
	if took <= firstClass {
		return 0
	}
	n := int(math.Ceil(math.Log(float64(took)/float64(firstClass)) / math.Log(growth)))
	return min(n, classes-1)
}

// pending adds to list what is not stored.
func (t *attemptStats) pending(connection string, list *event.AttemptStats) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.slots {
		s := &t.slots[i]
		for class, attempts := range s.attempts {
			if attempts > 0 {
				list.Counts = append(list.Counts, event.AttemptCount{
					Connection: connection, Slot: s.number, Class: class, Attempts: int(attempts), Failed: int(s.failed[class]),
				})
			}
		}
	}
	if t.last.Ended.After(t.stored) {
		last := t.last
		last.Connection = connection
		list.Last = append(list.Last, last)
	}
}

// settle takes off what of pending is stored by now.
func (t *attemptStats) settle(connection string, list *event.AttemptStats) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range list.Counts {
		if c.Connection != connection {
			continue
		}
		for i := range t.slots {
			if s := &t.slots[i]; s.number == c.Slot {
				s.attempts[c.Class] -= uint32(c.Attempts) //nolint:gosec // they come from here
				s.failed[c.Class] -= uint32(c.Failed)     //nolint:gosec // as above
			}
		}
	}
	t.slots = slices.DeleteFunc(t.slots, func(s slot) bool { return s.attempts == [classes]uint32{} })
	for _, l := range list.Last {
		if l.Connection == connection {
			t.stored = l.Ended
		}
	}
}

// Pending are the counts of attempts that are not stored yet; Settle is to be
// told once they are.
func (d *Dispatcher) Pending() event.AttemptStats {
	var list event.AttemptStats
	for name, t := range d.allStats() {
		t.pending(name, &list)
	}
	return list
}

// Settle says that what Pending gave is stored.
func (d *Dispatcher) Settle(list event.AttemptStats) {
	for name, t := range d.allStats() {
		t.settle(name, &list)
	}
}

func (d *Dispatcher) allStats() map[string]*attemptStats {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.stats)
}

// HealthWindows are the slots after which the last hour and the last day begin.
func HealthWindows(now time.Time) (sinceHour, sinceDay int64) {
	newest := event.HealthSlotAt(now)
	return newest - int64(hour), newest - int64(day)
}

// summed makes the windows of one connection's counts.
func summed(now time.Time, counts []event.AttemptCount) (inHour, inDay Window) {
	var hourTook, dayTook [classes]int
	sinceHour, sinceDay := HealthWindows(now)
	for _, c := range counts {
		if c.Slot <= sinceDay || c.Class < 0 || c.Class >= classes {
			continue
		}
		inDay.Attempts += c.Attempts
		inDay.Failed += c.Failed
		dayTook[c.Class] += c.Attempts
		if c.Slot > sinceHour {
			inHour.Attempts += c.Attempts
			inHour.Failed += c.Failed
			hourTook[c.Class] += c.Attempts
		}
	}
	inHour.P95, inDay.P95 = percentile95(hourTook[:], inHour.Attempts), percentile95(dayTook[:], inDay.Attempts)
	return inHour, inDay
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

// Health tells it of every connection: by what is stored of them, and what this
// process has counted since.
func (d *Dispatcher) Health(stored event.AttemptStats) map[string]Health {
	own, now := d.Pending(), d.deps.now()
	counts, last := map[string][]event.AttemptCount{}, map[string]event.LastAttempt{}
	for _, c := range slices.Concat(stored.Counts, own.Counts) {
		counts[c.Connection] = append(counts[c.Connection], c)
	}
	for _, l := range slices.Concat(stored.Last, own.Last) {
		last[l.Connection] = latest(last[l.Connection], l)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	all := map[string]Health{}
	for name, l := range *d.lanes.Load() {
		h := Health{State: Working, LastError: last[name].Error, FailedAt: last[name].FailedAt}
		h.Hour, h.Day = summed(now, counts[name])
		switch {
		case l.paused.Load():
			h.State = Paused
		case l.held.Load():
			h.State = Closed
		case l.breaker.isOpen():
			h.State = Broken
		case last[name].Failed:
			h.State = Failing
		}
		all[name] = h
	}
	return all
}

// latest has of each what happened later.
func latest(a, b event.LastAttempt) event.LastAttempt {
	if b.Ended.Before(a.Ended) {
		a, b = b, a
	}
	if a.FailedAt.After(b.FailedAt) {
		b.FailedAt, b.Delivery, b.Number, b.Error = a.FailedAt, a.Delivery, a.Number, a.Error
	}
	return b
}

// Paused tells of every connection whether it is paused.
func (d *Dispatcher) Paused() map[string]bool {
	all := map[string]bool{}
	for name, l := range *d.lanes.Load() {
		all[name] = l.paused.Load()
	}
	return all
}

// Broken tells of every connection whether its breaker is open.
func (d *Dispatcher) Broken() map[string]bool {
	all := map[string]bool{}
	for name, l := range *d.lanes.Load() {
		all[name] = l.breaker.isOpen()
	}
	return all
}
