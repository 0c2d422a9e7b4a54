package event

import "time"

// TimerKind says what happens when a Timer is due.
type TimerKind int

// The kinds of timers, as they are stored.
const (
	MomentTimer TimerKind = 1 // a scheduled delivery's moment; its ID is the delivery's
	DigestTimer TimerKind = 2 // a digest closes
	JoinTimer   TimerKind = 3 // what comes after several deliveries is looked at
	TickTimer   TimerKind = 4 // a schedule makes its next event
	FollowTimer TimerKind = 5 // what comes after a result has still to be made
)

// Timer is something that has its time in the future. Kind, Name and Key name
// it. Whoever does what it stands for compares it, as it was read, in the
// transaction that does it.
type Timer struct {
	ID    int64 // in the space of event.ID
	Kind  TimerKind
	Name  string
	Key   string
	Due   time.Time
	Count int64
	Value []byte
}
