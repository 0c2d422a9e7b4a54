package rules

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"hookgate/internal/calendar"
	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// farthest is how far ahead a moment can be.
const farthest = 366 * 24 * time.Hour

// moment is when an action's moment is. Its condition and its output are early
// where they read the event alone: then they are evaluated when the event is
// accepted. Where they are late that is done at the moment.
type moment struct {
	text   string // delay, as it is written
	delay  Delay
	until  *lang.Expression // delay_until; nil: a delay
	during string           // only_during: the moment is when this calendar is open; "": always
	open   *calendar.Calendar
	late   bool // the output or the key is late, or the condition
	asked  bool // the condition is late
}

var (
	errNoMoment = errors.New("delay_until gave no time")
	errTooFar   = errors.New("delay_until is more than 366 days ahead")
)

// moment compiles the words of an action that move its moment; nil: there are
// none.
func (b *builder) moment(in *Action) *moment {
	m := b.delay(in)
	if in.OnlyDuring.IsZero() {
		return m
	}
	if m == nil {
		m = &moment{}
	}
	var list diag.List
	m.during = in.OnlyDuring.Value
	m.open, list = b.compiler.Calendar(in.OnlyDuring)
	b.add(list...)
	return m
}

// delay compiles delay and delay_until; nil: there is neither.
func (b *builder) delay(in *Action) *moment {
	switch {
	case !in.Delay.IsZero() && !in.DelayUntil.IsZero():
		b.add(in.DelayUntil.Diag("conflict", "leave one of the two out", "an action has a delay or a delay_until, not both"))
		return nil
	case !in.Delay.IsZero():
		m := &moment{text: in.Delay.Value}
		var err error
		if m.delay, err = ParseDelay(in.Delay.Value); err != nil {
			b.add(in.Delay.Diag("bad-value", "write it like 10m, 2h or 7d; for a time in the event there is delay_until", "delay: %s", err))
		}
		return m
	case !in.DelayUntil.IsZero():
		return &moment{until: b.expression(in.DelayUntil)}
	}
	return nil
}

// judgeLate notes what of the action is late.
func (a *action) judgeLate() {
	m := a.moment
	if m == nil || a.digest != nil { // whether an event is gathered is asked when it is accepted
		return
	}
	m.asked = a.when != nil && a.when.Late()
	m.late = m.asked || a.key != nil && a.key.Late() || a.throttle != nil && a.throttle.key != nil && a.throttle.key.Late()
	for i := range a.inputs {
		m.late = m.late || a.inputs[i].template != nil && a.inputs[i].template.Late()
	}
}

var leadingDays = regexp.MustCompile(`^\s*(?:([0-9]+)w)?\s*(?:([0-9]+)d)?`)

// Delay is a duration of whole days, which keep the time of day over a change
// of the clocks, and of what passes besides.
type Delay struct {
	Days    int
	Elapsed time.Duration
}

// After is so long after from, by the clocks of from's zone.
func (d Delay) After(from time.Time) time.Time {
	if d.Days > 0 {
		year, month, day := from.Date()
		from = calendar.Wall(year, month, day+d.Days, from.Hour(), from.Minute(), from.Second(), from.Nanosecond(), from.Location())
	}
	return from.Add(d.Elapsed)
}

// ParseDelay reads a delay: 10m, 2h, 7d, 1w2d3h.
func ParseDelay(text string) (Delay, error) {
	total, err := yamlnode.ParseDuration(text)
	switch {
	case err != nil:
		return Delay{}, err //nolint:wrapcheck // as it is for people
	case total <= 0:
		return Delay{}, errors.New("it is to be longer than nothing")
	case total > farthest:
		return Delay{}, errors.New("it is to be 366 days at most")
	}
	days := 0
	found := leadingDays.FindStringSubmatch(text)
	for i, length := range []int{7, 1} {
		if n, err := strconv.Atoi(found[i+1]); err == nil {
			days += n * length
		}
	}
	return Delay{Days: days, Elapsed: total - time.Duration(days)*24*time.Hour}, nil
}

// at is when the moment is, of an event that began at from, in the zone of the
// server.
func (m *moment) at(sc *lang.Scope, from time.Time) (time.Time, error) {
	at := m.delay.After(from)
	if m.until != nil {
		var known bool
		var err error
		at, known, err = m.until.Time(sc)
		switch {
		case err != nil:
			return at, fmt.Errorf("delay_until: %w", err)
		case !known:
			return at, fmt.Errorf("%w: %s", errNoMoment, m.until.Source())
		case at.Sub(from) > farthest:
			return at, errTooFar
		}
		if at.Before(from) {
			at = from
		}
		at = at.In(from.Location())
	}
	if m.open == nil {
		return at, nil
	}
	next := m.open.NextOpen(at)
	if next.IsZero() || next.Sub(from) > 2*farthest {
		return at, fmt.Errorf("the calendar %s does not open again", m.during)
	}
	return next, nil
}

// wait is what is told of where the moment comes from.
func (m *moment) wait() *event.Wait {
	return &event.Wait{Delay: m.text, Until: m.until != nil, During: m.during, Late: m.late}
}

// make is what the action comes to when the event is accepted; sent is false
// where its condition is not met. What is late is left to its moment.
func (a *action) make(rule string, sc *lang.Scope, room *int) (r Rendered, sent bool, err error) {
	if a.when != nil && (a.moment == nil || !a.moment.asked) {
		ok, err := a.when.Eval(sc)
		if err != nil || !ok {
			return r, false, err
		}
	}
	if a.digest != nil {
		r, err = a.gathered(rule, sc)
		return r, err == nil, err
	}
	if a.moment == nil {
		return a.render(rule, sc, room), true, nil
	}
	r = Rendered{Rule: rule, Connection: a.connection, Action: a.number, Output: []byte("{}")}
	if !a.moment.late {
		r = a.render(rule, sc, room)
	}
	r.Wait = a.moment.wait()
	if r.Moment, err = a.moment.at(sc, sc.Begun()); err != nil && r.Err == "" {
		r.Err = err.Error()
	}
	return r, true, nil
}

// Ref names one action of a rule, and the element that it is for.
type Ref struct {
	Rule, Connection string
	Action, Element  int
}

// Asked is what became of an action at its moment.
type Asked struct {
	Rendered
	Sent   bool
	Reason string // why it is not sent
}

// ErrNoAction says that a version of the rules has no such action.
var ErrNoAction = errors.New("the rules have no such action")

// AtMoment asks the late condition of an action whose moment has come, and
// renders it. What its rule and its branch say was asked when the event was
// accepted. made is what there is of the action's chain, by place; none: it is in
// none.
func (s *Set) AtMoment(sc *lang.Scope, ref Ref, made ...*event.Progress) (Asked, error) {
	r, a := s.find(ref)
	if a == nil {
		return Asked{}, fmt.Errorf("%w: %s", ErrNoAction, event.ActionName(ref.Rule, ref.Connection, ref.Action))
	}
	leave, err := r.enter(sc, ref)
	if err != nil {
		return Asked{}, err
	}
	defer leave()
	if r.chain != nil && len(made) == len(r.chain.order) {
		r.know(sc, made)
		defer sc.SetSteps(nil, nil)
	}
	asked := a.ask(r.name, sc)
	asked.Element = ref.Element
	return asked, nil
}

// enter has the scope see the element that ref names, if its rule has elements, until
// leave.
func (r *rule) enter(sc *lang.Scope, ref Ref) (leave func(), err error) {
	if ref.Element == 0 {
		return func() {}, nil
	}
	if r.forEach == nil {
		return nil, fmt.Errorf("%w: %s has no elements", ErrNoAction, ref.Rule)
	}
	elements, err := r.forEach.Items(sc)
	if err != nil || ref.Element > len(elements) {
		return nil, errors.Join(fmt.Errorf("%w: %s has no element %d", ErrNoAction, ref.Rule, ref.Element), err)
	}
	sc.SetElement(elements[ref.Element-1], ref.Element-1)
	return func() { sc.SetElement(nil, -1) }, nil
}

// unmet says in one line why a condition was not met.
func unmet(why lang.Trace) string {
	for i := len(why.Parts) - 1; i >= 0; i-- {
		if p := &why.Parts[i]; p.Verdict == lang.False {
			if p.Note != "" {
				return p.Text + ": " + p.Note
			}
			return p.Text + " was false"
		}
	}
	return "its condition was not met"
}

// find is the action that ref names, with its rule; nil where there is none.
func (s *Set) find(ref Ref) (*rule, *action) {
	for _, r := range s.rules {
		if r.name != ref.Rule {
			continue
		}
		for _, a := range r.actions {
			if a.connection == ref.Connection && a.number == ref.Action {
				return r, a
			}
		}
	}
	return nil, nil
}

// explainMoment tells when an action's moment is.
func (a *action) explainMoment(t *ActionTrace, sc *lang.Scope) {
	if a.moment == nil {
		return
	}
	t.Wait = a.moment.wait()
	at, err := a.moment.at(sc, sc.Begun())
	if err != nil {
		if t.Err == "" {
			t.Err, t.At = err.Error(), a.momentAt()
		}
		return
	}
	t.Moment = &at
}

// momentAt is where the expression stands that says when the moment is.
func (a *action) momentAt() diag.Position {
	if a.moment.until != nil {
		return a.moment.until.At()
	}
	return a.at
}
