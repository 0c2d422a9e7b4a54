// Package alert tells rules of what happens to hookgate itself: it makes events
// of source event.Own of the signals that were committed with what happened,
// and finds out how connections are. How rules go on from there is the business
// of rules: alerts are filtered, sent, retried and kept as any other event is.
package alert

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"hookgate/app/admin"
	"hookgate/app/ingest"
	"hookgate/app/ingest/source"
	"hookgate/internal/event"
)

const (
	// lookEvery is how often signals are looked for.
	lookEvery = time.Second
	// checkEvery is how often the connections' backlogs are looked at.
	checkEvery = 30 * time.Second
	// most is how many signals one look tells of.
	most = 200
)

// Store keeps signals, and what they are about.
type Store interface {
	Signal(list ...event.Signal) error
	EndSignal(name, key string, then *event.Signal) error
	SignalKeys(ctx context.Context, name string) ([]string, error)
	DueSignals(ctx context.Context, limit int) ([]event.Signal, error)
	Event(ctx context.Context, id event.ID) (event.Event, error)
}

// Intake stores the events.
type Intake interface {
	Tell(plan *ingest.Plan, signal *event.Signal, data []byte, now time.Time) (bool, error)
	Untold(now time.Time) []event.Signal
}

// Options are what a Teller works with.
type Options struct {
	Store  Store
	Intake Intake
	// Plan gives the configuration in force.
	Plan func() *ingest.Plan
	// Broken are the connections of which the breaker is open.
	Broken func() map[string]bool
	// Connections tells how all connections are.
	Connections func(ctx context.Context) (admin.Page[admin.Connection], error)
	Logger      *slog.Logger
	Now         func() time.Time
	// Lost is told of each alert that failed itself: nobody else is.
	Lost func()
}

// Teller tells of signals. Run may be called once.
type Teller struct {
	opt     Options
	failing map[string]*standing // connections of which the breaker was seen open
	checked time.Time
}

// New makes a Teller.
func New(opt Options) *Teller { return &Teller{opt: opt} }

// Run tells until ctx ends. At the start it looks whatever the rules are: what
// was left by an earlier version is told of, or forgotten.
func (t *Teller) Run(ctx context.Context) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for first := true; ; first = false {
		if first || t.opt.Plan().Rules.ListensTo(event.Own) {
			if err := t.Look(ctx); err != nil && !errors.Is(err, context.Canceled) {
				t.opt.Logger.WarnContext(ctx, "alerts could not be made, trying again", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			t.keep()
			return
		case <-ticker.C:
		}
	}
}

// keep stores what was counted in memory alone, so that a stop loses nothing.
func (t *Teller) keep() {
	if list := t.opt.Intake.Untold(t.opt.Now().Add(time.Hour)); len(list) > 0 {
		if err := t.opt.Store.Signal(list...); err != nil {
			t.opt.Logger.Warn("how often something has happened could not be kept", "error", err)
		}
	}
}

// Look finds out how connections are, and tells of all signals that are due.
func (t *Teller) Look(ctx context.Context) error {
	if list := t.opt.Intake.Untold(t.opt.Now()); len(list) > 0 {
		if err := t.opt.Store.Signal(list...); err != nil {
			return err
		}
	}
	if err := t.watch(ctx); err != nil {
		return err
	}
	for {
		list, err := t.opt.Store.DueSignals(ctx, most)
		if err != nil {
			return err
		}
		for i := range list {
			if err := t.tell(ctx, &list[i]); err != nil {
				return err
			}
		}
		if len(list) < most {
			return nil
		}
	}
}

// tell tells of one signal.
func (t *Teller) tell(ctx context.Context, signal *event.Signal) error {
	data, err := t.data(ctx, signal)
	if err != nil {
		return err
	}
	_, err = t.opt.Intake.Tell(t.opt.Plan(), signal, data, t.opt.Now())
	return err
}

// data is that of the event to be made; nil: nobody is to be told.
func (t *Teller) data(ctx context.Context, signal *event.Signal) ([]byte, error) {
	var what source.Told
	err := json.Unmarshal(signal.Value, &what)
	if err == nil {
		what.Count = 0
		if signal.Name != event.ConnectionFailing && signal.Name != event.ConnectionRecovered && signal.Name != event.ConnectionBehind {
			what.Count = signal.Count
		}
		err = t.complete(ctx, &what)
	}
	switch {
	case err == nil:
		return what.Write(), nil
	case errors.Is(err, errOwn):
		t.opt.Lost()
		t.opt.Logger.ErrorContext(ctx, "an alert could not be delivered, and nobody else is told", "delivery", what.Delivery, "connection", what.Connection, "error", what.Error)
		return nil, nil
	case errors.Is(err, event.ErrNotFound): // erased since
		return nil, nil
	}
	return nil, err
}

// errOwn says that what failed was an alert.
var errOwn = errors.New("it is an alert")

// complete adds what a lane does not know of the event whose delivery failed.
func (t *Teller) complete(ctx context.Context, what *source.Told) error {
	if what.Type != event.DeliveryFailed || what.Source != "" {
		return nil
	}
	id, err := event.ParseID(what.Event)
	if err != nil {
		return errors.Join(event.ErrNotFound, err)
	}
	e, err := t.opt.Store.Event(ctx, id)
	if err != nil {
		return err
	}
	if e.Source == event.Own {
		return errOwn
	}
	what.Source, what.EventType = e.Source, e.Type
	return nil
}
