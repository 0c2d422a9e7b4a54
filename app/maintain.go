package app

import (
	"context"
	"errors"
	"time"

	"hookgate/app/admin"
	"hookgate/db"
)

const (
	// maintainEvery is how often old events are deleted.
	maintainEvery = 10 * time.Minute
	// farthest is beyond every delay that the configuration allows: what is due
	// later was put there by a clock that was wrong.
	farthest = 31 * 24 * time.Hour
)

// every calls do each time that d has passed, until ctx ends.
func every(ctx context.Context, d time.Duration, do func()) {
	ticker := time.NewTicker(d)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			do()
		}
	}
}

// maintain does what has to be done from time to time, beginning a little
// after the start so as not to slow it down.
func (a *App) maintain(ctx context.Context) {
	timer := time.NewTimer(5 * time.Second)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		a.maintainOnce(ctx)
		timer.Reset(maintainEvery)
	}
}

func (a *App) maintainOnce(ctx context.Context) {
	if err := a.store.Reschedule(a.opt.Now().Add(farthest)); err != nil {
		a.opt.Logger.WarnContext(ctx, "due times could not be checked, trying again later", "error", err)
	}
	a.dispatcher.Poll("") // what was just made due, nobody would look for at once
	if err := a.store.UsePlan(a.plan.Load().ID); err != nil {
		a.opt.Logger.WarnContext(ctx, "the version in force could not be noted, trying again later", "error", err)
	}
	deleted, err := a.store.Prune(ctx, a.retention())
	if err != nil && !errors.Is(err, context.Canceled) {
		a.opt.Logger.WarnContext(ctx, "old events could not be deleted, trying again later", "error", err)
	}
	if deleted > 0 {
		a.opt.Logger.InfoContext(ctx, "old events deleted", "count", deleted)
	}
	if err := a.store.PruneAccess(a.opt.Now()); err != nil {
		a.opt.Logger.WarnContext(ctx, "ended sessions could not be deleted, trying again later", "error", err)
	}
	a.files.tidy(ctx, !a.plan.Load().Config.Storage.URL.IsZero())
}

// retention is how old things may grow by the configuration in force.
func (a *App) retention() db.Retention {
	r := a.plan.Load().Config.Retention
	return db.Retention{Events: r.Events, Submissions: r.Submissions, Spam: r.Spam, Files: r.Files}
}

// prune does what retention does from time to time, now.
func (a *App) prune(ctx context.Context, dryRun bool) (admin.Pruned, error) {
	counts, err := a.store.Prunable(ctx, a.retention())
	out := admin.Pruned{DryRun: dryRun, Events: counts[0], Submissions: counts[1], Spam: counts[2]}
	if err != nil || dryRun {
		return out, err
	}
	if out.Deleted, err = a.store.Prune(ctx, a.retention()); err != nil {
		return out, err
	}
	return out, a.files.RemoveContents(ctx)
}
