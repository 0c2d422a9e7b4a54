package deliver

import "time"

// closedPause is how long a worker waits that finds its connection closed: the
// workers are stopped at that moment.
const closedPause = time.Second

// closed reports whether the lane is outside of its hours. Then no attempt
// begins, whether it is the first, a retry or one beside the schedule. Nothing is
// given up meanwhile: what became due has its attempt at the opening, however old
// it is by then.
func (l *lane) closed() bool {
	hours := l.hours.Load()
	return hours != nil && !hours.Open(l.deps.now())
}

// watchHours has lanes stop and start when the next of them closes or opens. It
// looks as often as lanes look into the store, for clocks that jump.
func (d *Dispatcher) watchHours() {
	if d.turn != nil {
		d.turn.Stop()
		d.turn = nil
	}
	now, wait := d.deps.now(), time.Duration(0)
	for _, l := range *d.lanes.Load() {
		hours := l.hours.Load()
		if hours == nil {
			continue
		}
		if wait == 0 {
			wait = d.deps.pollEvery
		}
		change := hours.NextClose(now)
		if change.Equal(now) {
			change = hours.NextOpen(now)
		}
		if !change.IsZero() {
			wait = min(wait, max(change.Sub(now), time.Millisecond))
		}
	}
	if wait > 0 {
		d.turn = time.AfterFunc(wait, d.keepHours)
	}
}

// keepHours stops the lanes that have closed and starts those that have opened.
func (d *Dispatcher) keepHours() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range *d.lanes.Load() {
		if l.hours.Load() != nil {
			d.reconcile(l)
		}
	}
	d.watchHours()
}
