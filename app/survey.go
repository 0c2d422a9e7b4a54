package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"hookgate/app/config"
	"hookgate/db"
	"hookgate/internal/event"
	"hookgate/internal/schema"
)

// The bounds of a survey: how many of a source's newest events are looked at,
// how many are in memory at once, how long it may take where a source's events
// are rare among many others, and how long the surveys of all may take.
const (
	surveyEvents = 500
	surveyPage   = 50
	surveyTime   = 3 * time.Second
	surveyAll    = 15 * time.Second
)

// lister is what a survey reads: the store, or a file that nobody has open.
type lister interface {
	Events(ctx context.Context, f event.Filter) ([]event.Event, error)
}

// Origins is what is documented of each source, or follows from the fields of
// each form, by name.
func (l *Plan) Origins() map[string]schema.Source {
	origins := map[string]schema.Source{}
	for name, s := range l.Sources {
		o := schema.Source{Name: name}
		o.Sender, o.Documented = s.Documented()
		origins[name] = o
	}
	for name, f := range l.Forms {
		origins[name] = schema.Source{Name: name, Form: true, Documented: f.Shape()}
	}
	return origins
}

// survey looks at the newest events of a source or form that could be
// understood, and says what they look like, by type. What was found when the
// time is over is what it says.
func survey(ctx context.Context, from lister, name string) ([]schema.Payload, error) {
	ctx, cancel := context.WithTimeout(ctx, surveyTime)
	defer cancel()
	builders := map[string]*schema.Builder{}
	f := event.Filter{Source: name, States: []event.State{event.Routed, event.NoMatch, event.RuleError}, Limit: surveyPage}
	for seen := 0; seen < surveyEvents; seen += surveyPage {
		list, err := from.Events(ctx, f)
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("look at the events of %s: %w", name, err)
		}
		for i := range list {
			e := &list[i]
			if builders[e.Type] == nil {
				builders[e.Type] = schema.NewBuilder()
			}
			builders[e.Type].Add(e.Data())
			f.Before = e.ID
		}
		if len(list) < surveyPage {
			break
		}
	}
	return shapes(builders), nil
}

// shapes are those of the builders, the most frequent first.
func shapes(builders map[string]*schema.Builder) []schema.Payload {
	list := make([]schema.Payload, 0, len(builders))
	for typ, b := range builders {
		if s := b.Payload(typ); s.Events > 0 {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b schema.Payload) int {
		if a.Events != b.Events {
			return b.Events - a.Events
		}
		return slices.Compare([]string{a.Type}, []string{b.Type})
	})
	return list
}

// Survey is what is known of the sources and forms of that name: documented,
// and seen in the database where there is one. For commands that run beside no
// server. Where the database cannot be read, the error says why, beside what
// is documented.
func (l *Plan) Survey(ctx context.Context, names ...string) (map[string]schema.Source, error) {
	known := l.Origins()
	origins := map[string]schema.Source{}
	for _, name := range names {
		if o, found := known[name]; found {
			origins[name] = o
		}
	}
	ctx, cancel := context.WithTimeout(ctx, surveyAll)
	defer cancel()
	reader, err := openReader(ctx, l.Config.Storage)
	if reader == nil {
		return origins, err
	}
	defer func() { _ = reader.Close() }()
	for name, o := range origins {
		if o.Seen, err = survey(ctx, reader, name); err != nil {
			return origins, err
		}
		origins[name] = o
	}
	return origins, nil
}

// openReader opens the SQLite file, or connects to PostgreSQL, for reading;
// nil if there is nothing there yet.
func openReader(ctx context.Context, s config.Storage) (*db.Reader, error) {
	if s.URL.IsZero() {
		reader, err := db.OpenReader(s.Path)
		if errors.Is(err, os.ErrNotExist) {
			return nil, nil
		}
		return reader, err
	}
	if strings.Contains(s.URL.Reveal(), "${") { // the environment lacks it, which is an error already
		return nil, nil
	}
	reader, err := db.OpenPostgresReader(s.URL)
	if err != nil {
		return nil, err
	}
	if begun, err := reader.Begun(ctx); err != nil || !begun {
		return nil, errors.Join(err, reader.Close())
	}
	return reader, nil
}

// Fields is what is known of a source or form: event.ErrNotFound if the
// configuration in force has none of that name.
func (a service) Fields(ctx context.Context, name string, form bool) (schema.Source, error) {
	o, found := a.plan.Load().Origins()[name]
	if !found || o.Form != form {
		return schema.Source{}, fmt.Errorf("%q: %w", name, event.ErrNotFound)
	}
	var err error
	o.Seen, err = survey(ctx, a.store, name)
	return o, err
}
