package event

import (
	"encoding/json"
	"math"
	"time"
)

// Own is the source of the events that hookgate makes of what happens to it.
// No source or form of a configuration can have that name.
const Own = "hookgate"

// The types of the events of source Own.
const (
	DeliveryFailed      = "delivery_failed"      // for good
	RuleFailedToJudge   = "rule_error"           // a rule could not be evaluated for an event
	EventRejected       = "event_rejected"       // a body was not understood
	ConnectionFailing   = "connection_failing"   // its breaker has opened
	ConnectionRecovered = "connection_recovered" // it works again
	ConnectionBehind    = "connection_behind"    // what is due to it waits for long
	ConfigRefused       = "config_refused"       // a reload was refused
	ScheduleMissed      = "schedule_missed"      // ticks of a schedule came while nothing ran
)

// OwnTypes are the types of the events of source Own.
func OwnTypes() []string {
	return []string{
		DeliveryFailed, RuleFailedToJudge, EventRejected,
		ConnectionFailing, ConnectionRecovered, ConnectionBehind, ConfigRefused, ScheduleMissed,
	}
}

// UntilEnded is the Rest of a Signal that is told of once, until what it tells
// of has ended.
const UntilEnded = time.Duration(math.MaxInt64)

// Signal notes that something has happened of which rules want to be told. It
// is committed with what happened; soon after, an event of source Own is made
// of it, once over all processes. Those with the same Name and Key are one.
type Signal struct {
	Name  string          // the type of the event
	Key   string          // what it is about
	Value json.RawMessage // an object: what is known of it; of several, that of the first
	Count int             // how often it happened
	// Rest is how long after its event there is no other one: what happens
	// meanwhile is counted, and told of then. With 0 it is forgotten.
	Rest time.Duration
}
