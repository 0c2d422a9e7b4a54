package app

import (
	"time"

	"hookgate/app/planner"
	"hookgate/internal/event"
)

// newPlanner makes what does all that is due.
func (a *App) newPlanner() *planner.Planner {
	return planner.New(planner.Options{
		Store: a.store, RuleSet: a.service.RuleSet, Added: a.dispatcher.Poll, Late: a.metrics.MomentOpened, Logger: a.opt.Logger,
		Opening: func(calendar string, at time.Time) time.Time {
			c := a.plan.Load().Config.CalendarsByName()[calendar]
			if c == nil {
				return at
			}
			return c.NextOpen(at)
		},
		Failed: func(d *event.Delivery, reason string) *event.Signal {
			return a.failedForGood(d, &event.Attempt{Error: reason})
		},
		Shared: !a.plan.Load().Config.Storage.URL.IsZero(),
		Passed: a.opt.Now, // with a monotonic reading, but for a clock that somebody sets, such as that of the demo
	})
}

// wakePlanner has what comes after a delivery be made at once.
func (a *App) wakePlanner() {
	if p := a.planner.Load(); p != nil {
		p.Wake()
	}
}
