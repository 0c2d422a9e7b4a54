package ingest

import (
	"fmt"

	"hookgate/internal/event"
	"hookgate/rules"
	"hookgate/rules/lang"
)

// route asks the rules and stores the event with what they want sent.
func (in *Intake) route(e *event.Event, plan *Plan, sc *lang.Scope) (Ack, error) {
	deliveries := in.judge(e, plan, sc)
	for i := range deliveries {
		d := &deliveries[i]
		if d.State == event.Waiting && in.lanes.Reserve(d.Connection) {
			d.State, d.Claim = event.Sending, 1
		}
	}
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

// judge has the rules decide on e, and makes the deliveries that they want.
func (in *Intake) judge(e *event.Event, plan *Plan, sc *lang.Scope) []event.Delivery {
	outcome := plan.Rules.Match(sc)
	e.Plan, e.Results, e.Errors = plan.ID, outcome.Results, outcome.Errors
	switch {
	case outcome.Matched() > 0:
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
	return in.prepare(e, plan, append(outcome.Deliveries, in.replies(e, plan, sc)...))
}

// prepare makes deliveries of what the rules rendered. They hold no places in
// memory yet.
func (in *Intake) prepare(e *event.Event, plan *Plan, rendered []rules.Rendered) []event.Delivery {
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
		if r.Rule == event.AutoreplyRule {
			in.asReply(d, e, plan)
		}
		if d.State == event.Cancelled {
			continue
		}
		if r.Err != "" {
			d.State, d.Error, d.Once = event.Failed, r.Err, nil
			in.logger.Error("an output could not be made, nothing is sent", "delivery", d.ID, "event", e.ID, "action", d.Name(), "error", r.Err)
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
		case reserved[i] != "": // it waits for its ordering key, or was held back
			in.lanes.Unreserve(d.Connection)
			if d.Once != nil && d.State != event.Cancelled {
				in.lanes.BacklogAdded(d.Connection)
			}
		case d.State == event.Waiting:
			in.lanes.BacklogAdded(d.Connection)
		}
	}
}
