// Package replay looks at stored events again: with the rules that judged
// them, with the rules in force, or with those of another configuration.
package replay

import (
	"fmt"
	"time"

	"hookgate/internal/event"
	"hookgate/internal/jsondoc"
	"hookgate/rules"
	"hookgate/rules/lang"
)

// Judge is a version of the configuration that can judge stored events. It is
// safe for concurrent use.
type Judge struct {
	Config   string // the hash of the file that it is from
	Rules    *rules.Set
	Location *time.Location // of event.time; nil: UTC
	// Gone are the connections of a type that is not known any more, because a
	// recipe was taken out of the configuration, in the order of their names.
	// Its rules judge as ever; what they send is shown without what the type
	// made of it, such as its escapes.
	Gone []GoneConnection
}

// GoneConnection is a connection whose type is not known any more.
type GoneConnection struct {
	Name string `json:"connection"`
	Type string `json:"type"`
}

// Explain tells how the rules come to what they say of e; nil for what has no
// data that rules could judge.
func (j *Judge) Explain(e *event.Event) (traces []rules.Trace) {
	_ = j.with(e, func(sc *lang.Scope) { traces = j.Rules.Explain(sc) })
	return traces
}

// Match says what the rules want done for e. The error is that e has no data
// that they could judge.
func (j *Judge) Match(e *event.Event) (out rules.Outcome, err error) {
	err = j.with(e, func(sc *lang.Scope) { out = j.Rules.Match(sc) })
	return out, err
}

func (j *Judge) with(e *event.Event, do func(*lang.Scope)) error {
	return inScope(e, j.Location, do)
}

// inScope makes the scope in which expressions see e.
func inScope(e *event.Event, location *time.Location, do func(*lang.Scope)) error {
	doc, err := jsondoc.Parse(e.Data())
	if err != nil {
		return fmt.Errorf("event %s has no data that can be judged: %w", e.ID, err)
	}
	defer doc.Release()
	at := e.ReceivedAt.UTC()
	if location != nil {
		at = at.In(location)
	}
	sc := lang.NewScope(doc, lang.Meta{ID: e.ID.String(), Type: e.Type, Source: e.Source, Time: at}, e.Request.Headers, e.Request.Query)
	defer sc.Release()
	do(sc)
	return nil
}
