package delivery

import (
	"testing"
	"time"
)

// The windows hold what their time holds, over days and gaps.
func TestTally(t *testing.T) {
	t.Parallel()
	var tally tally
	now := time.Date(2026, 3, 10, 10, 42, 7, 0, time.UTC)
	if h := tally.report(now); h != (Health{State: Working}) {
		t.Errorf("got %+v", h)
	}
	for range 99 {
		tally.ended(now, 100*time.Millisecond, "")
	}
	tally.ended(now, 20*time.Second, "timeout")
	for _, c := range []struct {
		after     time.Duration
		hour, day int
	}{{0, 100, 100}, {50 * time.Minute, 100, 100}, {2 * time.Hour, 0, 100}, {23 * time.Hour, 0, 100}, {25 * time.Hour, 0, 0}} {
		h := tally.report(now.Add(c.after))
		if h.Hour.Attempts != c.hour || h.Day.Attempts != c.day {
			t.Errorf("after %s: %+v", c.after, h)
		}
	}
	h := tally.report(now)
	if h.State != Failing || h.Day.Failed != 1 || h.Day.P95 < 88*time.Millisecond || h.Day.P95 > 113*time.Millisecond {
		t.Errorf("got %+v", h)
	}
	later := now.Add(24 * time.Hour) // the same slot
	tally.ended(later, 30*time.Second, "")
	if h := tally.report(later); h.State != Working || h.Day.Attempts != 1 || h.Day.Failed != 0 || h.Day.P95 < 26*time.Second || h.Day.P95 > 34*time.Second {
		t.Errorf("a day later: %+v", h)
	}
	for _, took := range []time.Duration{-time.Second, 0, time.Nanosecond, time.Hour} {
		tally.ended(later, took, "")
	}
}

func BenchmarkTally(b *testing.B) {
	var tally tally
	now := time.Now()
	for b.Loop() {
		tally.ended(now, 84*time.Millisecond, "")
	}
}
