package rules

import (
	"encoding/json"
	"slices"
	"strings"

	"hookgate/app/event"
	"hookgate/rules/lang"
)

// Trace tells how one rule came to its result.
type Trace struct {
	Rule    string        `json:"rule"`
	Result  string        `json:"result"`           // match, no, skipped, error
	Reason  string        `json:"reason,omitempty"` // why it was skipped: "listens to contact, quote"
	Parts   []lang.Part   `json:"parts,omitempty"`  // of its condition
	Error   string        `json:"error,omitempty"`
	Actions []ActionTrace `json:"actions,omitempty"` // of a rule that matched
}

// ActionTrace tells what one action of a rule that matched comes to.
type ActionTrace struct {
	Name     string          `json:"name"` // rule/connection, with #2 for the second to that connection
	To       string          `json:"to"`
	Sent     bool            `json:"sent"` // its own condition, if any, is met
	Parts    []lang.Part     `json:"parts,omitempty"`
	Key      string          `json:"ordering_key,omitempty"`
	Output   json.RawMessage `json:"output,omitempty"`
	Warnings []string        `json:"warnings,omitempty"`
	Err      string          `json:"error,omitempty"` // why it would not be delivered
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
	for i, r := range s.rules {
		if slices.Contains(candidates, i) {
			traces[i] = r.explain(sc)
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

func (r *rule) explain(sc *lang.Scope) Trace {
	t := Trace{Rule: r.name, Result: Matched}
	if r.when != nil {
		why := r.when.Explain(sc)
		t.Parts, t.Error = why.Parts, why.Error
		switch why.Verdict {
		case lang.Failed:
			t.Result = Failed
		case lang.False:
			t.Result = NotMatched
		case lang.True, lang.NotEvaluated:
		}
	}
	if t.Result != Matched {
		return t
	}
	for _, a := range r.actions {
		trace := ActionTrace{Name: event.ActionName(r.name, a.connection, a.number), To: a.connection, Sent: true}
		if a.when != nil {
			why := a.when.Explain(sc)
			trace.Parts, trace.Sent = why.Parts, why.Verdict == lang.True
			if why.Verdict == lang.Failed {
				return Trace{Rule: r.name, Result: Failed, Parts: why.Parts, Error: why.Error}
			}
		}
		if trace.Sent {
			rendered := a.render(r.name, sc)
			trace.Key, trace.Output, trace.Warnings, trace.Err = rendered.Key, rendered.Output, rendered.Warnings, rendered.Err
		}
		t.Actions = append(t.Actions, trace)
	}
	return t
}
