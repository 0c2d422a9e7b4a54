package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"hookgate/internal/event"
	"hookgate/internal/memo"
	"hookgate/internal/schema"
)

// The bounds of a sample: how many of a source's newest events are looked at,
// how many are in memory at once, and how long it may take where those of a form or
// those that could be understood are rare.
const (
	sampleEvents = 500
	samplePage   = 50
	sampleTime   = 3 * time.Second
)

// EventLister is what is sampled: the store, or a file that nobody has open.
type EventLister interface {
	Events(ctx context.Context, f event.Filter) ([]event.Event, error)
}

// Fields is what is known of a source or form: documented, and seen.
func (s *Service) Fields(ctx context.Context, name string, form bool) (schema.Source, error) {
	known, found := s.inForce().Known[name]
	if !found || known.Form != form {
		noun := "source"
		if form {
			noun = "form"
		}
		return schema.Source{}, &NotFoundError{fmt.Sprintf("there is no %s %q", noun, name)}
	}
	var err error
	if known.Seen, err = s.samples.Get(ctx, sampled{name, form}, func(ctx context.Context) ([]schema.Payload, error) {
		return Sample(ctx, s.store, name, form)
	}); err != nil {
		return known, err
	}
	if known.Documented == nil {
		known.Documented = []schema.Payload{}
	}
	return known, nil
}

// sampled is what the newest events are looked at of: a source, or a form.
type sampled struct {
	name string
	form bool
}

// manySampled reports whether a sample is of as many events as one is at the most, or
// nearly.
func manySampled(list []schema.Payload) bool {
	n := 0
	for i := range list {
		n += list[i].Events
	}
	return n > sampleEvents/2
}

// Sample looks at the newest events of a source or form that could be
// understood, and says what they look like, by type. What was found when the
// time is over is what it says.
func Sample(ctx context.Context, from EventLister, name string, form bool) ([]schema.Payload, error) {
	limit := sampleTime
	if memo.Behind(ctx) {
		limit *= 1 + memo.Rests
	}
	whole := ctx
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	builders := map[string]*schema.Builder{}
	f := event.Filter{Source: name, FormsOnly: form, States: event.JudgedStates(), Limit: samplePage}
	for seen := 0; seen < sampleEvents; seen += samplePage {
		began := time.Now()
		list, err := from.Events(ctx, f)
		if errors.Is(ctx.Err(), context.DeadlineExceeded) && whole.Err() == nil {
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
		if len(list) < samplePage {
			break
		}
		memo.Rest(ctx, time.Since(began))
	}
	return payloads(builders), nil
}

// payloads are those of the builders, the most frequent first.
func payloads(builders map[string]*schema.Builder) []schema.Payload {
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
