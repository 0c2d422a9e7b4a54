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

// maxElementTime bounds how long one rule may take for all elements of an event.
const maxElementTime = time.Second

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
		for a := range traces[i].Sends() {
			if a.Sent && s.rules[i].forEach != nil && traces[i].Result == Matched {
				total++
			}
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

// elementError says which element could not be judged.
func elementError(index int, err error) error {
	if errors.Is(err, errElements) || errors.Is(err, errTime) {
		return err
	}
	return fmt.Errorf("element %d: %w", index, err)
}

// elementLimit holds one rule to what its elements may make and take.
type elementLimit struct {
	before int // how many deliveries there were
	until  time.Time
}

func newElementLimit(before int) elementLimit {
	return elementLimit{before: before, until: time.Now().Add(maxElementTime)}
}

// check is asked after each element, with how many deliveries there are now.
func (l *elementLimit) check(deliveries int) error {
	switch {
	case deliveries-l.before > MaxElements:
		return errElements
	case time.Now().After(l.until):
		return errTime
	}
	return nil
}
