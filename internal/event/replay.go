package event

import "time"

// RunID numbers a run of a replay, in the same space as ID.
type RunID int64

func (id RunID) String() string { return encode("run_", int64(id)) }

// MarshalText makes IDs appear in JSON as users know them.
func (id RunID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (id *RunID) UnmarshalText(text []byte) (err error) {
	*id, err = ParseRunID(string(text))
	return err
}

// ParseRunID reads the text form of a run's ID; the prefix may be left out.
func ParseRunID(text string) (RunID, error) {
	n, err := decode("run_", text)
	return RunID(n), err
}

// ReplayRun is one run of a replay: stored events through the rules in force.
// It goes from the oldest event to the newest, so that deliveries with an
// ordering key are made in the order of their events.
type ReplayRun struct {
	ID         RunID
	Created    time.Time
	Selection  []byte // JSON: which events; the store does not read it
	Past       ID     // events from this one on came after the run was begun
	Cursor     ID     // the last event that was looked at
	Seen       int    // events that were looked at
	Events     int    // events that were replayed
	Deliveries int    // deliveries that were made of them
	Done       bool
}

// Replay is what a run did with one event.
type Replay struct {
	Run      RunID
	Event    ID
	At       time.Time
	Plan     int64     // the stored plan that judged it this time
	Results  []byte    // as Event.Results
	Errors   []Verdict // as Event.Errors
	Verdicts []Verdict // Results with the rules' names; filled when it is read from the store
	First    DeliveryID
	Made     int // deliveries, numbered from First
	Reserved int // numbers from First on; 0: as many as Made
}

// Replayed is a Replay with the deliveries that it makes, and the digests that it joins.
type Replayed struct {
	Replay
	Deliveries []Delivery
	Gathers    []Gather
	Done       []Done
}

// Done is a step that a replay does not send again, for it was delivered: what comes
// after it has its answer.
type Done struct {
	Delivery
	Of DeliveryID // as which it was delivered
}
