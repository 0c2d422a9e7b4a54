package replay

import (
	"bytes"
	"cmp"
	"context"
	"runtime"
	"slices"
	"sync"

	"hookgate/app/ingest"
	"hookgate/internal/event"
	"hookgate/rules"
)

// Comparison puts events through two versions of the rules and notes what
// differs. Nothing is sent.
type Comparison struct {
	Now, Then *ingest.RuleSet // the rules in force, and those they are compared with
	Query     *Query          // of all events: those that it selects
	Rule      string          // only what concerns this rule; "": all
	Limit     int             // so many of the events that change are told in detail, the oldest
	Workers   int             // how many judge at once; 0: one for each processor
	// Summary is what a person calls an event, by its data; nil: nothing.
	Summary func(data []byte) string
	// Judged is told of each event what the one Rule says of it, by both versions;
	// by several goroutines at once unless Workers is 1.
	Judged func(e *event.Event, now, then event.Result, differs bool)
}

// tally is a Report in the making, by one goroutine.
type tally struct {
	c      *Comparison
	report Report
	places [][2]int // of each rule of the report: in Now and in Then; -1: not there
}

// Run judges all events that source gives, by several goroutines. source calls
// each for one event after another, and ends when that fails.
func (c *Comparison) Run(ctx context.Context, source func(each func(*event.Event) error) error) (Report, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	workers := c.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	events := make(chan *event.Event, 4*workers)
	parts := make([]*tally, workers)
	var wg sync.WaitGroup
	for i := range parts {
		part := c.newTally()
		parts[i] = part
		wg.Go(func() {
			for e := range events {
				part.add(e)
			}
		})
	}
	err := source(func(e *event.Event) error {
		select {
		case events <- e:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
	close(events)
	wg.Wait()
	total := Report{Rules: c.ruleNames()}
	for _, part := range parts {
		part.finish()
		total.Merge(&part.report, c.Limit)
	}
	return total, err
}

// ruleNames are the rules of both versions, with nothing counted: first those
// that would be, then those that would be gone.
func (c *Comparison) ruleNames() []RuleCount {
	now, then := c.Now.Rules.Names(), c.Then.Rules.Names()
	list := []RuleCount{}
	for _, name := range then {
		list = append(list, RuleCount{Rule: name, New: !slices.Contains(now, name)})
	}
	for _, name := range now {
		if !slices.Contains(then, name) {
			list = append(list, RuleCount{Rule: name, Removed: true})
		}
	}
	if c.Rule != "" {
		list = slices.DeleteFunc(list, func(r RuleCount) bool { return r.Rule != c.Rule })
	}
	return list
}

func (c *Comparison) newTally() *tally {
	t := &tally{c: c}
	t.report.Rules = c.ruleNames()
	now, then := c.Now.Rules.Names(), c.Then.Rules.Names()
	for i := range t.report.Rules {
		name := t.report.Rules[i].Rule
		t.places = append(t.places, [2]int{slices.Index(now, name), slices.Index(then, name)})
	}
	return t
}

// finish cuts what was gathered beyond the limit.
func (t *tally) finish() {
	slices.SortFunc(t.report.Events, func(a, b EventChange) int { return cmp.Compare(a.ID, b.ID) })
}

func (t *tally) fail(err error) {
	if t.report.Failed++; t.report.Failed == 1 {
		t.report.Failure = err.Error()
	}
}

// add judges one event with both versions.
func (t *tally) add(e *event.Event) {
	if t.c.Query != nil {
		ok, err := t.c.Query.Match(e)
		if err != nil {
			t.fail(err)
		}
		if !ok {
			return
		}
	}
	now, err := t.c.Now.Decide(e)
	if err != nil {
		t.fail(err)
		return
	}
	then, err := t.c.Then.Decide(e)
	if err != nil {
		t.fail(err)
		return
	}
	t.report.Examined++
	detailed := len(t.report.Events) < t.c.Limit
	routes, changed := t.compare(&now, &then, detailed)
	if t.c.Judged != nil && len(t.places) == 1 {
		t.c.Judged(e, result(&now, t.places[0][0]), result(&then, t.places[0][1]), changed)
	}
	if !changed {
		return
	}
	t.report.Changed++
	if !detailed {
		return
	}
	change := EventChange{ID: e.ID, Time: e.ReceivedAt.UTC(), Source: e.Source, Type: e.Type, Routes: routes}
	if t.c.Summary != nil {
		change.Summary = t.c.Summary(e.Data())
	}
	t.report.Events = append(t.report.Events, change)
}

// result is what the rule at the place said; Skipped where there is none.
func result(out *rules.Outcome, place int) event.Result {
	if place < 0 {
		return event.Skipped
	}
	return event.Result(out.Results[place])
}

// compare counts for each rule what differs, and lists it where that is wanted.
func (t *tally) compare(now, then *rules.Outcome, detailed bool) (routes []RouteChange, changed bool) {
	for i := range t.report.Rules {
		count, place := &t.report.Rules[i], t.places[i]
		before, after := result(now, place[0]), result(then, place[1])
		list, differs := t.rule(count, before, after, now, then)
		changed = changed || differs
		if !differs || !detailed {
			continue
		}
		if after == event.RuleFailed && before != event.RuleFailed {
			list = append([]RouteChange{{Route: count.Rule, Change: Error, Message: messageOf(then, count.Rule)}}, list...)
		}
		routes = append(routes, list...)
	}
	return routes, changed
}

// rule counts what one rule does with an event, and lists how its deliveries
// differ.
func (t *tally) rule(count *RuleCount, before, after event.Result, now, then *rules.Outcome) (list []RouteChange, differs bool) {
	was, is := before == event.Matched, after == event.Matched
	if was {
		count.Now++
	}
	if is {
		count.Then++
	}
	if before == event.RuleFailed {
		count.ErrorsNow++
	}
	if after == event.RuleFailed {
		count.ErrorsThen++
	}
	if was || is {
		list = sent(count.Rule, now, then)
	}
	switch {
	case is && !was:
		count.More++
	case was && !is:
		count.Fewer++
	case was && len(list) > 0:
		count.Outputs++
	default:
		return nil, (before == event.RuleFailed) != (after == event.RuleFailed)
	}
	return ruleRoutes(count.Rule, was, is, list), true
}

// ruleRoutes are the changes of one rule: of its deliveries, or of the rule
// itself where it has none.
func ruleRoutes(name string, was, is bool, outputs []RouteChange) []RouteChange {
	switch {
	case len(outputs) > 0 || was == is:
		return outputs
	case is:
		return []RouteChange{{Route: name, Change: Added}}
	}
	return []RouteChange{{Route: name, Change: Removed}}
}

func messageOf(out *rules.Outcome, rule string) string {
	for _, v := range out.Errors {
		if v.Rule == rule {
			return v.Message
		}
	}
	return ""
}

// sent compares what one rule sends.
func sent(rule string, before, after *rules.Outcome) (list []RouteChange) {
	for i := range after.Deliveries {
		d := &after.Deliveries[i]
		if d.Rule != rule {
			continue
		}
		old := find(before, d)
		switch {
		case old == nil:
			list = append(list, RouteChange{Route: d.Name(), Change: Added})
		case !bytes.Equal(old.Output, d.Output) || old.Key != d.Key || old.Err != d.Err || !old.Moment.Equal(d.Moment) || old.Wait.Words() != d.Wait.Words() || old.Joining.Words() != d.Joining.Words():
			if found := differences(old, d); len(found) > 0 { // not just the order of keys
				list = append(list, RouteChange{Route: d.Name(), Change: Output, Differences: found})
			}
		}
	}
	for i := range before.Deliveries {
		d := &before.Deliveries[i]
		if d.Rule == rule && find(after, d) == nil {
			list = append(list, RouteChange{Route: d.Name(), Change: Removed})
		}
	}
	return list
}

func find(out *rules.Outcome, like *rules.Rendered) *rules.Rendered {
	for i := range out.Deliveries {
		d := &out.Deliveries[i]
		if d.Rule == like.Rule && d.Connection == like.Connection && d.Action == like.Action && d.Element == like.Element {
			return d
		}
	}
	return nil
}
