// Package deliver brings stored deliveries to their connections: a lane for
// each, with its own concurrency, rate limit and breaker, fed in memory by
// what was just accepted and from the store by the rest.
package deliver

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"hookgate/connectors"
	"hookgate/internal/calendar"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

// giveBackAgain is how long it takes until the store is asked again to take what it
// could not.
const giveBackAgain = time.Second

// Store is what delivery needs of the durable record.
type Store interface {
	// Claim hands out connection's deliveries that are due at now: at most limit,
	// and not many more bytes of output than those; one of any size. More tells
	// that others may be due.
	Claim(connection string, now time.Time, limit, bytes int) (claimed []event.Delivery, more bool, err error)
	// NextDue is when the next one that nobody holds is due; zero: none.
	NextDue(ctx context.Context, connection string) (time.Time, error)
	// Record keeps an attempt; done is called after the commit and must not block.
	Record(d *event.Delivery, a event.Attempt, o event.Outcome, done func(next *event.Delivery))
	// Hasten makes due, once and beside their schedule, what last failed as
	// event.Outcome.Early says.
	Hasten(connection string) error
	// Release gives claimed deliveries back unsent. It may be asked again for the
	// same ones.
	Release(deliveries []event.Delivery, due time.Time) error
}

// Connection is one destination with its settings.
type Connection struct {
	Name        string
	Connector   connectors.Connector
	Concurrency int           // attempts at once, at least 1
	Rate        yamlnode.Rate // zero: no limit
	Policy      Policy
	Fingerprint string // differs when any of the settings does
	// Timeout is how long one attempt may take.
	Timeout time.Duration
	// Hours are when attempts may begin; nil: at any time.
	Hours *calendar.Calendar
}

// Options are what a Dispatcher needs besides the store.
type Options struct {
	Logger *slog.Logger
	Now    func() time.Time
	// Holds reports whether a claimed delivery is still this process's to send;
	// nil: it always is. Others are dropped: somebody else sends them.
	Holds func(d *event.Delivery) bool
	// Poll is how often a lane looks into the store untold; 30 s unless set.
	Poll time.Duration
	// SharedLimits are those of all processes that send to the same connections;
	// nil: there is no other process.
	SharedLimits SharedLimits
	// Signal gives what is noted with a delivery that fails for good, in the
	// same commit; nil: nothing is.
	Signal func(d *event.Delivery, a *event.Attempt) *event.Signal
	// Followed is told, once it is stored, that a delivery has ended that something
	// comes after. It must not block; nil: nobody wants to know.
	Followed func()
	// Observe is told of every finished attempt.
	Observe func(connection string, result event.DeliveryState, took time.Duration)
}

type deps struct {
	store     Store
	logger    *slog.Logger
	now       func() time.Time
	holds     func(*event.Delivery) bool
	pollEvery time.Duration
	limits    SharedLimits
	memory    *memory
	observe   func(string, event.DeliveryState, time.Duration)
	signal    func(*event.Delivery, *event.Attempt) *event.Signal // nil: nothing is noted
	followed  func()
	giveBack  func(connection string, claimed []event.Delivery)
}

// Dispatcher owns the lanes. It is safe for concurrent use.
type Dispatcher struct {
	deps  deps
	lanes atomic.Pointer[map[string]*lane]
	mu    sync.Mutex // held by what changes the lanes

	pauseStates map[string]event.PauseState   // by connection; one that was never paused has none
	stats       map[string]*attemptStats      // by connection, also of those that are gone
	shared      map[string]event.BreakerState // by connection, as last told
	asked       time.Time                     // for those
	turn        *time.Timer                   // when a connection opens or closes; nil: none does

	draining sync.WaitGroup  // workers that finish what they are sending, and what is to be given back
	stopping context.Context //nolint:containedctx // ends when Stop begins
	stop     context.CancelFunc
	ending   context.Context //nolint:containedctx // ends when Stop has waited long enough
	end      context.CancelFunc
}

// New makes a Dispatcher without connections.
func New(store Store, opt Options) *Dispatcher {
	d := &Dispatcher{deps: deps{store: store, logger: opt.Logger, now: opt.Now, holds: opt.Holds, pollEvery: opt.Poll, observe: opt.Observe, signal: opt.Signal, followed: opt.Followed, limits: opt.SharedLimits, memory: newMemory(memoryBudget)}}
	if d.deps.limits == nil {
		d.deps.limits = newLocalLimits()
	}
	d.deps.giveBack = d.giveBack
	if d.deps.pollEvery <= 0 {
		d.deps.pollEvery = defaultPoll
	}
	if d.deps.holds == nil {
		d.deps.holds = func(*event.Delivery) bool { return true }
	}
	d.stats = map[string]*attemptStats{}
	d.lanes.Store(&map[string]*lane{})
	d.stopping, d.stop = context.WithCancel(context.Background())
	d.ending, d.end = context.WithCancel(context.Background()) //nolint:gosec // Stop calls end
	return d
}

// Update makes the connections the current ones. A connection whose settings
// are the same goes on undisturbed. One whose settings changed keeps what it
// holds and sends it with the new ones; attempts under way end with the old
// ones. What a connection that is gone held stays in the store and is sent if
// it comes back.
func (d *Dispatcher) Update(connections []Connection) {
	d.mu.Lock()
	defer d.mu.Unlock()
	before := *d.lanes.Load()
	lanes := make(map[string]*lane, len(connections))
	for _, c := range connections {
		l, ok := before[c.Name]
		if !ok {
			l = newLane(c.Name, &d.deps, d.attemptStats(c.Name))
			l.paused.Store(d.pauseStates[c.Name].Paused)
			l.hours.Store(c.Hours)
			l.held.Store(l.paused.Load() || l.closed())
			l.breaker.follow(d.shared[c.Name], d.asked)
		}
		lanes[c.Name] = l
	}
	d.lanes.Store(&lanes)
	for name, l := range before {
		if lanes[name] == nil {
			d.close(l)
			l.retired.Store(true)
			l.giveBack()
		}
	}
	for _, c := range connections {
		d.configure(lanes[c.Name], c)
	}
	d.watchHours()
}

// attemptStats is where a connection's attempts are counted.
func (d *Dispatcher) attemptStats(connection string) *attemptStats {
	t := d.stats[connection]
	if t == nil {
		t = &attemptStats{}
		d.stats[connection] = t
	}
	return t
}

// configure gives a lane its settings. A connector whose settings are the same
// stays, with the connection that it may keep open.
func (d *Dispatcher) configure(l *lane, c Connection) {
	before := l.connection
	if before.Fingerprint == c.Fingerprint && before.Connector != nil {
		c.Connector = before.Connector
	} else {
		if before.Connector != nil {
			d.resetBreaker(l)
		}
		if l.workers == nil { // held: nobody else lets go of it
			d.release(before.Connector)
		}
	}
	l.connection = c
	l.hours.Store(c.Hours)
	d.reconcile(l)
}

// reconcile gives a lane the workers for its settings and its pause state, or
// none where it is paused or closed. Workers that are the right ones already go on undisturbed.
func (d *Dispatcher) reconcile(l *lane) {
	s := d.pauseStates[l.name]
	if l.paused.Swap(s.Paused) && !s.Paused {
		d.resetBreaker(l) // whoever lets it go on wants to see what happens
	}
	if s.Paused || l.closed() {
		d.hold(l)
		return
	}
	c := l.connection
	c.Rate = d.rateOf(l)
	if l.workers != nil && l.workers.connection.Fingerprint == c.Fingerprint && l.workers.connection.Rate == c.Rate {
		return
	}
	if w := l.workers; w != nil {
		d.drain(w, func() {
			if w.connection.Fingerprint != c.Fingerprint { // else the next workers use it too
				d.release(w.connection.Connector)
			}
		})
	}
	l.held.Store(false)
	l.startWorkers(c)
}

// resetBreaker closes a lane's breaker and ends its pause, for all processes.
func (d *Dispatcher) resetBreaker(l *lane) {
	if share := l.breaker.reset(); share != nil {
		d.draining.Go(func() { share(d.ending) })
	}
}

// drain lets workers finish in the background, beside those that follow them,
// and calls after.
func (d *Dispatcher) drain(w *workers, after func()) {
	w.stop()
	d.draining.Go(func() {
		w.drain(d.ending)
		after()
	})
}

// close ends a lane's work for good.
func (d *Dispatcher) close(l *lane) {
	if l.workers == nil {
		d.release(l.connection.Connector)
		return
	}
	w := l.workers
	d.drain(w, func() { d.release(w.connection.Connector) })
}

// release lets a connector close what it keeps open between attempts.
func (d *Dispatcher) release(c connectors.Connector) {
	closer, keeps := c.(io.Closer)
	if !keeps {
		return
	}
	if err := closer.Close(); err != nil {
		d.deps.logger.Debug("a connection was not closed properly", "error", err)
	}
}

// Follow takes over the state of the breakers and pauses that all processes
// share, as it was at asked. A connection that is not in the list has neither.
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

// Stop takes nothing more and waits until what is being sent has ended; once
// ctx ends it is broken off, to be sent again after the next start.
func (d *Dispatcher) Stop(ctx context.Context) {
	d.mu.Lock()
	defer d.mu.Unlock()
	defer context.AfterFunc(ctx, d.end)()
	d.stop()
	for _, l := range *d.lanes.Load() {
		d.close(l)
	}
	d.draining.Wait()
	d.lanes.Store(&map[string]*lane{})
}

// Reserve takes a place in memory for a delivery that is about to be stored.
// False: there is none, the delivery is to be stored unclaimed and announced by
// Poll. A reservation ends with Deliver or Unreserve, of the same output.
func (d *Dispatcher) Reserve(made *event.Delivery) bool {
	l := (*d.lanes.Load())[made.Connection]
	return l != nil && l.reserve(weightOf(made))
}

// Unreserve gives a reservation back.
func (d *Dispatcher) Unreserve(made *event.Delivery) {
	d.deps.memory.give(made.Connection, weightOf(made))
	if l := (*d.lanes.Load())[made.Connection]; l != nil {
		l.free()
	}
}

// Deliver hands over a stored and claimed delivery that has a reservation.
func (d *Dispatcher) Deliver(claimed event.Delivery) {
	if l := (*d.lanes.Load())[claimed.Connection]; l != nil {
		l.put(claimed)
		return
	}
	// The connection went away since the reservation.
	d.deps.memory.give(claimed.Connection, weightOf(&claimed))
	d.giveBack(claimed.Connection, []event.Delivery{claimed})
}

// giveBack returns deliveries of a connection to the store, unsent. What the store
// does not take is kept and tried again, until Stop: it is this process's, and
// nobody else would send it. The connection may be back by then, and looks again.
func (d *Dispatcher) giveBack(connection string, claimed []event.Delivery) {
	due := d.deps.now() // also of a later try: they come before what was accepted since
	try := func() bool {
		err := d.deps.store.Release(claimed, due)
		if err != nil {
			d.deps.logger.Warn("deliveries could not be given back to the store, trying again", "connection", connection, "count", len(claimed), "error", err)
			return false
		}
		d.Poll(connection)
		return true
	}
	if try() {
		return
	}
	d.draining.Go(func() {
		for done := false; !done; {
			select {
			case <-time.After(giveBackAgain):
				done = try()
			case <-d.stopping.Done(): // the next start sends them
				done = true
			}
		}
	})
}

// Poll says that the store may hold deliveries to connection that are due; ""
// stands for every connection. What is accepted meanwhile need not queue up
// behind them until a look finds more than there is room for: if each that was
// stored made the next ones do so, it would go on for ever, and no memory serve.
func (d *Dispatcher) Poll(connection string) {
	lanes := *d.lanes.Load()
	if l := lanes[connection]; l != nil {
		l.poll()
	} else if connection == "" {
		for _, l := range lanes {
			l.poll()
		}
	}
}

// InMemory is how many deliveries each connection holds in memory.
func (d *Dispatcher) InMemory() map[string]int {
	depths := map[string]int{}
	for name, l := range *d.lanes.Load() {
		depths[name] = len(l.slots)
	}
	return depths
}

// rateOf is how often the receiver of a lane that goes may be called: as it is configured,
// or slower where what was held is released so.
func (d *Dispatcher) rateOf(l *lane) yamlnode.Rate {
	s := d.pauseStates[l.name]
	return slower(l.connection.Rate, yamlnode.Rate{Count: s.Count, Per: s.Per})
}

// Rate is how often the receiver of a connection is called now, at most; the zero Rate
// where there is no limit, and where nothing is sent: it is paused, or closed.
func (d *Dispatcher) Rate(connection string) yamlnode.Rate {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := (*d.lanes.Load())[connection]
	if l == nil || d.pauseStates[connection].Paused || l.closed() {
		return yamlnode.Rate{}
	}
	return d.rateOf(l)
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
