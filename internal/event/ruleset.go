package event

import "time"

// RuleSet is a version of the configuration, as far as it judged events: its
// rules, and what is needed to judge by them again.
type RuleSet struct {
	Plan    int64     // its number in the store: Event.Plan
	Hash    string    // names the version
	Rules   []string  // the names of its rules, in order
	Source  []byte    // what its rules are compiled from; nil: it was not kept
	Created time.Time // when it came into force first
}
