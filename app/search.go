package app

import (
	"context"
	"time"

	"hookgate/app/live"
	"hookgate/app/replay"
	"hookgate/app/web/api"
	"hookgate/db"
	"hookgate/internal/event"
)

const (
	// maxExamined and maxSearch bound what one request looks into, so that a
	// condition that nothing meets does not read the whole history.
	maxExamined = 20_000
	maxSearch   = 5 * time.Second
	// maxListed is the size of a body up to which a list holds it.
	maxListed = 128 << 10
)

// Search lists the events that f selects and of which q holds. next is where
// the following page begins; 0 at the end.
func (a service) Search(ctx context.Context, f event.Filter, q *replay.Query) (list []event.Event, how api.Search, next event.ID, err error) {
	limit, began := f.Limit, a.opt.Now()
	err = a.store.Scan(ctx, f, func(e *event.Event) error {
		if how.Examined == maxExamined || how.Examined%100 == 99 && a.opt.Now().Sub(began) > maxSearch {
			how.Stopped = true
			return db.ErrStop
		}
		if len(list) == limit {
			return db.ErrStop
		}
		how.Examined++
		next = e.ID
		ok, failure := q.Match(e)
		if failure != nil {
			if how.Failed++; how.Failed == 1 {
				how.Failure = failure.Error()
			}
		}
		if ok {
			if len(e.Body)+len(e.JSON) > maxListed {
				e.Body, e.JSON = nil, nil
			}
			list = append(list, *e)
		}
		return nil
	})
	if !how.Stopped && len(list) < limit {
		next = 0
	}
	return list, how, next, err
}

// Replays tells what was done with an event after it was accepted.
func (a service) Replays(ctx context.Context, id event.ID) ([]api.Replay, error) {
	stored, err := a.store.Replays(ctx, id)
	if err != nil {
		return nil, err
	}
	var list []api.Replay
	for i := range stored {
		r := &stored[i]
		item := api.Replay{Run: r.Run, At: r.At, Deliveries: r.Made, Rules: api.Verdicts(r.Verdicts)}
		if _, version, err := a.judgeOf(ctx, r.Plan); err == nil {
			item.Config = configOf(version)
		}
		list = append(list, item)
	}
	return list, nil
}

// Watch gives what comes in from now on and wants chooses.
func (a service) Watch(wants func(*event.Event) bool) *live.Watcher { return a.live.Watch(wants) }
