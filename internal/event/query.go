package event

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Filter selects events; its zero fields select all. Lists are newest first.
type Filter struct {
	IDs    []ID
	Source string
	Type   string
	States []State
	Rule   string    // only those that this rule has matched
	Since  time.Time // when they came: from this moment on
	Until  time.Time // before this moment
	Before ID        // only older ones: the cursor of the next page
	After  ID        // only newer ones
	Limit  int

	// Connection and Deliveries select events of which a delivery goes there, or
	// is in one of these states; both: the same delivery.
	Connection string
	Deliveries []DeliveryState
	// Key selects events of which a delivery has this ordering key.
	Key string

	OldestFirst bool
	FormsOnly   bool // no events of sources
	// WithOwn says that the events of source Own are among them; else they are
	// where Source, Rule, Key or IDs name them.
	WithOwn bool
}

// Search selects events by what is in them too.
type Search struct {
	Filter
	Where string // a condition of the rules' language; "": none
	Text  string // that an event must hold; "": any
}

// DeliveryFilter selects deliveries; its zero fields select all. Lists are newest first.
type DeliveryFilter struct {
	IDs        []DeliveryID
	States     []DeliveryState
	Connection string
	Rule       string
	Event      ID
	Since      time.Time
	Before     DeliveryID
	After      DeliveryID // only newer ones
	Limit      int

	OldestFirst bool
	Rendered    bool // leave out those of which there is no whole output to send
	// NotOvertaken leaves out those that have an ordering key, and of which a later one
	// with the same key has arrived at the connection.
	NotOvertaken bool
	// Cause is why they failed: the id of one of admin.Causes. Errors are the
	// texts that it stands for: nil is any, and the store looks at them alone.
	Cause  string
	Errors []string
	// Closed are the connections that are outside of their hours: what is open for
	// them counts as Held.
	Closed []string
	// Stale selects those that were made by another version of the configuration than
	// InForce, which the service knows.
	Stale   bool
	InForce int64
	// Next is set for scheduled ones, the next to go first: those behind it.
	Next *Turn
	// Cancelled selects those that were cancelled for this; "" is any. ByHand takes
	// those of which that is not known, too.
	Cancelled CancelCause
}

// Turn is a place in the order in which scheduled deliveries go. The zero value is
// before all of them.
type Turn struct {
	Moment time.Time
	ID     DeliveryID
}

// MarshalText writes it as cursors are written.
func (t Turn) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%d-%s", t.Moment.UnixMicro(), t.ID), nil
}

// UnmarshalText reads what MarshalText writes.
func (t *Turn) UnmarshalText(text []byte) error {
	at, id, _ := strings.Cut(string(text), "-")
	micros, err := strconv.ParseInt(at, 10, 64)
	if err == nil {
		t.Moment = time.UnixMicro(micros).UTC()
		t.ID, err = ParseDeliveryID(id)
	}
	if err != nil {
		return fmt.Errorf("%q is no place among scheduled deliveries: it is next of the page before", text)
	}
	return nil
}

// FailureCount is how many deliveries of one rule to one connection have the
// same error, and were made in the same stretch of time.
type FailureCount struct {
	Connection, Rule, Error string
	Rendered                bool // there is an output that was sent
	Part                    int  // which stretch: see Store.FailureCounts
	Count                   int
	First, Last             DeliveryID
}
