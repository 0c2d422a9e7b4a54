// Package intake accepts events: it understands the body, asks the rules,
// renders what must be sent, stores all of it in one commit, and hands the
// deliveries over. When one of its methods returns without an error, what it
// accepted survives a crash.
package intake

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/url"

	"hookgate/app/body"
	"hookgate/app/event"
	"hookgate/app/source"
	"hookgate/forms"
	"hookgate/rules"
	"hookgate/rules/lang"
)

// Store keeps events durably.
type Store interface {
	NewIDs(n int) event.ID
	// Accept returns after the commit. It clears the claims of deliveries that
	// wait for their ordering key.
	Accept(e *event.Event, deliveries []event.Delivery) (duplicateOf event.ID, err error)
}

// Lanes take deliveries over in memory.
type Lanes interface {
	Reserve(connection string) bool
	Unreserve(connection string)
	Deliver(claimed event.Delivery)
	Overflowed(connection string)
}

// Options are what an Intake needs besides its store and lanes.
type Options struct {
	Logger *slog.Logger
	Limits body.Limits
	// Observe is told of every request that was stored.
	Observe func(source string, state event.State)
	// RuleError is told of every rule that could not be evaluated for an event;
	// nil: nobody is.
	RuleError func(rule string)
}

// Intake is safe for concurrent use.
type Intake struct {
	store   Store
	lanes   Lanes
	logger  *slog.Logger
	limits  body.Limits
	observe func(string, event.State)
	failed  func(rule string)
	traffic traffic
}

// New makes an Intake.
func New(store Store, lanes Lanes, opt Options) *Intake {
	return &Intake{store: store, lanes: lanes, logger: opt.Logger, limits: opt.Limits, observe: opt.Observe, failed: opt.RuleError}
}

// Event accepts a request to a source, after its authentication. Besides
// *BusyError and event.ErrUnavailable, before which nothing was stored, its
// error is a *body.Error: then the request was kept as rejected under Ack.ID.
func (in *Intake) Event(src *source.Source, plan *Plan, r *Request) (Ack, error) {
	leave, err := in.traffic.enter(src.Name, src.RateLimit(), r.Now)
	if err != nil {
		return Ack{}, err
	}
	defer leave()
	e := in.newEvent(src.Name, r)
	content, err := body.Decode(body.Input{
		ContentType: r.ContentType, ContentEncoding: r.ContentEncoding, Raw: r.Body, JSONField: src.JSONField(),
	}, in.limits)
	if err != nil {
		return in.reject(e, content.Raw, err)
	}
	defer content.Doc.Release()
	e.Body = content.Raw
	if !sameBytes(content.Raw, content.JSON) {
		e.JSON = content.JSON
	}
	sc := lang.NewScope(content.Doc, plan.Meta(e), r.Headers, e.Request.Query)
	defer sc.Release()
	var senderID string
	if e.Type, senderID, err = src.Identify(sc); err != nil {
		e.Cause = err.Error()
		in.logger.Warn("an expression of the source does not fit the event", "source", src.Name, "event", e.ID, "error", err)
	}
	sc.Event.Type = e.Type
	challenge := src.Challenge(content.Doc)
	e.Dedupe = dedupe(src, senderID, e.Body, r.RawQuery)
	ack, err := in.route(e, plan, sc)
	ack.Challenge = challenge
	return ack, err
}

// Form accepts a form post. Without an error, the Result tells whether it has
// problems, and then nothing was stored; or is spam, which was stored as such.
// Errors are as Event's.
func (in *Intake) Form(f *forms.Form, plan *Plan, r *Request) (Ack, forms.Result, error) {
	leave, err := in.traffic.enter(f.Name, noLimit, r.Now)
	if err != nil {
		return Ack{}, forms.Result{}, err
	}
	defer leave()
	e := in.newEvent(f.Name, r)
	e.Form, e.Type = true, event.FormSubmitted
	limits := f.Limits()
	limits.Size = min(limits.Size, in.limits.Size)
	posted, err := body.Fields(body.Input{ContentType: r.ContentType, ContentEncoding: r.ContentEncoding, Raw: r.Body}, limits)
	if err != nil {
		ack, err := in.reject(e, r.Body, err)
		return ack, forms.Result{}, err
	}
	result := f.Submit(posted)
	if len(result.Problems) > 0 {
		return Ack{}, result, nil
	}
	e.Body, e.JSON = r.Body, result.Data
	if result.Spam != "" {
		e.State, e.Cause = event.Spam, result.Spam
		ack, err := in.keep(e)
		return ack, result, err
	}
	doc, err := lang.ParseDoc(result.Data)
	if err != nil {
		return Ack{}, result, fmt.Errorf("form %s: its own data cannot be read: %w", f.Name, err)
	}
	defer doc.Release()
	sc := lang.NewScope(doc, plan.Meta(e), r.Headers, e.Request.Query)
	defer sc.Release()
	ack, err := in.route(e, plan, sc)
	return ack, result, err
}

// newEvent is what is known of a request before its body is read.
func (in *Intake) newEvent(source string, r *Request) *event.Event {
	return &event.Event{
		ID: in.store.NewIDs(1), Source: source, ReceivedAt: r.Now, State: event.NoMatch,
		Request: event.Request{
			Method: r.Method, ContentType: r.ContentType, RemoteIP: r.RemoteIP, Headers: r.Headers, Query: query(r.RawQuery),
		},
	}
}

// Meta is what expressions see of e as `event`.
func (p *Plan) Meta(e *event.Event) lang.Meta {
	at := e.ReceivedAt
	if p.Location != nil {
		at = at.In(p.Location)
	}
	return lang.Meta{ID: e.ID.String(), Type: e.Type, Source: e.Source, Time: at}
}

// route asks the rules and stores the event with what they want sent.
func (in *Intake) route(e *event.Event, plan *Plan, sc *lang.Scope) (Ack, error) {
	outcome := plan.Rules.Match(sc)
	e.Plan, e.Results, e.Errors = plan.ID, outcome.Results, outcome.Errors
	switch {
	case len(outcome.Deliveries) > 0:
		e.State = event.Routed
	case len(outcome.Errors) > 0:
		e.State = event.RuleError
	}
	for _, v := range outcome.Errors {
		if in.failed != nil {
			in.failed(v.Rule)
		}
		in.logger.Warn("a rule could not be evaluated", "rule", v.Rule, "event", e.ID, "source", e.Source, "error", v.Message)
	}
	deliveries := in.prepare(e, outcome.Deliveries)
	reserved := claims(deliveries)
	duplicateOf, err := in.store.Accept(e, deliveries)
	if err != nil || duplicateOf != 0 {
		in.release(reserved)
	}
	if err != nil {
		return Ack{}, fmt.Errorf("store event: %w", err)
	}
	if duplicateOf != 0 {
		in.observe(e.Source, event.Duplicate)
		return Ack{ID: duplicateOf, State: event.Duplicate, DuplicateOf: duplicateOf}, nil
	}
	in.handOver(deliveries, reserved)
	in.observe(e.Source, e.State)
	return Ack{ID: e.ID, State: e.State}, nil
}

// prepare makes deliveries of what the rules rendered and reserves their
// places in memory: those that get one are stored as claimed.
func (in *Intake) prepare(e *event.Event, rendered []rules.Rendered) []event.Delivery {
	if len(rendered) == 0 {
		return nil
	}
	first := event.DeliveryID(in.store.NewIDs(len(rendered)))
	deliveries := make([]event.Delivery, len(rendered))
	for i := range rendered {
		r, d := &rendered[i], &deliveries[i]
		*d = event.Delivery{
			ID: first + event.DeliveryID(i), Event: e.ID, Rule: r.Rule, Action: r.Action, Connection: r.Connection,
			Key: r.Key, Output: r.Output, Warnings: r.Warnings, State: event.Waiting, Created: e.ReceivedAt,
		}
		if r.Err != "" {
			d.State, d.Error = event.GaveUp, r.Err
			in.logger.Error("an output could not be made, nothing is sent", "delivery", d.ID, "event", e.ID, "action", d.Name(), "error", r.Err)
		} else if in.lanes.Reserve(d.Connection) {
			d.State, d.Claim = event.Sending, 1
		}
	}
	return deliveries
}

// claims are the connections of the deliveries that have a place in memory,
// by index; "" has none. Accept may clear claims, so they are noted before.
func claims(deliveries []event.Delivery) []string {
	reserved := make([]string, len(deliveries))
	for i := range deliveries {
		if deliveries[i].Claim > 0 {
			reserved[i] = deliveries[i].Connection
		}
	}
	return reserved
}

func (in *Intake) release(reserved []string) {
	for _, connection := range reserved {
		if connection != "" {
			in.lanes.Unreserve(connection)
		}
	}
}

// handOver gives the lanes what was stored.
func (in *Intake) handOver(deliveries []event.Delivery, reserved []string) {
	for i := range deliveries {
		d := &deliveries[i]
		switch {
		case d.Claim > 0:
			in.lanes.Deliver(*d)
		case reserved[i] != "": // it waits for its ordering key
			in.lanes.Unreserve(d.Connection)
		case d.State == event.Waiting:
			in.lanes.Overflowed(d.Connection)
		}
	}
}

// maxRejected is how many bytes of a body are kept that was not understood.
const maxRejected = 1 << 20

// reject keeps a request that was not understood.
func (in *Intake) reject(e *event.Event, raw []byte, cause error) (Ack, error) {
	var fault *body.Error
	if !errors.As(cause, &fault) {
		return Ack{}, cause
	}
	e.State, e.Cause = event.Rejected, fault.Message
	e.Body = raw[:min(len(raw), maxRejected)]
	e.JSON = []byte("{}")
	in.logger.Warn("a request was rejected and kept", "source", e.Source, "event", e.ID, "cause", fault.Message)
	ack, err := in.keep(e)
	if err != nil {
		return ack, err
	}
	return ack, fault
}

// keep stores an event that no rule sees.
func (in *Intake) keep(e *event.Event) (Ack, error) {
	if _, err := in.store.Accept(e, nil); err != nil {
		return Ack{}, fmt.Errorf("store event: %w", err)
	}
	in.observe(e.Source, e.State)
	return Ack{ID: e.ID, State: e.State}, nil
}

// dedupe is how a repeat of the event is recognised; nil: not at all. Keys are
// hashed: they are as short as they can be, and the sender's id stays private.
// The URL's query counts as a part of the body: in a GET it is all there is.
func dedupe(src *source.Source, senderID string, raw []byte, query string) *event.Dedupe {
	window, byBody := src.Dedupe()
	if window <= 0 || (!byBody && senderID == "") {
		return nil
	}
	what, kind := []byte(senderID), "id:"
	if byBody {
		what, kind = raw, "body:"
		if query != "" {
			kind = fmt.Sprintf("body %d %s:", len(query), query)
		}
	}
	sum := sha256.Sum256(append([]byte(kind), what...))
	return &event.Dedupe{Key: hex.EncodeToString(sum[:16]), Window: window}
}

// sameBytes reports whether a and b are the same memory.
func sameBytes(a, b []byte) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// query decodes a URL's query: a text for each name, or a list of texts where
// a name is repeated. What breaks the syntax is left out.
func query(raw string) map[string]any {
	if raw == "" {
		return nil
	}
	values, _ := url.ParseQuery(raw)
	decoded := make(map[string]any, len(values))
	for name, all := range values {
		if len(all) == 1 {
			decoded[name] = all[0]
			continue
		}
		list := make([]any, len(all))
		for i, v := range all {
			list[i] = v
		}
		decoded[name] = list
	}
	return decoded
}
