package api

import (
	"bytes"
	"encoding/json"
	"time"
	"unicode/utf8"

	"hookgate/internal/event"
)

func eventOf(e *event.Event) Event {
	item := Event{
		ID:      e.ID,
		Time:    e.ReceivedAt.UTC(),
		Source:  e.Source,
		Type:    e.Type,
		Summary: Summary(e.Data()),
		State:   e.State,
		Cause:   e.Cause,
	}
	if e.DuplicateOf != 0 {
		item.DuplicateOf = &e.DuplicateOf
	}
	item.Rules = Verdicts(e.Verdicts)
	return item
}

// Verdicts presents what rules said.
func Verdicts(list []event.Verdict) []Verdict {
	var out []Verdict
	for _, v := range list {
		out = append(out, Verdict{Rule: v.Rule, Result: resultWord(v.Result), Message: v.Message})
	}
	return out
}

// resultWord is what a rule's result is called in answers.
func resultWord(r event.Result) string {
	switch r {
	case event.Matched:
		return "match"
	case event.NotMatched:
		return "no"
	case event.Skipped:
		return "skipped"
	case event.RuleFailed:
		return "error"
	default:
		return "unknown"
	}
}

func detailOf(item Event, e *event.Event) EventDetail {
	d := EventDetail{Event: item, Request: e.Request}
	if utf8.Valid(e.Body) {
		d.Body = string(e.Body)
	} else {
		d.Base64 = e.Body
	}
	// A rejected event may have a body that is no JSON; it is shown as Body.
	// Compacting also checks it: what is not JSON would spoil the whole answer.
	var compact bytes.Buffer
	if data := e.Data(); len(data) > 0 && json.Compact(&compact, data) == nil {
		d.Data = compact.Bytes()
	}
	return d
}

func deliveryOf(d *event.Delivery, attempts []event.Attempt, details bool) Delivery {
	item := Delivery{
		ID:         d.ID,
		Event:      d.Event,
		Name:       d.Name(),
		Rule:       d.Rule,
		Connection: d.Connection,
		State:      d.State,
		Attempts:   d.Attempts,
		Created:    d.Created.UTC(),
		Key:        d.Key,
		Error:      d.Error,
		Warnings:   d.Warnings,
	}
	if !d.Due.IsZero() && (d.State == event.Waiting || d.State == event.Retrying) {
		due := d.Due.UTC()
		item.Next = &due
	}
	if d.BlockedBy != 0 {
		item.WaitsFor = &d.BlockedBy
	}
	last := 0
	for _, a := range attempts {
		if a.Number > last {
			last, item.Status, item.DurationMS = a.Number, a.Status, milliseconds(a.Duration)
		}
		if details {
			item.History = append(item.History, attemptOf(a))
		}
	}
	if details && json.Valid(d.Output) {
		item.Output = d.Output
	}
	return item
}

func attemptOf(a event.Attempt) Attempt {
	return Attempt{
		Number:     a.Number,
		Started:    a.Started.UTC(),
		DurationMS: milliseconds(a.Duration),
		Status:     a.Status,
		Error:      a.Error,
		Answer:     string(bytes.ToValidUTF8(a.Answer, []byte("\uFFFD"))),
		Outputs:    a.Outputs,
	}
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Microseconds()) / 1000
}
