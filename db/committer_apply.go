package db

import (
	"fmt"
	"time"

	"hookgate/internal/event"
)

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
		a.done <- nil
	}
	for _, w := range b.writes {
		w.done <- nil
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
