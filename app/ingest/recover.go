package ingest

import (
	"fmt"

	"hookgate/internal/event"
	"hookgate/internal/jsondoc"
	"hookgate/rules/lang"
)

// NotSpam gives a form post that was kept as spam, or as a repeat of another,
// to the rules in force, and stores what they want sent. It does so once: for
// any other event, and for one that two people release at the same time, the
// error is event.ErrNotKept.
func (in *Intake) NotSpam(kept *event.Event, plan *Plan) (Ack, error) {
	if !kept.Form || kept.State != event.Spam && kept.State != event.Duplicate {
		return Ack{}, fmt.Errorf("event %s is %s: %w", kept.ID, kept.State, event.ErrNotKept)
	}
	doc, err := jsondoc.Parse(kept.Data())
	if err != nil {
		return Ack{}, fmt.Errorf("event %s: its data cannot be read: %w", kept.ID, err)
	}
	defer doc.Release()
	e := *kept
	e.State, e.DuplicateOf, e.Dedupe = event.NoMatch, 0, nil
	if e.Cause = "released by hand"; kept.Cause != "" {
		e.Cause += "; it was kept for: " + kept.Cause
	}
	sc := lang.NewScope(doc, plan.Meta(&e), e.Request.Headers, e.Request.Query)
	defer sc.Release()
	connections, err := in.store.Readmit(&e, in.judge(&e, plan, sc))
	if err != nil {
		return Ack{}, fmt.Errorf("release event %s: %w", e.ID, err)
	}
	for _, c := range connections {
		in.lanes.BacklogAdded(c)
	}
	return Ack{ID: e.ID, State: e.State}, nil
}
