package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"hookgate/app/ingest"
	"hookgate/internal/event"
	"hookgate/rules"
)

// Left tells of deliveries that were to be rendered again, and why they were left as
// they were.
type Left struct {
	Reason   string           `json:"reason"`
	Count    int              `json:"count"`
	Delivery event.DeliveryID `json:"delivery"` // one of them, and its event
	Event    event.ID         `json:"event"`
}

// rerenderStore has what a delivery was made of, and takes what it comes to.
type rerenderStore interface {
	JudgedBy(ctx context.Context, d *event.Delivery) (plan int64, err error)
	Progress(ctx context.Context, deliveries []event.DeliveryID) (map[event.DeliveryID]*event.Progress, error)
	Rerender(list []event.Rerendered) (done []bool, connections []string, err error)
}

// rerenderBatch is how many deliveries one transaction renders again.
const rerenderBatch = 100

// rerender renders failed deliveries again by the rules in force, and sends them under
// their ids; with dry it only counts what that would come to. The version that made a
// delivery says which action it is of, and what the steps before it were answered.
func (s *Service) rerender(ctx context.Context, sel Selection) (all Changed, err error) {
	f, err := sel.filter([]event.DeliveryState{event.Failed}, []event.DeliveryState{event.Failed}, "rendered again")
	if err != nil {
		return all, err
	}
	if err := s.resolveCause(ctx, &f); err != nil {
		return all, err
	}
	defer s.forgetCounts()
	set, found := &s.inForce().Plan.RuleSet, 0
	f.OldestFirst, f.Limit = true, rerenderBatch // the oldest of an ordering key goes first
	for {
		page, err := s.store.Deliveries(ctx, f)
		if err != nil {
			return all, fmt.Errorf("cannot list deliveries: %w", err)
		}
		found += len(page)
		var list []event.Rerendered
		for i := range page {
			if err := ctx.Err(); err != nil {
				return all, err
			}
			one, left, err := s.renderAgain(ctx, set, &page[i])
			switch {
			case err != nil:
				return all, err
			case left != "":
				all.leave(&page[i], left)
			default:
				list = append(list, one)
			}
		}
		if err := s.storeAgain(list, &all, sel.DryRun); err != nil {
			return all, err
		}
		if len(page) < f.Limit {
			break
		}
		f.After = page[len(page)-1].ID
	}
	if !sel.DryRun {
		s.opt.Logger.InfoContext(ctx, "by hand", "audit", "deliveries rendered again", "count", all.Count, "cancelled", all.Unmet, "left", all.leftCount(), "by", actor(ctx))
	}
	return all, s.checkChanged(found, f)
}

// storeAgain commits what deliveries come to, and counts it.
func (s *Service) storeAgain(list []event.Rerendered, all *Changed, dry bool) error {
	if len(list) == 0 {
		return nil
	}
	done := slices.Repeat([]bool{true}, len(list))
	if !dry {
		now, connections, err := s.store.Rerender(list)
		if err != nil {
			return fmt.Errorf("cannot change the deliveries: %w", err)
		}
		done = now
		s.poll(connections)
	}
	for i := range list {
		switch d := &list[i].Delivery; {
		case !done[i]:
			all.leave(d, "it was changed meanwhile")
		case d.State == event.Cancelled:
			all.Unmet++
		default:
			all.Count++
			if dry {
				all.Paces = AddPace(all.Paces, d.Connection, 1, s.opt.Workers.Rate(d.Connection))
			}
		}
	}
	return nil
}

func (c *Changed) leave(d *event.Delivery, reason string) {
	i := slices.IndexFunc(c.Left, func(l Left) bool { return l.Reason == reason })
	if i < 0 {
		i, c.Left = len(c.Left), append(c.Left, Left{Reason: reason})
	}
	c.Left[i].Count++
	c.Left[i].Delivery, c.Left[i].Event = d.ID, d.Event
}

func (c *Changed) leftCount() (n int) {
	for i := range c.Left {
		n += c.Left[i].Count
	}
	return n
}

// renderAgain says what becomes of a failed delivery by the rules of set; left is why
// it stays as it is.
func (s *Service) renderAgain(ctx context.Context, set *ingest.RuleSet, d *event.Delivery) (one event.Rerendered, left string, err error) {
	if d.Rule == event.AutoreplyRule {
		return one, "the form itself makes it: deliveries retry without --render sends it", nil
	}
	e, err := s.store.Event(ctx, d.Event)
	if errors.Is(err, event.ErrNotFound) {
		return one, "its event is gone", nil
	}
	if err != nil {
		return one, "", fmt.Errorf("cannot look up %s: %w", d.Event, err)
	}
	of, err := s.earlier(ctx, d)
	if err != nil {
		return one, "", err
	}
	if d.Flow&event.Digest != 0 {
		if of.Items, err = s.itemsOf(ctx, set, d); err != nil {
			return one, "", err
		}
	}
	asked, err := set.Again(&e, &of)
	switch {
	case errors.Is(err, rules.ErrOtherAction):
		return one, err.Error() + ": hookgate replay sends what its event comes to now", nil
	case err != nil:
		return one, "", fmt.Errorf("cannot render %s again: %w", d.ID, err)
	case asked.Err != "":
		return one, "it could not be rendered: " + asked.Err, nil
	}
	one = event.Rerendered{Delivery: *d, Before: d.Key}
	one.Delivery.State, one.Delivery.Error = event.Waiting, ""
	if !asked.Sent {
		one.Delivery.State, one.Delivery.Cancelled, one.Delivery.Error = event.Cancelled, event.ByCondition, asked.Reason
		return one, "", nil
	}
	one.Delivery.Key, one.Delivery.Output, one.Delivery.Warnings = asked.Key, asked.Output, asked.Warnings
	if asked.Record == nil {
		return one, "", nil
	}
	one.Delivery.State, one.Delivery.Record = event.Delivered, asked.Record
	left, err = s.unwritten(ctx, asked.Record)
	return one, left, err
}

// unwritten is why a record cannot be written as it is now; "": it can.
func (s *Service) unwritten(ctx context.Context, w *event.RecordWrite) (string, error) {
	record, err := s.store.ReadRecord(ctx, w.RecordKey)
	if err != nil {
		return "", fmt.Errorf("cannot look up a record: %w", err)
	}
	_, err = w.Apply(record.Value)
	return reasonOf(err), nil
}

// reasonOf is what an error says; "" where there is none.
func reasonOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// earlier is the action of a delivery by the rules that made it. Where these cannot be
// read any more its connection and its number name it.
func (s *Service) earlier(ctx context.Context, d *event.Delivery) (of rules.Earlier, err error) {
	of = rules.Earlier{Ref: rules.Ref{Rule: d.Rule, Connection: d.Connection, Action: d.Action, Element: d.Element}}
	plan, err := s.store.JudgedBy(ctx, d)
	if err != nil {
		return of, err
	}
	set, _, err := s.ruleSet(ctx, plan)
	if err != nil {
		if d.Flow == 0 && !errors.Is(err, context.Canceled) {
			return of, nil
		}
		return of, fmt.Errorf("the rules that made %s cannot be read: %w", d.ID, err)
	}
	chain := set.Rules.ChainOf(of.Ref, d.ID)
	made, err := s.store.Progress(ctx, chain)
	if err != nil {
		return of, err
	}
	return set.Rules.Earlier(of.Ref, event.InOrder(chain, made)), nil
}

// itemsOf are the events of the digest that a delivery was made of.
func (s *Service) itemsOf(ctx context.Context, set *ingest.RuleSet, d *event.Delivery) ([]any, error) {
	members, err := s.store.DigestItems(ctx, int64(d.ID))
	if err != nil {
		return nil, err
	}
	items := make([]any, 0, len(members))
	for _, m := range members {
		e, err := s.store.Event(ctx, m.Event)
		if err != nil {
			return nil, fmt.Errorf("cannot look up %s: %w", m.Event, err)
		}
		item, err := set.Item(&e)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, nil
}
