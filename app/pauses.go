package app

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"hookgate/app/deliver"
	"hookgate/db"
	"hookgate/internal/event"
)

// drainEvery is how often is looked whether what was held has been sent.
const drainEvery = 2 * time.Second

// refreshEvery is how often the pause states are read untold where other
// replicas can change them: being told is quicker but not certain.
const refreshEvery = 5 * time.Second

// pauses has the workers obey the stored pause states.
type pauses struct {
	store   *db.Store
	workers *deliver.Dispatcher
	logger  *slog.Logger
	now     func() time.Time

	reading   sync.Mutex  // an older list must not come after a newer one
	releasing atomic.Bool // some connection sends what was held at a rate of its own
	ending    atomic.Bool // some pause has an end
}

// load reads the pause states.
func (p *pauses) load(ctx context.Context) error {
	p.reading.Lock()
	defer p.reading.Unlock()
	list, err := p.store.PauseStates(ctx)
	if err != nil {
		return err
	}
	p.workers.SetPauseStates(list) //nolint:contextcheck // what it starts outlives the caller
	draining := slices.ContainsFunc(list, func(s event.PauseState) bool { return !s.Paused && s.Count > 0 })
	p.releasing.Store(draining)
	p.ending.Store(slices.ContainsFunc(list, func(s event.PauseState) bool { return s.Paused && !s.Until.IsZero() }))
	return nil
}

// changed reads the pause states again; what cannot be read is read later.
func (p *pauses) changed(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := p.load(ctx); err != nil {
		p.logger.WarnContext(ctx, "the switches of connections cannot be read, trying again", "error", err)
	}
}

// follow obeys what other replicas store, where the database is shared, and
// ends pauses whose time is over and the rates of connections that have sent what
// was held, until ctx ends.
func (p *pauses) follow(ctx context.Context, shared bool) {
	read := p.now()
	every(ctx, drainEvery, func() {
		ended := p.end(ctx)
		if p.releasing.Load() {
			drained, err := p.store.Drained()
			if err != nil {
				p.logger.WarnContext(ctx, "whether what was held is sent cannot be told, trying again", "error", err)
			}
			ended = ended || drained
		}
		if ended || shared && p.now().Sub(read) >= refreshEvery {
			read = p.now()
			p.changed(ctx)
		}
	})
}

// end has connections go on whose pause is over; it reports whether there were any.
func (p *pauses) end(ctx context.Context) bool {
	if !p.ending.Load() {
		return false
	}
	list, err := p.store.EndPauses()
	if err != nil {
		p.logger.WarnContext(ctx, "whether a pause is over cannot be told, trying again", "error", err)
	}
	for i := range list {
		p.logger.InfoContext(ctx, "a pause is over", "audit", "connection resumed", "connection", list[i].Connection, "by", "its end", "paused_by", list[i].By, "note", list[i].Note)
	}
	return len(list) > 0
}
