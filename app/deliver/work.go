package deliver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"hookgate/connectors"
	"hookgate/internal/event"
)

// work sends what is queued, one at a time, until taking ends. Attempts under
// way are broken off when sending ends.
func (l *lane) work(taking, sending context.Context, w *workers) {
	for {
		select { // stopped workers take nothing, even if something is queued
		case <-taking.Done():
			return
		default:
		}
		select {
		case <-taking.Done():
			return
		case d := <-l.queue:
			leave, err := l.breaker.enter(taking, w.limiter, w.connection.Timeout, len(l.queue))
			if err != nil {
				l.put(d) // for the workers that come next
				return
			}
			if !l.deps.holds(&d) {
				leave(unknown)
				l.lost(&d)
				continue
			}
			if l.closed() { // it closed while this waited
				leave(unknown)
				l.put(d)
				_ = sleep(taking, closedPause)
				continue
			}
			l.attempt(sending, w, &d, leave)
		}
	}
}

// lost drops a delivery whose claim has gone to somebody else, unsent.
func (l *lane) lost(d *event.Delivery) {
	l.deps.logger.Debug("no longer ours to send, left to whoever has it now", "delivery", d.ID, "connection", l.name)
	l.deps.memory.give(l.name, weightOf(d))
	l.free()
	l.poll()
}

// attempt makes one attempt at d and hands both d and its result to the store.
func (l *lane) attempt(ctx context.Context, w *workers, d *event.Delivery, leave func(verdict)) {
	started := l.deps.now()
	begin := time.Now()
	receipt, err := deliver(ctx, w.connection.Connector, *d)
	a := event.Attempt{Delivery: d.ID, Number: d.Attempts + 1, Started: started, Duration: time.Since(begin), Receipt: receipt}
	if err != nil && ctx.Err() != nil {
		// Broken off by the end of the process: nobody knows what the receiver
		// did. It stays claimed and is sent again after the start.
		leave(unknown)
		return
	}
	outcome := event.Outcome{State: event.Delivered}
	after := time.Duration(0)
	if err != nil {
		a.Error = err.Error()
		outcome, after = l.judge(w, d, err, receipt.Status)
	}
	leave(health(err))
	if after > 0 {
		l.breaker.pause(ctx, after)
	}
	l.stats.ended(started, &a)
	l.deps.observe(l.name, outcome.State, a.Duration)
	l.report(ctx, d, &a, outcome)
	if outcome.State == event.Failed && l.deps.signal != nil {
		outcome.Signal = l.deps.signal(d, &a)
	}
	held, follows := weightOf(d), d.Flow&event.Followed != 0 && outcome.State != event.Retrying
	l.deps.store.Record(d, a, outcome, func(next *event.Delivery) {
		l.deps.memory.give(l.name, held)
		if follows && l.deps.followed != nil {
			l.deps.followed()
		}
		l.recorded(outcome, next)
	})
}

// deliver calls the connector and turns a panic of it into an error, so that
// a delivery that makes it panic harms itself alone.
func deliver(ctx context.Context, c connectors.Connector, d event.Delivery) (receipt event.Receipt, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the connector failed on this delivery: %v", p)
		}
	}()
	return c.Deliver(ctx, d)
}

// judge decides what becomes of d after err, and how long the receiver asked
// everybody to wait. A try beside the schedule leaves d where it was in it.
func (l *lane) judge(w *workers, d *event.Delivery, err error, status int) (event.Outcome, time.Duration) {
	after := time.Duration(0)
	if ce, ok := errors.AsType[*connectors.Error](err); ok {
		if ce.Permanent {
			return event.Outcome{State: event.Failed}, 0
		}
		after = ce.After
	}
	now := l.deps.now()
	early := time.Time{}
	if status == 0 || status >= 500 { // no answer, or none of the receiver's own: it was not well
		early = now.Add(after)
	}
	if d.Early {
		return event.Outcome{State: event.Retrying, Due: now.Add(after), Early: early}, after
	}
	tries := d.Attempts + 1 - d.Base
	delay, again := w.connection.Policy.Next(tries, now.Sub(d.Begun()), after, rand.Float64()) //nolint:gosec // jitter is no secret
	if !again {
		return event.Outcome{State: event.Failed}, after
	}
	return event.Outcome{State: event.Retrying, Due: now.Add(delay), Early: early}, after
}

// health is what an attempt says of the receiver: it is well also when it
// refuses one delivery for good.
func health(err error) verdict {
	if err == nil || connectors.IsPermanent(err) {
		return passed
	}
	return failed
}

func (l *lane) report(ctx context.Context, d *event.Delivery, a *event.Attempt, o event.Outcome) {
	switch o.State {
	case event.Delivered:
		if !l.deps.logger.Enabled(ctx, slog.LevelDebug) {
			return // spares the usual case the making of the arguments
		}
		l.deps.logger.DebugContext(ctx, "delivered", "delivery", d.ID, "event", d.Event, "rule", d.Rule, "connection", l.name, "status", a.Status, "duration_ms", float64(a.Duration.Microseconds())/1000)
	case event.Retrying:
		l.deps.logger.WarnContext(ctx, "attempt failed, will be tried again", "delivery", d.ID, "event", d.Event, "rule", d.Rule, "connection", l.name, "attempt", a.Number, "error", a.Error, "next", o.Due)
	default:
		l.deps.logger.ErrorContext(ctx, "delivery failed", "delivery", d.ID, "event", d.Event, "rule", d.Rule, "connection", l.name, "attempt", a.Number, "error", a.Error)
	}
}

// recorded is called by the store once a result is committed. It must not
// block: the store's writer waits for it.
func (l *lane) recorded(o event.Outcome, next *event.Delivery) {
	l.throughput.ended()
	if next != nil { // the ordering key's next one takes over the slot
		l.deps.memory.force(l.name, weightOf(next))
		l.put(*next)
		return
	}
	l.free()
	if o.State == event.Retrying {
		l.poll() // the feeder learns when it is due
	}
}
