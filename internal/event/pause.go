package event

import "time"

// PauseState is what was said by hand of one connection while the gateway ran. It
// is stored, so that it outlives a restart and holds for every replica.
type PauseState struct {
	Connection string
	Paused     bool // nothing is sent: what is accepted is held
	// Count attempts in Per at most start until what was held is sent; 0: the
	// connection's own rate limit alone.
	Count int
	Per   time.Duration
	// Until is when a pause ends by itself; zero: somebody ends it.
	Until time.Time
	At    time.Time // when it was said
	By    string    // who said it
	Note  string    // why, in their words
}
