package ingest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"hookgate/app/ingest/source"
	"hookgate/forms"
	"hookgate/internal/body"
	"hookgate/internal/event"
	"hookgate/internal/jsondoc"
	"hookgate/rules"
	"hookgate/rules/lang"
)

// ErrNoSource says that the configuration has no source or form of the name.
var ErrNoSource = errors.New("no source or form is called that")

// ErrHandshake says that the sender only tries the address: it is answered as it
// wants, and that is no event.
var ErrHandshake = errors.New("the sender only tries the address: it is answered, and is no event")

// RefusedError says why no rule sees a request: its body is not understood,
// a form refuses what was posted, or it only tries the address.
type RefusedError struct {
	Problems []forms.Problem // of a form's fields; nil: Cause alone
	Cause    error           // a *body.Error or ErrHandshake; nil where there are Problems
}

// Error is one line for people.
func (e *RefusedError) Error() string {
	if e.Cause != nil {
		return e.Cause.Error()
	}
	parts := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		parts[i] = p.Message(forms.English)
		if p.Field != "" {
			parts[i] = p.Field + ": " + parts[i]
		}
	}
	return strings.Join(parts, " ")
}

// Unwrap gives the cause.
func (e *RefusedError) Unwrap() error { return e.Cause }

// Decision is what becomes of a request: decided, and not yet done. It is not
// for concurrent use, and is to be closed.
type Decision struct {
	// Event is what is stored, with its state: what it is, whether a form takes
	// it for spam (the state, and the reason as its cause), by what a repeat of
	// it is recognised, and which rules match. Nothing is stored of a post with
	// Form.Problems.
	Event event.Event
	// Deliveries are what is sent, without numbers.
	Deliveries []event.Delivery
	// Handshake is the answer where the sender only tries the address: nothing is
	// stored, and no rule sees it. nil for events.
	Handshake *source.Answer
	// Form is what a form makes of what was posted to it.
	Form forms.Result

	err         error           // why the body is not understood, or what keeps a sample from being one
	misfit      error           // which expression of the source does not fit the event
	replyErrors []event.Verdict // of the condition of the form's own reply
	captcha     *forms.Captcha  // its vendor has still to say whether the answer is good; nil: nobody is asked

	answers map[string]lang.Answer // of a Sample

	numbers int // that the deliveries take, with those that are made later

	records Records           // where kept tables are looked up; nil: nowhere
	judging func(typ string)  // is told before the rules are asked; nil: nobody is
	lookups *lookups          // nil: no rule uses a kept table
	refused map[string]string // why rules are rule errors whatever they say, by their names
	release func()            // ends what was taken for the judging; nil: nothing was

	plan  *Plan
	doc   *jsondoc.Doc // nil where no rule sees it
	scope *lang.Scope  // nil where no rule sees it
}

// Decide says what becomes of a request, after its authentication. It changes
// nothing and asks nobody: what it does not know is whether the store has the
// same event already, and what a captcha's vendor says. The server stores what
// it decides, see Intake.Accept; who only wants to know asks with a Sample.
func Decide(plan *Plan, r *Request) *Decision {
	d := &Decision{plan: plan, records: r.Records, judging: r.Judging}
	d.Event = event.Event{
		ID: r.ID, Source: r.Source, ReceivedAt: r.Now, State: event.NoMatch,
		Request: event.Request{
			Method: r.Method, ContentType: r.ContentType, RemoteIP: r.RemoteIP, Headers: r.Headers, Query: query(r.RawQuery),
		},
	}
	if r.Sample != nil {
		d.answers = r.Sample.Answers
		d.Event.Request.Headers = r.Sample.headers(r.Headers, plan.KeepsHeader(r.Source))
		d.Event.Request.Query = maps.Clone(r.Sample.Query)
	}
	form, src := plan.Forms[r.Source], plan.sender(r.Source)
	switch {
	case form == nil && src == nil:
		d.err = fmt.Errorf("%q: %w", r.Source, ErrNoSource)
	case form == nil:
		d.source(src, r)
	case src != nil:
		d.builderPost(form, src, r)
	default:
		d.visitorPost(form, r)
	}
	if r.Sample != nil && r.Sample.Fresh {
		d.Event.Dedupe = nil
	}
	return d
}

// decideKept decides on a form post that is stored and that no rule has seen:
// its body was understood when it came. Its delays count from now.
func decideKept(plan *Plan, kept *event.Event, records Records, now time.Time) (*Decision, error) {
	doc, err := jsondoc.Parse(kept.Data())
	if err != nil {
		return nil, fmt.Errorf("event %s: its data cannot be read: %w", kept.ID, err)
	}
	d := &Decision{Event: *kept, plan: plan, doc: doc, records: records}
	e := &d.Event
	e.State, e.DuplicateOf, e.Dedupe = event.NoMatch, 0, nil
	if e.Cause = "released by hand"; kept.Cause != "" {
		e.Cause += "; it was kept for: " + kept.Cause
	}
	d.scope = plan.scope(e, doc)
	d.scope.Began = now
	d.askRules()
	return d, nil
}

// Err says why no rule sees the request: a *RefusedError, ErrNoSource, or what
// is wrong with an Assignment of a Sample. nil for what rules see, and for spam.
func (d *Decision) Err() error {
	if len(d.Form.Problems) > 0 {
		return &RefusedError{Problems: d.Form.Problems}
	}
	if d.Handshake != nil {
		return &RefusedError{Cause: ErrHandshake}
	}
	if fault := (*body.Error)(nil); errors.As(d.err, &fault) {
		return &RefusedError{Cause: d.err}
	}
	return d.err
}

// Explain tells how each rule comes to its result; nil where no rule sees the
// request.
func (d *Decision) Explain() []rules.Trace {
	if d.scope == nil {
		return nil
	}
	d.scope.Answers = d.answers
	traces := d.plan.Rules.Explain(d.scope)
	for _, v := range d.Event.Errors {
		if i := slices.IndexFunc(traces, func(t rules.Trace) bool { return t.Rule == v.Rule }); i >= 0 {
			traces[i].Fail(v.Message)
		}
	}
	return traces
}

// ExplainReply tells what the form itself answers by mail, as the rule that it
// is to the store; nil where it has no reply, or no rule sees the post. Whether
// the address got one within the last day is not known here.
func (d *Decision) ExplainReply() *rules.Trace {
	set := d.plan.Autoreplies[d.Event.Source]
	if set == nil || d.scope == nil {
		return nil
	}
	reply := set.Explain(d.scope)[0]
	for i := range reply.Actions {
		if a := &reply.Actions[i]; a.Sent && a.Err == "" {
			a.Err = replyHeld(d.autoreply(), a.Output, d.Event.Data())
			a.Sent = a.Err == ""
		}
	}
	return &reply
}

// Scope is what expressions see; nil where no rule sees the request. It is good
// until Close.
func (d *Decision) Scope() *lang.Scope { return d.scope }

// Close gives the memory of the scope back. The Event stays good.
func (d *Decision) Close() {
	if d.release != nil {
		d.release()
		d.release = nil
	}
	if d.scope != nil {
		d.scope.Release()
		d.scope = nil
	}
	if d.doc != nil {
		d.doc.Release()
		d.doc = nil
	}
}

// source decides on a request to a source.
func (d *Decision) source(src *source.Source, r *Request) {
	content, err := d.decode(src, r)
	if err != nil {
		d.reject(content.Raw, err)
		return
	}
	if d.Handshake = src.HandshakeBody(content.Doc); d.Handshake != nil {
		content.Doc.Release()
		return
	}
	d.doc = content.Doc
	d.Event.Body = content.Raw
	if !sameBytes(content.Raw, content.JSON) {
		d.Event.JSON = content.JSON
	}
	d.scope = d.plan.scope(&d.Event, d.doc)
	typ, senderID := d.identify(src, d.scope)
	if r.Sample != nil && r.Sample.Type != "" {
		typ = r.Sample.Type
	}
	d.Event.Type, d.scope.Event.Type = typ, typ
	d.Event.Dedupe = dedupe(src.Repeats(), senderID, d.Event.Body, r.RawQuery)
	d.askRules()
}

// builderPost decides on a post that a form builder sends. The raw body is
// kept, and data is the flat fields.
func (d *Decision) builderPost(f *forms.Form, src *source.Source, r *Request) {
	d.Event.Form, d.Event.Type = true, event.FormSubmitted
	decoded, err := d.decode(src, r)
	if err != nil {
		d.reject(decoded.Raw, err)
		return
	}
	defer decoded.Doc.Release()
	d.Event.Body = decoded.Raw
	var meta map[string]any
	d.Form, meta = f.Receive(decoded.JSON)
	sc := d.plan.scope(&d.Event, decoded.Doc)
	_, senderID := d.identify(src, sc)
	sc.Release()
	by, content, query := src.Repeats(), d.Event.Body, r.RawQuery
	if by.ID {
		content, query = submissionContent(&d.Form, meta), ""
	}
	d.Event.Dedupe = dedupe(by, senderID, content, query)
	d.Event.Request.Query = withInstructions(d.Event.Request.Query, meta)
	d.submitted(f, r)
}

// visitorPost decides on a post that a visitor sends. One whose fields have
// problems goes back to the visitor, and nothing is stored.
func (d *Decision) visitorPost(f *forms.Form, r *Request) {
	d.Event.Form, d.Event.Type = true, event.FormSubmitted
	posted, err := r.fields(f, d.plan.Limits)
	if err != nil {
		d.reject(r.Body, err)
		return
	}
	d.Event.Body = r.Body
	if d.Form = f.Submit(posted); len(d.Form.Problems) == 0 {
		d.submitted(f, r)
	}
}

// submitted decides on a form post that has no problems.
func (d *Decision) submitted(f *forms.Form, r *Request) {
	e := &d.Event
	e.JSON = d.Form.Data
	e.Request.Query = withInstructions(e.Request.Query, d.Form.Said)
	for _, u := range d.Form.Uploads {
		e.Files = append(e.Files, event.File{
			ID: u.ID, Event: e.ID, Field: u.Field, Name: u.Name, Type: u.Type, Size: u.Size, SHA256: u.SHA256, Created: e.ReceivedAt,
		})
	}
	visit := &forms.Visit{Key: d.plan.FormKey, Now: r.Now}
	if r.Sample != nil {
		visit = nil // no page was shown that could prove its visitor
	}
	if d.Form.Spam == "" {
		d.Form.Spam = f.Judge(&d.Form, visit)
	}
	if d.Form.Spam != "" {
		e.State, e.Cause = event.Spam, d.Form.Spam
		return
	}
	if visit != nil {
		d.captcha = f.Captcha()
	}
	if window := f.Duplicates(); window > 0 && !f.Webhook() { // of a builder, its sender says
		e.Dedupe = &event.Dedupe{Key: postKey(f.Name, r.RemoteIP, &d.Form), Window: window}
	}
	doc, err := jsondoc.Parse(e.JSON)
	if err != nil {
		d.err = fmt.Errorf("form %s: its own data cannot be read: %w", e.Source, err)
		return
	}
	d.doc, d.scope = doc, d.plan.scope(e, doc)
	d.askRules()
}

// askRules has the rules decide on what they see in the scope, and makes the
// deliveries that they, and the form itself, want. A condition of the form's
// reply that cannot be evaluated keeps the reply from being sent, and nothing
// else.
func (d *Decision) askRules() {
	if d.judging != nil && d.captcha == nil { // a captcha's vendor is asked for seconds
		d.judging(d.Event.Type)
		d.judging = nil
	}
	d.readRecords()
	e, outcome := &d.Event, d.plan.Rules.Match(d.scope)
	if len(d.refused) > 0 { // to sort nothing costs allocations
		for _, rule := range slices.Sorted(maps.Keys(d.refused)) {
			outcome.Fail(d.plan.Rules, rule, d.refused[rule])
		}
	}
	e.Plan, e.Results, e.Errors = d.plan.ID, outcome.Results, outcome.Errors
	switch {
	case outcome.Matched() > 0:
		e.State = event.Routed
	case len(outcome.Errors) > 0:
		e.State = event.RuleError
	}
	rendered := outcome.Deliveries
	if reply := d.plan.Autoreplies[e.Source]; reply != nil {
		answer := reply.Match(d.scope)
		d.replyErrors = answer.Errors
		rendered = append(rendered, answer.Deliveries...)
	}
	d.numbers = len(rendered)
	d.Deliveries = deliveries(e, rendered, d.autoreply(), d.scope.Begun())
	e.Gathers = gathers(e, rendered, d.scope.Begun())
	d.takeRecords(&outcome)
}

// autoreply is how the form answers by mail; nil: it does not.
func (d *Decision) autoreply() *forms.Autoreply {
	if f := d.plan.Forms[d.Event.Source]; f != nil {
		return f.Autoreply()
	}
	return nil
}

// decode understands the body that a sender posted, with the changes that a
// sample makes to it.
func (d *Decision) decode(src *source.Source, r *Request) (body.Content, error) {
	content, err := body.Decode(body.Input{
		ContentType: r.ContentType, ContentEncoding: r.ContentEncoding, Raw: r.Body, JSONField: src.JSONField(),
	}, d.plan.Limits)
	if err != nil || r.Sample == nil || len(r.Sample.Set) == 0 {
		return content, err
	}
	content.Doc.Release()
	if content.JSON, err = SetJSON(content.JSON, r.Sample.Set); err == nil {
		content.Doc, err = jsondoc.Parse(content.JSON)
	}
	return content, err
}

// identify finds the type and the id that the sender gave an event. An
// expression that does not fit the event is its cause.
func (d *Decision) identify(src *source.Source, sc *lang.Scope) (typ, senderID string) {
	typ, senderID, d.misfit = src.Identify(sc)
	if d.misfit != nil {
		d.Event.Cause = d.misfit.Error()
	}
	return typ, senderID
}

// maxRejected is how many bytes of a body are kept that was not understood.
const maxRejected = 1 << 20

// reject decides on a body that is not understood: it is kept, and no rule
// sees it.
func (d *Decision) reject(raw []byte, err error) {
	d.err = err
	if fault := (*body.Error)(nil); errors.As(err, &fault) {
		d.Event.State, d.Event.Cause = event.Rejected, fault.Message
		d.Event.Body, d.Event.JSON = raw[:min(len(raw), maxRejected)], []byte("{}")
	}
}

// refuseCaptcha is for a post whose captcha was not solved, as its vendor says.
func (d *Decision) refuseCaptcha(reason string) {
	d.Form.Spam = reason
	e := &d.Event
	e.State, e.Cause, e.Dedupe = event.Spam, reason, nil
	e.Plan, e.Results, e.Errors, e.Reads, e.Records, e.Gathers = 0, nil, nil, nil, nil, nil
	d.Deliveries, d.numbers, d.replyErrors = nil, 0, nil
}

// sameBytes reports whether a and b are the same memory.
func sameBytes(a, b []byte) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// withInstructions adds the instructions of a form post, and what a form
// builder says of it, to the query, where rules and templates find them. They
// win over the URL's.
func withInstructions(query, said map[string]any) map[string]any {
	if len(said) == 0 {
		return query
	}
	if query == nil {
		query = make(map[string]any, len(said))
	}
	maps.Copy(query, said)
	return query
}
