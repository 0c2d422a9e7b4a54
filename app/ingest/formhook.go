package ingest

import (
	"hookgate/app/ingest/source"
	"hookgate/forms"
	"hookgate/internal/event"
	"hookgate/rules/lang"
)

// FormHook accepts a post that a form builder sends, after its authentication.
// The raw body is kept, and data is the flat fields. Errors are as Event's.
func (in *Intake) FormHook(f *forms.Form, src *source.Source, plan *Plan, r *Request) (Ack, error) {
	leave, err := in.traffic.enter(f.Name, src.RateLimit(), r.Now)
	if err != nil {
		return Ack{}, err
	}
	defer leave()
	e := in.newEvent(f.Name, r)
	e.Form, e.Type = true, event.FormSubmitted
	content, err := in.decode(src, r)
	if err != nil {
		return in.reject(e, content.Raw, err)
	}
	defer content.Doc.Release()
	e.Body = content.Raw
	result, meta := f.Receive(content.JSON)
	sc := lang.NewScope(content.Doc, plan.Meta(e), r.Headers, e.Request.Query)
	_, senderID, err := src.Identify(sc)
	sc.Release()
	if err != nil {
		e.Cause = err.Error()
		in.logger.Warn("an expression of the form does not fit the post", "source", f.Name, "event", e.ID, "error", err)
	}
	e.Dedupe = dedupe(src, senderID, e.Body, r.RawQuery)
	e.Request.Query = WithSaid(e.Request.Query, meta)
	return in.submitted(e, f, plan, r, &result)
}
