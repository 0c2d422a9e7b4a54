package event

import "time"

// RuleSet is a version of the configuration, as far as it judged events: its
// rules, and what is needed to judge by them again.
type RuleSet struct {
	Plan    int64     // its number in the store: Event.Plan
	Hash    string    // names the version
	Rules   []string  // the names of its rules, in order
	Source  []byte    // what its rules are compiled from, without its Parts; nil: it was not kept
	Parts   []Part    // JSON texts that versions share
	Created time.Time // when it came into force first
	Used    time.Time // when it was noted last that it is in force; in lists
}

// Part is a JSON text that the rules of a version depend on, and that other
// versions may share: a fixed table.
type Part struct {
	Hash string
	Text []byte
}

// Whole is the Source alone or, where it has Parts, a JSON list of it and them.
func (r *RuleSet) Whole() []byte {
	if len(r.Parts) == 0 {
		return r.Source
	}
	whole := append([]byte{'['}, r.Source...)
	for _, p := range r.Parts {
		whole = append(append(whole, ','), p.Text...)
	}
	return append(whole, ']')
}
