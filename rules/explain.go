package rules

import (
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"strings"
	"time"

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
	At       diag.Position `json:"at,omitzero"` // of what could not be evaluated
	// Branches are those of a rule whose condition is met, in their order.
	Branches []BranchTrace `json:"branches,omitempty"`
	// Actions are those of then, and of the branch that is taken, where the rule's
	// condition is met.
	Actions []ActionTrace `json:"actions,omitempty"`
	// Elements tell the same of each element of a rule with for_each, in the list's
	// order; then Parts, Branches and Actions are theirs alone.
	Elements []Trace `json:"elements,omitempty"`
}

// BranchTrace tells what became of one branch of a rule.
type BranchTrace struct {
	Name   string        `json:"name"`
	Result string        `json:"result"` // match, no, error, not reached
	Parts  []lang.Part   `json:"parts,omitempty"`
	At     diag.Position `json:"at,omitzero"`
}

// Sends are what the rule's actions come to, for all elements.
func (t *Trace) Sends() iter.Seq[*ActionTrace] {
	return func(yield func(*ActionTrace) bool) {
		for i := range t.Actions {
			if !yield(&t.Actions[i]) {
				return
			}
		}
		for i := range t.Elements {
			for a := range t.Elements[i].Sends() {
				if !yield(a) {
					return
				}
			}
		}
	}
}

// ActionTrace tells what one action of a rule comes to.
type ActionTrace struct {
	Name     string          `json:"name"` // as event.Delivery.Name has it
	Branch   string          `json:"branch,omitempty"`
	To       string          `json:"to"`
	Sent     bool            `json:"sent"` // its own condition, if any, is met
	Parts    []lang.Part     `json:"parts,omitempty"`
	Key      string          `json:"ordering_key,omitempty"`
	Digest   *DigestTrace    `json:"digest,omitempty"`   // that the event joins, in place of being sent
	Throttle string          `json:"throttle,omitempty"` // how many may go: one in 30 d for "ada@example.com"
	Output   json.RawMessage `json:"output,omitempty"`
	Warnings []string        `json:"warnings,omitempty"`
	Err      string          `json:"error,omitempty"` // why it would not be delivered
	Remember *RememberTrace  `json:"remember,omitempty"`
	At       diag.Position   `json:"at,omitzero"` // of what Err is about
	// Step is what others call it, and After what it comes after, in words: "after
	// contact". Asked tells that its own condition is asked then.
	Step  string `json:"step,omitempty"`
	After string `json:"after,omitempty"`
	Asked bool   `json:"asked_then,omitempty"`
	// Reason is why it is not sent, where that is not its own condition.
	Reason string `json:"reason,omitempty"`
	// Moment is when it begins, and Wait where that comes from; nil: at once.
	Moment *time.Time  `json:"moment,omitempty"`
	Wait   *event.Wait `json:"wait,omitempty"`
	Ref    Ref         `json:"-"`
}

// The results in a Trace.
const (
	Matched    = "match"
	NotMatched = "no"
	Skipped    = "skipped"
	Failed     = "error"
	NotReached = "not reached" // of a branch behind the one that was taken
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
	s.limitTraces(traces)
	return traces
}

func (r *rule) explain(sc *lang.Scope, room *int) Trace {
	if r.forEach == nil {
		return r.explainOne(sc, 0, room)
	}
	t := Trace{Rule: r.name, Result: NotMatched}
	elements, err := r.forEach.Items(sc)
	if err != nil {
		t.Result, t.Error, t.At = Failed, err.Error(), r.forEach.At()
		return t
	}
	if len(elements) == 0 {
		t.Reason = r.forEach.Source() + " is empty"
		return t
	}
	defer sc.SetElement(nil, -1)
	limit := newElementLimit(0)
	sent := 0
	for i, item := range elements {
		sc.SetElement(item, i)
		one := r.explainOne(sc, i+1, room)
		sent += r.deliveries(&one)
		t.Elements = append(t.Elements, one)
		switch err := limit.check(sent); {
		case one.Result == Failed:
			t.Result, t.Error, t.At = Failed, elementError(i, errors.New(one.Error)).Error(), one.At
			return t
		case err != nil:
			t.Result, t.Error, t.At = Failed, err.Error(), r.forEach.At()
			return t
		case one.Result == Matched:
			t.Result = Matched
		}
	}
	return t
}

// explainOne tells how the rule comes to its result for the event, or for one element
// of it.
func (r *rule) explainOne(sc *lang.Scope, element int, room *int) Trace {
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
	sends := r.explainBranches(sc, &t)
	if r.chain != nil && t.Result == Matched {
		r.explainChain(sc, sends, element, &t, room)
		return t
	}
	for _, a := range sends {
		if t.Actions = append(t.Actions, a.explain(r.name, element, sc, &t, room)); t.Result == Failed {
			break
		}
	}
	return t
}

// explainBranches tells which branch is taken, and gives the actions that are sent
// then; see rule.sends.
func (r *rule) explainBranches(sc *lang.Scope, t *Trace) []*action {
	var taken *branch
	for _, b := range r.branches {
		one := BranchTrace{Name: b.name, Result: NotReached, At: b.at}
		if taken == nil && t.Result == Matched {
			one.Result = Matched
			if b.when != nil {
				why := b.when.Explain(sc)
				one.Parts = why.Parts
				switch why.Verdict {
				case lang.Failed:
					one.Result = Failed
					t.fail(why)
				case lang.False:
					one.Result = NotMatched
				case lang.True, lang.NotEvaluated:
				}
			}
			if one.Result == Matched {
				taken = b
			}
		}
		t.Branches = append(t.Branches, one)
	}
	switch {
	case t.Result == Failed:
		return nil
	case taken != nil:
		return taken.sends
	case len(r.then) == 0:
		t.Result, t.Reason = NotMatched, "no branch matches"
	}
	return r.then
}

// Fail makes a rule that matched an error, for what is found where all rules have
// been judged.
func (t *Trace) Fail(reason string) {
	if t.Result == Matched {
		t.fail(lang.Trace{Error: reason, At: t.At})
	}
}

// fail makes the rule an error, of which nothing is sent.
func (t *Trace) fail(why lang.Trace) {
	t.Result, t.Error, t.At = Failed, why.Error, why.At
	t.blank()
}

// blank takes out what the actions would send.
func (t *Trace) blank() {
	for i := range t.Actions {
		a := &t.Actions[i]
		*a = ActionTrace{Name: a.Name, Branch: a.Branch, To: a.To, Parts: a.Parts}
	}
}

// explain tells what the action comes to. Where its condition cannot be
// evaluated it fails the whole rule.
func (a *action) explain(rule string, element int, sc *lang.Scope, of *Trace, room *int) ActionTrace {
	t := ActionTrace{Ref: Ref{rule, a.connection, a.number, element}, Name: event.ElementName(a.name, element), To: a.connection, Sent: true}
	if a.branch != nil {
		t.Branch = a.branch.name
	}
	if a.when != nil {
		why := a.when.Explain(sc)
		late := a.moment != nil && a.moment.asked || len(a.after) > 0 && a.when.Late()
		t.Parts, t.Sent = why.Parts, why.Verdict == lang.True || late
		if why.Verdict == lang.Failed && !late {
			of.fail(why)
		}
	}
	if !t.Sent {
		return t
	}
	if a.remember != nil {
		if a.atOnce() {
			a.explainWrite(rule, sc, of, &t)
		} else {
			a.explainRecord(rule, sc, &t)
		}
		return t
	}
	if a.digest != nil {
		a.explainDigest(rule, sc, of, &t, room)
		return t
	}
	rendered := a.render(rule, sc, room)
	t.Key, t.Output, t.Warnings, t.Err = rendered.Key, rendered.Output, rendered.Warnings, rendered.Err
	if rendered.Once != nil {
		t.Throttle = rendered.Once.Reason
	}
	if t.Err != "" {
		t.At = a.faultAt(sc)
	}
	a.explainMoment(&t, sc)
	return t
}

// faultAt is the place of the first thing that forbids to send the action.
func (a *action) faultAt(sc *lang.Scope) diag.Position {
	if a.key != nil {
		if _, err := a.key.Text(sc); err != nil {
			return a.key.At()
		}
	}
	if a.throttle != nil {
		if _, err := a.throttle.once(a.identity(), sc); err != nil {
			return a.throttle.key.At()
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
