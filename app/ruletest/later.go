package ruletest

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"hookgate/app/ingest"
	"hookgate/internal/event"
	"hookgate/rules"
	"hookgate/rules/lang"
)

// story is one run of a test: its event, and what comes of it later.
type story struct {
	runner  *Runner
	plan    *ingest.Plan // the runner's, with the test's own records
	kept    *records
	zone    *time.Location // of times that name none; nil: UTC
	event   event.Event    // the test's own
	answers map[string]lang.Answer
	waiting []waiting
	digests []*digest // that are open
	ended   []step    // of which what comes after them is to be asked
	counts  map[throttled]*count
	// unjudged tells of answers that no connection can judge, and that nobody has been
	// told of.
	unjudged []string
}

// waiting is an action whose moment has not come.
type waiting struct {
	sending
	due time.Time
	// closed says that it is a digest that has closed, so that it is rendered.
	closed bool
}

// sending is an action of an event that is sent.
type sending struct {
	step
	event  event.Event
	action rules.ActionTrace
	once   *event.Once // by what a throttle counts it
	tries  int         // attempts that were made
	began  time.Time   // when the first was made
}

// tell runs all parts of a test.
func (s *story) tell(t *Test, out *Result) {
	if s.zone == nil {
		s.zone = time.UTC
	}
	began := s.runner.Now()
	if at, ok := lang.ReadTime(t.at, s.zone); ok && t.at != "" {
		began = at
	}
	began = began.In(s.zone)
	s.answers = t.answers
	if _, err := s.kept.book.Commit(&event.Event{Records: t.kept}, began); err != nil { // check has said so
		out.Findings = append(out.Findings, Finding{Kind: Refused, Text: err.Error(), At: t.At})
	}
	refused := func(of *Test, err error) {
		if err != nil {
			out.Findings = append(out.Findings, Finding{Kind: Refused, Text: err.Error(), At: of.At})
		}
		for _, text := range s.unjudged {
			out.Findings = append(out.Findings, Finding{Kind: Refused, Text: text, At: of.At})
		}
		s.unjudged = nil
	}
	refused(t, s.run(t, out, began))
	for _, part := range t.later {
		in, err := rules.ParseDelay(part.in)
		if err != nil { // check has said so
			continue
		}
		of := Result{Got: []string{}}
		err = s.run(part, &of, in.After(began))
		for _, f := range of.Findings {
			f.Text = "after " + part.in + ": " + f.Text
			out.Findings = append(out.Findings, f)
		}
		if err != nil {
			err = fmt.Errorf("after %s: %w", part.in, err)
		}
		refused(part, err)
		out.Got = append(out.Got, of.Got...)
		if part.expects {
			out.Expected = append(out.Expected, part.expect...)
		}
	}
}

// take does with the actions of an event that comes at now what its commit does: what
// is sent at once is left in the traces, and then gives what else is sent.
func (s *story) take(d *ingest.Decision, traces []rules.Trace, now time.Time) (then []rules.Trace) {
	if s.event.ID == 0 && s.event.Source == "" {
		s.event = d.Event
	}
	chains := map[rules.Ref]*chain{}
	var list []*sending
	var of []*rules.ActionTrace
	for i := range traces {
		if traces[i].Result != rules.Matched {
			continue
		}
		for a := range traces[i].Sends() {
			if one := s.atOnce(d, a, chains, now); one != nil {
				list, of = append(list, one), append(of, a)
			}
		}
	}
	s.kept.at(now) // what comes after sees what the event has remembered
	for i, one := range list {
		*of[i] = s.send(one, now)
	}
	return s.goOn(now)
}

// atOnce is an action of an event that is sent at once; nil: it is not, or it waits, or
// joins a digest.
func (s *story) atOnce(d *ingest.Decision, a *rules.ActionTrace, chains map[rules.Ref]*chain, now time.Time) *sending {
	if a.Remember != nil && a.After == "" {
		return nil
	}
	if a.Digest != nil && a.Sent {
		s.join(&d.Event, a, now)
		a.Sent, a.Err = false, ""
		return nil
	}
	one := s.begun(d, a, chains)
	if one == nil {
		await(a)
		return nil
	}
	if a.Err == "" && a.Moment != nil && (a.Moment.After(now) || a.Wait.Late) {
		s.wait(one, *a.Moment)
		a.Sent = false
		return nil
	}
	return one
}

// begun is an action that an event begins; nil: it is not sent, or comes after others.
func (s *story) begun(d *ingest.Decision, a *rules.ActionTrace, chains map[rules.Ref]*chain) *sending {
	at := s.stepOf(&d.Event, a, chains)
	i := slices.IndexFunc(d.Deliveries, func(made event.Delivery) bool {
		return made.Rule == a.Ref.Rule && made.Connection == a.Ref.Connection && made.Action == a.Ref.Action && made.Element == a.Ref.Element
	})
	if i < 0 {
		return nil
	}
	made := &d.Deliveries[i]
	one := &sending{step: at, event: d.Event, action: *a, once: made.Once}
	one.flow = made.Flow
	if made.Wait != nil {
		one.once = made.Wait.Once
	}
	one.stands(event.Waiting, "")
	return one
}

// await has a trace say of an action that its turn has not come.
func await(a *rules.ActionTrace) {
	if a.Sent {
		a.Sent, a.Err, a.Reason = false, "", "it comes "+a.After
	}
}

func (s *story) wait(one *sending, due time.Time) {
	one.stands(event.Scheduled, "")
	s.waiting = append(s.waiting, waiting{sending: *one, due: due})
}

// due are the traces of what has its moment at now or before, and of what comes after
// that; what is late is asked and rendered then.
func (s *story) due(now time.Time) (traces []rules.Trace) {
	s.waiting = append(s.waiting, s.closed(now)...)
	for {
		slices.SortStableFunc(s.waiting, func(a, b waiting) int { return cmp.Compare(a.due.UnixNano(), b.due.UnixNano()) })
		if len(s.waiting) == 0 || s.waiting[0].due.After(now) {
			return traces
		}
		w := s.waiting[0]
		s.waiting = s.waiting[1:]
		if w.tries > 0 { // it was told of with its first attempt
			if s.answer(&w.sending, w.due) {
				s.ends(&w.sending)
			}
			traces = append(traces, s.goOn(w.due)...)
			continue
		}
		switch a := &w.action; {
		case w.closed:
		case a.Wait.Late:
			asked, err := s.plan.AtMoment(&w.event, a.Ref, w.progress()...)
			if err != nil {
				asked.Err, asked.Sent = err.Error(), true
			}
			w.once = asked.Once
			shown(a, &asked)
		default:
			a.Sent = true
		}
		traces = append(append(traces, sentThen(s.send(&w.sending, w.due))), s.goOn(w.due)...)
	}
}

// shown has a trace tell what was asked and rendered.
func shown(a *rules.ActionTrace, asked *rules.Asked) {
	a.Sent, a.Reason, a.Err, a.Output, a.Key, a.Warnings = asked.Sent, asked.Reason, asked.Err, asked.Output, asked.Key, asked.Warnings
	if a.Remember = nil; asked.Record != nil {
		a.Remember = &rules.RememberTrace{RecordKey: asked.Record.RecordKey, Set: asked.Record.Set, Add: asked.Record.Add}
	}
}

// sentThen is the trace of an action that is sent later than its event came.
func sentThen(a rules.ActionTrace) rules.Trace {
	return rules.Trace{Rule: a.Ref.Rule, Result: rules.Matched, Actions: []rules.ActionTrace{a}}
}

// waits tell until when what is not sent yet waits, by its name.
func (s *story) waits(now time.Time) map[string]string {
	waits := map[string]string{}
	note := func(a *rules.ActionTrace, until time.Time) {
		waits[event.WithoutElement(a.Name)] = event.MomentText(until.In(s.zone), now)
	}
	for i := range s.waiting {
		if s.waiting[i].tries > 0 {
			continue
		}
		note(&s.waiting[i].action, s.waiting[i].due)
	}
	for _, d := range s.digests {
		note(&d.action, d.goes())
	}
	return waits
}

// compareDue compares a later part without an event of its own: assertions see
// the test's event.
func (s *story) compareDue(t *Test, out *Result, due []rules.Trace, now time.Time) error {
	return s.plan.WithScope(&s.event, func(sc *lang.Scope) {
		c := comparison{test: t, out: out, set: s.plan.Rules, event: &s.event, then: due, waits: s.waits(now)}
		c.errors()
		c.deliveries()
		c.asserts(sc)
	})
}
