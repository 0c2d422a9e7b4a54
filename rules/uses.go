package rules

import (
	"slices"

	"hookgate/internal/schema"
	"hookgate/rules/lang"
)

// Use is a place at which a rule reads a value of the events that it listens to.
type Use struct {
	Rule       string
	Connection string // of the action that reads it; "": a condition of the rule, or of a branch
	Part       UsePart
	Path       string // as schema.Path writes it: data.items[].name
}

// UsePart says what of a rule reads a value.
type UsePart int

// The parts of a rule that read values.
const (
	InCondition UsePart = iota
	InKey               // the ordering key
	InOutput            // what is sent
)

// Uses are where the rules that listen to events of the type from source read their
// data, in the rules' order. It is told by the texts of the expressions: a path that
// is made when they run is not among them.
func (s *Set) Uses(source, typ string) (list []Use) {
	for _, at := range s.candidates(source, typ) {
		list = append(list, s.rules[at].uses()...)
	}
	return list
}

func (r *rule) uses() (list []Use) {
	add := func(connection string, part UsePart, a lang.Analysis) {
		for _, path := range paths(&a) {
			list = append(list, Use{Rule: r.name, Connection: connection, Part: part, Path: path})
		}
	}
	asks := func(connection string, when *lang.Predicate) {
		if when != nil {
			add(connection, InCondition, when.Analyse())
		}
	}
	if r.forEach != nil {
		add("", InCondition, r.forEach.Analyse())
	}
	asks("", r.when)
	for _, b := range r.branches {
		asks("", b.when)
	}
	for _, a := range r.actions {
		asks(a.connection, a.when)
		if a.key != nil {
			add(a.connection, InKey, a.key.Analyse())
		}
		for _, e := range a.asked() {
			add("", InCondition, e.Analyse())
		}
		for i := range a.inputs {
			add(a.connection, InOutput, a.inputs[i].template.Analyse())
		}
	}
	return list
}

// asked are the expressions that decide when, and how often, an action sends.
func (a *action) asked() (list []*lang.Expression) {
	if a.throttle != nil {
		list = append(list, a.throttle.key)
	}
	if a.digest != nil {
		list = append(list, a.digest.key)
	}
	if a.moment != nil {
		list = append(list, a.moment.until)
	}
	return slices.DeleteFunc(list, func(e *lang.Expression) bool { return e == nil })
}

// paths are the places of data that an expression reads.
func paths(a *lang.Analysis) (list []string) {
	if a.Whole {
		list = append(list, schema.Path(nil).String())
	}
	for i := range a.Reads {
		if read := &a.Reads[i]; read.Root == "data" {
			list = append(list, schema.Path(read.Keys()).String())
		}
	}
	return list
}
