package db

import (
	"sync"
	"time"

	"hookgate/internal/event"
)

// acceptOp stores an event with its deliveries.
type acceptOp struct {
	event       *event.Event
	deliveries  []event.Delivery
	dedupeKey   []byte
	now         int64 // µs
	lease       int64 // µs: claimed deliveries are this process's until then
	duplicateOf event.ID
	owner       int64 // who holds the claimed ones
	refused     error // why it was not stored although its batch was
	done        chan error
	content     []byte // of the event, as appendContent writes it
	packed      []byte // the same, packed, where it is long; else the engine packs it
}

var acceptOps = sync.Pool{New: func() any { return &acceptOp{done: make(chan error, 1)} }}

// Lease is what a claim's time is set to on SQLite. Nobody waits for it: the
// next start takes over what the process that ended had claimed.
const Lease = 10 * time.Minute

// Accept stores e with its deliveries and returns after the commit.
//
// A delivery that comes with a Claim is this process's to send, unless its
// ordering key is taken: then Accept clears the Claim and it waits in the
// store. If e repeats an event of its Dedupe window nothing but the repeat is
// stored, as a duplicate without deliveries, and duplicateOf is the first one.
// The only error is event.ErrUnavailable, wrapped or bare, event.ErrRecordsChanged,
// or one that says what is wrong with e itself, as a *event.RecordError does.
func (s *Store) Accept(e *event.Event, deliveries []event.Delivery) (duplicateOf event.ID, err error) {
	op := acceptOps.Get().(*acceptOp)
	op.event, op.deliveries, op.duplicateOf = e, deliveries, 0
	op.now = micros(e.ReceivedAt)
	op.lease = op.now + Lease.Microseconds()
	op.dedupeKey = nil
	if e.Dedupe != nil {
		op.dedupeKey = []byte(e.Dedupe.Key)
	}
	if op.content, err = appendContent(op.content[:0], e); err != nil {
		return 0, err
	}
	if op.packed = op.packed[:0]; len(op.content) > wordsTo { // the writer is not held up by what takes long
		op.packed = pack(op.packed, op.content)
	}
	s.commit.accepts <- op
	err = <-op.done
	duplicateOf = op.duplicateOf
	for i := range deliveries {
		if deliveries[i].Claim > 0 {
			deliveries[i].Owner = op.owner
		}
	}
	if err == nil && duplicateOf == 0 {
		s.observeAccepted(deliveries)
	}
	op.event, op.deliveries = nil, nil
	acceptOps.Put(op)
	return duplicateOf, err
}

// resultOp records an attempt and what becomes of its delivery.
type resultOp struct {
	attempt  event.Attempt
	outcome  event.Outcome
	delivery *event.Delivery
	lease    int64
	wait     int64           // µs until the next attempt, for Retrying
	early    int64           // µs until it may go early; -1: not at all
	next     *event.Delivery // the key's next delivery, claimed for this process
	done     func(next *event.Delivery)
}

func (r *resultOp) finish() {
	if r.done != nil {
		r.done(r.next)
	}
}

// Record stores an attempt at d and what becomes of d, some time soon: done is
// called, from the store's own goroutine, once it is committed. If the attempt
// ended a delivery with an ordering key, next is the key's next delivery,
// claimed for this process. A result under an older claim changes nothing.
// While the store is unavailable the result is kept and tried again.
func (s *Store) Record(d *event.Delivery, a event.Attempt, o event.Outcome, done func(next *event.Delivery)) {
	early := int64(-1)
	if !o.Early.IsZero() {
		early = max(o.Early.Sub(s.now()).Microseconds(), 0)
	}
	s.commit.results <- &resultOp{
		attempt: a, outcome: o, delivery: d, done: done,
		lease: micros(s.now().Add(Lease)), wait: o.Due.Sub(s.now()).Microseconds(), early: early,
	}
}
