package ruletest

import (
	"errors"
	"time"

	"hookgate/internal/event"
	"hookgate/rules"
	"hookgate/rules/lang"
)

// chain is what there is of the actions of a rule that come after each other, for one
// event, or one element of it.
type chain struct {
	event event.Event
	made  []*event.Progress
	// traces tell of each what it would come to; what it is rendered to is asked when
	// its turn comes.
	traces []rules.ActionTrace
}

// step is where an action stands in a chain.
type step struct {
	chain *chain // nil: nothing depends on it, nor it on others
	ref   rules.Ref
	flow  event.Flow
	place int
}

// stepOf is where an action of an event stands.
func (s *story) stepOf(e *event.Event, a *rules.ActionTrace, chains map[rules.Ref]*chain) step {
	out := step{ref: a.Ref}
	place, length := s.plan.Rules.Chain(a.Ref)
	if length == 0 {
		return out
	}
	of := rules.Ref{Rule: a.Ref.Rule, Element: a.Ref.Element}
	if chains[of] == nil {
		chains[of] = &chain{event: *e, made: make([]*event.Progress, length), traces: make([]rules.ActionTrace, length)}
	}
	out.chain, out.place = chains[of], place
	out.chain.traces[place] = *a
	return out
}

// stands notes how the action stands in its chain.
func (s *step) stands(state event.DeliveryState, reason string) {
	if s.chain != nil {
		s.chain.made[s.place] = &event.Progress{State: state, Error: reason}
	}
}

// progress is what there is of its chain.
func (s *step) progress() []*event.Progress {
	if s.chain == nil {
		return nil
	}
	return s.chain.made
}

// send has the receiver answer an action as the test says, unless it is held back or
// cannot be made, and tells of it.
func (s *story) send(one *sending, now time.Time) rules.ActionTrace {
	a := &one.action
	switch {
	case !a.Sent:
		one.stands(event.Cancelled, "")
	case a.Err != "":
		one.stands(event.Failed, a.Err)
	case !s.counted(one.once, now):
		a.Sent, a.Reason = false, one.once.Reason
		one.stands(event.Cancelled, "")
	default:
		if one.began = now; !s.answer(one, now) {
			return *a
		}
	}
	s.ends(one)
	return *a
}

// ends has what comes after an action be asked.
func (s *story) ends(one *sending) {
	if one.flow&event.Followed != 0 {
		s.ended = append(s.ended, one.step)
	}
}

// answer notes what a step is answered; false: it is tried again.
func (s *story) answer(one *sending, now time.Time) (ended bool) {
	said := s.plan.Rules.Answered(one.ref, s.answers)
	if said == nil {
		said = &lang.Answer{}
	}
	one.stands(event.Delivered, "")
	switch {
	case one.chain == nil:
	case len(said.HTTP) > 0 && s.runner.Judge != nil:
		return s.judge(one, said.HTTP, now)
	case said.Failed:
		one.stands(event.Failed, said.Error)
	default:
		one.chain.made[one.place].Outputs = rules.OutputsOf(said.Outputs)
	}
	return true
}

// judge has the connection of a step judge what its receiver answers; false: it is tried
// again.
func (s *story) judge(one *sending, answers []lang.HTTPAnswer, now time.Time) (ended bool) {
	one.tries++
	d := event.Delivery{
		ID: 1, Event: 1, Rule: one.ref.Rule, Connection: one.ref.Connection, Action: one.ref.Action, Element: one.ref.Element, Output: one.action.Output,
	}
	receipt, wait, err := s.runner.Judge(&d, answers[min(one.tries, len(answers))-1], one.tries, now.Sub(one.began))
	switch {
	case errors.Is(err, ErrNoJudge):
		s.unjudged = append(s.unjudged, one.action.Name+": "+err.Error())
	case err == nil:
		one.chain.made[one.place].Outputs = receipt.Outputs
	case wait > 0:
		one.stands(event.Retrying, err.Error())
		s.waiting = append(s.waiting, waiting{sending: *one, due: now.Add(wait)})
		return false
	default:
		one.stands(event.Failed, err.Error())
	}
	return true
}

// goOn does what comes after what has ended, and gives the traces of it.
func (s *story) goOn(now time.Time) (traces []rules.Trace) {
	for len(s.ended) > 0 {
		of := s.ended[0]
		s.ended = s.ended[1:]
		list, err := s.plan.Follow(&of.chain.event, of.ref, of.flow, of.chain.made, now)
		if err != nil {
			traces = append(traces, rules.Trace{Rule: of.ref.Rule, Result: rules.Failed, Error: err.Error()})
			continue
		}
		for i := range list {
			n := &list[i]
			one := sending{
				step:  step{chain: of.chain, ref: of.chain.traces[n.Place].Ref, flow: n.Flow, place: n.Place},
				event: of.chain.event, action: of.chain.traces[n.Place], once: n.Once,
			}
			shown(&one.action, &n.Asked)
			if n.Record != nil {
				s.remember(&one, n.Record, now)
				traces = append(traces, sentThen(one.action))
				continue
			}
			if n.Sent && n.Err == "" && n.Wait != nil && (n.Wait.Late || n.Moment.After(now)) {
				one.action.Moment, one.action.Wait = &n.Moment, n.Wait
				s.wait(&one, n.Moment)
				continue
			}
			traces = append(traces, sentThen(s.send(&one, now)))
		}
	}
	return traces
}

// remember writes the record of an action that comes after another.
func (s *story) remember(one *sending, w *event.RecordWrite, now time.Time) {
	one.stands(event.Delivered, "")
	if _, err := s.kept.book.Commit(&event.Event{ID: one.event.ID, Records: []event.RecordWrite{*w}}, now); err != nil {
		one.action.Err = err.Error()
		one.stands(event.Failed, one.action.Err)
	}
	s.kept.at(now)
}

// throttled is what a throttle counts together.
type throttled struct{ scope, key string }

// count is how many of them have gone, in the window that lasts until expires.
type count struct {
	times   int
	expires time.Time
}

// counted reports whether a throttle lets one go at now, and counts it.
func (s *story) counted(once *event.Once, now time.Time) bool {
	if once == nil {
		return true
	}
	if s.counts == nil {
		s.counts = map[throttled]*count{}
	}
	k := throttled{once.Scope, once.Key}
	c := s.counts[k]
	if c == nil || !c.expires.After(now) {
		c = &count{expires: now.Add(once.Window)}
		s.counts[k] = c
	}
	if c.times >= max(once.Times, 1) {
		return false
	}
	c.times++
	return true
}
