package rules

import (
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
		r := s.rules[at]
		add := func(connection string, part UsePart, a lang.Analysis) {
			if a.Whole {
				list = append(list, Use{Rule: r.name, Connection: connection, Part: part, Path: schema.Path(nil).String()})
			}
			for i := range a.Reads {
				if read := &a.Reads[i]; read.Root == "data" {
					list = append(list, Use{Rule: r.name, Connection: connection, Part: part, Path: schema.Path(read.Keys()).String()})
				}
			}
		}
		if r.forEach != nil {
			add("", InCondition, r.forEach.Analyse())
		}
		if r.when != nil {
			add("", InCondition, r.when.Analyse())
		}
		for _, b := range r.branches {
			if b.when != nil {
				add("", InCondition, b.when.Analyse())
			}
		}
		for _, a := range r.actions {
			if a.when != nil {
				add(a.connection, InCondition, a.when.Analyse())
			}
			if a.key != nil {
				add(a.connection, InKey, a.key.Analyse())
			}
			for i := range a.inputs {
				add(a.connection, InOutput, a.inputs[i].template.Analyse())
			}
		}
	}
	return list
}
