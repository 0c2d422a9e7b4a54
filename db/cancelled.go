package db

import "hookgate/internal/event"

// counting is a transaction that counts what it cancels, to be told once it is
// committed.
type counting struct {
	tx
	counts map[event.CancelCause]int
}

// countCancelled counts a delivery that the transaction cancels.
func countCancelled(t tx, cause event.CancelCause) {
	if c, ok := t.(counting); ok {
		c.counts[cause]++
	}
}

// submit has the committer do op, and tells what was cancelled by it.
func (s *Store) submit(op *writeOp) error {
	do, counts := op.do, map[event.CancelCause]int{}
	op.do = func(t tx) error {
		clear(counts) // a transaction that failed is tried again
		return do(counting{t, counts})
	}
	s.commit.writes <- op
	if err := <-op.done; err != nil {
		return err
	}
	if s.observe != nil {
		for cause, n := range counts {
			s.observe(cause, n)
		}
	}
	return nil
}

// observeAccepted tells what was cancelled of what was stored with an event.
func (s *Store) observeAccepted(deliveries []event.Delivery) {
	if s.observe == nil {
		return
	}
	for i := range deliveries {
		if d := &deliveries[i]; d.State == event.Cancelled {
			s.observe(d.Cancelled, 1)
		}
	}
}
