package rules

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"hookgate/internal/event"
	"hookgate/rules/lang"
)

func newInput(declared lang.Input, t *lang.Template) input {
	prefix, err := json.Marshal(declared.Name)
	if err != nil { // a string always marshals
		prefix = []byte(`""`)
	}
	return input{name: declared.Name, prefix: append(prefix, ':'), template: t, required: declared.Required}
}

// MaxOutputs bounds, in bytes, what all actions of one event send together:
// each of them can send the whole of a large body. What goes beyond it fails
// its delivery.
const MaxOutputs = 32 << 20

// Match judges one event by every rule and renders the actions of those that
// match. The scope must know the event's id, type and source. A rule whose
// condition, or that of one of its actions, cannot be evaluated is a rule
// error as a whole: nothing of it is sent, and the other rules go on.
func (s *Set) Match(sc *lang.Scope) Outcome {
	out := Outcome{Results: bytes.Clone(s.skip)}
	room := MaxOutputs
	for _, i := range s.candidates(sc.Event.Source, sc.Event.Type) {
		r := s.rules[i]
		before, written := len(out.Deliveries), len(out.Records)
		matched, err := r.match(sc, &out, &room)
		switch {
		case err != nil:
			out.Deliveries, out.Records = out.Deliveries[:before], out.Records[:written]
			out.fail(i, r, err)
		case matched:
			out.Results[i] = byte(event.Matched)
		default:
			out.Results[i] = byte(event.NotMatched)
		}
	}
	out.limitElements(s)
	out.settle(s)
	return out
}

// fail makes the rule at position i a rule error.
func (o *Outcome) fail(i int, r *rule, err error) {
	o.Results[i] = byte(event.RuleFailed)
	o.Errors = append(o.Errors, event.Verdict{Rule: r.name, Result: event.RuleFailed, Message: err.Error()})
}

// NearMisses calls each for every rule that out says did not match and that the
// event missed by one part of its condition alone; not for those with for_each, whose
// condition is about elements. part tells which, and what
// was compared; it is good until each returns.
func (s *Set) NearMisses(sc *lang.Scope, out *Outcome, each func(rule int, part func() lang.Part)) {
	for i, r := range s.rules {
		if event.Result(out.Results[i]) != event.NotMatched || r.when == nil || r.forEach != nil {
			continue
		}
		if n, ok := r.when.NearMiss(sc); ok {
			each(i, func() lang.Part { return r.when.Missed(sc, n) })
		}
	}
}

// match evaluates the rule, for each element if it has for_each, and adds what its
// actions send to out.
func (r *rule) match(sc *lang.Scope, out *Outcome, room *int) (matched bool, err error) {
	if r.forEach == nil {
		return r.judge(sc, 0, out, room)
	}
	elements, err := r.forEach.Items(sc)
	if err != nil {
		return false, err //nolint:wrapcheck // as it is for people
	}
	defer sc.SetElement(nil, -1)
	limit := newElementLimit(len(out.Deliveries))
	for i, item := range elements {
		sc.SetElement(item, i)
		ok, err := r.judge(sc, i+1, out, room)
		if err == nil {
			err = limit.check(len(out.Deliveries))
		}
		if err != nil {
			return false, elementError(i, err)
		}
		matched = matched || ok
	}
	return matched, nil
}

// judge evaluates the rule for the event, or for one element of it, and adds what its
// actions send to out.
func (r *rule) judge(sc *lang.Scope, element int, out *Outcome, room *int) (bool, error) {
	if r.when != nil {
		if ok, err := r.when.Eval(sc); err != nil || !ok {
			return false, err
		}
	}
	sends, err := r.sends(sc)
	if err != nil || len(sends) == 0 {
		return false, err
	}
	if r.chain != nil {
		return true, r.begin(sc, sends, element, out, room)
	}
	for _, a := range sends {
		if a.remember != nil {
			if err := a.remembered(r.name, sc, out); err != nil {
				return false, err
			}
			continue
		}
		made, sent, err := a.make(r.name, sc, room)
		if err != nil {
			return false, err
		}
		if !sent {
			continue
		}
		made.Element = element
		out.Deliveries = append(out.Deliveries, made)
	}
	return true, nil
}

// sends are the actions of a rule whose condition is met: those of then, and of the
// first branch that matches. None: no branch does, and there is no then, so that the rule
// does not match.
func (r *rule) sends(sc *lang.Scope) ([]*action, error) {
	for _, b := range r.branches {
		if b.when == nil {
			return b.sends, nil
		}
		switch ok, err := b.when.Eval(sc); {
		case err != nil:
			return nil, err
		case ok:
			return b.sends, nil
		}
	}
	return r.then, nil
}

// render makes the action's output. The first thing that forbids to send it is
// its Err; the rest is rendered all the same, to be shown. room is what is left
// of MaxOutputs.
func (a *action) render(rule string, sc *lang.Scope, room *int) Rendered {
	r := Rendered{Rule: rule, Connection: a.connection, Action: a.number}
	fail := func(reason string) {
		if r.Err == "" {
			r.Err = reason
		}
	}
	if a.key != nil {
		key, err := a.key.Text(sc)
		switch {
		case err != nil:
			fail("ordering_key: " + err.Error())
		case key == "":
			r.Warnings = append(r.Warnings, a.key.Source()+" is missing: there is no ordering key")
		default:
			r.Key = key
		}
	}
	if err := a.countOnce(&r, sc); err != nil {
		fail(err.Error())
	}
	// The output before this one is a good guess of how long this one will be.
	dst := append(make([]byte, 0, max(256, a.length.Load()+a.length.Load()/8)), '{')
	for i := range a.inputs {
		in := &a.inputs[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, in.prefix...)
		start := len(dst)
		var missing []string
		var err error
		dst, missing, err = in.template.AppendWithin(dst, sc, min(lang.MaxOutput, *room))
		if err != nil {
			fail(in.name + ": " + tooLarge(err, *room).Error())
		}
		if in.required && empty(dst[start:]) {
			fail(emptyReason(in.name, missing))
		}
		for _, name := range missing {
			if warning := name + " is missing"; !slices.Contains(r.Warnings, warning) {
				r.Warnings = append(r.Warnings, warning)
			}
		}
	}
	r.Output = append(dst, '}')
	a.length.Store(int64(min(len(r.Output), usualOutput)))
	*room -= len(r.Output)
	return r
}

// countOnce says by what a throttle counts the delivery.
func (a *action) countOnce(r *Rendered, sc *lang.Scope) (err error) {
	if a.throttle == nil {
		return nil
	}
	if r.Once, err = a.throttle.once(a.identity(), sc); err != nil {
		return fmt.Errorf("throttle: %w", err)
	}
	if r.Once == nil {
		r.Warnings = append(r.Warnings, a.throttle.key.Source()+" is missing: the throttle counts nothing")
	}
	return nil
}

// tooLarge says of an output that grew too large which bound it met.
func tooLarge(err error, room int) error {
	if errors.Is(err, lang.ErrTooLarge) && room < lang.MaxOutput {
		return errOutputs
	}
	return err
}

var errOutputs = fmt.Errorf("what the rules send because of one event would be larger than %d MB together", MaxOutputs>>20)

// empty reports whether a required value came out as nothing.
func empty(text []byte) bool {
	if string(text) == "null" || string(text) == `""` {
		return true
	}
	if len(text) < 2 || text[0] != '"' || text[1] > ' ' && text[1] != '\\' {
		return false
	}
	var decoded string // only of texts that begin with a space, or an escaped one
	return json.Unmarshal(text, &decoded) == nil && strings.TrimSpace(decoded) == ""
}

func emptyReason(input string, missing []string) string {
	if len(missing) == 0 {
		return input + " is empty"
	}
	return input + " is empty: " + missing[0] + " is missing"
}
