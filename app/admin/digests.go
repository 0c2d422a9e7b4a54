package admin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hookgate/internal/event"
)

// digestStore has the digests that are open, and what is in them.
type digestStore interface {
	Digests(ctx context.Context) ([]event.OpenDigest, error)
	Digest(ctx context.Context, id event.DigestID) (event.OpenDigest, error)
	DigestItems(ctx context.Context, digest int64) ([]event.DigestItem, error)
	Memberships(ctx context.Context, events ...event.ID) ([]event.Membership, error)
	SendDigest(id event.DigestID) (found bool, err error)
	CancelDigest(id event.DigestID) (found bool, err error)
}

// Digest is a digest that is open: events gather in it until it closes.
type Digest struct {
	ID         event.DigestID `json:"id"`
	Action     string         `json:"action"` // leads/mail
	Rule       string         `json:"rule"`
	Connection string         `json:"connection"`
	Name       string         `json:"name"` // under which it is kept: that of the action, or of its step
	Key        string         `json:"key,omitempty"`
	Keyed      bool           `json:"keyed,omitempty"`
	Events     int            `json:"events"`
	Bytes      int            `json:"bytes"` // of their data
	Opened     time.Time      `json:"opened"`
	Closes     time.Time      `json:"closes"`
	By         string         `json:"closes_by"`      // in words
	Full       bool           `json:"full,omitempty"` // nothing more joins it
	// OnlyDuring is the calendar that what is made of it waits for then, by the rules
	// in force.
	OnlyDuring string `json:"only_during,omitempty"`
}

// DigestDetail is a digest with the events in it, in the order of their acceptance.
type DigestDetail struct {
	Digest
	Items []DigestItem `json:"items"`
}

// DigestItem is an event in a digest.
type DigestItem struct {
	Event   event.ID  `json:"event"`
	Time    time.Time `json:"time"`
	Source  string    `json:"source"`
	Type    string    `json:"type"`
	Summary string    `json:"summary,omitempty"`
}

// Gathered tells in which digest an event is.
type Gathered struct {
	Action string `json:"action"`
	Key    string `json:"key,omitempty"`
	Others int    `json:"others"` // other events in it
	// Digest is the one that it is in while that is open, with its time.
	Digest *event.DigestID `json:"digest,omitempty"`
	Closes *time.Time      `json:"closes,omitempty"`
	// Delivery is what was made of it, and State how that stands; both are left out
	// where the digest was given up.
	Delivery *event.DeliveryID   `json:"delivery,omitempty"`
	State    event.DeliveryState `json:"state,omitempty"`
}

// Digests lists those that are open, the first that closes first.
func (s *Service) Digests(ctx context.Context) (page Page[Digest], err error) {
	list, err := s.store.Digests(ctx)
	if err != nil {
		return page, err
	}
	page.Items = make([]Digest, len(list))
	for i := range list {
		page.Items[i] = s.digestOf(&list[i])
	}
	return page, nil
}

// Digest is one that is open.
func (s *Service) Digest(ctx context.Context, id event.DigestID) (out DigestDetail, err error) {
	d, err := s.store.Digest(ctx, id)
	if err != nil {
		return out, missing(err, "there is no open digest %s: it may have closed", id)
	}
	out = DigestDetail{Digest: s.digestOf(&d), Items: []DigestItem{}}
	items, err := s.store.DigestItems(ctx, int64(id))
	if err != nil {
		return out, err
	}
	for _, i := range items {
		e, err := s.store.Event(ctx, i.Event)
		if errors.Is(err, event.ErrNotFound) { // it has just been deleted
			continue
		}
		if err != nil {
			return out, fmt.Errorf("read event %s: %w", i.Event, err)
		}
		out.Items = append(out.Items, DigestItem{Event: e.ID, Time: e.ReceivedAt.UTC(), Source: e.Source, Type: e.Type, Summary: Summary(e.Data())})
	}
	return out, nil
}

// SendDigest closes a digest now.
func (s *Service) SendDigest(ctx context.Context, id event.DigestID) (Digest, error) {
	return s.endDigest(ctx, id, "digest sent", s.store.SendDigest)
}

// CancelDigest gives a digest up: the events in it stay, and nothing is sent of them.
func (s *Service) CancelDigest(ctx context.Context, id event.DigestID) (Digest, error) {
	return s.endDigest(ctx, id, "digest cancelled", s.store.CancelDigest)
}

func (s *Service) endDigest(ctx context.Context, id event.DigestID, what string, end func(event.DigestID) (bool, error)) (Digest, error) {
	d, err := s.store.Digest(ctx, id)
	found := err == nil
	if found {
		found, err = end(id)
	}
	if err == nil && !found {
		err = event.ErrNotFound
	}
	if err != nil {
		return Digest{}, missing(err, "there is no open digest %s: it may have closed", id)
	}
	s.opt.Logger.InfoContext(ctx, "by hand", "audit", what, "digest", id, "action", d.Timer.Name, "events", d.Events, "by", actor(ctx))
	return s.digestOf(&d), nil
}

func (s *Service) digestOf(d *event.OpenDigest) Digest {
	return Digest{
		ID: d.ID, Action: event.ActionName(d.Rule, d.Connection, d.Action), Rule: d.Rule, Connection: d.Connection, Name: d.Timer.Name, Key: d.Key, Keyed: d.Keyed, Events: d.Events, Bytes: d.Size,
		Opened: event.ID(d.ID).Time().UTC(), Closes: d.Timer.Due, By: d.Closes, Full: d.Full,
		OnlyDuring: s.inForce().during(&d.DigestInfo),
	}
}

// during is the calendar that the action of a digest keeps to; "" is none.
func (c *InForce) during(d *event.DigestInfo) string {
	for i := range c.Rules {
		if c.Rules[i].Name != d.Rule {
			continue
		}
		for j := range c.Rules[i].Actions {
			if a := &c.Rules[i].Actions[j]; a.To == d.Connection && a.Action == d.Action {
				return a.OnlyDuring
			}
		}
	}
	return ""
}

// gatheredIn tells in which digests each of the events is.
func (s *Service) gatheredIn(ctx context.Context, ids []event.ID) (map[event.ID][]Gathered, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	list, err := s.store.Memberships(ctx, ids...)
	if err != nil {
		return nil, err
	}
	out := map[event.ID][]Gathered{}
	for i := range list {
		m := &list[i]
		g := Gathered{Action: event.ActionName(m.Info.Rule, m.Info.Connection, m.Info.Action), Key: m.Info.Key, Others: m.Others, State: m.State}
		switch {
		case m.Open != nil:
			g.Digest, g.Closes = &m.Open.ID, &m.Open.Timer.Due
		case m.Closed != 0:
			g.Delivery = &m.Closed
		}
		out[m.Event] = append(out[m.Event], g)
	}
	return out, nil
}
