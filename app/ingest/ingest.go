// Package ingest accepts events: it understands the body, asks the rules,
// renders what must be sent, stores all of it in one commit, and hands the
// deliveries over. When one of its methods returns without an error, what it
// accepted survives a crash.
package ingest

import (
	"fmt"
	"log/slog"

	"hookgate/app/ingest/source"
	"hookgate/forms"
	"hookgate/internal/body"
	"hookgate/internal/event"
	"hookgate/internal/jsondoc"
	"hookgate/rules/lang"
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
}

// Lanes take deliveries over in memory.
type Lanes interface {
	Reserve(connection string) bool
	Unreserve(connection string)
	Deliver(claimed event.Delivery)
	BacklogAdded(connection string)
}

// Options are what an Intake needs besides its store and lanes.
type Options struct {
	Logger *slog.Logger
	Limits body.Limits
	// Observe is told of every request that was stored.
	Observe func(source string, state event.State)
	// FormKey is what the time tokens of forms are signed with.
	FormKey []byte
	// Captcha asks a captcha's vendor about an answer: nil for a good one,
	// *CaptchaRefused for a bad one; any other error says that the vendor could
	// not be asked. nil: nobody is asked.
	Captcha func(c *forms.Captcha, answer, remoteIP string) error
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
	formKey []byte
	captcha func(c *forms.Captcha, answer, remoteIP string) error
	traffic traffic
	replied replyLimits
	quotas  quotas
}

// New makes an Intake.
func New(store Store, lanes Lanes, opt Options) *Intake {
	return &Intake{
		store: store, lanes: lanes, logger: opt.Logger, limits: opt.Limits, observe: opt.Observe, failed: opt.RuleError,
		formKey: opt.FormKey, captcha: opt.Captcha,
	}
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
	content, err := in.decode(src, r)
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
	if r.Stream != nil {
		return in.formUpload(f, plan, r)
	}
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
		ack, err := in.rejectPost(e, f, r.Body, err)
		return ack, forms.Result{}, err
	}
	result := f.Submit(posted)
	if len(result.Problems) > 0 {
		return Ack{}, result, nil
	}
	e.Body = r.Body
	ack, err := in.submitted(e, f, plan, r, &result)
	return ack, result, err
}

// submitted stores the event of a post that has no problems.
func (in *Intake) submitted(e *event.Event, f *forms.Form, plan *Plan, r *Request, result *forms.Result) (Ack, error) {
	e.JSON = result.Data
	e.Request.Query = WithSaid(e.Request.Query, result.Said)
	in.judgePost(e, f, r, result)
	if result.Spam != "" {
		e.State, e.Cause = event.Spam, result.Spam
		return in.keep(e)
	}
	doc, err := jsondoc.Parse(result.Data)
	if err != nil {
		return Ack{}, fmt.Errorf("form %s: its own data cannot be read: %w", e.Source, err)
	}
	defer doc.Release()
	sc := lang.NewScope(doc, plan.Meta(e), r.Headers, e.Request.Query)
	defer sc.Release()
	return in.route(e, plan, sc)
}

// decode reads the body that a sender posted.
func (in *Intake) decode(src *source.Source, r *Request) (body.Content, error) {
	return body.Decode(body.Input{
		ContentType: r.ContentType, ContentEncoding: r.ContentEncoding, Raw: r.Body, JSONField: src.JSONField(),
	}, in.limits)
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
