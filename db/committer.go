package db

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"hookgate/internal/event"
)

const (
	// maxBatch is how many accepts, and how many of the rest, one transaction takes.
	maxBatch = 512
	// resultWait is how long results alone wait for company. Nobody waits for
	// them, and a commit costs an fsync.
	resultWait = 5 * time.Millisecond
	// backOff is how long results wait after a commit that failed.
	backOff = 200 * time.Millisecond
)

// batch is what one transaction commits.
type batch struct {
	accepts []*acceptOp
	results []*resultOp
	writes  []*writeOp
}

func (b *batch) empty() bool { return len(b.accepts)+len(b.results)+len(b.writes) == 0 }

// fault is what an engine's error means for the caller.
type fault int

const (
	faultOfOperation fault = iota // one operation of the batch is at fault
	faultUnavailable              // nothing can be committed right now
	faultFatal                    // the database can no longer be trusted
)

// tx is what an engine lends to a writeOp. Parameters are written ?1, ?2, ….
type tx interface {
	exec(query string, args ...any) error
	// query calls scan for each row, with the row's values.
	query(scan func(row []any) error, query string, args ...any) error
	stamp() stamp
	// notify tells the other processes that connection has something due.
	notify(connection string) error
	// overwrite has what the transaction deletes overwritten where it lay, as far
	// as the engine can; restore ends it.
	overwrite() (restore func(), err error)
}

// writer runs a function in the next transaction and returns after its commit.
type writer func(do func(tx) error) error

// stamp is what a transaction knows of time, and how it marks what it claims.
type stamp struct {
	now          int64 // µs: by the clock that due times are compared with
	owner, until int64 // of a claimed delivery: columns owner and due
}

// writeOp is any other change; it runs alone in its caller's interest but in a
// common transaction. Keys are the ordering keys that it may change the turn of.
type writeOp struct {
	do    func(tx) error
	keys  []keyed
	bytes int64 // about how many it writes
	done  chan error

	refused error // why it did nothing, though the transaction was committed
}

// refusal is the error of a writeOp that has written nothing: the others of its
// transaction go on. After any other error each is committed on its own.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

// run runs the operation in a transaction. A refusal is its caller's alone.
func (w *writeOp) run(tx tx) error {
	w.refused = nil
	err := w.do(tx)
	if _, ok := errors.AsType[refusal](err); ok {
		w.refused, err = err, nil
	}
	return err
}

// committer is the one writer. There is no linger for accepts: while one
// commit runs the next batch gathers.
type committer struct {
	engine engine
	logger *slog.Logger
	warned time.Time // of a commit that failed

	accepts chan *acceptOp
	results chan *resultOp
	writes  chan *writeOp
	quit    chan struct{}
	stopped chan struct{}
	once    sync.Once

	fatal    chan struct{}
	mu       sync.Mutex
	fatalErr error
}

func startCommitter(e engine, logger *slog.Logger) *committer {
	c := &committer{
		engine: e, logger: logger,
		accepts: make(chan *acceptOp, 2*maxBatch),
		results: make(chan *resultOp, 2*maxBatch),
		writes:  make(chan *writeOp, 16),
		quit:    make(chan struct{}),
		stopped: make(chan struct{}),
		fatal:   make(chan struct{}),
	}
	go c.run()
	return c
}

// stop commits what is waiting and ends; nothing may be handed in afterwards.
func (c *committer) stop() {
	c.once.Do(func() { close(c.quit) })
	<-c.stopped
}

func (c *committer) err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fatalErr
}

func (c *committer) run() {
	defer close(c.stopped)
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	b := &batch{}
	for {
		kept := b.results // of a batch that could not be committed
		*b = batch{accepts: b.accepts[:0], writes: b.writes[:0], results: kept}
		more := c.gather(b, timer)
		if !more && b.empty() {
			return
		}
		c.apply(b)
		if !more && len(b.results) > 0 {
			c.logger.Error("attempts could not be recorded before the end, these deliveries will be sent again", "count", len(b.results))
			return
		}
		c.engine.idle()
	}
}

// gather waits for something to commit and takes all that is there. It
// reports false once the committer is to end and nothing is left.
func (c *committer) gather(b *batch, timer *time.Timer) bool {
	if len(b.results) > 0 { // a failed batch's results: try again soon, or with the next accept
		timer.Reset(backOff)
	}
	select {
	case a := <-c.accepts:
		b.accepts = append(b.accepts, a)
	case w := <-c.writes:
		b.writes = append(b.writes, w)
	case r := <-c.results:
		b.results = append(b.results, r)
		timer.Reset(resultWait)
		c.waitForCompany(b, timer)
	case <-timer.C:
	case <-c.quit:
		c.drain(b)
		return false
	}
	timer.Stop()
	// Handlers that are ready to run hand in their events first: on a busy
	// machine that makes larger batches, on an idle one it costs nothing.
	for before := -1; before < len(c.accepts); {
		before = len(c.accepts)
		runtime.Gosched()
	}
	c.drain(b)
	return true
}

// waitForCompany lets results gather until something more urgent comes.
func (c *committer) waitForCompany(b *batch, timer *time.Timer) {
	for len(b.results) < maxBatch {
		select {
		case r := <-c.results:
			b.results = append(b.results, r)
		case a := <-c.accepts:
			b.accepts = append(b.accepts, a)
			return
		case w := <-c.writes:
			b.writes = append(b.writes, w)
			return
		case <-timer.C:
			return
		case <-c.quit:
			return
		}
	}
}

// drain takes what is waiting, without waiting for more.
func (c *committer) drain(b *batch) {
	for len(b.accepts) < maxBatch {
		select {
		case a := <-c.accepts:
			b.accepts = append(b.accepts, a)
			continue
		default:
		}
		break
	}
	for len(b.results) < 2*maxBatch {
		select {
		case r := <-c.results:
			b.results = append(b.results, r)
			continue
		default:
		}
		break
	}
	for len(b.writes) < maxBatch {
		select {
		case w := <-c.writes:
			b.writes = append(b.writes, w)
			continue
		default:
		}
		break
	}
}

func (c *committer) setFatal(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fatalErr == nil {
		c.fatalErr = err
		close(c.fatal)
	}
}

// write runs do in the next transaction. Keys are the ordering keys whose
// turn do may change.
func (s *Store) write(do func(tx) error, keys ...keyed) error {
	return s.submit(&writeOp{do: do, keys: keys, bytes: 4096, done: make(chan error, 1)})
}

// apply commits b and answers its callers. What is left in b.results
// afterwards could not be committed and has to be tried again.
func (c *committer) apply(b *batch) {
	if c.err() != nil {
		c.fail(b, event.ErrUnavailable)
		b.results = b.results[:0]
		return
	}
	err := c.engine.commit(b)
	if err == nil {
		c.answer(b)
		return
	}
	switch c.engine.faultOf(err) {
	case faultFatal:
		c.setFatal(err)
		c.fail(b, event.ErrUnavailable)
		b.results = b.results[:0]
	case faultUnavailable:
		if now := time.Now(); now.Sub(c.warned) > time.Second { // an outage fails every commit
			c.warned = now
			c.logger.Warn("commit failed, nothing was stored", "error", err, "events", len(b.accepts), "results", len(b.results))
		}
		c.fail(b, fmt.Errorf("%w: %w", event.ErrUnavailable, err))
	case faultOfOperation:
		c.isolate(b, err)
	}
}

// isolate commits the operations of a failed batch one by one, so that the
// faulty one fails alone.
func (c *committer) isolate(b *batch, err error) {
	results := b.results
	b.results = b.results[len(b.results):]
	if len(b.accepts)+len(results)+len(b.writes) == 1 {
		for _, r := range results {
			c.logger.Error("an attempt could not be recorded", "delivery", r.attempt.Delivery, "error", err)
			r.finish()
		}
		c.fail(b, err)
		return
	}
	for _, a := range b.accepts {
		c.applyOne(&batch{accepts: []*acceptOp{a}}, b)
	}
	for _, r := range results {
		c.applyOne(&batch{results: []*resultOp{r}}, b)
	}
	for _, w := range b.writes {
		c.applyOne(&batch{writes: []*writeOp{w}}, b)
	}
}

func (c *committer) applyOne(one, b *batch) {
	c.apply(one)
	b.results = append(b.results, one.results...) // to be tried again
}

func (c *committer) answer(b *batch) {
	for _, a := range b.accepts {
		a.done <- a.refused
	}
	for _, w := range b.writes {
		w.done <- w.refused
	}
	for _, r := range b.results {
		r.finish()
	}
	b.results = b.results[:0]
}

func (c *committer) fail(b *batch, err error) {
	for _, a := range b.accepts {
		a.done <- err
	}
	for _, w := range b.writes {
		w.done <- err
	}
}
