package planner

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"hookgate/internal/event"
	"hookgate/rules"
)

// follow makes what comes after deliveries that have ended, in the order in which
// they did: of two chains with one ordering key the first goes on first.
func (p *Planner) follow(ctx context.Context, due []event.Timer) error {
	if len(due) == 0 {
		return nil
	}
	list, err := p.followings(ctx, due)
	if err != nil || len(list) == 0 {
		return err
	}
	if err = p.storeNext(ctx, list); err == nil || len(list) == 1 {
		return err
	}
	for i := range list { // one of them is at fault
		if one := p.storeNext(ctx, list[i:i+1]); one != nil {
			p.opt.Logger.ErrorContext(ctx, "what comes after a delivery could not be made, trying again", "delivery", list[i].Of.ID, "error", one)
		}
	}
	return nil
}

// followAll makes all that comes after what has ended.
func (p *Planner) followAll(ctx context.Context) error {
	for {
		due, err := p.opt.Store.DueTimers(ctx, most, event.FollowTimer)
		if err != nil || len(due) == 0 {
			return err
		}
		if err := p.follow(ctx, due); err != nil || len(due) < most {
			return err
		}
	}
}

func (p *Planner) storeNext(ctx context.Context, list []event.Following) error {
	_, connections, err := p.opt.Store.Follow(list)
	if fault := (*event.RecordError)(nil); errors.As(err, &fault) && len(list) == 1 && p.refuse(ctx, &list[0], fault) {
		return p.storeNext(ctx, list)
	}
	if err != nil {
		return err
	}
	for _, c := range connections {
		p.opt.Added(c)
	}
	return nil
}

// refuse has what cannot be remembered fail; false: nothing of f is that.
func (p *Planner) refuse(ctx context.Context, f *event.Following, fault *event.RecordError) (found bool) {
	for i := range f.Next {
		if d := &f.Next[i]; d.Record != nil && d.ID == fault.Delivery {
			found, d.Record = true, nil
			p.fail(ctx, f, d, fault.Error())
		}
	}
	return found
}

// followings say what comes after the deliveries that due timers stand for.
func (p *Planner) followings(ctx context.Context, due []event.Timer) ([]event.Following, error) {
	slices.SortStableFunc(due, func(a, b event.Timer) int { return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(b.ID, a.ID)) })
	f := event.DeliveryFilter{Limit: len(due)}
	for i := range due {
		f.IDs = append(f.IDs, event.DeliveryID(-due[i].ID))
	}
	ended, err := p.opt.Store.Deliveries(ctx, f)
	if err != nil {
		return nil, err
	}
	now, err := p.opt.Store.Clock(ctx)
	if err != nil {
		return nil, err
	}
	from, err := p.origins(ctx, ended)
	if err != nil {
		return nil, err
	}
	var list []event.Following
	for i := range due {
		at := slices.IndexFunc(ended, func(d event.Delivery) bool { return int64(d.ID) == -due[i].ID })
		if at < 0 {
			if _, err := p.opt.Store.TakeTimer(&due[i]); err != nil { // it is gone
				return nil, err
			}
			continue
		}
		one := event.Following{Timer: due[i], Of: ended[at]}
		switch err := p.next(ctx, from, &one, now); {
		case errors.Is(err, errUnreadable):
			p.opt.Logger.ErrorContext(ctx, "the rules that made a delivery cannot be used now, what comes after it waits", "delivery", one.Of.ID, "action", one.Of.Name(), "error", err)
			one.Again = now.Add(again)
		case err != nil:
			return nil, err
		}
		list = append(list, one)
	}
	return list, nil
}

// next asks what comes after a delivery that has ended, and renders it.
func (p *Planner) next(ctx context.Context, from *origins, f *event.Following, now time.Time) error {
	e, set, err := p.judged(ctx, from, &f.Of)
	if err != nil {
		return err
	}
	ref := refOf(&f.Of)
	place, length := set.Rules.Chain(ref)
	if length == 0 {
		return nil // nothing comes after it by these rules, which no version says that made it
	}
	first := f.Of.ID - event.DeliveryID(place)
	list, err := set.Follow(&e, ref, f.Of.Flow, from.chain(set.Rules, &f.Of), f.Timer.Due)
	if errors.Is(err, rules.ErrNoAction) {
		p.opt.Logger.ErrorContext(ctx, "what comes after a delivery cannot be made", "delivery", f.Of.ID, "action", f.Of.Name(), "error", err)
		return nil
	}
	if err != nil {
		return err
	}
	for i := range list {
		if err := usable(set, list[i].Connection); err != nil {
			return err
		}
	}
	for i := range list {
		p.made(ctx, f, &list[i], first, now)
	}
	return nil
}

// made notes one delivery that comes after f.Of.
func (p *Planner) made(ctx context.Context, f *event.Following, n *rules.Next, first event.DeliveryID, now time.Time) {
	d := event.Delivery{
		ID: first + event.DeliveryID(n.Place), Event: f.Of.Event, Rule: n.Rule, Action: n.Action, Element: n.Element, Connection: n.Connection,
		Key: n.Key, Once: n.Once, Output: n.Output, Warnings: n.Warnings, State: event.Waiting, Flow: n.Flow, Created: now, Record: n.Record,
	}
	switch {
	case !n.Sent:
		d.State, d.Error, d.Cancelled = event.Cancelled, n.Reason, event.ByCondition
	case n.Err != "":
		p.fail(ctx, f, &d, n.Err)
	case n.Record != nil:
		d.State = event.Delivered
	case n.Wait != nil && (n.Wait.Late || n.Moment.After(now)):
		wait := *n.Wait
		wait.Once, d.Once = d.Once, nil // it is counted at its moment
		d.State, d.Moment, d.Wait = event.Scheduled, n.Moment, &wait
	}
	f.Next = append(f.Next, d)
}

// fail notes that what comes after f.Of cannot be made.
func (p *Planner) fail(ctx context.Context, f *event.Following, d *event.Delivery, reason string) {
	d.State, d.Error, d.Once = event.Failed, reason, nil
	if s := p.opt.Failed(d, reason); s != nil {
		f.Signals = append(f.Signals, *s)
	}
	p.opt.Logger.ErrorContext(ctx, "an output could not be made, nothing is sent", "delivery", d.ID, "event", d.Event, "action", d.Name(), "error", reason)
}

func refOf(d *event.Delivery) rules.Ref {
	return rules.Ref{Rule: d.Rule, Connection: d.Connection, Action: d.Action, Element: d.Element}
}
