package event

import "time"

// HealthSlot is how long a slot of AttemptCount is.
const HealthSlot = 5 * time.Minute

// HealthSlotAt is the slot that t is in: they are numbered since 1970.
func HealthSlotAt(t time.Time) int64 { return t.UnixNano() / int64(HealthSlot) }

// AttemptStats are counts of attempts, of some connections over some time.
type AttemptStats struct {
	Counts []AttemptCount
	Last   []LastAttempt // one at most of each connection
}

// AttemptCount counts attempts of one connection by when they ended and how
// long they took. What classes are is package delivery's business.
type AttemptCount struct {
	Connection       string
	Slot             int64
	Class            int
	Attempts, Failed int
}

// LastAttempt is how the latest attempt of a connection ended, and which failed
// last.
type LastAttempt struct {
	Connection string
	Ended      time.Time
	Failed     bool
	FailedAt   time.Time // zero: none has failed
	Delivery   DeliveryID
	Number     int    // of the attempt at Delivery that failed
	Error      string // of it; kept with the attempt alone, and gone with it
}
