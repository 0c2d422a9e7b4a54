package app

import (
	"context"
	"fmt"
	"time"

	"hookgate/internal/diag"
	"hookgate/rules"
)

// askOlder is how often a start that waits looks for replicas of older versions, and
// tellOlder how often it says that it waits.
const (
	askOlder  = time.Second
	tellOlder = time.Minute
)

// notKnown are the faults of a configuration that a living replica of an older version
// does not understand: it could not go on with what the rules make.
func (a *App) notKnown(ctx context.Context, loaded *Plan) (diag.List, error) {
	need := rules.Needs(loaded.Config.Rules)
	if need.Language == 0 {
		return nil, nil
	}
	list, _, err := a.store.Replicas(ctx)
	if err != nil {
		return nil, err
	}
	var faults diag.List
	for i := range list {
		r := &list[i]
		if r.Self || !r.Alive || r.Language >= need.Language {
			continue
		}
		faults = append(faults, diag.Diagnostic{
			Severity: diag.Error, Code: "older-replica", Position: need.At,
			Message: fmt.Sprintf("the replica %d (%s, version %s) lives, and its version does not know %s", r.ID, r.Name, r.Version, need.Words),
			Hint:    "bring it to this version or stop it, then reload; hookgate replicas lists them",
		})
	}
	return faults, nil
}

// awaitOlder holds up a start until no replica lives that does not understand the
// configuration.
func (a *App) awaitOlder(ctx context.Context, loaded *Plan) error {
	var told time.Time
	for {
		faults, err := a.notKnown(ctx, loaded)
		if err != nil || len(faults) == 0 {
			return err
		}
		if now := time.Now(); now.Sub(told) >= tellOlder {
			told = now
			for i := range faults {
				a.opt.Logger.WarnContext(ctx, "the start waits until an older replica is gone", "at", faults[i].String(), "reason", faults[i].Message, "hint", "stop it, or leave the words out until all are of this version")
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for older replicas: %w", ctx.Err())
		case <-time.After(askOlder):
		}
	}
}
