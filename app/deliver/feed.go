package deliver

import (
	"context"
	"time"
)

// probePoll is how often the store is asked for something to probe an open
// breaker with.
const probePoll = time.Second

// feed claims from the store what nobody handed over in memory: retries that
// are due, what overflowed, and after a start what was left. At its end it wakes
// the next workers' feeder, whose wake-up it may have taken without looking.
func (l *lane) feed(ctx context.Context) {
	defer l.poll()
	timer := time.NewTimer(l.deps.pollEvery)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
		case <-timer.C:
		}
		switch {
		case !l.breaker.isOpen():
			timer.Reset(l.claim(ctx, claimSize))
		case len(l.queue) == 0:
			timer.Reset(l.claim(ctx, 1))
		default: // what is in memory is enough to probe with
			timer.Reset(probePoll)
		}
	}
}

// claim moves at most limit due deliveries into memory, again while there is
// more and room, and returns when to look the next time.
func (l *lane) claim(ctx context.Context, limit int) time.Duration {
	for ctx.Err() == nil {
		bytes, _ := l.deps.memory.room(l.name)
		room := 0
		if bytes > 0 {
			room = l.takeSlots(limit)
		}
		if room == 0 {
			// From here on free has it looked again as soon as there is room; what
			// became free just before has not.
			if !l.behind.Swap(true) {
				continue
			}
			return l.deps.pollEvery
		}
		claimed, more, err := l.deps.store.Claim(l.name, l.deps.now(), room, bytes)
		if err != nil {
			l.returnSlots(room)
			l.deps.logger.WarnContext(ctx, "deliveries could not be claimed, trying again", "connection", l.name, "error", err)
			return time.Second
		}
		l.returnSlots(room - len(claimed))
		for i := range claimed {
			l.deps.memory.force(l.name, weightOf(&claimed[i]))
			l.put(claimed[i])
		}
		if !more {
			l.behind.Store(false)
			return l.nextDue(ctx)
		}
		l.behind.Store(true)
		if limit == 1 {
			return probePoll
		}
	}
	return l.deps.pollEvery
}

// nextDue is how long until the store has something due, at most the interval of polling.
func (l *lane) nextDue(ctx context.Context) time.Duration {
	due, err := l.deps.store.NextDue(ctx, l.name)
	if err != nil || due.IsZero() {
		return l.deps.pollEvery
	}
	return min(max(due.Sub(l.deps.now()), time.Millisecond), l.deps.pollEvery)
}

func (l *lane) takeSlots(limit int) int {
	for n := range limit {
		select {
		case l.slots <- struct{}{}:
		default:
			return n
		}
	}
	return limit
}

func (l *lane) returnSlots(n int) {
	for range n {
		<-l.slots
	}
}
