package admin

import (
	"context"
	"fmt"
	"slices"

	"hookgate/app/ingest"
	"hookgate/app/replay"
	"hookgate/internal/event"
	"hookgate/rules"
)

// mostEarlier is how many deliveries of one event are looked at.
const mostEarlier = 10_000

// leaveFinished takes out of what the rules in force make of an event what was delivered
// of it, or is on its way. It reports whether anything is left.
func (s *Service) leaveFinished(ctx context.Context, e *event.Event, out *rules.Outcome, only string) (left bool, err error) {
	list, err := s.store.Deliveries(ctx, event.DeliveryFilter{Event: e.ID, Limit: mostEarlier, OldestFirst: true})
	if err != nil {
		return false, fmt.Errorf("cannot list the deliveries of %s: %w", e.ID, err)
	}
	joined, err := s.store.Memberships(ctx, e.ID)
	if err != nil {
		return false, err
	}
	list = slices.DeleteFunc(list, func(d event.Delivery) bool { return d.Flow&event.Digest != 0 }) // it is among joined
	for i := range joined {
		m := &joined[i]
		d := event.Delivery{ID: m.Delivery, Event: e.ID, Rule: m.Info.Rule, Connection: m.Info.Connection, Action: m.Info.Action, State: m.State}
		switch {
		case m.Open != nil:
			d.State = event.Waiting
		case m.State == "":
			d.State = event.Cancelled
		}
		list = append(list, d)
	}
	before := make([]replay.Earlier, len(list))
	var versions []*ingest.RuleSet
	for i := range list {
		d := &list[i]
		one := replay.Earlier{Name: event.ActionName(d.Rule, d.Connection, d.Action), Element: d.Element, ID: d.ID, State: d.State}
		plan, err := s.store.JudgedBy(ctx, d)
		if err != nil {
			return false, err
		}
		if set, _, err := s.ruleSet(ctx, plan); err == nil { // else its connection and number name it
			one.Name = set.Rules.Identity(rules.Ref{Rule: d.Rule, Connection: d.Connection, Action: d.Action})
			if !slices.Contains(versions, set) {
				versions = append(versions, set)
			}
		}
		before[i] = one
	}
	return replay.LeaveFinished(out, s.inForce().Plan.Rules, only, before, func(name string) bool {
		return len(versions) == 0 || slices.ContainsFunc(versions, func(v *ingest.RuleSet) bool { return v.Rules.HasIdentity(name) })
	}), nil
}
