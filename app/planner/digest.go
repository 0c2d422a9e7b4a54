package planner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hookgate/app/ingest"
	"hookgate/internal/event"
	"hookgate/rules"
)

// enough is how many bytes of outputs, at least, one transaction that closes digests
// takes: what a digest sends can be large.
const enough = 4 << 20

// closeDigests makes deliveries of the digests whose time has come. Nothing joins one
// any more by then, so what is read of it is all of it.
func (p *Planner) closeDigests(ctx context.Context, due []event.Timer) error {
	var list []event.Closing
	size := 0
	for i := range due {
		c, err := p.closing(ctx, &due[i])
		if err != nil {
			return err
		}
		list = append(list, c)
		if size += len(c.Delivery.Output); size >= enough {
			if err := p.storeClosings(ctx, list); err != nil {
				return err
			}
			list, size = nil, 0
		}
	}
	return p.storeClosings(ctx, list)
}

// storeClosings commits what becomes of digests, and tells of it.
func (p *Planner) storeClosings(ctx context.Context, list []event.Closing) error {
	if len(list) == 0 {
		return nil
	}
	store := func(list []event.Closing) error {
		_, connections, err := p.opt.Store.CloseDigests(list)
		for _, c := range connections {
			p.opt.Added(c)
		}
		return err
	}
	err := store(list)
	if err == nil || len(list) == 1 {
		return err
	}
	for i := range list { // one of them is at fault
		if one := store(list[i : i+1]); one != nil {
			p.opt.Logger.ErrorContext(ctx, "a digest could not be closed, trying again", "digest", event.DigestID(list[i].Timer.ID), "error", one)
		}
	}
	return nil
}

// closing says what becomes of a digest that is due: the delivery of the newest event
// in it, rendered by the version of the rules that accepted that event.
func (p *Planner) closing(ctx context.Context, timer *event.Timer) (event.Closing, error) {
	c := event.Closing{Timer: *timer}
	members, err := p.opt.Store.DigestItems(ctx, timer.ID)
	if err != nil || len(members) == 0 {
		return c, err
	}
	now, err := p.opt.Store.Clock(ctx)
	if err != nil {
		return c, err
	}
	newest := members[len(members)-1]
	info, err := event.ReadDigestInfo(timer.Value)
	if err != nil {
		return c, err
	}
	c.Delivery = event.Delivery{
		ID: newest.Delivery, Event: newest.Event, Rule: info.Rule, Connection: info.Connection, Action: info.Action,
		State: event.Waiting, Flow: event.Digest, Created: now,
	}
	made, during, err := p.gathered(ctx, &c.Delivery, members)
	switch {
	case errors.Is(err, errUnreadable), errors.Is(err, errForgotten):
		p.opt.Logger.ErrorContext(ctx, "a digest cannot be closed now, it waits", "digest", event.DigestID(timer.ID), "action", c.Delivery.Name(), "error", err)
		c.Again = now.Add(again)
		return c, nil
	case errors.Is(err, rules.ErrNoAction):
		made = rules.Rendered{Err: err.Error(), Output: []byte("{}")}
	case err != nil:
		return c, err
	}
	p.settleDigest(ctx, &c, &made, during, now)
	return c, nil
}

// settleDigest notes what was rendered.
func (p *Planner) settleDigest(ctx context.Context, c *event.Closing, made *rules.Rendered, during string, now time.Time) {
	d := &c.Delivery
	d.Key, d.Output, d.Warnings = made.Key, made.Output, made.Warnings
	if made.Err != "" {
		d.State, d.Error = event.Failed, made.Err
		c.Signal = p.opt.Failed(d, made.Err)
		p.opt.Logger.ErrorContext(ctx, "an output could not be made, nothing is sent", "delivery", d.ID, "event", d.Event, "action", d.Name(), "error", made.Err)
		return
	}
	if during == "" {
		return
	}
	if next := p.opt.Opening(during, now); next.After(now) {
		d.State, d.Moment, d.Wait = event.Scheduled, next, &event.Wait{During: during}
	}
}

// errForgotten says that an event in a digest is just being deleted: the digest is
// read again without it.
var errForgotten = errors.New("an event in it has gone")

// gathered renders what is sent for all events of a digest.
func (p *Planner) gathered(ctx context.Context, d *event.Delivery, members []event.DigestItem) (made rules.Rendered, during string, err error) {
	newest, set, err := p.judged(ctx, &origins{}, d)
	if err != nil {
		return made, "", gone(err)
	}
	if err := usable(set, d.Connection); err != nil {
		return made, "", err
	}
	items, err := p.items(ctx, set, members)
	if err != nil {
		return made, "", gone(err)
	}
	return set.AtClose(&newest, refOf(d), items)
}

func (p *Planner) items(ctx context.Context, set *ingest.RuleSet, members []event.DigestItem) ([]any, error) {
	items := make([]any, 0, len(members))
	for _, m := range members {
		e, err := p.opt.Store.Event(ctx, m.Event)
		if err != nil {
			return nil, err
		}
		item, err := set.Item(&e)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, nil
}

func gone(err error) error {
	if errors.Is(err, event.ErrNotFound) {
		return fmt.Errorf("%w: %w", errForgotten, err)
	}
	return err
}
