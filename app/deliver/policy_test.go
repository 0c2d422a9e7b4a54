package deliver_test

import (
	"testing"
	"time"

	"hookgate/app/deliver"
)

// Promise: P9.
func TestPolicy_Next(t *testing.T) {
	t.Parallel()
	published := deliver.Policy{Delays: deliver.Schedule()}
	twoDays := deliver.Policy{Delays: deliver.Schedule(), For: 48 * time.Hour}
	const middle = 0.5 // no jitter
	for _, c := range []struct {
		name   string
		policy deliver.Policy
		tries  int
		age    time.Duration
		after  time.Duration
		random float64
		want   time.Duration
		again  bool
	}{
		{"first", published, 1, 0, 0, middle, 5 * time.Second, true},
		{"second", published, 2, 0, 0, middle, 5 * time.Minute, true},
		{"third", published, 3, 0, 0, middle, 30 * time.Minute, true},
		{"fourth", published, 4, 0, 0, middle, 2 * time.Hour, true},
		{"fifth", published, 5, 0, 0, middle, 5 * time.Hour, true},
		{"sixth", published, 6, 0, 0, middle, 10 * time.Hour, true},
		{"seventh", published, 7, 0, 0, middle, 10 * time.Hour, true},
		{"eighth was the last", published, 8, 0, 0, middle, 0, false},
		{"least jitter", published, 1, 0, 0, 0, 4 * time.Second, true},
		{"most jitter", published, 1, 0, 0, 1, 6 * time.Second, true},
		{"the receiver wants longer", published, 1, 0, time.Minute, middle, time.Minute, true},
		{"the receiver wants shorter", published, 2, 0, time.Second, middle, 5 * time.Minute, true},
		{"the receiver wants a year", published, 1, 0, 8760 * time.Hour, middle, 24 * time.Hour, true},
		{"for: goes on", twoDays, 12, 47 * time.Hour, 0, middle, 10 * time.Hour, true},
		{"for: is over", twoDays, 3, 48 * time.Hour, 0, middle, 0, false},
		{"no delays, no retry", deliver.Policy{}, 1, 0, 0, middle, 0, false},
	} {
		got, again := c.policy.Next(c.tries, c.age, c.after, c.random)
		if got != c.want || again != c.again {
			t.Errorf("%s: got %v, %v, want %v, %v", c.name, got, again, c.want, c.again)
		}
	}
}
