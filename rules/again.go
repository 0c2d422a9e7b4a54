package rules

import (
	"errors"
	"fmt"

	"hookgate/internal/event"
	"hookgate/rules/lang"
)

// Earlier is an action as another version of the rules made a delivery of it.
type Earlier struct {
	Ref
	Step string // its name, if it had one: by it the action is found wherever it stands now
	// Steps is what there is of the steps of its chain, by their names.
	Steps map[string]*event.Progress
	// Items are those of the digest that the delivery was made of; nil: of none.
	Items []any
}

// ErrOtherAction says that what a delivery was made of is another thing by these
// rules, so that it cannot be rendered again as the same delivery.
var ErrOtherAction = errors.New("by the rules in force")

// Earlier tells by what a later version finds the action again. made is what there is
// of the action's chain, by place.
func (s *Set) Earlier(ref Ref, made []*event.Progress) Earlier {
	e := Earlier{Ref: ref}
	r, a := s.find(ref)
	if a == nil {
		return e
	}
	e.Step = a.step
	if r.chain != nil && len(made) == len(r.chain.order) {
		e.Steps = r.steps(made)
	}
	return e
}

// Identity is by what an action is found again, also in another version: its step, else
// its place among the rule's actions to its connection.
func (s *Set) Identity(ref Ref) string {
	if _, a := s.find(ref); a != nil {
		return a.identity()
	}
	return event.ActionName(ref.Rule, ref.Connection, ref.Action)
}

// HasIdentity reports whether one of the actions has the Identity.
func (s *Set) HasIdentity(name string) bool {
	for _, r := range s.rules {
		for _, a := range r.actions {
			if !a.atOnce() && a.identity() == name {
				return true
			}
		}
	}
	return false
}

// Again asks the condition of an action whose delivery an earlier version made, and
// renders it by this one: at its step, or else as the action of that number to its
// connection. Its rule's condition was asked when the event was accepted.
func (s *Set) Again(sc *lang.Scope, of *Earlier) (Asked, error) {
	r, a, err := s.again(of)
	if err != nil {
		return Asked{}, err
	}
	leave, err := r.enter(sc, Ref{Rule: of.Rule, Element: of.Element})
	if err != nil {
		return Asked{}, fmt.Errorf("%w it is no longer one of the rule's elements", ErrOtherAction)
	}
	defer leave()
	outputs, errs := stepValues(of.Steps)
	sc.SetSteps(outputs, errs)
	defer sc.SetSteps(nil, nil)
	if a.digest == nil {
		return a.ask(r.name, sc), nil
	}
	sc.SetItems(of.Items) // each event was asked when it joined
	defer sc.SetItems(nil)
	room := MaxOutputs
	return Asked{Rendered: a.render(r.name, sc, &room), Sent: true}, nil
}

// again finds the action of an earlier version.
func (s *Set) again(of *Earlier) (*rule, *action, error) {
	var found *action
	in, a := s.find(of.Ref)
	if a != nil && (of.Step == "" || a.step == of.Step) {
		found = a
	}
	known := false
	for _, r := range s.rules {
		if r.name != of.Rule {
			continue
		}
		known = true
		for _, a := range r.actions {
			if of.Step != "" && a.step == of.Step {
				in, found = r, a
			}
		}
	}
	switch {
	case !known:
		return nil, nil, fmt.Errorf("%w there is no rule %s", ErrOtherAction, of.Rule)
	case found == nil && of.Step != "":
		return nil, nil, fmt.Errorf("%w the rule %s has no step %s", ErrOtherAction, of.Rule, of.Step)
	case found == nil:
		return nil, nil, fmt.Errorf("%w there is no action %s", ErrOtherAction, event.ActionName(of.Rule, of.Connection, of.Action))
	case found.connection != of.Connection:
		return nil, nil, fmt.Errorf("%w the step %s goes to %s, and not to %s", ErrOtherAction, of.Step, found.connection, of.Connection)
	case found.digest == nil && of.Items != nil:
		return nil, nil, fmt.Errorf("%w %s has no digest", ErrOtherAction, found.name)
	case found.digest != nil && of.Items == nil:
		return nil, nil, fmt.Errorf("%w %s gathers events in a digest", ErrOtherAction, found.name)
	}
	return in, found, nil
}

// ask asks the condition of an action, and renders it, or what it remembers.
func (a *action) ask(rule string, sc *lang.Scope) Asked {
	if a.when != nil {
		ok, err := a.when.Eval(sc)
		if err != nil {
			return Asked{Rendered: Rendered{Output: []byte("{}"), Err: "when: " + err.Error()}, Sent: true}
		}
		if !ok {
			return Asked{Reason: unmet(a.when.Explain(sc))}
		}
	}
	if a.remember != nil {
		made, reason := a.record(rule, sc)
		return Asked{Rendered: made, Sent: reason == "", Reason: reason}
	}
	room := MaxOutputs
	return Asked{Rendered: a.render(rule, sc, &room), Sent: true}
}
