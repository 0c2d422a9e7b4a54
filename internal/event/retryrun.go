package event

import "time"

// RetryState is how a retry run stands.
type RetryState string

// The states of a retry run. One that halted was stopped by its fuse, and can go
// on; one that was stopped cannot.
const (
	RetryRunning RetryState = "running"
	RetryPaused  RetryState = "paused"
	RetryHalted  RetryState = "halted"
	RetryStopped RetryState = "stopped"
	RetryDone    RetryState = "done"
)

// Left reports whether something may be left that a run of the state sends, or would send
// if it went on.
func (s RetryState) Left() bool { return s != RetryDone && s != RetryStopped }

// RunFilter selects runs, of retries or of replays: the newest first, those before Before,
// Limit at most; zero: no bound, as many as a page has.
type RunFilter struct {
	Before RunID
	Limit  int
	Left   bool // those that are not done: of retries, of which something is left to send
}

// RetryRun sends many deliveries again, the oldest first, and watches what
// becomes of each. It is stored before each step, so that it goes on after a
// restart and sends none twice.
type RetryRun struct {
	ID        RunID      `json:"-"`
	Version   int64      `json:"-"` // grows with each change; see Store.UpdateRetryRun
	By        string     `json:"by"`
	State     RetryState `json:"state"`
	Selection []byte     `json:"selection"` // JSON: which deliveries; the store does not read it
	Past      DeliveryID `json:"past"`      // deliveries from this one on came after the run was begun
	Cursor    DeliveryID `json:"cursor"`    // the last one that was taken
	Total     int        `json:"total"`     // how many were selected when it began

	First     int           `json:"first,omitempty"`      // so many first; the others once these have arrived
	StopAfter int           `json:"stop_after,omitempty"` // failures in a row; 0: never
	Count     int           `json:"count,omitempty"`      // so many in Per at most; 0: as the connection may
	Per       time.Duration `json:"per,omitempty"`

	Sent    int    `json:"sent"`
	Arrived int    `json:"arrived"`
	Failed  int    `json:"failed"`
	Gone    int    `json:"gone,omitempty"` // given up or deleted meanwhile
	InRow   int    `json:"in_row"`         // arrivals since the last failure; negative: failures since the last arrival
	Said    string `json:"said,omitempty"` // with what the latest of Failed failed

	Flights []Flight  `json:"flights,omitempty"` // those of Sent of which nothing is known yet
	Owner   string    `json:"owner,omitempty"`   // the process that does it
	Lease   time.Time `json:"lease,omitzero"`    // until then
	Paid    time.Time `json:"paid,omitzero"`     // Count in Per is used up to there
}

// Flight is a delivery that a run sends: tried once it has more attempts.
type Flight struct {
	ID       DeliveryID `json:"id"`
	Attempts int        `json:"attempts"`
}
