package rules

import (
	"slices"
	"strings"
	"time"

	"hookgate/internal/event"
	"hookgate/rules/lang"
)

// explainChain tells what the actions of a rule with a chain come to. Steps are
// answered as the scope says, and are open where it says nothing; what comes after an
// open one is shown with names in place of its outputs.
func (r *rule) explainChain(sc *lang.Scope, sends []*action, element int, t *Trace, room *int) {
	answers := map[*action]*lang.Answer{}
	for _, a := range sends {
		answers[a] = answerOf(sc, r, a, element)
	}
	stand := func(a *action) (standing, error) { return stood(answers[a]), nil }
	stands, err := r.chain.follow(func(a *action) (standing, error) {
		ok, err := a.early(sc)
		switch {
		case err != nil || !ok || !slices.Contains(sends, a):
			return never, nil //nolint:nilerr // the action's own trace tells it
		case len(a.after) > 0:
			return pending, nil
		}
		return stood(answers[a]), nil
	}, stand)
	if err != nil { // neither of the two fails
		return
	}
	r.knowAnswers(sc, stands, answers)
	defer sc.SetSteps(nil, nil)
	traces := r.explainSteps(sc, sends, element, t, room, stands, answers)
	for _, a := range sends {
		one, found := traces[a]
		if a.atOnce() && t.Result != Failed {
			one, found = a.explain(r.name, element, sc, t, room), true
		}
		if found {
			t.Actions = append(t.Actions, one)
		}
	}
	if t.Result == Failed {
		t.blank()
	}
}

// explainSteps tells what each action of the chain comes to, each after those that
// it comes after.
func (r *rule) explainSteps(sc *lang.Scope, sends []*action, element int, t *Trace, room *int, stands []standing, answers map[*action]*lang.Answer) map[*action]ActionTrace {
	begins, traces := map[*action]time.Time{}, map[*action]ActionTrace{}
	began := sc.Began
	defer func() { sc.Began = began }()
	for _, a := range r.chain.order {
		if !slices.Contains(sends, a) || t.Result == Failed {
			continue
		}
		sc.Began = began
		for i := range a.after { // what it comes after has its moment first
			if at := begins[a.after[i].of]; at.After(sc.Begun()) {
				sc.Began = at
			}
		}
		one := a.explain(r.name, element, sc, t, room)
		one.Step, one.After = a.step, a.words
		if len(a.after) > 0 {
			a.explainAfter(&one, stands, answers)
			one.inherit(sc, began)
		}
		if traces[a] = one; one.Moment != nil {
			begins[a] = *one.Moment
		}
		switch { // what comes after it goes by what it has come to
		case one.Sent && one.Err != "":
			answers[a] = &lang.Answer{Failed: true, Error: one.Err}
			stands[a.slot] = failed
		case one.Sent:
			stands[a.slot] = stood(answers[a])
		default:
			stands[a.slot] = never
		}
		r.knowAnswers(sc, stands, answers)
	}
	return traces
}

// inherit gives an action that comes after one with a moment that moment, where it
// has none itself. What it makes of the answers is known already.
func (t *ActionTrace) inherit(sc *lang.Scope, began time.Time) {
	if t.Moment == nil && sc.Began != began {
		at := sc.Begun()
		t.Moment, t.Wait = &at, &event.Wait{}
	}
	if t.Wait != nil && sc.Answers != nil {
		wait := *t.Wait
		wait.Late = false
		t.Wait = &wait
	}
}

// knowAnswers puts the answers into the scope.
func (r *rule) knowAnswers(sc *lang.Scope, stands []standing, answers map[*action]*lang.Answer) {
	outputs, errs := map[string]any{}, map[string]any{}
	for _, a := range r.chain.order {
		switch answer := answers[a]; {
		case a.step == "":
		case stands[a.slot] == delivered:
			outputs[a.step] = OutputValues(OutputsOf(answer.Outputs))
		case stands[a.slot] == failed:
			errs[a.step] = answer.Error
		case stands[a.slot] == running, stands[a.slot] == pending:
			outputs[a.step], errs[a.step] = a.namesOf(), "‹"+lang.ErrorsName+"."+a.step+"›"
		}
	}
	sc.SetSteps(outputs, errs)
}

// explainAfter tells what an action that comes after others comes to: it is not sent
// where these cannot end as it wants, and where one of them is open what it makes of
// its answer is not known.
func (a *action) explainAfter(t *ActionTrace, stands []standing, answers map[*action]*lang.Answer) {
	late := a.when != nil && a.when.Late()
	open := slices.ContainsFunc(a.ancestors(), func(of *action) bool { return answers[of] == nil && stands[of.slot] != never })
	over := a.over(stands)
	switch {
	case over != "":
		*t = ActionTrace{Ref: t.Ref, Name: t.Name, Branch: t.Branch, To: t.To, Step: t.Step, After: t.After, Reason: over}
	case open:
		if late {
			t.Parts, t.Sent, t.Asked = nil, true, true
		}
		t.Err, t.Warnings = "", slices.DeleteFunc(t.Warnings, ofSteps)
	}
}

// over says which step has ended otherwise than the action wants; "": none has.
func (a *action) over(stands []standing) string {
	words := map[standing]string{delivered: "was delivered", failed: "failed", cancelled: "was cancelled", never: "is not sent"}
	for i := range a.after {
		of := a.after[i].of
		if _, over := a.after[i].meets(stands[of.slot]); over {
			return of.step + " " + words[stands[of.slot]]
		}
	}
	return ""
}

// ofSteps reports whether a warning is about what a step is answered.
func ofSteps(warning string) bool {
	return strings.Contains(warning, lang.OutputsName+".") || strings.Contains(warning, lang.ErrorsName+".")
}

// ancestors are all that the action comes after.
func (a *action) ancestors() []*action {
	var list []*action
	for i := range a.after {
		list = append(append(list, a.after[i].of), a.after[i].of.ancestors()...)
	}
	return list
}

// stood is how a step stands that is answered so; nil: it is open.
func stood(answer *lang.Answer) standing {
	switch {
	case answer == nil:
		return running
	case answer.Failed:
		return failed
	case answer.Cancelled:
		return cancelled
	}
	return delivered
}

// answerOf is what the scope says that a step is answered; nil: nothing.
func answerOf(sc *lang.Scope, r *rule, a *action, element int) *lang.Answer {
	return a.answered(r.name, element, sc.Answers)
}

// answered is what the action is answered; nil: nothing is said of it. A step is named
// alone, or after its rule.
func (a *action) answered(rule string, element int, answers map[string]lang.Answer) *lang.Answer {
	names := []string{event.ElementName(a.name, element), a.name}
	if a.step != "" {
		names = append(names, rule+"/"+a.step, a.step)
	}
	for _, name := range append(names, lang.AnyStep) {
		if answer, found := answers[name]; found {
			return &answer
		}
	}
	return nil
}

// Answered is what an action is answered in a test, or to who asks what would be; nil:
// nothing is said of it.
func (s *Set) Answered(ref Ref, answers map[string]lang.Answer) *lang.Answer {
	r, a := s.find(ref)
	if a == nil {
		return nil
	}
	return a.answered(r.name, ref.Element, answers)
}

// namesOf stand for the outputs of a step that is open.
func (a *action) namesOf() map[string]any {
	names := map[string]any{}
	for _, name := range a.outputs {
		names[name] = "‹" + lang.OutputsName + "." + a.step + "." + name + "›"
	}
	return names
}

// StepActions are the names of the actions of all steps, by the steps' names after those
// of their rules.
func (s *Set) StepActions() map[string]string {
	of := map[string]string{}
	for _, r := range s.rules {
		for _, a := range r.actions {
			if a.step != "" {
				of[r.name+"/"+a.step] = a.name
			}
		}
	}
	return of
}

// Steps are the names of all steps, after those of their rules.
func (s *Set) Steps() []string {
	var names []string
	for _, r := range s.rules {
		for _, a := range r.actions {
			if a.step != "" {
				names = append(names, r.name+"/"+a.step)
			}
		}
	}
	return names
}
