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
	waiting []waiting
	digests []*digest // that are open
}

// waiting is an action whose moment has not come.
type waiting struct {
	due    time.Time
	event  event.Event
	action rules.ActionTrace
	// gathered are the events of a digest that has closed; nil: it is no digest.
	gathered []event.Event
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
	if _, err := s.kept.book.Commit(&event.Event{Records: t.kept}, began); err != nil { // check has said so
		out.Findings = append(out.Findings, Finding{Kind: Refused, Text: err.Error(), At: t.At})
	}
	refused := func(of *Test, err error) {
		if err != nil {
			out.Findings = append(out.Findings, Finding{Kind: Refused, Text: err.Error(), At: of.At})
		}
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
			refused(part, fmt.Errorf("after %s: %w", part.in, err))
		}
		out.Got = append(out.Got, of.Got...)
		if part.expects {
			out.Expected = append(out.Expected, part.expect...)
		}
	}
}

// keep takes what is scheduled out of the traces of an event that comes at now,
// and tells until when each waits.
func (s *story) keep(e *event.Event, traces []rules.Trace, now time.Time) map[string]string {
	if s.event.ID == 0 && s.event.Source == "" {
		s.event = *e
	}
	waits := map[string]string{}
	for i := range traces {
		if traces[i].Result != rules.Matched {
			continue
		}
		for a := range traces[i].Sends() {
			if a.Digest != nil && a.Sent {
				waits[a.Name] = event.MomentText(s.join(e, a, now).In(s.zone), now)
				a.Sent, a.Err = false, ""
				continue
			}
			if !a.Sent || a.Err != "" || a.Moment == nil || !a.Moment.After(now) && !a.Wait.Late {
				continue
			}
			s.waiting = append(s.waiting, waiting{due: *a.Moment, event: *e, action: *a})
			waits[a.Name] = event.MomentText(a.Moment.In(s.zone), now)
			a.Sent = false
		}
	}
	return waits
}

// due are the traces of what has its moment at now or before; what is late is
// asked and rendered then.
func (s *story) due(now time.Time) (traces []rules.Trace) {
	s.waiting = append(s.waiting, s.closed(now)...)
	slices.SortStableFunc(s.waiting, func(a, b waiting) int { return cmp.Compare(a.due.UnixNano(), b.due.UnixNano()) })
	for len(s.waiting) > 0 && !s.waiting[0].due.After(now) {
		w := s.waiting[0]
		s.waiting = s.waiting[1:]
		a := w.action
		if w.gathered != nil {
			a = s.close(&w)
		} else if a.Wait.Late {
			asked, err := s.plan.AtMoment(&w.event, a.Ref)
			if err != nil {
				asked.Err, asked.Sent = err.Error(), true
			}
			a.Sent, a.Err, a.Output, a.Key, a.Warnings = asked.Sent, asked.Err, asked.Output, asked.Key, asked.Warnings
		}
		traces = append(traces, sentThen(a))
	}
	return traces
}

// sentThen is the trace of an action that is sent later than its event came.
func sentThen(a rules.ActionTrace) rules.Trace {
	return rules.Trace{Rule: a.Ref.Rule, Result: rules.Matched, Actions: []rules.ActionTrace{a}}
}

// compareDue compares a later part without an event of its own: assertions see
// the test's event.
func (s *story) compareDue(t *Test, out *Result, due []rules.Trace) error {
	return s.plan.WithScope(&s.event, func(sc *lang.Scope) {
		c := comparison{test: t, out: out, event: &s.event, traces: due, waits: map[string]string{}}
		for _, w := range s.waiting {
			c.waits[w.action.Name] = event.MomentText(w.due.In(s.zone), w.due)
		}
		for _, d := range s.digests {
			c.waits[d.action.Name] = event.MomentText(d.goes().In(s.zone), d.goes())
		}
		c.errors()
		c.deliveries()
		c.asserts(sc)
	})
}
