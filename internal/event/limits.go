package event

import "time"

// Reservation are times at which attempts may begin, one at each, Per/Count apart:
// everybody who sends to the connection takes from the same row of them.
type Reservation struct {
	Count int // how many were reserved; 0: none are free yet
	// In is how long until the first of them, negative if that was a moment ago;
	// without any, how long until it makes sense to ask again.
	In time.Duration
}

// ReservationRequest asks for tokens of a connection's rate.
type ReservationRequest struct {
	Connection string
	Count      int           // of the rate: so many
	Per        time.Duration // in this time
	// Burst is how many tokens that nobody took may still be used at once.
	Burst int
	// Ahead is how far in the future a token may be reserved.
	Ahead time.Duration
	Want  int // at most so many
}

// BreakerState is what keeps everybody from sending to a connection, as those who share
// it have agreed. Durations are from the time at which it was told.
type BreakerState struct {
	Connection string
	// Open: attempts failed many times in a row. Nothing but a probe is sent.
	Open  bool
	Since time.Time // when it was opened first
	// Retry is how long until a probe may be claimed, Probing for how long one is
	// claimed by somebody, Paused for how long the receiver asked to be left
	// alone; each is over when it is not positive.
	Retry, Probing, Paused time.Duration
	// Prober is the number of the replica that claimed the latest probe; 0: none.
	Prober int64
}
