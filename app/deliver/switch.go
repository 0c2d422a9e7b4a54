package deliver

import (
	"slices"
	"time"

	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

// SetPauseStates makes the list what was last said by hand of the connections. One
// that is paused finishes what it is sending and takes nothing more: what is
// accepted for it is stored, and what it held goes back to the store. One that
// goes on begins with what is stored, at the rate of its switch if that is
// slower than its own.
func (d *Dispatcher) SetPauseStates(list []event.PauseState) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pauseStates = make(map[string]event.PauseState, len(list))
	for _, s := range list {
		d.pauseStates[s.Connection] = s
	}
	for _, l := range *d.lanes.Load() {
		d.reconcile(l)
	}
}

// arrange gives a lane the crew for its settings and its switch, or none. One
// that has the right crew goes on undisturbed.
func (d *Dispatcher) reconcile(l *lane) {
	s := d.pauseStates[l.name]
	if s.Paused {
		d.pause(l)
		return
	}
	c := l.connection
	c.Rate = slower(c.Rate, yamlnode.Rate{Count: s.Count, Per: s.Per})
	if l.workers != nil && l.workers.connection.Fingerprint == c.Fingerprint && l.workers.connection.Rate == c.Rate {
		return
	}
	if w := l.workers; w != nil {
		d.drain(w, func() {
			if w.connection.Fingerprint != c.Fingerprint { // else it is the next crew's too
				d.release(w.connection.Connector)
			}
		})
	}
	if l.paused.Swap(false) {
		d.resetBreaker(l) // whoever lets it go on wants to see what happens
	}
	l.startWorkers(c)
}

// Follow has the lanes obey the gates that somebody keeps shut, as they were
// asked for at a time; all others are open.
func (d *Dispatcher) Follow(list []event.BreakerState, asked time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if asked.Before(d.asked) {
		return
	}
	d.shared, d.asked = make(map[string]event.BreakerState, len(list)), asked
	for _, g := range list {
		d.shared[g.Connection] = g
	}
	for name, l := range *d.lanes.Load() {
		l.breaker.follow(d.shared[name], asked)
	}
}

// afresh forgets what was found out about the receiver, for all.
func (d *Dispatcher) resetBreaker(l *lane) {
	if tell := l.breaker.reset(); tell != nil {
		d.draining.Go(func() { tell(d.ending) })
	}
}

// halt pauses a lane: once the attempts under way have ended, what else it
// holds in memory is given back to the store, in its order.
func (d *Dispatcher) pause(l *lane) {
	l.paused.Store(true)
	l.behind.Store(true) // what is accepted from now on is stored unclaimed
	if l.workers == nil {
		return
	}
	w := l.workers
	l.workers = nil
	changed := w.connection.Fingerprint != l.connection.Fingerprint
	d.drain(w, func() {
		if changed {
			d.release(w.connection.Connector)
		}
		if l.paused.Load() {
			l.behind.Store(true) // a last claim may have found nothing more
			l.giveBack()
		}
	})
}

// slower is the lower of two rates, of which a zero one is no limit.
func slower(a, b yamlnode.Rate) yamlnode.Rate {
	switch {
	case a.Count == 0:
		return b
	case b.Count == 0:
		return a
	case float64(b.Count)/float64(b.Per) < float64(a.Count)/float64(a.Per):
		return b
	}
	return a
}

// State is how a connection is.
type State string

// The states of a connection.
const (
	Working State = "ok"      // the last attempt got through, or there was none
	Failing State = "failing" // the last attempt did not
	Broken  State = "open"    // many in a row did not: its breaker lets a probe through from time to time
	Paused  State = "paused"  // by hand
)

// Health is how a connection is and has been, by all processes.
type Health struct {
	State     State
	Hour, Day Window
	LastError string    // of the last attempt that failed; "" without one
	FailedAt  time.Time // when that was
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
		case l.breaker.broken():
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
		all[name] = l.breaker.broken()
	}
	return all
}

// Connection is the settings of a connection in force.
func (d *Dispatcher) Connection(name string) (c Connection, found bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := (*d.lanes.Load())[name]
	if l == nil {
		return Connection{}, false
	}
	return l.connection, true
}
