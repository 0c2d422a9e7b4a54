package deliver

import (
	"testing"
	"time"

	"hookgate/internal/event"
)

func attempt(took time.Duration, failed string) *event.Attempt {
	return &event.Attempt{Delivery: 4711, Number: 2, Duration: took, Error: failed}
}

// The windows hold what their time holds, over days and gaps.
func TestAttemptStats(t *testing.T) {
	t.Parallel()
	var all attemptStats
	now := time.Date(2026, 3, 10, 10, 42, 7, 0, time.UTC)
	windows := func(at time.Time) (hour, day Window) {
		var list event.AttemptStats
		all.pending("billing", &list)
		return summed(at, list.Counts)
	}
	if hour, day := windows(now); hour != (Window{}) || day != (Window{}) {
		t.Errorf("got %+v, %+v", hour, day)
	}
	for range 99 {
		all.ended(now, attempt(100*time.Millisecond, ""))
	}
	all.ended(now, attempt(20*time.Second, "timeout"))
	for _, c := range []struct {
		after     time.Duration
		hour, day int
	}{{0, 100, 100}, {50 * time.Minute, 100, 100}, {2 * time.Hour, 0, 100}, {23 * time.Hour, 0, 100}, {25 * time.Hour, 0, 0}} {
		if hour, day := windows(now.Add(c.after)); hour.Attempts != c.hour || day.Attempts != c.day {
			t.Errorf("after %s: %+v, %+v", c.after, hour, day)
		}
	}
	if _, day := windows(now); day.Failed != 1 || day.P95 < 88*time.Millisecond || day.P95 > 113*time.Millisecond {
		t.Errorf("got %+v", day)
	}
	later := now.Add(24 * time.Hour)
	all.ended(later, attempt(30*time.Second, ""))
	if _, day := windows(later); day.Attempts != 1 || day.Failed != 0 || day.P95 < 26*time.Second || day.P95 > 34*time.Second {
		t.Errorf("a day later: %+v", day)
	}
	for _, took := range []time.Duration{-time.Second, 0, time.Nanosecond, time.Hour} {
		all.ended(later, attempt(took, ""))
	}
	for i := range 2 * day { // a store that is away does not let it grow
		all.ended(later.Add(time.Duration(i)*event.HealthSlot), attempt(time.Second, ""))
	}
	if len(all.slots) != day {
		t.Errorf("%d slots are kept, want %d", len(all.slots), day)
	}
}

// What is stored is counted once, and what came meanwhile is not lost: to clear
// the counts once it is stored would lose it.
func TestAttemptStats_settle(t *testing.T) {
	t.Parallel()
	var all attemptStats
	now := time.Date(2026, 3, 10, 10, 42, 7, 0, time.UTC)
	all.ended(now, attempt(time.Second, "timeout"))
	var stored, again, left event.AttemptStats
	all.pending("billing", &stored)
	all.ended(now.Add(time.Second), attempt(time.Second, ""))
	all.settle("billing", &stored)
	all.pending("billing", &again)
	if len(again.Counts) != 1 || again.Counts[0].Attempts != 1 || again.Counts[0].Failed != 0 || len(again.Last) != 1 || again.Last[0].Failed || again.Last[0].Error != "timeout" {
		t.Errorf("got %+v", again)
	}
	all.settle("billing", &again)
	if all.pending("billing", &left); len(left.Counts)+len(left.Last)+len(all.slots) != 0 {
		t.Errorf("left %+v", left)
	}
}

// Of several processes the latest attempt tells how a connection is, and the
// latest failure what went wrong.
func TestLatest(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 10, 10, 42, 7, 0, time.UTC)
	failed := event.LastAttempt{Ended: now, Failed: true, FailedAt: now, Error: "timeout"}
	got := event.LastAttempt{Ended: now.Add(time.Second), FailedAt: now.Add(-time.Hour), Error: "old"}
	for _, l := range []event.LastAttempt{latest(failed, got), latest(got, failed)} {
		if l.Failed || l.Error != "timeout" || !l.FailedAt.Equal(now) || !l.Ended.Equal(now.Add(time.Second)) {
			t.Errorf("got %+v", l)
		}
	}
}

func BenchmarkAttemptStats(b *testing.B) {
	var all attemptStats
	now := time.Now()
	a := attempt(84*time.Millisecond, "")
	for b.Loop() {
		all.ended(now, a)
	}
}
