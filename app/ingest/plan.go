package ingest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"hookgate/app/ingest/files"
	"hookgate/app/ingest/source"
	"hookgate/forms"
	"hookgate/internal/body"
	"hookgate/internal/event"
	"hookgate/internal/jsondoc"
	"hookgate/rules"
	"hookgate/rules/lang"
)

// Plan is what a loaded configuration says of events that come in. It never
// changes: a reload makes a new one.
type Plan struct {
	RuleSet
	Sources map[string]*source.Source
	// Forms share their names with no source.
	Forms map[string]*forms.Form
	// Senders prove the posts of the forms that form builders send.
	Senders map[string]*source.Source
	// Autoreplies are what forms themselves answer, by the form's name.
	Autoreplies map[string]*rules.Set
	// Limits bound the body of an event.
	Limits body.Limits
	// FormKey is what the time tokens of forms are signed with.
	FormKey []byte
	// Files is where the files of form posts go; nil where no form takes any.
	Files *files.Dir
}

// Names are those of the sources and forms of the configuration, sorted.
func (p *Plan) Names() []string {
	return slices.Sorted(func(yield func(string) bool) {
		for name := range maps.Keys(p.Sources) {
			if name != event.Own && !yield(name) {
				return
			}
		}
		for name := range maps.Keys(p.Forms) {
			if !yield(name) {
				return
			}
		}
	})
}

// Schedules are the sources of which the clock makes events, by name.
func (p *Plan) Schedules() map[string]*source.Schedule {
	list := map[string]*source.Schedule{}
	for name, s := range p.Sources {
		if s.Schedule() != nil {
			list[name] = s.Schedule()
		}
	}
	return list
}

// sender is who proves and bounds the requests to a source, or to a form that a
// form builder posts to; nil for a form that visitors post to.
func (p *Plan) sender(name string) *source.Source {
	if src := p.Sources[name]; src != nil {
		return src
	}
	return p.Senders[name]
}

// transportHeaders are the header fields that say nothing of an event: they are
// about the connection.
var transportHeaders = map[string]bool{
	"accept": true, "accept-encoding": true, "connection": true, "content-length": true, "expect": true,
	"host": true, "keep-alive": true, "proxy-connection": true, "te": true, "trailer": true,
	"transfer-encoding": true, "upgrade": true,
}

// visitorHeaders are the header fields that are kept of a visitor's form post.
// A browser sends many others, and they are nobody's business.
var visitorHeaders = map[string]bool{
	"content-type": true, "user-agent": true, "referer": true, "origin": true, "accept-language": true,
}

// KeepsHeader tells which header fields of a request to a source or form are
// kept and shown to expressions: those that say something of the event and are
// no credential. It takes their names in lower case.
func (p *Plan) KeepsHeader(name string) func(header string) bool {
	src := p.sender(name)
	if src == nil {
		return func(header string) bool { return visitorHeaders[header] }
	}
	return func(header string) bool { return !transportHeaders[header] && !src.Secret(header) }
}

// RuleSet is the part of a configuration that judges events whose body is
// understood. It is stored beside the events that it judged. It is safe for
// concurrent use.
type RuleSet struct {
	ID       int64  // under which the store keeps the names of its rules; 0: it is not stored
	Hash     string // of the configuration file
	Rules    *rules.Set
	Location *time.Location // the time zone of event.time; nil: UTC
	// Gone are the connections of a type that is not known any more, because a
	// recipe was taken out of the configuration, in the order of their names.
	// Its rules judge as ever; what they send is shown without what the type
	// made of it, such as its escapes.
	Gone []GoneConnection
	// Records is where stored events look up what was not looked up when they
	// were accepted; nil: there is nothing.
	Records Records
}

// GoneConnection is a connection whose type is not known any more.
type GoneConnection struct {
	Name string `json:"connection"`
	Type string `json:"type"`
}

// Decide says what the rules want done for a stored event, whose body was
// understood when it came. The error is that it has no data that they could
// judge.
func (s *RuleSet) Decide(e *event.Event) (out rules.Outcome, err error) {
	err = s.WithScope(e, func(sc *lang.Scope) { out = s.Rules.Match(sc) })
	return out, err
}

// DecideNear is Decide that also calls near for each rule that the event missed by
// one part of its condition alone; see rules.Set.NearMisses.
func (s *RuleSet) DecideNear(e *event.Event, near func(rule int, part func() lang.Part)) (out rules.Outcome, err error) {
	err = s.WithScope(e, func(sc *lang.Scope) {
		out = s.Rules.Match(sc)
		s.Rules.NearMisses(sc, &out, near)
	})
	return out, err
}

// Explain tells how Decide comes to its outcome; nil for an event without data
// that rules could judge.
func (s *RuleSet) Explain(e *event.Event) (traces []rules.Trace) { return s.ExplainWith(e, nil) }

// ExplainWith is Explain where steps have the answers; see lang.Scope.
func (s *RuleSet) ExplainWith(e *event.Event, answers map[string]lang.Answer) (traces []rules.Trace) {
	_ = s.WithScope(e, func(sc *lang.Scope) {
		sc.Answers = answers
		traces = s.Rules.Explain(sc)
	})
	return traces
}

// WithScope calls do with the scope in which expressions see a stored event.
// The scope is good until do returns. The error is that the event has no data.
func (s *RuleSet) WithScope(e *event.Event, do func(*lang.Scope)) error {
	doc, err := jsondoc.Parse(e.Data())
	if err != nil {
		return fmt.Errorf("event %s has no data that can be judged: %w", e.ID, err)
	}
	defer doc.Release()
	sc := s.scope(e, doc)
	defer sc.Release()
	if s.Rules != nil && len(s.Rules.Kept()) > 0 {
		sc.Records = &lookups{store: s.Records, old: e.Reads, stored: true}
	}
	do(sc)
	return nil
}

// scope is what expressions see of e, with doc as its data. The caller
// releases it.
func (s *RuleSet) scope(e *event.Event, doc *jsondoc.Doc) *lang.Scope {
	at := e.ReceivedAt.UTC()
	if s.Location != nil {
		at = at.In(s.Location)
	}
	meta := lang.Meta{ID: e.ID.String(), Type: e.Type, Source: e.Source, Time: at}
	return lang.NewScope(doc, meta, e.Request.Headers, e.Request.Query)
}

// AtMoment asks and renders, for a stored event, an action whose moment has
// come. The error is that the event has no data, or the rules no such action.
func (s *RuleSet) AtMoment(e *event.Event, ref rules.Ref, made ...*event.Progress) (asked rules.Asked, err error) {
	failed := s.WithScope(e, func(sc *lang.Scope) {
		now := &lookups{store: s.Records} // what is there at the moment
		sc.Records = now
		if asked, err = s.Rules.AtMoment(sc, ref, made...); now.err != nil {
			err = now.err
		}
	})
	return asked, errors.Join(failed, err)
}

// Follow asks and renders, for a stored event, what comes next in the chain of an
// action, of which made is what there is; see rules.Set.Follow. Delays count from
// ended.
func (s *RuleSet) Follow(e *event.Event, ref rules.Ref, flow event.Flow, made []*event.Progress, ended time.Time) (next []rules.Next, err error) {
	failed := s.WithScope(e, func(sc *lang.Scope) {
		now := &lookups{store: s.Records}
		sc.Began, sc.Records = ended, now
		if next, err = s.Rules.Follow(sc, ref, flow, made); now.err != nil {
			err = now.err
		}
	})
	return next, errors.Join(failed, err)
}

// deliveries makes of what rules rendered what is stored of it: held by nobody,
// and numbered from 1. What is made later has a number, and is not in the list.
// What has its moment after now is scheduled. reply is what a form answers
// itself.
func deliveries(e *event.Event, rendered []rules.Rendered, reply *forms.Autoreply, now time.Time) []event.Delivery {
	if len(rendered) == 0 {
		return nil
	}
	list := make([]event.Delivery, 0, len(rendered))
	for i := range rendered {
		r := &rendered[i]
		if r.Later {
			continue
		}
		list = append(list, event.Delivery{})
		d := &list[len(list)-1]
		*d = event.Delivery{
			ID: event.DeliveryID(i + 1), Event: e.ID, Rule: r.Rule, Action: r.Action, Element: r.Element, Connection: r.Connection,
			Key: r.Key, Once: r.Once, Output: r.Output, Warnings: r.Warnings, State: event.Waiting, Created: e.ReceivedAt, Flow: r.Flow,
		}
		if r.Rule == event.AutoreplyRule {
			asReply(d, e, reply)
		}
		if r.Wait != nil && (r.Wait.Late || r.Moment.After(now)) {
			wait := *r.Wait
			wait.Once, d.Once = d.Once, nil // it is counted at its moment
			d.State, d.Moment, d.Wait = event.Scheduled, r.Moment, &wait
		}
		if r.Err != "" && d.State != event.Cancelled {
			d.State, d.Error, d.Once, d.Moment, d.Wait = event.Failed, r.Err, nil, time.Time{}, nil
		}
	}
	return list
}

// gathers are the digests that an event joins now, with the numbers that are reserved
// for it, from 1.
func gathers(e *event.Event, rendered []rules.Rendered, now time.Time) (list []event.Gather) {
	for i := range rendered {
		if j := rendered[i].Joining; j != nil {
			g := j.Gather(len(e.Data()), now)
			g.Event, g.Delivery = e.ID, event.DeliveryID(i+1)
			list = append(list, g)
		}
	}
	return list
}

// NumberGathers gives what is numbered from 1 the ids from first on.
func NumberGathers(list []event.Gather, first event.DeliveryID) {
	for i := range list {
		list[i].Delivery += first - 1
	}
}

// Gathers are the digests that an event joins now by an outcome, numbered from 1.
func Gathers(e *event.Event, out *rules.Outcome, now time.Time) []event.Gather {
	return gathers(e, out.Deliveries, now)
}

// AtClose renders, for the newest of the events in a digest that has closed, what is
// sent for all of them; items are theirs, as Item gives them. See rules.Set.AtClose.
func (s *RuleSet) AtClose(newest *event.Event, ref rules.Ref, items []any) (made rules.Rendered, during string, err error) {
	failed := s.WithScope(newest, func(sc *lang.Scope) {
		now := &lookups{store: s.Records} // what is there when it closes
		sc.Records = now
		if made, during, err = s.Rules.AtClose(sc, ref, items); now.err != nil {
			err = now.err
		}
	})
	return made, during, errors.Join(failed, err)
}

// Again asks and renders, for a stored event, an action of which another version of the
// rules made a delivery; see rules.Set.Again.
func (s *RuleSet) Again(e *event.Event, of *rules.Earlier) (asked rules.Asked, err error) {
	failed := s.WithScope(e, func(sc *lang.Scope) {
		now := &lookups{store: s.Records}
		sc.Records = now
		if asked, err = s.Rules.Again(sc, of); now.err != nil {
			err = now.err
		}
	})
	return asked, errors.Join(failed, err)
}

// Item is a stored event as one of the items of a digest.
func (s *RuleSet) Item(e *event.Event) (item any, err error) {
	err = s.WithScope(e, func(sc *lang.Scope) { item = sc.Item() })
	return item, err
}

// Number gives the deliveries of an outcome, which are numbered from 1, their
// ids. first and reserved are to be stored where ids are reserved for what is
// made later; else reserved is 0.
func Number(list []event.Delivery, rendered int, newIDs func(n int) event.ID) (first event.DeliveryID, reserved int) {
	if rendered == 0 {
		return 0, 0
	}
	first = event.DeliveryID(newIDs(rendered))
	for i := range list {
		list[i].ID += first - 1
	}
	if len(list) < rendered {
		reserved = rendered
	}
	return first, reserved
}

// Deliveries makes of an outcome what is stored of it: held by nobody, and
// numbered from 1. What has its moment after now is scheduled.
func Deliveries(e *event.Event, out *rules.Outcome, now time.Time) []event.Delivery {
	return deliveries(e, out.Deliveries, nil, now)
}
