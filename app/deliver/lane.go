package deliver

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"hookgate/internal/calendar"
	"hookgate/internal/event"
)

const (
	// laneCapacity is how many deliveries a lane holds in memory: queued, being
	// sent, and waiting for the commit of their result. What is more, or takes
	// more bytes than memory gives, stays in the store until there is room.
	laneCapacity = 1024
	// claimSize is how many deliveries are claimed at once.
	claimSize = 100
	// defaultPoll is how often a lane asks the store even though nothing told it
	// to, unless Options say otherwise: the net below wake-ups, and below clocks that jump.
	defaultPoll = 30 * time.Second
)

// lane brings the deliveries of one connection to it, holding up no other.
type lane struct {
	name  string
	deps  *deps
	slots chan struct{}       // one token for each delivery in memory
	queue chan event.Delivery // never full: whoever sends holds a slot
	wake  chan struct{}       // something may be due in the store
	// behind is set while the store holds more that is due than there is room for,
	// as far as the last look knows: then new ones queue up there too, behind those.
	behind     atomic.Bool
	throughput throughput
	// retired is set when the connection is no longer configured, held while
	// nothing is to be sent to it: it is paused, by hand, or outside of its hours.
	// What comes then goes back to the store.
	retired, held, paused atomic.Bool
	hours                 atomic.Pointer[calendar.Calendar] // nil: it is open at any time
	stats                 *attemptStats

	connection Connection // the current settings
	workers    *workers   // the workers of these; nil while held
	breaker    *breaker
}

// workers are the goroutines that send by one version of a connection's settings.
type workers struct {
	connection Connection         // with the rate that it keeps to
	limiter    *limiter           // nil: no limit
	stop       context.CancelFunc // take nothing more
	abort      context.CancelFunc // end attempts under way
	done       sync.WaitGroup
}

func newLane(name string, d *deps, t *attemptStats) *lane {
	l := &lane{
		name: name, deps: d, stats: t,
		slots: make(chan struct{}, laneCapacity),
		queue: make(chan event.Delivery, laneCapacity),
		wake:  make(chan struct{}, 1),
	}
	l.breaker = newBreaker(name, d.limits, d.logger, l.hasten)
	l.behind.Store(true) // until the first look at the store
	return l
}

// startWorkers starts the goroutines for the settings.
func (l *lane) startWorkers(c Connection) {
	taking, stop := context.WithCancel(context.Background())
	sending, abort := context.WithCancel(context.Background())
	w := &workers{connection: c, limiter: newLimiter(c.Name, c.Rate, l.deps.limits, l.deps.logger), stop: stop, abort: abort}
	l.workers = w
	for range max(1, c.Concurrency) {
		w.done.Go(func() { l.work(taking, sending, w) })
	}
	w.done.Go(func() { l.feed(taking) })
	l.poll()
}

// drain stops the workers: they take nothing more and finish what they are
// sending, or break it off once ctx ends.
func (w *workers) drain(ctx context.Context) {
	w.stop()
	finished := make(chan struct{})
	go func() { w.done.Wait(); close(finished) }()
	select {
	case <-finished:
	case <-ctx.Done():
		w.abort()
		<-finished
	}
	w.abort()
}

// reserve takes a slot for a delivery that is about to be stored. Where a fast
// lane is full it waits a moment: that slows senders down to what can be
// delivered, which costs far less than to store and claim the overflow. A slow
// lane holds nobody up.
func (l *lane) reserve(weight int64) bool {
	if l.behind.Load() || !l.takeSlot() {
		return false
	}
	if !l.deps.memory.take(l.name, weight) {
		l.free()
		return false
	}
	return true
}

func (l *lane) takeSlot() bool {
	select {
	case l.slots <- struct{}{}:
		return true
	default:
	}
	if !l.throughput.fast() {
		return false
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case l.slots <- struct{}{}:
		return true
	case <-timer.C:
		return false
	}
}

// put queues a delivery for which the caller holds a slot.
func (l *lane) put(d event.Delivery) {
	l.queue <- d
	if l.retired.Load() || l.held.Load() { // it was reserved before
		go l.giveBack()
	}
}

// free gives a slot back, after its memory, and has the store looked at if more
// waits there. It never blocks: a reservation can outlive its lane and be given back to the
// one that came after it.
func (l *lane) free() {
	select {
	case <-l.slots:
	default:
	}
	if !l.behind.Load() || len(l.slots) > laneCapacity-claimSize {
		return
	}
	if _, worth := l.deps.memory.room(l.name); worth {
		l.poll()
	}
}

// poll makes the feeder ask the store.
func (l *lane) poll() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// hasten has what failed in an outage that is over sent again, once and before
// its schedule says so.
func (l *lane) hasten() {
	if err := l.deps.store.Hasten(l.name); err != nil {
		l.deps.logger.Warn("what failed while a connection did not work waits for its schedule", "connection", l.name, "error", err)
	}
	l.poll()
}

// giveBack returns to the store what the lane of a connection that is gone, paused
// or closed holds. A connection that has come back in the meantime has looked at
// the store already, and is told to look again.
func (l *lane) giveBack() {
	left := l.drainQueue()
	if len(left) == 0 {
		return
	}
	if l.retired.Load() {
		l.deps.logger.Warn("deliveries wait for a connection that is no longer configured", "connection", l.name, "count", len(left))
	}
	l.deps.giveBack(l.name, left)
}

// drainQueue takes what is queued, unsent, and frees its slots.
func (l *lane) drainQueue() []event.Delivery {
	var left []event.Delivery
	for {
		select {
		case d := <-l.queue:
			left = append(left, d)
			l.deps.memory.give(l.name, weightOf(&d))
			<-l.slots
		default:
			return left
		}
	}
}
