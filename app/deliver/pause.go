package deliver

import (
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

// SetPauseStates replaces what was last said by hand of the connections. One that
// is paused finishes what it is sending and takes nothing more: what is accepted
// for it is stored, and what it held goes back to the store. One that goes on
// begins with what is stored, at the rate of its PauseState if that is slower
// than its own.
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

// hold stops a lane's workers: once the attempts under way have ended, what else it
// holds in memory is given back to the store, in its order.
func (d *Dispatcher) hold(l *lane) {
	l.held.Store(true)
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
		if l.held.Load() {
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
