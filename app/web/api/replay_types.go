package api

import (
	"encoding/json"
	"time"

	"hookgate/app/replay"
	"hookgate/internal/diag"
	"hookgate/internal/event"
)

// Search tells how a search through stored events went. Where it was stopped,
// Page.Next goes on from there, whether or not the page is full.
type Search struct {
	Examined int    `json:"examined"`          // events that were looked into
	Stopped  bool   `json:"stopped,omitempty"` // the limit of one request was reached
	Failed   int    `json:"failed,omitempty"`  // events for which the condition could not be evaluated
	Failure  string `json:"failure,omitempty"` // of the first of them
}

// EventSelection says which events a replay is for: the ones named, or all
// that the filter matches. Of these only events that rules have judged are
// replayed.
type EventSelection struct {
	IDs    []event.ID    `json:"ids,omitempty"`
	Source string        `json:"source,omitempty"`
	Type   string        `json:"type,omitempty"`
	States []event.State `json:"states,omitempty"` // routed, no_match, rule_error; none: all of these
	Since  time.Time     `json:"since,omitzero"`
	Until  time.Time     `json:"until,omitzero"`
	Where  string        `json:"where,omitempty"` // a condition of the rules' language
	Text   string        `json:"text,omitempty"`
	// Rule of the rules in force: only what it sends is made; "": what all do.
	Rule string `json:"rule,omitempty"`
}

// Filter is the part of s that the store answers.
func (s *EventSelection) Filter() event.Filter {
	f := event.Filter{IDs: s.IDs, Source: s.Source, Type: s.Type, States: s.States, Since: s.Since, Until: s.Until}
	if len(f.States) == 0 {
		f.States = replay.States()
	}
	return f
}

// ReplayRequest asks for a replay, or for a part of its preview.
type ReplayRequest struct {
	EventSelection
	// After is where a preview goes on: the Next of the part before.
	After *event.ID `json:"after,omitempty"`
}

// ReplayPreview is what a part of a replay would do. Nothing is sent by it.
type ReplayPreview struct {
	Total    int            `json:"total"`    // events that the filter selects, before where and text
	Examined int            `json:"examined"` // of them: those looked at in this part
	Events   int            `json:"events"`   // that would be replayed
	Routes   []replay.Route `json:"routes"`
	Failed   int            `json:"failed,omitempty"` // the condition could not be evaluated for these
	Failure  string         `json:"failure,omitempty"`
	Next     *event.ID      `json:"next,omitempty"` // there is more
}

// ReplayRun is how far a replay is.
type ReplayRun struct {
	ID         event.RunID    `json:"id"`
	Created    time.Time      `json:"created"`
	By         string         `json:"by,omitempty"` // who began it: the admin's name, or local; "": an older version did not keep it
	Selection  EventSelection `json:"selection"`
	Total      int            `json:"total,omitempty"` // events that the filter selects; when the run is created
	Seen       int            `json:"seen"`            // events looked at
	Events     int            `json:"events"`          // events replayed
	Deliveries int            `json:"deliveries"`
	Done       bool           `json:"done"`
}

// ReplayStep asks to go on with a replay.
type ReplayStep struct {
	Limit int `json:"limit,omitempty"` // replay so many events at the most
}

// Replay is what a run did with one event.
type Replay struct {
	Run        event.RunID `json:"run"`
	At         time.Time   `json:"at"`
	Config     string      `json:"config"` // the hash of the configuration that judged it this time
	Rules      []Verdict   `json:"rules,omitempty"`
	Deliveries int         `json:"deliveries"`
}

// ExpressionFault refuses a condition, with the place of each fault in it.
type ExpressionFault struct{ List diag.List }

func (e *ExpressionFault) Error() string { return e.List.Error() }

// CompareRequest asks what other rules would do with stored events. Rule of
// the selection leaves only what concerns that rule.
type CompareRequest struct {
	EventSelection
	// Now and Then are the versions to compare, as they are stored with the
	// events that they judge; none: the one in force.
	Now   json.RawMessage `json:"now,omitempty"`
	Then  json.RawMessage `json:"then,omitempty"`
	Limit int             `json:"limit"` // so many of the events that change, in detail
	// After is where the comparison goes on: the Next of the part before.
	After *event.ID `json:"after,omitempty"`
}

// Comparison is a part of what differs between two versions of the rules.
type Comparison struct {
	replay.Report
	Config  string    `json:"config"`  // the hash of the configuration with the rules of now
	Against string    `json:"against"` // and of then
	Total   int       `json:"total"`   // events that the filter selects, before where and text; in the first part
	Read    int       `json:"read"`    // of them: those of this part
	Next    *event.ID `json:"next,omitempty"`
}

// Live is what the stream of events brings: an event with its deliveries, or,
// as an update, those of them that were open before and have ended.
type Live struct {
	Event
	Update bool `json:"update,omitempty"`
}

// Dropped is what the stream brings where it left something out, because its
// reader was too slow or too much came in.
type Dropped struct {
	Count int `json:"count"` // items, or looks at which there was too much
}
