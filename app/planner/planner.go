// Package planner does what is due: it opens scheduled deliveries when their
// moments have come, or ends or moves them, makes what comes after a delivery, and
// closes digests. What it does with a timer is one
// transaction that compares the timer, so that several planners on one
// database may do the same work, and one of them has done it.
package planner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"hookgate/app/ingest"
	"hookgate/internal/event"
	"hookgate/rules"
)

const (
	// lookEvery is how often the planner looks for what is due, and sharedEvery how
	// often it does where other processes note what is due.
	lookEvery   = time.Second
	sharedEvery = 100 * time.Millisecond
	// most is how many timers one transaction deals with.
	most = 100
	// again is how long what cannot be rendered yet waits.
	again = time.Minute
)

// Store keeps timers and scheduled deliveries.
type Store interface { //nolint:interfacebloat // what is due, and what it is about
	clockStore
	DueTimers(ctx context.Context, limit int, kinds ...event.TimerKind) ([]event.Timer, error)
	TakeTimer(t *event.Timer) (bool, error)
	Deliveries(ctx context.Context, f event.DeliveryFilter) ([]event.Delivery, error)
	Event(ctx context.Context, id event.ID) (event.Event, error)
	Events(ctx context.Context, f event.Filter) ([]event.Event, error)
	JudgedBy(ctx context.Context, d *event.Delivery) (plan int64, err error)
	JudgedByEach(ctx context.Context, list []event.Delivery) (map[event.DeliveryID]int64, error)
	Lead() (leads bool, err error)
	OpenMoments(list []event.Opening) (done []bool, connections []string, err error)
	Progress(ctx context.Context, deliveries []event.DeliveryID) (map[event.DeliveryID]*event.Progress, error)
	Follow(list []event.Following) (done []bool, connections []string, err error)
	DigestItems(ctx context.Context, digest int64) ([]event.DigestItem, error)
	CloseDigests(list []event.Closing) (done []bool, connections []string, err error)
}

// Options are what a Planner works with.
type Options struct {
	Store Store
	// RuleSet gives the stored version of the rules with the number.
	RuleSet func(ctx context.Context, plan int64) (*ingest.RuleSet, error)
	// Opening is when a calendar of the configuration in force is open next: at
	// itself where it is open then, or where there is no such calendar.
	Opening func(calendar string, at time.Time) time.Time
	// Added tells that a connection has something to send.
	Added func(connection string)
	// Failed makes the signal of a delivery that failed at its moment; nil:
	// nobody wants to be told.
	Failed func(d *event.Delivery, reason string) *event.Signal
	// Late is told how long after its moment a delivery was opened.
	Late   func(time.Duration)
	Logger *slog.Logger
	// Shared says that other processes are on the database: one of them plans.
	Shared bool
	// Passed gives times with a monotonic reading, which the database's clock is
	// compared with.
	Passed func() time.Time
}

// Planner is made by New. Run may be called once.
type Planner struct {
	opt   Options
	clock guard
	wake  chan struct{}
}

// New makes a Planner.
func New(opt Options) *Planner {
	return &Planner{opt: opt, clock: guard{store: opt.Store, logger: opt.Logger, passed: opt.Passed}, wake: make(chan struct{}, 1)}
}

// Wake has the planner look at once.
func (p *Planner) Wake() {
	select {
	case p.wake <- struct{}{}:
	default: // it is about to
	}
}

// Run does what is due until ctx ends, while no other process does.
func (p *Planner) Run(ctx context.Context) {
	every := lookEvery
	if p.opt.Shared {
		every = sharedEvery
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	var leads bool
	var asked time.Time
	for {
		err := error(nil)
		if now := time.Now(); now.Sub(asked) >= lookEvery {
			leads, err = p.opt.Store.Lead()
			asked = now
		}
		if leads && err == nil {
			err = p.Look(ctx)
		}
		if err != nil && ctx.Err() == nil {
			p.opt.Logger.WarnContext(ctx, "what is scheduled could not be looked at, trying again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-p.wake:
		}
	}
}

// Look does all that is due now. While the clock is not to be trusted what has a
// moment waits; what comes after something else goes on.
func (p *Planner) Look(ctx context.Context) error {
	for {
		due, err := p.opt.Store.DueTimers(ctx, most, event.MomentTimer, event.FollowTimer, event.DigestTimer)
		if err != nil {
			return err
		}
		whole := len(due) == most
		var ended []event.Timer
		due = slices.DeleteFunc(due, func(t event.Timer) bool {
			if t.Kind == event.FollowTimer {
				ended = append(ended, t)
			}
			return t.Kind == event.FollowTimer
		})
		if err := p.follow(ctx, ended); err != nil {
			return err
		}
		held, err := p.clock.holds(ctx, len(due) > 0)
		if err != nil {
			return err
		}
		if !held && len(due) > 0 {
			if err := p.begin(ctx, due); err != nil {
				return err
			}
		}
		if !whole {
			return nil
		}
		if held { // what is held must not stand before what is not
			return p.followAll(ctx)
		}
	}
}

// begin deals with what has its time: moments, and digests that close.
func (p *Planner) begin(ctx context.Context, due []event.Timer) error {
	var moments, digests []event.Timer
	for _, t := range due {
		if t.Kind == event.DigestTimer {
			digests = append(digests, t)
		} else {
			moments = append(moments, t)
		}
	}
	if len(moments) > 0 {
		if err := p.open(ctx, moments); err != nil {
			return err
		}
	}
	return p.closeDigests(ctx, digests)
}

// open deals with due timers of moments.
func (p *Planner) open(ctx context.Context, due []event.Timer) error {
	scheduled, err := p.scheduled(ctx, due)
	if err != nil {
		return err
	}
	now, err := p.opt.Store.Clock(ctx)
	if err != nil {
		return err
	}
	from, err := p.origins(ctx, late(scheduled))
	if err != nil {
		return err
	}
	var list []event.Opening
	for i := range due {
		d, found := scheduled[event.DeliveryID(due[i].ID)]
		if !found {
			if _, err := p.opt.Store.TakeTimer(&due[i]); err != nil { // what it was for is gone
				return err
			}
			continue
		}
		one, err := p.decide(ctx, from, &due[i], d, now)
		if err != nil {
			return err
		}
		list = append(list, one)
	}
	slices.SortFunc(list, func(a, b event.Opening) int { return int(a.Delivery.ID - b.Delivery.ID) }) // replicas lock in one order
	if err := p.store(list, now); err != nil {
		if len(list) == 1 {
			return err
		}
		for i := range list { // one of them is at fault
			if one := p.store(list[i:i+1], now); one != nil {
				p.opt.Logger.ErrorContext(ctx, "a scheduled delivery could not be opened, trying again", "delivery", list[i].Delivery.ID, "error", one)
			}
		}
	}
	return nil
}

// late are those that are asked and rendered at their moments.
func late(scheduled map[event.DeliveryID]*event.Delivery) (list []event.Delivery) {
	for _, d := range scheduled {
		if d.Wait != nil && d.Wait.Late {
			list = append(list, *d)
		}
	}
	return list
}

// scheduled are the deliveries of the timers that are scheduled still.
func (p *Planner) scheduled(ctx context.Context, due []event.Timer) (map[event.DeliveryID]*event.Delivery, error) {
	f := event.DeliveryFilter{States: []event.DeliveryState{event.Scheduled}, Limit: len(due)}
	for i := range due {
		f.IDs = append(f.IDs, event.DeliveryID(due[i].ID))
	}
	list, err := p.opt.Store.Deliveries(ctx, f)
	if err != nil {
		return nil, err
	}
	found := map[event.DeliveryID]*event.Delivery{}
	for i := range list {
		found[list[i].ID] = &list[i]
	}
	return found, nil
}

// store commits what becomes of scheduled deliveries, and tells of it.
func (p *Planner) store(list []event.Opening, now time.Time) error {
	done, connections, err := p.opt.Store.OpenMoments(list)
	if err != nil {
		return err
	}
	for i := range list {
		if done[i] && list[i].Delivery.State == event.Waiting {
			p.opt.Late(now.Sub(list[i].Timer.Due))
		}
	}
	for _, c := range connections {
		p.opt.Added(c)
	}
	return nil
}

// decide says what becomes of a scheduled delivery whose timer is due.
func (p *Planner) decide(ctx context.Context, from *origins, timer *event.Timer, d *event.Delivery, now time.Time) (event.Opening, error) {
	o := event.Opening{Timer: *timer, Delivery: *d}
	wait := event.Wait{}
	if d.Wait != nil {
		wait = *d.Wait
	}
	if wait.During != "" {
		if next := p.opt.Opening(wait.During, now); next.After(now) {
			o.Delivery.Moment = next
			return o, nil
		}
	}
	if !wait.Late {
		o.Delivery.State, o.Delivery.Once = event.Waiting, wait.Once
		return o, nil
	}
	asked, err := p.ask(ctx, from, d)
	switch {
	case errors.Is(err, errUnreadable):
		p.opt.Logger.ErrorContext(ctx, "the rules that made a scheduled delivery cannot be used now, it waits", "delivery", d.ID, "action", d.Name(), "error", err)
		o.Delivery.Moment = now.Add(again)
		return o, nil
	case errors.Is(err, rules.ErrNoAction):
		asked = rules.Asked{Sent: true, Rendered: rules.Rendered{Err: err.Error(), Output: []byte("{}")}}
	case err != nil:
		return o, err
	}
	p.settle(ctx, &o, &asked)
	return o, nil
}

// settle notes what was asked and rendered.
func (p *Planner) settle(ctx context.Context, o *event.Opening, asked *rules.Asked) {
	d := &o.Delivery
	if !asked.Sent {
		d.State, d.Error, d.Cancelled = event.Cancelled, asked.Reason, event.ByCondition
		return
	}
	d.State, o.Rendered = event.Waiting, true
	d.Key, d.Once, d.Output, d.Warnings = asked.Key, asked.Once, asked.Output, asked.Warnings
	if asked.Err != "" {
		d.State, d.Error, d.Once = event.Failed, asked.Err, nil
		o.Signal = p.opt.Failed(d, asked.Err)
		p.opt.Logger.ErrorContext(ctx, "an output could not be made, nothing is sent", "delivery", d.ID, "event", d.Event, "action", d.Name(), "error", asked.Err)
	}
}

var errUnreadable = errors.New("the version is not readable")

// ask has the rules that made the delivery ask its condition and render it.
func (p *Planner) ask(ctx context.Context, from *origins, d *event.Delivery) (rules.Asked, error) {
	e, set, err := p.judged(ctx, from, d)
	if err != nil {
		return rules.Asked{}, err
	}
	if err := usable(set, d.Connection); err != nil {
		return rules.Asked{}, err
	}
	return set.AtMoment(&e, refOf(d), from.chain(set.Rules, d)...)
}

// origins are what deliveries come from, read at once for many: their events, without
// the bodies of those that are large, the versions of the rules that made them, and how
// their chains stand.
type origins struct {
	events map[event.ID]*event.Event
	plans  map[event.DeliveryID]int64
	made   map[event.DeliveryID]*event.Progress
}

func (p *Planner) origins(ctx context.Context, list []event.Delivery) (*origins, error) {
	from := &origins{events: make(map[event.ID]*event.Event, len(list))}
	if len(list) == 0 {
		return from, nil
	}
	var f event.Filter
	for i := range list {
		f.IDs = append(f.IDs, list[i].Event)
	}
	slices.Sort(f.IDs)
	f.IDs = slices.Compact(f.IDs)
	f.Limit = len(f.IDs)
	events, err := p.opt.Store.Events(ctx, f)
	if err != nil {
		return nil, err
	}
	for i := range events {
		from.events[events[i].ID] = &events[i]
	}
	if from.plans, err = p.opt.Store.JudgedByEach(ctx, list); err != nil {
		return nil, err
	}
	var steps []event.DeliveryID
	for i := range list {
		if set, err := p.opt.RuleSet(ctx, from.plans[list[i].ID]); err == nil && list[i].Flow != 0 { // judged tells of the error
			steps = append(steps, set.Rules.ChainOf(refOf(&list[i]), list[i].ID)...)
		}
	}
	from.made, err = p.opt.Store.Progress(ctx, steps)
	return from, err
}

// chain is what there is of the chain that a delivery stands in; nil: it stands in none.
func (o *origins) chain(set *rules.Set, d *event.Delivery) []*event.Progress {
	if d.Flow == 0 {
		return nil
	}
	return event.InOrder(set.ChainOf(refOf(d), d.ID), o.made)
}

// judged is the event of a delivery, and the rules that made the delivery.
func (p *Planner) judged(ctx context.Context, from *origins, d *event.Delivery) (e event.Event, set *ingest.RuleSet, err error) {
	if at := from.events[d.Event]; at != nil && len(at.Body) > 0 {
		e = *at
	} else if e, err = p.opt.Store.Event(ctx, d.Event); err != nil { // a list has no large bodies
		return e, nil, err
	}
	plan, is := from.plans[d.ID]
	if !is {
		if plan, err = p.opt.Store.JudgedBy(ctx, d); err != nil {
			return e, nil, err
		}
	}
	if set, err = p.opt.RuleSet(ctx, plan); err != nil {
		return e, nil, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	return e, set, nil
}

// usable fails where the type of the connection is not known any more.
func usable(set *ingest.RuleSet, connection string) error {
	if slices.ContainsFunc(set.Gone, func(c ingest.GoneConnection) bool { return c.Name == connection }) {
		return fmt.Errorf("%w: the type of the connection %s is gone", errUnreadable, connection)
	}
	return nil
}
