package app

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"hookgate/app/deliver"
	"hookgate/db"
)

// limitsEvery is how often is read, untold, which breakers and pauses other
// replicas know of: being told is quicker but not certain.
const limitsEvery = time.Second

// sharedLimits has the workers obey what all replicas know of the receivers.
// Its shared is nil where no other process sends to the connections.
type sharedLimits struct {
	shared  *db.SharedLimits
	workers *deliver.Dispatcher
	logger  *slog.Logger
}

// first reads what is known before the workers start. What is older than it was
// meant to be is of no interest.
func (l *sharedLimits) first(ctx context.Context) error {
	if l.shared == nil {
		return nil
	}
	if err := l.shared.CloseExpired(ctx); err != nil {
		return err
	}
	return l.load(ctx)
}

// askTries is how often a start asks what other replicas know: where many start
// at once, a further connection to a busy database is not made in time.
const askTries = 4

// askReplicas reads what other replicas know of pauses and limits.
func (a *App) askReplicas(ctx context.Context) (err error) {
	for range askTries {
		if err = errors.Join(a.pauses.load(ctx), a.limits.first(ctx)); err == nil {
			return nil
		}
	}
	return err
}

func (l *sharedLimits) load(ctx context.Context) error {
	asked := time.Now()
	list, err := l.shared.Blocked(ctx)
	if err != nil {
		return err
	}
	l.workers.Follow(list, asked)
	return nil
}

// changed reads it again; what cannot be read is read later.
func (l *sharedLimits) changed(ctx context.Context) {
	if l.shared == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := l.load(ctx); err != nil && ctx.Err() == nil {
		l.logger.DebugContext(ctx, "what other replicas found out about connections cannot be read, trying again", "error", err)
	}
}

// follow obeys what other replicas find out, until ctx ends.
func (l *sharedLimits) follow(ctx context.Context) {
	if l.shared != nil {
		every(ctx, limitsEvery, func() { l.changed(ctx) })
	}
}
