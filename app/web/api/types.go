// Package api is the administration API, version 1: JSON over HTTP under
// /api/v1, on the unix socket beside the database and, where an admin is
// configured, on the public listener behind basic auth. The command line uses
// the same types.
package api

import (
	"encoding/json"
	"time"

	"hookgate/app/replay"
	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/rules"
)

// Event is an event as lists show it.
type Event struct {
	ID          event.ID    `json:"id"`
	Time        time.Time   `json:"time"`
	Source      string      `json:"source"`
	Type        string      `json:"type"`
	Summary     string      `json:"summary,omitempty"` // what a person calls it: Harry's Diner · Publish → Done
	State       event.State `json:"state"`
	Cause       string      `json:"cause,omitempty"`
	DuplicateOf *event.ID   `json:"duplicate_of,omitempty"`
	Rules       []Verdict   `json:"rules,omitempty"`
	Deliveries  []Delivery  `json:"deliveries,omitempty"`
}

// EventDetail is an event with all that is kept of it.
type EventDetail struct {
	Event
	Request event.Request   `json:"request"`
	Body    string          `json:"body,omitempty"`        // the raw body when it is valid UTF-8
	Base64  []byte          `json:"body_base64,omitempty"` // else
	Data    json.RawMessage `json:"data,omitempty"`
	// JudgedBy is the version of the configuration that judged it; nil where no
	// rule saw it.
	JudgedBy *JudgedBy `json:"judged_by,omitempty"`
	// Why tells for each rule of that version which part of its condition
	// decided.
	Why []rules.Trace `json:"why,omitempty"`
	// Replays are what was done with it later, the oldest first. Their
	// deliveries are among Deliveries.
	Replays []Replay `json:"replays,omitempty"`
}

// JudgedBy is a version of the configuration.
type JudgedBy struct {
	Config  string    `json:"config"` // the hash of the file
	Since   time.Time `json:"since"`  // when it came into force first
	InForce bool      `json:"in_force"`
	Known   bool      `json:"known"` // its rules are stored: Why can tell
	// Gone are its connections of types that are not known any more: Why shows
	// what rules send to them without what the type makes of it.
	Gone []replay.GoneConnection `json:"gone,omitempty"`
}

// Verdict is what a rule said of an event.
type Verdict struct {
	Rule    string `json:"rule"`
	Result  string `json:"result"` // match, no, skipped, error
	Message string `json:"message,omitempty"`
}

// Delivery is a delivery as lists show it.
type Delivery struct {
	ID         event.DeliveryID    `json:"id"`
	Event      event.ID            `json:"event"`
	Name       string              `json:"name"` // rule/connection, with #2 for the second action
	Rule       string              `json:"rule"`
	Connection string              `json:"connection"`
	State      event.DeliveryState `json:"state"`
	Attempts   int                 `json:"attempts"`
	Created    time.Time           `json:"created"`
	Next       *time.Time          `json:"next,omitempty"` // the next attempt
	WaitsFor   *event.DeliveryID   `json:"waits_for,omitempty"`
	Key        string              `json:"ordering_key,omitempty"`
	Error      string              `json:"error,omitempty"`
	Warnings   []string            `json:"warnings,omitempty"`
	Status     int                 `json:"status,omitempty"`      // of the last attempt
	DurationMS float64             `json:"duration_ms,omitempty"` // of the last attempt
	Output     json.RawMessage     `json:"output,omitempty"`
	History    []Attempt           `json:"history,omitempty"`
}

// Attempt is one try at a delivery.
type Attempt struct {
	Number     int       `json:"number"`
	Started    time.Time `json:"started"`
	DurationMS float64   `json:"duration_ms"`
	Status     int       `json:"status,omitempty"`
	Error      string    `json:"error,omitempty"`
	Answer     string    `json:"answer,omitempty"`
	// Outputs are what the receiver calls what it made of it: id, url.
	Outputs map[string]string `json:"outputs,omitempty"`
}

// Page is a part of a list, newest first. Next is the cursor of the part after
// it (?before=), empty at the end.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
	// Search is there where the records were looked into one by one.
	Search *Search `json:"search,omitempty"`
}

// Selection says which deliveries a bulk action is for: the ones named, or all
// that the filter matches.
type Selection struct {
	IDs        []event.DeliveryID  `json:"ids,omitempty"`
	State      event.DeliveryState `json:"state,omitempty"`
	Connection string              `json:"connection,omitempty"`
	Rule       string              `json:"rule,omitempty"`
	Event      event.ID            `json:"event,omitempty"`
	Since      time.Time           `json:"since,omitzero"`
	DryRun     bool                `json:"dry_run,omitempty"`
}

// Changed is the answer to a bulk action: how many it changed, or would, and
// under how many distinct ordering keys.
type Changed struct {
	Count int `json:"count"`
	Keyed int `json:"keyed,omitempty"`
	Keys  int `json:"keys,omitempty"`
}

// Accepted is the answer to a post of an event.
type Accepted struct {
	ID event.ID `json:"id"`
}

// Problem is RFC 9457's problem details.
type Problem struct {
	Type   string `json:"type,omitempty"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	Hint   string `json:"hint,omitempty"` // what to do about it
	ID     string `json:"id,omitempty"`   // the event under which the request was kept
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	// Errors are the faults in an expression that the request holds.
	Errors diag.List `json:"errors,omitempty"`
	// Retry becomes the header Retry-After.
	Retry time.Duration `json:"-"`
}

// Status is what a running server says of itself.
type Status struct {
	Version  string         `json:"version"`
	Config   string         `json:"config"` // the hash of the configuration that is in force
	Loaded   time.Time      `json:"loaded,omitzero"`
	Started  time.Time      `json:"started"`
	Ready    bool           `json:"ready"`
	NotReady string         `json:"not_ready,omitempty"` // why
	Tests    Tests          `json:"tests"`               // of that configuration
	Queues   map[string]int `json:"queues"`              // deliveries that wait, by connection
}

// Tests counts the tests of a configuration.
type Tests struct {
	Passed int `json:"passed"`
	Total  int `json:"total"`
}

// Replicas are the processes on one database. Shared is false for SQLite, which
// has one.
type Replicas struct {
	Shared bool      `json:"shared"`
	Items  []Replica `json:"items"`
	// LeftAlone are the connections that no replica sends to now.
	LeftAlone []LeftAlone `json:"left_alone,omitempty"`
}

// LeftAlone is a connection that failed many times in a row, or of which the
// receiver asked to be left alone, as all replicas know.
type LeftAlone struct {
	Connection string     `json:"connection"`
	Since      *time.Time `json:"failing_since,omitempty"` // when its breaker was opened
	ProbeInMS  int64      `json:"probe_in_ms,omitempty"`   // no attempt before
	Prober     int64      `json:"prober,omitempty"`        // the replica whose attempt is under way
	PausedMS   int64      `json:"paused_ms,omitempty"`     // left of what the receiver asked for
}

// Replica is a process on the database: a living one, or one that is gone and
// of which something is still to be taken over.
type Replica struct {
	ID          int64          `json:"id"`
	Name        string         `json:"name"` // of its machine
	Version     string         `json:"version"`
	Started     time.Time      `json:"started"`
	Heartbeat   time.Time      `json:"heartbeat"`               // when it renewed its lease
	LeaseLeftMS int64          `json:"lease_left_ms,omitempty"` // none on SQLite
	Alive       bool           `json:"alive"`
	Self        bool           `json:"self,omitempty"` // the one that answers
	Holds       map[string]int `json:"holds"`          // deliveries that it has claimed, by connection
}

// Reloaded is the answer to a reload. A configuration with errors is refused
// whole: OK is false, and the one before stays in force.
type Reloaded struct {
	OK          bool      `json:"ok"`
	Config      string    `json:"config"` // the hash of what is in force now
	Diagnostics diag.List `json:"diagnostics,omitempty"`
}
