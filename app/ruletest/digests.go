package ruletest

import (
	"cmp"
	"slices"
	"time"

	"hookgate/internal/event"
	"hookgate/rules"
)

// digest is one that a test's events have opened.
type digest struct {
	gather event.Gather // of the event that opened it
	opened time.Time
	due    time.Time
	size   int
	full   bool
	events []event.Event
	action rules.ActionTrace // of the newest
}

// join has an event join a digest at now, as the commit of an event does.
func (s *story) join(e *event.Event, a *rules.ActionTrace, now time.Time) {
	g := a.Digest.Joining.Gather(len(e.Data()), now)
	i := slices.IndexFunc(s.digests, func(d *digest) bool {
		return !d.full && d.gather.Name == g.Name && d.gather.Key == g.Key && d.due.After(now) && d.size+g.Size <= event.MaxDigest
	})
	if i < 0 {
		for _, d := range s.digests { // one that was too large for it closes
			if d.gather.Name == g.Name && d.gather.Key == g.Key && !d.full && d.due.After(now) {
				d.full, d.due = true, now
			}
		}
		d := &digest{gather: g, opened: now, due: g.Closes(now)}
		i, s.digests = len(s.digests), append(s.digests, d)
	}
	d := s.digests[i]
	d.due = a.Digest.Joining.ClosesOpen(d.opened, d.due, now)
	d.events, d.size, d.action = append(d.events, *e), d.size+g.Size, *a
	if len(d.events) >= g.Max {
		d.full, d.due = true, now
	}
}

// goes is when what is made of the digest is sent.
func (d *digest) goes() time.Time { return d.action.Digest.Joining.Goes(d.due) }

// closed are the digests that close at now or before, in the order in which they do:
// rendered as they are then, each due when it goes.
func (s *story) closed(now time.Time) (list []waiting) {
	slices.SortStableFunc(s.digests, func(a, b *digest) int { return cmp.Compare(a.due.UnixNano(), b.due.UnixNano()) })
	for len(s.digests) > 0 && !s.digests[0].due.After(now) {
		d := s.digests[0]
		s.digests = s.digests[1:]
		list = append(list, waiting{due: d.goes(), closed: true, sending: sending{event: d.events[len(d.events)-1], action: s.close(d)}})
	}
	return list
}

// close renders what is sent for a digest that has closed.
func (s *story) close(d *digest) rules.ActionTrace {
	a := d.action
	a.Sent = true
	var items []any
	for i := range d.events {
		item, err := s.plan.Item(&d.events[i])
		if err != nil {
			a.Err = err.Error()
			return a
		}
		items = append(items, item)
	}
	made, _, err := s.plan.AtClose(&d.events[len(d.events)-1], a.Ref, items)
	if err != nil {
		made.Err = err.Error()
	}
	a.Err, a.Output, a.Key, a.Warnings = made.Err, made.Output, made.Key, made.Warnings
	return a
}
