package admin

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"time"

	"hookgate/app/ingest/source"
	"hookgate/internal/event"
)

// Inbound is a source or form: what can send here, and where to.
type Inbound struct {
	Name string `json:"name"`
	Form bool   `json:"form"`
	// Sender is who it is for, as samples name it: sitejet, github, webhook; of a
	// form the form builder, "" where visitors fill it in.
	Sender string `json:"sender,omitempty"`
	URL    string `json:"url"`    // with •••• in place of a secret; "": nobody posts to it
	Secret bool   `json:"secret"` // whoever has the whole URL can send
	// Last is when something came in last: of a source that is quiet among others to
	// five minutes, and within five weeks.
	Last *time.Time `json:"last,omitempty"`
	// Schedule is when the clock makes its events; nil: never.
	Schedule *Schedule `json:"schedule,omitempty"`
	// Signing is how its sender signs, without the secret; nil: it does not.
	Signing *source.Signing `json:"signing,omitempty"`
}

// Schedule is when the clock makes events of a source.
type Schedule struct {
	Cron     string      `json:"cron"`
	Timezone string      `json:"timezone"`
	Words    string      `json:"words"` // in English
	Only     string      `json:"only_during,omitempty"`
	Next     []time.Time `json:"next"` // the next ticks

	words func(lang string) string
}

// nextTicks is how many of the next ticks are told.
const nextTicks = 3

// NewSchedule tells of a schedule, as seen at a time.
func NewSchedule(of *source.Schedule, now time.Time) *Schedule {
	return &Schedule{
		Cron: of.Cron.String(), Timezone: of.Location.String(), Words: of.Cron.Words("en"), Only: of.Calendar(), Next: of.Ticks(now, nextTicks), words: of.Cron.Words,
	}
}

// In says in a language when the schedule comes.
func (s *Schedule) In(lang string) string {
	if s.words == nil { // it comes from another process
		return s.Words
	}
	return s.words(lang)
}

// Address is the whole URL of a source or form, with its secret.
type Address struct {
	Name string `json:"name"`
	URL  string `json:"url"`
}

// Inbounds lists the sources and forms in force, in the order of the file.
func (s *Service) Inbounds(ctx context.Context) (page Page[Inbound], err error) {
	now := s.inForce()
	page.Items = []Inbound{}
	last, err := s.lastArrivals(ctx, slices.Concat(now.Sources, now.Forms))
	if err != nil {
		return page, err
	}
	for _, list := range [][]string{now.Sources, now.Forms} {
		for _, name := range list {
			one, token, known := now.inbound(name)
			if !known {
				continue
			}
			if src := now.Plan.Sources[name]; src != nil && src.Schedule() != nil {
				one.Schedule = NewSchedule(src.Schedule(), s.opt.Now())
			}
			if one.Secret = !token.IsZero(); one.Secret {
				one.URL += "/••••"
			}
			if at, known := last[name]; known {
				one.Last = &at
			}
			page.Items = append(page.Items, one)
		}
	}
	return page, nil
}

// lastArrivals tells when the last event of each of the sources and forms came: exactly
// where it is kept, else as the counts know it.
func (s *Service) lastArrivals(ctx context.Context, names []string) (map[string]time.Time, error) {
	last := map[string]time.Time{}
	slots, err := s.store.LastTraffic(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for the newest event of each source: %w", err)
	}
	for name, slot := range slots {
		last[name] = slotStart(slot)
	}
	newest, err := s.store.LastEvents(ctx, names)
	if err != nil {
		return nil, fmt.Errorf("look for the newest event of each source: %w", err)
	}
	for name, id := range newest {
		if at := id.Time().UTC(); at.After(last[name]) { // else a later one is kept no more
			last[name] = at
		}
	}
	return last, nil
}

// Address gives the whole URL that a source or form is posted to. Whoever has it
// can send, so it is logged who asked.
func (s *Service) Address(ctx context.Context, name string) (Address, error) {
	one, token, known := s.inForce().inbound(name)
	if !known {
		return Address{}, &NotFoundError{fmt.Sprintf("there is no source or form %q", name)}
	}
	if one.URL == "" {
		return Address{}, refuse("nobody posts to %q: it has no URL", name)
	}
	if !token.IsZero() {
		one.URL += "/" + url.PathEscape(token.Reveal())
		s.opt.Logger.InfoContext(ctx, "the address of a source was shown", "source", name, "by", actor(ctx))
	}
	return Address{Name: name, URL: one.URL}, nil
}

// inbound is the source or form of the name, and the secret end of its URL.
func (c *InForce) inbound(name string) (one Inbound, token event.Secret, known bool) {
	if src := c.Plan.Sources[name]; src != nil {
		one = Inbound{Name: name, Sender: src.Sender(), Signing: src.Signing()}
		if src.Posted() {
			one.URL = c.BaseURL + "/in/" + name
		}
		return one, src.Token(), true
	}
	form := c.Plan.Forms[name]
	if form == nil {
		return one, token, false
	}
	one = Inbound{Name: name, Form: true, Sender: form.Format(), URL: c.BaseURL + "/f/" + name}
	if src := c.Plan.Senders[name]; src != nil { // a form builder posts to it
		one.Signing = src.Signing()
		return one, src.Token(), true
	}
	return one, event.Secret{}, true
}
