package admin

import (
	"encoding/json"
	"slices"

	"hookgate/app/admin/tail"
	"hookgate/internal/event"
)

// Live is what the stream of events brings: an event with its deliveries, or,
// as an update, those of them that were open before and have ended.
type Live struct {
	Event
	Update bool `json:"update,omitempty"`
}

// Dropped is what the stream brings where it left something out, because its
// reader was too slow or too much came in.
type Dropped struct {
	Count int `json:"count"` // items, or looks at which there was too much
}

// PresentLive writes an item of the stream as JSON.
func PresentLive(i tail.Item) ([]byte, error) {
	item := Live{Event: eventOf(i.Event), Update: i.Update}
	item.Deliveries = present(nil, i.Deliveries, i.Attempts, false)
	return json.Marshal(item)
}

// Watch gives what comes in from now on and f selects, as PresentLive writes
// it. f's page and times mean nothing here, and its names must be in force.
func (s *Service) Watch(f event.Search) (*tail.Watcher, error) {
	q, err := newQuery(f.Where, f.Text)
	if err != nil {
		return nil, err
	}
	if err := s.inForce().checkEvents(f.Source, f.Rule); err != nil {
		return nil, err
	}
	return s.opt.Feed.Watch(func(e *event.Event) bool {
		if f.Source != "" && e.Source != f.Source || f.Type != "" && e.Type != f.Type {
			return false
		}
		if len(f.States) > 0 && !slices.Contains(f.States, e.State) || f.Rule != "" && !heard(e, f.Rule) {
			return false
		}
		ok, _ := q.Match(e)
		return ok
	}), nil
}

// heard reports whether the rule listens to e, matching or not. Of a rejected
// event nobody knows.
func heard(e *event.Event, rule string) bool {
	if e.State == event.Rejected {
		return true
	}
	return slices.ContainsFunc(e.Verdicts, func(v event.Verdict) bool { return v.Rule == rule && v.Result != event.Skipped })
}
