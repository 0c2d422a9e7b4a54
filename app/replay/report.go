package replay

import (
	"cmp"
	"slices"
	"time"

	"hookgate/internal/event"
)

// Report is what a Comparison found.
type Report struct {
	Examined int           `json:"examined"`          // events that were judged
	Changed  int           `json:"changed"`           // of them: those that come out otherwise
	Failed   int           `json:"failed,omitempty"`  // for which the condition could not be evaluated, or that no rule can judge
	Failure  string        `json:"failure,omitempty"` // of the first of them
	Rules    []RuleCount   `json:"rules"`
	Events   []EventChange `json:"events"` // the oldest of the changed ones, as many as was asked for
}

// RuleCount tells how often one rule matches.
type RuleCount struct {
	Rule       string `json:"rule"`
	Now        int    `json:"now"`                   // events that it matches now
	Then       int    `json:"then"`                  // events that it would match
	More       int    `json:"more"`                  // that it would match and does not now
	Fewer      int    `json:"fewer"`                 // that it matches now and would not
	Outputs    int    `json:"outputs"`               // that it matches with both, and sends something else
	ErrorsNow  int    `json:"errors_now,omitempty"`  // that it cannot judge now
	ErrorsThen int    `json:"errors_then,omitempty"` // that it could not judge
	New        bool   `json:"new,omitempty"`         // there is no such rule now
	Removed    bool   `json:"removed,omitempty"`     // there would be no such rule
}

// EventChange is one event that comes out otherwise.
type EventChange struct {
	ID      event.ID      `json:"id"`
	Time    time.Time     `json:"time"`
	Source  string        `json:"source"`
	Type    string        `json:"type"`
	Summary string        `json:"summary,omitempty"`
	Routes  []RouteChange `json:"routes"`
}

// The kinds of a RouteChange.
const (
	Added   = "added"
	Removed = "removed"
	Output  = "output" // something else is sent
	Error   = "error"  // the rule could not judge the event
)

// RouteChange is what differs for one delivery, or for a rule as a whole.
type RouteChange struct {
	Route       string       `json:"route"` // rule/connection, with #2 for the second action; a rule that sends nothing: its name
	Change      string       `json:"change"`
	Message     string       `json:"message,omitempty"` // of an error
	Differences []Difference `json:"differences,omitempty"`
}

// Merge adds what was found in another part of the events.
func (r *Report) Merge(other *Report, limit int) {
	r.Examined += other.Examined
	r.Changed += other.Changed
	r.Failed += other.Failed
	if r.Failure == "" {
		r.Failure = other.Failure
	}
	for i := range other.Rules {
		o := &other.Rules[i]
		at := slices.IndexFunc(r.Rules, func(c RuleCount) bool { return c.Rule == o.Rule })
		if at < 0 {
			r.Rules = append(r.Rules, *o)
			continue
		}
		mine := &r.Rules[at]
		mine.Now += o.Now
		mine.Then += o.Then
		mine.More += o.More
		mine.Fewer += o.Fewer
		mine.Outputs += o.Outputs
		mine.ErrorsNow += o.ErrorsNow
		mine.ErrorsThen += o.ErrorsThen
	}
	r.Events = append(r.Events, other.Events...)
	slices.SortFunc(r.Events, func(a, b EventChange) int { return cmp.Compare(a.ID, b.ID) })
	r.Events = r.Events[:min(len(r.Events), limit)]
}
