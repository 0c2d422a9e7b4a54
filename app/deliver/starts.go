package deliver

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

const (
	// atOnce is the time whose share of a rate may go at once, at least one, and
	// how far ahead starts are reserved: a batch is what both make up.
	atOnce = 100 * time.Millisecond
	// startLife is for how long after its time a start may be used. Those of a
	// process that had nothing left to send, or was stopped, are lost: used
	// later they would come on top of the rate.
	startLife = 100 * time.Millisecond
	// gatesTime is how long one question to Gates may take, and askAgain the
	// pause after one that failed.
	gatesTime = 2 * time.Second
	askAgain  = 500 * time.Millisecond
)

// starts keeps the attempts of one crew to a rate. It reserves no more starts
// than there are deliveries for, a few at a time.
type limiter struct {
	gates   SharedLimits
	request event.ReservationRequest
	logger  *slog.Logger
	apart   time.Duration

	waiting atomic.Int64 // workers that need a start

	turn  chan struct{} // who holds the token asks; guards what follows
	next  time.Time     // of the starts that are reserved, the first
	left  int           // how many they are
	again time.Time     // not to ask before
}

// newStarts are those of a rate; nil: there is no limit.
func newLimiter(connection string, r yamlnode.Rate, gates SharedLimits, logger *slog.Logger) *limiter {
	if r.Count <= 0 {
		return nil
	}
	burst := int(float64(r.Count) * float64(atOnce) / float64(r.Per))
	s := &limiter{
		gates: gates, logger: logger, apart: time.Duration(float64(r.Per) / float64(r.Count)), turn: make(chan struct{}, 1),
		request: event.ReservationRequest{Connection: connection, Count: r.Count, Per: r.Per, Burst: max(1, burst), Ahead: atOnce},
	}
	s.turn <- struct{}{}
	return s
}

// wait returns when an attempt may begin, or with ctx's error. After it more
// attempts are known to follow. While the store of the rate cannot be reached it waits:
// results could not be stored either.
func (s *limiter) wait(ctx context.Context, more int) error {
	for {
		at, err := s.take(ctx, more)
		if err != nil {
			return err
		}
		if err := sleep(ctx, time.Until(at)); err != nil {
			return err
		}
		if time.Since(at) <= startLife { // else the process was stopped meanwhile
			return nil
		}
	}
}

// take takes the next start. While there is none, one worker waits and asks for
// all.
func (s *limiter) take(ctx context.Context, more int) (time.Time, error) {
	s.waiting.Add(1)
	defer s.waiting.Add(-1)
	select {
	case <-s.turn:
	case <-ctx.Done():
		return time.Time{}, ctx.Err()
	}
	defer func() { s.turn <- struct{}{} }()
	for {
		for ; s.left > 0 && time.Since(s.next) > startLife; s.left-- {
			s.next = s.next.Add(s.apart)
		}
		if s.left > 0 {
			at := s.next
			s.left--
			s.next = s.next.Add(s.apart)
			return at, nil
		}
		if err := sleep(ctx, time.Until(s.again)); err != nil {
			return time.Time{}, err
		}
		s.ask(ctx, more)
		if ctx.Err() != nil {
			return time.Time{}, ctx.Err()
		}
	}
}

// ask reserves what the next attempts need. The answer counts from when it
// came: so a start is used late rather than early.
func (s *limiter) ask(ctx context.Context, more int) {
	asking, cancel := context.WithTimeout(ctx, gatesTime)
	defer cancel()
	r := s.request
	r.Want = min(int(s.waiting.Load())+more, 2*r.Burst)
	got, err := s.gates.Reserve(asking, r)
	now := time.Now()
	if err != nil {
		s.again = now.Add(askAgain)
		if ctx.Err() == nil {
			s.logger.DebugContext(ctx, "the rate limit that replicas share cannot be read, trying again", "connection", r.Connection, "error", err)
		}
		return
	}
	if s.left = got.Count; s.left == 0 {
		s.again = now.Add(max(got.In, time.Millisecond))
		if r.Burst > 1 { // a little later there are several: one question for all
			s.again = s.again.Add(r.Ahead / 2)
		}
		return
	}
	s.next = now.Add(got.In)
}
