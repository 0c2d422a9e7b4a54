package deliver

import (
	"time"
)

// Schedule is how long to wait before the second, third, … attempt. It is
// published in docs/delivery.md.
func Schedule() []time.Duration {
	return []time.Duration{
		5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour,
		5 * time.Hour, 10 * time.Hour, 10 * time.Hour,
	}
}

const (
	// jitter is the part of a delay by which it varies, up or down, so that
	// what failed together is not tried again together.
	jitter = 0.2
	// maxRetryAfter is the longest wait that a receiver can ask for.
	maxRetryAfter = 24 * time.Hour
)

// Policy decides when a failed delivery is tried again.
type Policy struct {
	Delays []time.Duration
	// For, if set, goes on in the last of Delays until the delivery is that old.
	For time.Duration
}

// Next says how long to wait after a delivery has failed tries times since
// its schedule began, age ago; false: it is not tried again. after is the least
// that the receiver asked for, random is from [0, 1).
func (p Policy) Next(tries int, age, after time.Duration, random float64) (time.Duration, bool) {
	if len(p.Delays) == 0 || tries < 1 {
		return 0, false
	}
	if tries > len(p.Delays) && p.For == 0 || p.For > 0 && age >= p.For {
		return 0, false
	}
	delay := p.Delays[min(tries, len(p.Delays))-1]
	delay = time.Duration(float64(delay) * (1 - jitter + 2*jitter*random))
	return max(delay, min(after, maxRetryAfter)), true
}
