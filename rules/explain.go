package rules

import (
	"encoding/json"
	"slices"
	"strings"

	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/rules/lang"
)

// Trace tells how one rule came to its result.
type Trace struct {
	Rule   string      `json:"rule"`
	Result string      `json:"result"`           // match, no, skipped, error
	Reason string      `json:"reason,omitempty"` // why it was skipped: "listens to contact, quote"
	Parts  []lang.Part `json:"parts,omitempty"`  // of its condition
	// NearMiss is the one part of the condition that was false where all others
	// hold, also those that were not evaluated after it.
	NearMiss *lang.Part    `json:"near_miss,omitempty"`
	Error    string        `json:"error,omitempty"`
	At       diag.Position `json:"at,omitzero"`       // of what could not be evaluated
	Actions  []ActionTrace `json:"actions,omitempty"` // of a rule whose condition is met
}

// ActionTrace tells what one action of a rule comes to.
type ActionTrace struct {
	Name     string          `json:"name"` // rule/connection, with #2 for the second to that connection
	To       string          `json:"to"`
	Sent     bool            `json:"sent"` // its own condition, if any, is met
	Parts    []lang.Part     `json:"parts,omitempty"`
	Key      string          `json:"ordering_key,omitempty"`
	Output   json.RawMessage `json:"output,omitempty"`
	Warnings []string        `json:"warnings,omitempty"`
	Err      string          `json:"error,omitempty"` // why it would not be delivered
	At       diag.Position   `json:"at,omitzero"`     // of what Err is about
}

// The results in a Trace.
const (
	Matched    = "match"
	NotMatched = "no"
	Skipped    = "skipped"
	Failed     = "error"
)

// Explain judges one event as Match does and tells why, rule by rule.
func (s *Set) Explain(sc *lang.Scope) []Trace {
	candidates := s.candidates(sc.Event.Source, sc.Event.Type)
	traces := make([]Trace, len(s.rules))
	room := MaxOutputs
	for i, r := range s.rules {
		if slices.Contains(candidates, i) {
			traces[i] = r.explain(sc, &room)
			continue
		}
		reason := r.events
		if !slices.Contains(r.from, sc.Event.Source) {
			reason = r.from
		}
		traces[i] = Trace{Rule: r.name, Result: Skipped, Reason: "listens to " + strings.Join(reason, ", ")}
	}
	return traces
}

func (r *rule) explain(sc *lang.Scope, room *int) Trace {
	t := Trace{Rule: r.name, Result: Matched}
	if r.when != nil {
		why := r.when.Explain(sc)
		t.Parts = why.Parts
		switch why.Verdict {
		case lang.Failed:
			t.fail(why)
		case lang.False:
			t.Result = NotMatched
			if part, ok := r.when.NearMiss(sc); ok {
				missed := r.when.Missed(sc, part)
				t.NearMiss = &missed
			}
		case lang.True, lang.NotEvaluated:
		}
	}
	if t.Result != Matched {
		return t
	}
	for _, a := range r.actions {
		if t.Actions = append(t.Actions, a.explain(r.name, sc, &t, room)); t.Result == Failed {
			break
		}
	}
	return t
}

// fail makes the rule an error, of which nothing is sent.
func (t *Trace) fail(why lang.Trace) {
	t.Result, t.Error, t.At = Failed, why.Error, why.At
	for i := range t.Actions {
		t.Actions[i] = ActionTrace{Name: t.Actions[i].Name, To: t.Actions[i].To, Parts: t.Actions[i].Parts}
	}
}

// explain tells what the action comes to. Where its condition cannot be
// evaluated it fails the whole rule.
func (a *action) explain(rule string, sc *lang.Scope, of *Trace, room *int) ActionTrace {
	t := ActionTrace{Name: event.ActionName(rule, a.connection, a.number), To: a.connection, Sent: true}
	if a.when != nil {
		why := a.when.Explain(sc)
		t.Parts, t.Sent = why.Parts, why.Verdict == lang.True
		if why.Verdict == lang.Failed {
			of.fail(why)
		}
	}
	if !t.Sent {
		return t
	}
	rendered := a.render(rule, sc, room)
	t.Key, t.Output, t.Warnings, t.Err = rendered.Key, rendered.Output, rendered.Warnings, rendered.Err
	if t.Err != "" {
		t.At = a.faultAt(sc)
	}
	return t
}

// faultAt is the place of the first thing that forbids to send the action.
func (a *action) faultAt(sc *lang.Scope) diag.Position {
	if a.key != nil {
		if _, err := a.key.Text(sc); err != nil {
			return a.key.At()
		}
	}
	for i := range a.inputs {
		in := &a.inputs[i]
		text, _, err := in.template.AppendJSON(nil, sc)
		if err != nil || (in.required && empty(text)) {
			return in.template.FaultAt(sc)
		}
	}
	return a.at
}
