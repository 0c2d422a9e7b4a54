package app

import (
	"context"
	"time"

	"hookgate/app/web/api"
)

// gatesEvery is how often is read, untold, which breakers and pauses other
// replicas know of: being told is quicker but not certain.
const gatesEvery = time.Second

// firstGates reads what is known of the receivers before the lanes start. What
// is older than it was meant to be is of no interest.
func (a *App) firstLimits(ctx context.Context) error {
	if a.limits == nil {
		return nil
	}
	if err := a.limits.Fade(ctx); err != nil {
		return err
	}
	return a.loadLimits(ctx)
}

// loadGates has the lanes obey what all replicas know of the receivers.
func (a *App) loadLimits(ctx context.Context) error {
	asked := time.Now()
	list, err := a.limits.Shut(ctx)
	if err != nil {
		return err
	}
	a.lanes.Follow(list, asked)
	return nil
}

// gatesChanged reads it again; what cannot be read is read later.
func (a *App) limitsChanged(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := a.loadLimits(ctx); err != nil && ctx.Err() == nil {
		a.opt.Logger.DebugContext(ctx, "what other replicas found out about connections cannot be read, trying again", "error", err)
	}
}

// followGates obeys what other replicas find out, until ctx ends.
func (a *App) followLimits(ctx context.Context) {
	if a.limits == nil {
		return
	}
	every(ctx, gatesEvery, func() { a.limitsChanged(ctx) })
}

// leftAlone lists the connections that no replica sends to now.
func (a *App) leftAlone(ctx context.Context) ([]api.LeftAlone, error) {
	if a.limits == nil {
		return nil, nil
	}
	shut, err := a.limits.Shut(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]api.LeftAlone, 0, len(shut))
	for _, g := range shut {
		one := api.LeftAlone{Connection: g.Connection, PausedMS: g.Paused.Milliseconds()}
		if g.Open {
			one.Since, one.ProbeInMS = &g.Since, g.Retry.Milliseconds()
		}
		if g.Probing > 0 {
			one.Prober = g.Prober
		}
		list = append(list, one)
	}
	return list, nil
}
