package alert

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"hookgate/app/admin"
	"hookgate/app/deliver"
	"hookgate/app/ingest/source"
	"hookgate/internal/event"
)

// steady is how long a connection must work before it is told that it does: one
// that fails again and again would make an alert each time.
const steady = time.Minute

// steps are for how long what is due must wait until somebody is told, with
// how they are written.
var steps = []struct {
	after time.Duration
	name  string
}{{15 * time.Minute, "15m"}, {time.Hour, "1h"}, {6 * time.Hour, "6h"}, {24 * time.Hour, "24h"}}

// standing is a connection that somebody was told of, or is about to be.
type standing struct {
	since   time.Time
	working time.Time // since when its breaker is closed; zero: it is open
}

// watch notes what becomes of connections.
func (t *Teller) watch(ctx context.Context) error {
	set := t.opt.Plan().Rules
	if set.Listens(event.Own, event.ConnectionFailing) || set.Listens(event.Own, event.ConnectionRecovered) {
		if err := t.breakers(ctx); err != nil {
			return err
		}
	}
	now := t.opt.Now()
	if set.Listens(event.Own, event.ConnectionBehind) && now.Sub(t.checked) >= checkEvery {
		t.checked = now
		return t.behind(ctx, now)
	}
	return nil
}

// breakers notes those that have opened, and those that have closed and stayed
// so.
func (t *Teller) breakers(ctx context.Context) error {
	now := t.opt.Now()
	if err := t.recall(ctx, now); err != nil {
		return err
	}
	broken := t.opt.Broken()
	for name, open := range broken {
		of := t.failing[name]
		switch {
		case open && of == nil:
			if err := t.open(ctx, name, now); err != nil {
				return err
			}
		case open:
			of.working = time.Time{}
		}
	}
	for name, of := range t.failing {
		if broken[name] {
			continue
		}
		if of.working.IsZero() {
			of.working = now
		}
		if now.Sub(of.working) >= steady {
			if err := t.closed(ctx, name, of, now); err != nil {
				return err
			}
		}
	}
	return nil
}

// recall finds out at the start what was failing before it.
func (t *Teller) recall(ctx context.Context, now time.Time) error {
	if t.failing != nil {
		return nil
	}
	known, err := t.opt.Store.SignalKeys(ctx, event.ConnectionFailing)
	if err != nil {
		return err
	}
	t.failing = map[string]*standing{}
	for _, name := range known {
		t.failing[name] = &standing{working: now}
	}
	return nil
}

// open notes that a breaker has opened.
func (t *Teller) open(ctx context.Context, name string, now time.Time) error {
	c, err := t.connection(ctx, name)
	if err != nil {
		return err
	}
	err = t.note(name, event.UntilEnded, source.Told{
		Type: event.ConnectionFailing, Connection: name, Error: c.LastError, Since: now.UTC().Format(time.RFC3339), Waiting: c.Waiting + c.Held,
	})
	if err == nil {
		t.failing[name] = &standing{since: now}
	}
	return err
}

// closed notes that a connection works again, unless its last attempt says
// otherwise: the breakers are closed at a start, whatever was before.
func (t *Teller) closed(ctx context.Context, name string, of *standing, now time.Time) error {
	c, err := t.connection(ctx, name)
	if err != nil {
		return err
	}
	if c.State == string(deliver.Failing) {
		of.working = now
		return nil
	}
	what := source.Told{Type: event.ConnectionRecovered, Connection: name}
	if !of.since.IsZero() {
		what.Since = of.since.UTC().Format(time.RFC3339)
	}
	value, err := json.Marshal(what)
	if err != nil {
		return err
	}
	then := &event.Signal{Name: what.Type, Key: name + " " + now.UTC().Format(time.RFC3339), Value: value}
	if c.Name == "" { // it is not configured any more
		then = nil
	}
	if err = t.opt.Store.EndSignal(event.ConnectionFailing, name, then); err == nil {
		delete(t.failing, name)
	}
	return err
}

// connection is how a connection is; the zero Connection where there is none.
func (t *Teller) connection(ctx context.Context, name string) (admin.Connection, error) {
	page, err := t.opt.Connections(ctx)
	if err != nil {
		return admin.Connection{}, err
	}
	if i := slices.IndexFunc(page.Items, func(c admin.Connection) bool { return c.Name == name }); i >= 0 {
		return page.Items[i], nil
	}
	return admin.Connection{}, nil
}

// behind notes the connections of which something is due for long, and forgets
// those that have caught up.
func (t *Teller) behind(ctx context.Context, now time.Time) error {
	page, err := t.opt.Connections(ctx)
	if err != nil {
		return err
	}
	known, err := t.opt.Store.SignalKeys(ctx, event.ConnectionBehind)
	if err != nil {
		return err
	}
	for i := range page.Items {
		c := &page.Items[i]
		for _, step := range steps {
			key := c.Name + " " + step.name
			late := c.DueSince != nil && now.Sub(*c.DueSince) >= step.after
			switch {
			case late && !slices.Contains(known, key):
				err = t.note(key, event.UntilEnded, source.Told{
					Type: event.ConnectionBehind, Connection: c.Name, Behind: step.name, Since: c.DueSince.UTC().Format(time.RFC3339), Waiting: c.Waiting + c.Held,
				})
			case !late && slices.Contains(known, key):
				err = t.opt.Store.EndSignal(event.ConnectionBehind, key, nil)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *Teller) note(key string, rest time.Duration, what source.Told) error {
	value, err := json.Marshal(what)
	if err != nil {
		return err
	}
	return t.opt.Store.Signal(event.Signal{Name: what.Type, Key: key, Value: value, Rest: rest})
}
