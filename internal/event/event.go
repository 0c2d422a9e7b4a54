// Package event holds the nouns that every other package shares: what arrived,
// what must be sent because of it, and what happened when it was sent.
//
// An Event ends in one of these states as soon as it is stored:
//
//	routed      at least one rule matched
//	no_match    no rule matched
//	rule_error  no rule matched and at least one could not be evaluated
//	rejected    the body could not be understood; Cause says why
//	duplicate   the sender sent it before; DuplicateOf is the first one
//	spam        a form post that a spam check caught; rules do not see it
//
// A Delivery moves like this:
//
//	waiting ──► sending ──► delivered
//	   ▲           │ ├────► retrying ──► sending …
//	   │           │ └────► failed ──(retry)──► waiting
//	   └── a key's earlier delivery ended        cancelled: by hand, from any open state
//
// One whose moment is in the future is scheduled before that. At its moment it
// becomes waiting, or it ends.
package event

import (
	"encoding/json"
	"errors"
	"time"
)

var (
	// ErrNotFound reports that no record has the requested ID.
	ErrNotFound = errors.New("not found")
	// ErrNotKept reports that an event is not, or no longer, kept from the
	// rules: there is nothing to release.
	ErrNotKept = errors.New("it is not kept from the rules")
	// ErrUnavailable reports that the store cannot commit right now (disk full,
	// locked, cut off). Nothing was stored; the sender may try again.
	ErrUnavailable = errors.New("the store is unavailable")
	// ErrNotAsSeen reports that what was to be changed is not, or no longer, as
	// whoever asked has seen it. Nothing was done.
	ErrNotAsSeen = errors.New("it is not as it was seen")
	// ErrExpired reports that what was asked for is over.
	ErrExpired = errors.New("it has expired")
)

// State is the state of an Event.
type State string

// The states of an Event; see the package comment.
const (
	Routed    State = "routed"
	NoMatch   State = "no_match"
	RuleError State = "rule_error"
	Rejected  State = "rejected"
	Duplicate State = "duplicate"
	Spam      State = "spam"
)

// States are all states of an Event.
func States() []State { return []State{Routed, NoMatch, RuleError, Rejected, Duplicate, Spam} }

// JudgedStates are those of the events that rules have judged. Of the others no
// rule has seen the data: a rejected one has none, a repeat's is that of the
// first one.
func JudgedStates() []State { return []State{Routed, NoMatch, RuleError} }

// FormSubmitted is the type of every event that a form makes.
const FormSubmitted = "form_submitted"

// Tick is the type of every event that the clock makes for a schedule.
const Tick = "scheduled"

// Event is one webhook call or form post, as it was received and judged.
type Event struct {
	ID         ID
	Source     string // the name of the source or form in config.yaml
	Form       bool   // Source names a form
	Type       string
	ReceivedAt time.Time
	Request    Request
	// Body is the raw body, with its content-encoding undone. JSON is the same
	// as JSON text, what `data` is decoded from; nil when it is Body itself.
	Body []byte
	JSON []byte

	State       State
	Cause       string // why it was rejected, or called spam
	DuplicateOf ID
	Plan        int64     // the stored plan (config version) that judged it
	Results     []byte    // one Result letter for each rule of the plan, in order
	Errors      []Verdict // of the rules that could not be evaluated
	Verdicts    []Verdict // Results with the rules' names; filled when it is read from the store
	Dedupe      *Dedupe   // how a repeat of it is recognised; nil: not at all
	Files       []File    // that came with it; not filled when it is read from the store
	Signals     []Signal  // noted with it, unless it is a duplicate; only where it is accepted
	Reads       []Read    // the records that its rules looked up
	// Records are written with it, unless it is a duplicate; only where it is accepted.
	Records []RecordWrite
	// Gathers are the digests that it joins, unless it is a duplicate; only where it is accepted.
	Gathers []Gather
	// First is the first of the ids for its deliveries, and Reserved how many
	// there are; zero: as many as it has deliveries when it is accepted.
	First    DeliveryID
	Reserved int
	Read     bool // of a form post: somebody has read it; filled when it is read from the store
}

// Data is the JSON text that `data` stands for.
func (e *Event) Data() []byte {
	if e.JSON != nil {
		return e.JSON
	}
	return e.Body
}

// Request is what is kept of the HTTP request besides its body. Credentials
// are left out before an Event is made.
type Request struct {
	Method      string            `json:"method,omitempty"`
	ContentType string            `json:"content_type,omitempty"`
	RemoteIP    string            `json:"remote_ip,omitempty"`
	Headers     map[string]string `json:"headers,omitempty"` // lower-case names
	Query       map[string]any    `json:"query,omitempty"`   // string, or []any of strings where repeated
}

// AutoreplyRule is what the deliveries of forms' own replies have for a rule;
// no rule can have that name.
const AutoreplyRule = "autoreply"

// Once lets so many of all deliveries with the same key go within a window, which
// the first of them opens. The others are stored as Cancelled, with ByThrottle for
// their cause.
type Once struct {
	Scope, Key string // texts: they are kept as JSON with what is scheduled
	Window     time.Duration
	Times      int    // how many go; 0 is 1
	Reason     string // the Error of those that are held back
}

// CancelCause says why a delivery was cancelled.
type CancelCause string

// The causes of cancelled deliveries.
const (
	ByHand      CancelCause = "by-hand"
	ByThrottle  CancelCause = "throttle"
	ByCondition CancelCause = "condition" // what it was to be sent for does not hold
	ByRemoval   CancelCause = "removed"   // what it belonged to is gone
)

// CancelCauses are all causes of cancelled deliveries, in the order in which they are
// numbered where they are stored, from 1.
func CancelCauses() []CancelCause {
	return []CancelCause{ByHand, ByThrottle, ByCondition, ByRemoval}
}

// Dedupe is the key by which a source's repeats are recognised, and for how long.
type Dedupe struct {
	Key    string
	Window time.Duration
}

// Result is what one rule said of one event.
type Result byte

// The results, as they are stored: one letter a rule.
const (
	Matched    Result = 'm'
	NotMatched Result = 'n'
	Skipped    Result = '-' // the rule does not listen to this source or type
	RuleFailed Result = 'e' // the rule could not be evaluated: a rule error
)

// Verdict is a rule's Result, with the message of a rule error.
type Verdict struct {
	Rule    string
	Result  Result
	Message string
}

// DeliveryState is the state of a Delivery.
type DeliveryState string

// The states of a Delivery; see the package comment.
const (
	Waiting   DeliveryState = "waiting"
	Sending   DeliveryState = "sending"
	Retrying  DeliveryState = "retrying"
	Delivered DeliveryState = "delivered"
	Failed    DeliveryState = "failed"
	Held      DeliveryState = "held"
	Scheduled DeliveryState = "scheduled"
	Cancelled DeliveryState = "cancelled"
)

// DeliveryStates are all states of a Delivery.
func DeliveryStates() []DeliveryState {
	return append(OpenStates(), Scheduled, Delivered, Failed, Cancelled)
}

// OpenStates are those of a Delivery that has begun and has not ended.
func OpenStates() []DeliveryState { return []DeliveryState{Waiting, Sending, Retrying, Held} }

// Delivery is the promise to bring one rendered output to one connection.
type Delivery struct {
	ID         DeliveryID
	Event      ID
	Rule       string
	Action     int // which of the rule's actions to this connection, from 1
	Element    int // which element of the rule's for_each it is for, from 1; 0: the rule has none
	Connection string
	Key        string          // ordering key; "" is none
	Output     json.RawMessage // a JSON object: the action's own keys, rendered
	Warnings   []string        // values that were missing when it was rendered

	// Cancelled is why it was cancelled; "": it was not, or that is not known.
	Cancelled CancelCause
	State     DeliveryState
	Attempts  int        // finished ones
	Created   time.Time  // when its event was accepted
	Due       time.Time  // the next attempt; only while Waiting or Retrying
	Error     string     // of the last attempt, or why it could not be rendered
	BlockedBy DeliveryID // the delivery whose end it waits for, by ordering key
	Base      int        // attempts before the last retry by hand: the schedule counts from there
	Claim     int64      // fencing token: results under an older one change nothing
	Owner     int64      // the process that claimed it, as the store numbers it
	Early     bool       // claimed for a try beside its schedule, which counts no attempt
	Once      *Once      // only where it is accepted or its moment comes; nil: it goes in any case

	Moment time.Time // when it may begin; zero: when its event was accepted
	Wait   *Wait     // what its Moment comes from; only while Scheduled
	Flow   Flow

	// Record is what is written in place of sending; only where that is done. Its
	// delivery is Delivered in the same commit.
	Record *RecordWrite
}

// Rerendered is a failed delivery that was rendered again: by its State it is sent anew
// (Waiting), or has ended: Cancelled, with the reason as its Error, or Delivered, where
// its Record is written.
type Rerendered struct {
	Delivery Delivery
	Before   string // its ordering key, as it was
}

// Wait says where the moment of a scheduled delivery comes from. It is stored
// as JSON.
type Wait struct {
	Delay  string `json:"delay,omitempty"`  // as it stands in the rule
	Until  bool   `json:"until,omitempty"`  // an expression said when
	During string `json:"during,omitempty"` // then the next opening of this calendar
	Late   bool   `json:"late,omitempty"`   // its condition is asked, and it is rendered, at its moment
	// Once is by what it is counted at its moment, where it is rendered already.
	Once *Once `json:"once,omitempty"`
}

// Flow says what else depends on a delivery: the sum of these.
type Flow int

// The parts of a Flow, as they are stored.
const (
	Followed Flow = 1 // something comes after it
	Follows  Flow = 2 // it comes after something
	Digest   Flow = 4 // it is a digest
	Gathered Flow = 8 // it is in a digest
)

// Begun is when it could begin: its moment, or when its event was accepted.
func (d *Delivery) Begun() time.Time {
	if d.Moment.IsZero() {
		return d.Created
	}
	return d.Moment
}

// Name is what rules' tests and explanations call the delivery: rule/connection,
// with #2 for the rule's second action to that connection, and [0] for the first
// element of a rule with for_each.
func (d *Delivery) Name() string {
	return ElementName(ActionName(d.Rule, d.Connection, d.Action), d.Element)
}

// Receipt is what the receiver answered, kept with the attempt.
type Receipt struct {
	Status int    // HTTP status or the like; 0 when there was no answer
	Answer []byte // the first part of the answer's body
	// Outputs are what the receiver calls what it made of the delivery, such as
	// its id and url there. Only the attempt that delivers has them.
	Outputs map[string]Output
	// Request is the line of the request that was made: its method and its URL,
	// without what may be a credential; "" where there was none, or it was no HTTP.
	Request string
	// Headers are those of the answer that tell what happened. None may carry a
	// credential.
	Headers []Header
}

// Header is one header of an answer. Its name is in lower case, its value one line.
type Header struct{ Name, Value string }

// Attempt is one try at a Delivery.
type Attempt struct {
	Delivery DeliveryID
	Number   int // from 1
	Started  time.Time
	Duration time.Duration
	Receipt
	Error string // "" when delivered
}

// Outcome says what becomes of a Delivery after an Attempt.
type Outcome struct {
	State DeliveryState // Delivered, Retrying or GaveUp
	Due   time.Time     // the next try, for Retrying
	// Early is when it may go at the earliest once the connection works again;
	// zero: not before Due.
	Early time.Time
	// Signal is noted with an attempt that ends the delivery; nil: nobody wants
	// to be told.
	Signal *Signal
}
