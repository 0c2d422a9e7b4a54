package app

import (
	"context"
	"fmt"
	"time"
)

// healthEvery is how often what connections did is stored: what a process
// that is killed did since is not counted.
const healthEvery = 30 * time.Second

// keepHealth stores what connections did, until ctx ends.
func (a *App) keepHealth(ctx context.Context) {
	every(ctx, healthEvery, func() {
		if err := a.storeHealth(ctx); err != nil {
			a.opt.Logger.WarnContext(ctx, "what connections did could not be stored, trying again", "error", err)
		}
	})
}

// storeHealth stores what is not stored yet. One that fails leaves it for the
// next.
func (a *App) storeHealth(context.Context) error {
	a.healing.Lock() // what is pending must not be stored twice
	defer a.healing.Unlock()
	list := a.lanes.Pending()
	if len(list.Counts) == 0 && len(list.Last) == 0 {
		return nil
	}
	if err := a.store.AddHealth(list); err != nil {
		return fmt.Errorf("store the health of connections: %w", err)
	}
	a.lanes.Settle(list)
	return nil
}
