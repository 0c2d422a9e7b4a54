package rules

import (
	"errors"
	"fmt"
	"time"
)

// MaxElements bounds what rules with for_each make of one event: so many deliveries,
// of all elements and actions. More is a rule error, and nothing of it is sent, for
// half of a list is worse than none.
const MaxElements = 500

const (
	// maxElementTime bounds how long one rule may take for all elements of an event.
	maxElementTime = time.Second
	// maxElementStep is what one element counts at most: on a busy machine a process can
	// stand still for longer, and a list of a few elements is judged to its end always.
	maxElementStep = maxElementTime / 10
)

var (
	errElements = fmt.Errorf("the rules with for_each would make more than %d deliveries of this event: nothing of it is sent", MaxElements)
	errTime     = errors.New("the elements took too long to judge: nothing of it is sent")
)

// limitElements makes all rules with for_each rule errors where they make too many
// deliveries together, so that the order of rules does not matter.
func (o *Outcome) limitElements(s *Set) {
	total := 0
	for i := range o.Deliveries {
		if o.Deliveries[i].Element > 0 {
			total++
		}
	}
	if total <= MaxElements {
		return
	}
	for _, r := range s.rules {
		if r.forEach != nil {
			o.Fail(s, r.name, errElements.Error())
		}
	}
}

// limitTraces says the same as limitElements.
func (s *Set) limitTraces(traces []Trace) {
	total := 0
	for i := range traces {
		if s.rules[i].forEach == nil || traces[i].Result != Matched {
			continue
		}
		for e := range traces[i].Elements {
			total += s.rules[i].deliveries(&traces[i].Elements[e])
		}
	}
	if total <= MaxElements {
		return
	}
	for i, r := range s.rules {
		if t := &traces[i]; r.forEach != nil && t.Result == Matched {
			t.Result, t.Error, t.At = Failed, errElements.Error(), r.forEach.At()
		}
	}
}

// deliveries is how many deliveries are made of what t tells of, or reserved in a chain.
func (r *rule) deliveries(t *Trace) (n int) {
	switch {
	case t.Result != Matched:
		return 0
	case r.chain != nil:
		return len(r.chain.order)
	}
	for i := range t.Actions {
		if t.Actions[i].Sent && t.Actions[i].Remember == nil {
			n++
		}
	}
	return n
}

// elementError says which element could not be judged.
func elementError(index int, err error) error {
	if errors.Is(err, errElements) || errors.Is(err, errTime) {
		return err
	}
	return fmt.Errorf("element %d: %w", index, err)
}

// elementLimit holds one rule to what its elements may make and take.
type elementLimit struct {
	before int       // how many deliveries there were
	looked time.Time // when the clock was looked at last
	took   time.Duration
}

func newElementLimit(before int) elementLimit {
	return elementLimit{before: before, looked: time.Now()}
}

// check is asked after each element, with how many deliveries there are now.
func (l *elementLimit) check(deliveries int) error {
	now := time.Now()
	l.took += min(now.Sub(l.looked), maxElementStep)
	l.looked = now
	switch {
	case deliveries-l.before > MaxElements:
		return errElements
	case l.took > maxElementTime:
		return errTime
	}
	return nil
}
