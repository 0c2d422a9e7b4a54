package rules

import (
	"slices"
)

// Set is a configuration's rules, compiled. It is immutable and safe for
// concurrent use.
type Set struct {
	rules []*rule
	skip  []byte // the results of an event that no rule listens to
	index map[string]*listeners
	kept  []string // the kept tables that rules use
	// shares says that some rule sets fields of a record.
	shares bool
}

// listeners are the rules that listen to one source, as positions in rules.
type listeners struct {
	byType map[string][]int // for the types that some rule names
	others []int            // for every other type
}

// Names are the rules' names in the file's order.
func (s *Set) Names() []string {
	names := make([]string, len(s.rules))
	for i, r := range s.rules {
		names[i] = r.name
	}
	return names
}

// Listens reports whether a rule listens to events of the type from source.
func (s *Set) Listens(source, typ string) bool { return len(s.candidates(source, typ)) > 0 }

// RuleListens reports whether the rule of the name listens to events of the type
// from source.
func (s *Set) RuleListens(name, source, typ string) bool {
	return slices.ContainsFunc(s.candidates(source, typ), func(i int) bool { return s.rules[i].name == name })
}

// ListensTo reports whether a rule listens to any events from source.
func (s *Set) ListensTo(source string) bool { return s.index[source] != nil }

func (s *Set) buildIndex() {
	for _, r := range s.rules { // first every type that some rule of a source names
		for _, from := range r.from {
			at := s.index[from]
			if at == nil {
				at = &listeners{byType: map[string][]int{}}
				s.index[from] = at
			}
			for _, typ := range r.events {
				at.byType[typ] = nil
			}
		}
	}
	for i, r := range s.rules {
		for _, from := range r.from {
			s.index[from].add(i, r)
		}
	}
}

// add lists the rule at position i under the types that it listens to.
func (l *listeners) add(i int, r *rule) {
	for typ := range l.byType {
		if r.listens(typ) {
			l.byType[typ] = append(l.byType[typ], i)
		}
	}
	if r.events == nil {
		l.others = append(l.others, i)
	}
}

func (r *rule) listens(typ string) bool { return r.events == nil || slices.Contains(r.events, typ) }

// candidates are the positions of the rules that listen to source and typ.
func (s *Set) candidates(source, typ string) []int {
	at := s.index[source]
	if at == nil {
		return nil
	}
	if list, named := at.byType[typ]; named {
		return list
	}
	return at.others
}
