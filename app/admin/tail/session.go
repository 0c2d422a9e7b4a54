package tail

import (
	"context"
	"slices"
	"time"

	"hookgate/internal/event"
)

// followEvery is how often deliveries that were shown open are looked at.
const followEvery = 2 * time.Second

// keepBody is how large an event's body may be to be kept while its deliveries
// are followed: a watcher's condition needs it once more at their end.
const keepBody = 16 << 10

// session is what a Feed knows while somebody watches. Of one goroutine.
type session struct {
	feed     *Feed
	start    time.Time
	seen     map[event.ID]bool // of the window
	pending  []*pending        // not shown yet, the oldest first
	followed []followed        // shown, with a delivery that is open
	lookedAt time.Time         // at what is followed
	first    bool
}

type pending struct {
	event event.Event
	since time.Time
}

type followed struct {
	event    *event.Event
	delivery event.DeliveryID
}

func newSession(f *Feed, since time.Time) *session {
	return &session{feed: f, start: since, seen: map[event.ID]bool{}, first: true}
}

// look reads what is new and shows what can be shown.
func (s *session) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, window)
	defer cancel()
	now := s.feed.opt.Now()
	if err := s.gather(ctx, now); err != nil {
		return err
	}
	if err := s.settle(ctx, now); err != nil {
		return err
	}
	if now.Sub(s.lookedAt) < followEvery || len(s.followed) == 0 {
		return nil
	}
	s.lookedAt = now
	return s.follow(ctx)
}

// gather takes in the events that are new.
func (s *session) gather(ctx context.Context, now time.Time) error {
	since := now.Add(-window)
	if since.Before(s.start) {
		since = s.start
	}
	page, err := s.feed.store.Events(ctx, event.Filter{Since: since, Limit: pageSize})
	if err != nil {
		return err
	}
	if len(page) == pageSize && !s.first && !s.seen[page[pageSize-1].ID] {
		s.feed.missed()
	}
	s.first = false
	for i := len(page) - 1; i >= 0; i-- {
		if e := &page[i]; !s.seen[e.ID] {
			s.seen[e.ID] = true
			s.pending = append(s.pending, &pending{event: *e, since: now})
		}
	}
	old := event.FirstIDAt(now.Add(-2 * window))
	for id := range s.seen {
		if id < old {
			delete(s.seen, id)
		}
	}
	return nil
}

// settle shows the events whose deliveries have had their first attempt, and
// those that have waited for it long enough.
func (s *session) settle(ctx context.Context, now time.Time) error {
	var waiting []*pending
	for i, p := range s.pending {
		deliveries, err := s.deliveriesOf(ctx, &p.event)
		if err != nil {
			s.pending = append(waiting, s.pending[i:]...)
			return err
		}
		if slices.ContainsFunc(deliveries, func(d event.Delivery) bool { return untried(&d) }) && now.Sub(p.since) < patience {
			waiting = append(waiting, p)
			continue
		}
		if err := s.show(ctx, Item{Event: &p.event, Deliveries: deliveries}); err != nil {
			s.pending = append(waiting, s.pending[i:]...)
			return err
		}
		if len(p.event.Body)+len(p.event.JSON) > keepBody {
			p.event.Body, p.event.JSON = nil, nil
		}
		for k := range deliveries {
			if open(&deliveries[k]) && len(s.followed) < maxFollowed {
				s.followed = append(s.followed, followed{&p.event, deliveries[k].ID})
			}
		}
	}
	s.pending = waiting
	return nil
}

func (s *session) deliveriesOf(ctx context.Context, e *event.Event) ([]event.Delivery, error) {
	if e.State != event.Routed { // only a matching rule makes deliveries
		return nil, nil
	}
	list, err := s.feed.store.Deliveries(ctx, event.DeliveryFilter{Event: e.ID, Limit: pageSize})
	slices.Reverse(list) // in the order of the rules
	return list, err
}

// untried reports whether the first attempt is still to come, and soon: what
// waits for another delivery's end can wait for hours.
func untried(d *event.Delivery) bool {
	return d.Attempts == 0 && (d.State == event.Sending || d.State == event.Waiting && d.BlockedBy == 0)
}

func open(d *event.Delivery) bool { return slices.Contains(event.OpenStates(), d.State) }

// show hands an item on, with the attempts at its deliveries.
func (s *session) show(ctx context.Context, i Item) error {
	ids := make([]event.DeliveryID, len(i.Deliveries))
	for k := range i.Deliveries {
		ids[k] = i.Deliveries[k].ID
	}
	var err error
	if i.Attempts, err = s.feed.store.Attempts(ctx, ids...); err != nil {
		return err
	}
	return s.feed.show(i)
}

// follow shows the ends of deliveries that were open when their events were shown.
func (s *session) follow(ctx context.Context) error {
	of := make(map[event.DeliveryID]*event.Event, len(s.followed))
	ids := make([]event.DeliveryID, len(s.followed))
	for i, f := range s.followed {
		of[f.delivery], ids[i] = f.event, f.delivery
	}
	for chunk := range slices.Chunk(ids, pageSize) {
		list, err := s.feed.store.Deliveries(ctx, event.DeliveryFilter{IDs: chunk, Limit: len(chunk)})
		if err != nil {
			return err
		}
		for i := range list {
			if open(&list[i]) {
				delete(of, list[i].ID) // go on with it
			}
		}
		slices.Reverse(list) // the deliveries of an event stand together, in the order of the rules
		if err := s.showEnds(ctx, list, of); err != nil {
			return err
		}
	}
	return nil
}

// showEnds shows the deliveries of which of has the event, those of one event
// in one item, and follows them no more.
func (s *session) showEnds(ctx context.Context, list []event.Delivery, of map[event.DeliveryID]*event.Event) error {
	for len(list) > 0 {
		e := of[list[0].ID]
		n := 1
		for n < len(list) && of[list[n].ID] == e {
			n++
		}
		if e != nil {
			if err := s.show(ctx, Item{Event: e, Deliveries: list[:n], Update: true}); err != nil {
				return err
			}
			s.unfollow(list[:n])
		}
		list = list[n:]
	}
	return nil
}

func (s *session) unfollow(ended []event.Delivery) {
	s.followed = slices.DeleteFunc(s.followed, func(f followed) bool {
		return slices.ContainsFunc(ended, func(d event.Delivery) bool { return d.ID == f.delivery })
	})
}
