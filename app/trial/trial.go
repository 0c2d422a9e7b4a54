// Package trial puts events that nobody sent through the rules, and sends
// nothing: a file that is to be explained, an event of a test. What it does
// with a body is what intake does with one that came in, up to the point where
// something would be stored.
package trial

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"hookgate/app/ingest"
	"hookgate/app/ingest/source"
	"hookgate/forms"
	"hookgate/internal/body"
	"hookgate/internal/event"
	"hookgate/internal/jsondoc"
	"hookgate/rules"
	"hookgate/rules/lang"
)

// Sample is an event as it would come in.
type Sample struct {
	Source string // a source or a form
	// Type is the event's type, whatever the body says; "" finds it as for a
	// real event.
	Type string
	Body []byte
	// Fields are what is posted to a form, in place of Body.
	Fields      []body.Field
	ContentType string
	Headers     map[string]string // names in any spelling
	Query       map[string]any
	Set         []Assignment // changes of data, or of a form's fields, made first
	ID          event.ID
	Time        time.Time
}

// ErrNoSource says that the configuration has no source or form of the name.
var ErrNoSource = errors.New("no source or form is called that")

// RefusedError says why a sample would not become an event that rules see: its
// body is not understood, or the form refuses what was posted.
type RefusedError struct {
	Problems []forms.Problem // of a form's fields; nil: Cause alone
	Cause    error           // a *body.Error or the like; nil where there are Problems
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

// Trial is a sample that the rules can be asked about. It is not for
// concurrent use, and is to be closed.
type Trial struct {
	Source string
	Type   string
	Data   json.RawMessage // what rules see as data
	Spam   string          // why a form takes it for spam, so that no rule sees it; "": it does not
	// Cause says which expression of the source does not fit the event; "": none.
	Cause string

	rules   *rules.Set
	reply   *rules.Set // what the form answers itself; nil: nothing
	doc     *jsondoc.Doc
	answers *forms.Autoreply // nil: none
	scope   *lang.Scope
}

// Open understands a sample. Its errors are ErrNoSource, a *RefusedError, and
// what is wrong with an Assignment.
func Open(plan *ingest.Plan, limits body.Limits, s Sample) (*Trial, error) {
	t := &Trial{Source: s.Source, rules: plan.Rules, reply: plan.Autoreplies[s.Source]}
	if form := plan.Forms[s.Source]; form != nil {
		t.answers = form.Autoreply()
	}
	var err error
	switch src, form := plan.Sources[s.Source], plan.Forms[s.Source]; {
	case src != nil:
		err = t.source(plan, src, limits, s)
	case form != nil:
		err = t.form(plan, form, limits, s)
	default:
		return nil, fmt.Errorf("%q: %w", s.Source, ErrNoSource)
	}
	if err != nil {
		return nil, err
	}
	return t, nil
}

// Sources are the names that a Sample's Source can have, sorted.
func Sources(plan *ingest.Plan) []string {
	return slices.Sorted(func(yield func(string) bool) {
		for _, names := range [][]string{slices.Collect(maps.Keys(plan.Sources)), slices.Collect(maps.Keys(plan.Forms))} {
			for _, name := range names {
				if !yield(name) {
					return
				}
			}
		}
	})
}

func (t *Trial) source(plan *ingest.Plan, src *source.Source, limits body.Limits, s Sample) error {
	content, err := body.Decode(body.Input{ContentType: s.ContentType, Raw: s.Body, JSONField: src.JSONField()}, limits)
	if err != nil {
		return &RefusedError{Cause: err}
	}
	t.doc, t.Data = content.Doc, content.JSON
	if len(s.Set) > 0 {
		content.Doc.Release()
		if err := t.change(s.Set); err != nil {
			return err
		}
	}
	headers := map[string]string{}
	for name, value := range s.Headers {
		if !src.Secret(name) { // rules never see a credential
			headers[strings.ToLower(name)] = value
		}
	}
	t.open(plan, s, headers)
	typ, _, err := src.Identify(t.scope)
	if err != nil {
		t.Cause = err.Error()
	}
	t.setType(typ, s)
	return nil
}

// change sets values of the data and reads it anew.
func (t *Trial) change(set []Assignment) (err error) {
	if t.Data, err = SetJSON(t.Data, set); err != nil {
		return err
	}
	if t.doc, err = jsondoc.Parse(t.Data); err != nil {
		return &RefusedError{Cause: err}
	}
	return nil
}

func (t *Trial) form(plan *ingest.Plan, form *forms.Form, limits body.Limits, s Sample) error {
	limit := form.Limits()
	limit.Size = min(limit.Size, limits.Size)
	fields := s.Fields
	if fields == nil {
		var err error
		if fields, err = body.Fields(body.Input{ContentType: s.ContentType, Raw: s.Body}, limit); err != nil {
			return &RefusedError{Cause: err}
		}
	}
	fields, err := setFields(fields, s.Set)
	if err != nil {
		return err
	}
	result := form.Submit(withFiles(form, fields))
	if len(result.Problems) > 0 {
		return &RefusedError{Problems: result.Problems}
	}
	t.Spam, t.Data = result.Spam, result.Data
	if t.doc, err = jsondoc.Parse(result.Data); err != nil {
		return &RefusedError{Cause: err}
	}
	headers := map[string]string{}
	for name, value := range s.Headers {
		headers[strings.ToLower(name)] = value
	}
	s.Query = ingest.WithSaid(maps.Clone(s.Query), result.Said)
	t.open(plan, s, headers)
	t.setType(event.FormSubmitted, s)
	return nil
}

func (t *Trial) open(plan *ingest.Plan, s Sample, headers map[string]string) {
	meta := plan.Meta(&event.Event{ID: s.ID, Source: s.Source, ReceivedAt: s.Time})
	t.scope = lang.NewScope(t.doc, meta, headers, s.Query)
}

func (t *Trial) setType(found string, s Sample) {
	if t.Type = found; s.Type != "" {
		t.Type = s.Type
	}
	t.scope.Event.Type = t.Type
}

// Explain tells how each rule comes to its result; nothing of spam.
func (t *Trial) Explain() []rules.Trace {
	if t.Spam != "" {
		return nil
	}
	return t.rules.Explain(t.scope)
}

// Reply tells what the form would answer by mail, as the rule that it is to
// the store; nil where it has no reply, or takes the post for spam. Whether
// the address got one within the last day is not asked.
func (t *Trial) Reply() *rules.Trace {
	if t.reply == nil || t.Spam != "" {
		return nil
	}
	reply := t.reply.Explain(t.scope)[0]
	for i := range reply.Actions {
		if a := &reply.Actions[i]; a.Sent && a.Err == "" {
			a.Err = ingest.ReplyHeld(t.answers, a.Output, t.Data)
			a.Sent = a.Err == ""
		}
	}
	return &reply
}

// Scope is what the expressions see.
func (t *Trial) Scope() *lang.Scope { return t.scope }

// Close gives the memory back; Data stays good.
func (t *Trial) Close() {
	t.scope.Release()
	t.doc.Release()
}
