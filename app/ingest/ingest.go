// Package ingest accepts events. Decide, which changes nothing, says what
// becomes of a request: it understands the body, asks the rules, and renders
// what is to be sent. It is the only place where that is decided, for the server
// as for everybody who only wants to know. An Intake stores what Decide says in
// one commit and hands the deliveries over: when one of its methods returns
// without an error, what it accepted survives a crash.
package ingest

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"hookgate/forms"
	"hookgate/internal/event"
)

// Store keeps events durably.
type Store interface {
	NewIDs(n int) event.ID
	// Accept returns after the commit. It clears the claims of deliveries that
	// wait for their ordering key.
	Accept(e *event.Event, deliveries []event.Delivery) (duplicateOf event.ID, err error)
	// Readmit gives a kept form post to the rules after all, with what they
	// made of it: once, event.ErrNotKept after that. It returns the connections
	// that have something to send.
	Readmit(e *event.Event, deliveries []event.Delivery) (connections []string, err error)
	// Tell stores the event that was made of a due signal, and takes the signal
	// as told; e is nil where nothing is to be stored. It returns the connections
	// that have something to send.
	Tell(signal *event.Signal, e *event.Event, deliveries []event.Delivery) (told bool, connections []string, err error)
	// Tick stores the event of a schedule's tick, where there is one, notes the
	// signals, and changes the schedule's timer: false where that is another by
	// now. It returns the connections that have something to send.
	Tick(before, after *event.Timer, e *event.Event, deliveries []event.Delivery, signals []event.Signal) (ticked bool, connections []string, err error)
}

// Dispatcher takes deliveries over in memory.
type Dispatcher interface {
	Reserve(made *event.Delivery) bool
	Unreserve(made *event.Delivery)
	Deliver(claimed event.Delivery)
	Poll(connection string)
}

// Options are what an Intake needs besides its store and its dispatcher.
type Options struct {
	Logger *slog.Logger
	// Observe is told of every request that was stored.
	Observe func(source string, state event.State)
	// Captcha asks a captcha's vendor about an answer: nil for a good one,
	// *CaptchaRefused for a bad one; any other error says that the vendor could
	// not be asked. nil: nobody is asked.
	Captcha func(c *forms.Captcha, answer, remoteIP string) error
	// RuleError is told of every rule that could not be evaluated for an event;
	// nil: nobody is.
	RuleError func(rule string)
	// Records is where kept tables are looked up.
	Records Records
	// Rejudged is told of every event that was judged again because a record had
	// changed; nil: nobody is.
	Rejudged func()
}

// Intake is safe for concurrent use.
type Intake struct {
	store      Store
	dispatcher Dispatcher
	logger     *slog.Logger
	observe    func(string, event.State)
	failed     func(rule string)
	captcha    func(c *forms.Captcha, answer, remoteIP string) error
	traffic    traffic
	replied    replyLimits
	quotas     quotas
	signals    signals
	records    Records
	rejudged   func()
	tables     tableLocks
}

// New makes an Intake.
func New(store Store, dispatcher Dispatcher, opt Options) *Intake {
	return &Intake{
		store: store, dispatcher: dispatcher, logger: opt.Logger, observe: opt.Observe, failed: opt.RuleError, captcha: opt.Captcha, records: opt.Records, rejudged: opt.Rejudged,
	}
}

// Accept stores what Decide says of a request, in one commit, and hands over
// what is to be sent. Besides *BusyError and event.ErrUnavailable, before which
// nothing was stored, its error is a *body.Error: then the request was kept as
// rejected under Ack.ID.
func (in *Intake) Accept(plan *Plan, r *Request) (Ack, error) {
	if r.Stream != nil {
		return in.acceptUpload(plan, r)
	}
	leave, err := in.enter(plan, r)
	if err != nil {
		return Ack{}, err
	}
	defer leave()
	d := in.decide(plan, r)
	defer d.Close()
	return in.accept(d, r)
}

// enter takes a place for the request, see traffic.
func (in *Intake) enter(plan *Plan, r *Request) (leave func(), err error) {
	limit := noLimit
	if sender := plan.sender(r.Source); sender != nil {
		limit = sender.RateLimit()
	}
	return in.traffic.enter(r.Source, limit, r.Now)
}

func (in *Intake) decide(plan *Plan, r *Request) *Decision {
	r.ID = in.store.NewIDs(1)
	r.Records = in.records
	if len(plan.Rules.Kept()) == 0 {
		return Decide(plan, r)
	}
	var release func()
	r.Judging = func(typ string) {
		if tables := plan.Rules.Shared(r.Source, typ); len(tables) > 0 {
			release = in.tables.lock(tables)
		}
	}
	d := Decide(plan, r)
	d.release = release
	return d
}

// accept stores what was decided.
func (in *Intake) accept(d *Decision, r *Request) (Ack, error) {
	e := &d.Event
	switch {
	case d.Handshake != nil:
		return Ack{Handshake: d.Handshake}, nil
	case len(d.Form.Problems) > 0:
		return Ack{Form: d.Form}, nil
	case d.err != nil && e.State != event.Rejected:
		return Ack{}, d.err
	case d.err != nil:
		in.limitRejected(d)
		in.signal(d)
		in.logger.Warn("a request was rejected and kept", "source", e.Source, "event", e.ID, "cause", e.Cause)
		return in.keep(d)
	}
	in.askCaptcha(d, r)
	in.report(d)
	in.signal(d)
	if e.State == event.Spam {
		return in.keep(d)
	}
	if err := r.grow(rendered(d)); err != nil {
		return Ack{}, err
	}
	var ack Ack
	err := in.judged(d, func() (err error) {
		ack, err = in.route(d)
		return err
	})
	return ack, err
}

// judgeAgain is Decision.judgeAgain, with what follows from a judgement. What was
// told of the first one is told.
func (in *Intake) judgeAgain(d *Decision, err error, tries int) bool {
	before := replies(d.Deliveries)
	if !d.judgeAgain(err, tries) {
		return false
	}
	if in.rejudged != nil {
		in.rejudged()
	}
	for i, made := range replies(d.Deliveries) { // it was held to its limits, and counts once
		if i < len(before) && before[i].State == event.Cancelled {
			made.State, made.Error, made.Once = before[i].State, before[i].Error, nil
		}
	}
	in.number(d, false)
	if len(d.Event.Signals) == 0 {
		in.signal(d)
	}
	return true
}

// copies is how often what is sent is in memory until it is stored: rendered,
// and packed.
const copies = 2

// rendered is how many bytes it takes beyond those that were counted for the
// body, to store what the rules want sent: they may send the whole of it several
// times.
func rendered(d *Decision) int64 {
	var sum int64
	for i := range d.Deliveries {
		sum += int64(len(d.Deliveries[i].Output))
	}
	return copies * (sum - int64(len(d.Event.Data())))
}

// limitRejected drops the body of a visitor's post that is not understood where
// the form has kept as much of such posts as it may in a day.
func (in *Intake) limitRejected(d *Decision) {
	e := &d.Event
	f := d.plan.Forms[e.Source]
	if f == nil || f.Webhook() || in.quotas.take("rejected posts of "+f.Name, int64(len(e.Body)), f.Quota()/rejectedShare, e.ReceivedAt) {
		return
	}
	e.Body = nil
	in.logger.Warn("the body of a post that could not be read is not kept: the form's quota of the day for such posts is used up", "source", e.Source, "event", e.ID)
}

// keep stores an event that no rule sees.
func (in *Intake) keep(d *Decision) (Ack, error) {
	e := &d.Event
	if _, err := in.store.Accept(e, nil); err != nil {
		return Ack{}, fmt.Errorf("store event: %w", err)
	}
	in.observe(e.Source, e.State)
	return Ack{ID: e.ID, State: e.State, Form: d.Form}, d.err
}

// route stores an event with what rules want sent, and hands that over.
func (in *Intake) route(d *Decision) (Ack, error) {
	e, deliveries := &d.Event, d.Deliveries
	for i := range deliveries {
		d := &deliveries[i]
		if d.State == event.Waiting && in.dispatcher.Reserve(d) {
			d.State, d.Claim = event.Sending, 1
		}
	}
	reserved := claims(deliveries)
	duplicateOf, err := in.store.Accept(e, deliveries)
	if err != nil || duplicateOf != 0 {
		in.unreserve(deliveries, reserved)
	}
	if err != nil {
		return Ack{}, fmt.Errorf("store event: %w", err)
	}
	if duplicateOf != 0 {
		in.observe(e.Source, event.Duplicate)
		return Ack{ID: duplicateOf, State: event.Duplicate, DuplicateOf: duplicateOf, Form: d.Form}, nil
	}
	in.handOver(deliveries, reserved)
	in.observe(e.Source, e.State)
	return Ack{ID: e.ID, State: e.State, Form: d.Form}, nil
}

// replies are the deliveries that a form itself answers by.
func replies(list []event.Delivery) (own []*event.Delivery) {
	for i := range list {
		if list[i].Rule == event.AutoreplyRule {
			own = append(own, &list[i])
		}
	}
	return own
}

// Release gives a form post that was kept as spam, or as a repeat of another,
// to the rules in force, and stores what they want sent. It does so once: for
// any other event, and for one that two people release at the same time, the
// error is event.ErrNotKept.
func (in *Intake) Release(kept *event.Event, plan *Plan, now time.Time) (Ack, error) {
	if !kept.Form || kept.State != event.Spam && kept.State != event.Duplicate {
		return Ack{}, fmt.Errorf("event %s is %s: %w", kept.ID, kept.State, event.ErrNotKept)
	}
	d, err := decideKept(plan, kept, in.records, now)
	if err != nil {
		return Ack{}, err
	}
	defer d.Close()
	e := &d.Event
	in.report(d)
	var connections []string
	err = in.judged(d, func() (err error) {
		connections, err = in.store.Readmit(e, d.Deliveries)
		return err
	})
	if err != nil {
		return Ack{}, fmt.Errorf("release event %s: %w", e.ID, err)
	}
	for _, c := range connections {
		in.dispatcher.Poll(c)
	}
	return Ack{ID: e.ID, State: e.State}, nil
}

// WouldRelease decides on a form post that is kept as Release would, and stores
// nothing: the event as it would be, and what would be sent.
func (in *Intake) WouldRelease(kept *event.Event, plan *Plan, now time.Time) (event.Event, []event.Delivery, error) {
	if !kept.Form || kept.State != event.Spam && kept.State != event.Duplicate {
		return event.Event{}, nil, fmt.Errorf("event %s is %s: %w", kept.ID, kept.State, event.ErrNotKept)
	}
	d, err := decideKept(plan, kept, in.records, now)
	if err != nil {
		return event.Event{}, nil, err
	}
	defer d.Close()
	return d.Event, d.Deliveries, nil
}

// askCaptcha asks a captcha's vendor about the answer that was posted. A
// captcha that cannot be checked keeps nobody out: the event is marked and goes
// on.
func (in *Intake) askCaptcha(d *Decision, r *Request) {
	if d.captcha == nil || in.captcha == nil {
		return
	}
	e := &d.Event
	err := in.captcha(d.captcha, d.plan.Forms[e.Source].CaptchaAnswer(&d.Form), r.RemoteIP)
	if refused := (*CaptchaRefused)(nil); errors.As(err, &refused) {
		d.refuseCaptcha(refused.Error())
	} else if err != nil {
		e.Cause = "captcha not checked: " + err.Error()
		in.logger.Error("a captcha could not be checked, the post was taken", "form", e.Source, "event", e.ID, "error", err)
	}
}

// CaptchaRefused says that a captcha's vendor took the answer for none of a
// person's, with its own words.
type CaptchaRefused struct{ Codes []string }

func (e *CaptchaRefused) Error() string { return forms.RefusedCaptcha(e.Codes) }

// report numbers the deliveries, holds replies back that are too many, and logs and counts what does not go as the
// configuration means it.
func (in *Intake) report(d *Decision) {
	e := &d.Event
	if d.misfit != nil {
		in.logger.Warn("an expression of the source does not fit the event", "source", e.Source, "event", e.ID, "error", d.misfit)
	}
	for _, v := range e.Errors {
		if in.failed != nil {
			in.failed(v.Rule)
		}
		in.logger.Warn("a rule could not be evaluated", "rule", v.Rule, "event", e.ID, "source", e.Source, "error", v.Message)
	}
	for _, v := range d.replyErrors {
		in.logger.Warn("whether to reply to a form's visitor could not be decided", "form", e.Source, "event", e.ID, "error", v.Message)
	}
	in.number(d, true)
}

// number gives the deliveries their numbers; those that are fresh are held to
// their limits.
func (in *Intake) number(d *Decision, fresh bool) {
	e := &d.Event
	e.First, e.Reserved = 0, 0
	first, reserved := Number(d.Deliveries, d.numbers, in.store.NewIDs)
	if reserved > 0 {
		e.First, e.Reserved = first, reserved
	}
	NumberGathers(e.Gathers, first)
	for i := range d.Deliveries {
		made := &d.Deliveries[i]
		if fresh {
			in.limitReply(made, e, d.plan.Forms[e.Source])
		}
		if made.State == event.Failed {
			in.logger.Error("an output could not be made, nothing is sent",
				"delivery", made.ID, "event", e.ID, "action", made.Name(), "error", made.Error)
		}
	}
}

// claims tells which of the deliveries have a place in memory, by index. Accept
// may clear claims, so they are noted before.
func claims(deliveries []event.Delivery) []bool {
	reserved := make([]bool, len(deliveries))
	for i := range deliveries {
		reserved[i] = deliveries[i].Claim > 0
	}
	return reserved
}

func (in *Intake) unreserve(deliveries []event.Delivery, reserved []bool) {
	for i := range deliveries {
		if reserved[i] {
			in.dispatcher.Unreserve(&deliveries[i])
		}
	}
}

// handOver gives the dispatcher what was stored.
func (in *Intake) handOver(deliveries []event.Delivery, reserved []bool) {
	for i := range deliveries {
		d := &deliveries[i]
		switch {
		case d.Claim > 0:
			in.dispatcher.Deliver(*d)
		case reserved[i]: // it waits for its ordering key, or was held back
			in.dispatcher.Unreserve(d)
			if d.Once != nil && d.State != event.Cancelled {
				in.dispatcher.Poll(d.Connection)
			}
		case d.State == event.Waiting:
			in.dispatcher.Poll(d.Connection)
		}
	}
}
