package replay_test

import (
	"testing"
	"time"

	"hookgate/app/replay"
	"hookgate/internal/event"
	"hookgate/rules"
)

// A replay leaves out what had its moment long ago, and nothing that has none.
func TestLeavePast(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 10, 10, 0, 0, 0, time.UTC)
	wait := &event.Wait{Delay: "1h"}
	out := rules.Outcome{Deliveries: []rules.Rendered{
		{Rule: "plain"},
		{Rule: "over", Wait: wait, Moment: now.Add(-2 * time.Hour)},
		{Rule: "just", Wait: wait, Moment: now.Add(-time.Minute)},
		{Rule: "later", Wait: wait, Moment: now.Add(time.Hour)},
		{Rule: "failed", Wait: wait, Err: "delay_until gave no time"},
	}}
	if left := replay.LeavePast(&out, "", now); left != 1 || len(out.Deliveries) != 5 || !out.Deliveries[1].Later {
		t.Fatalf("left out %d: %+v", left, out.Deliveries)
	}
	e := event.Event{ID: 7, ReceivedAt: now.Add(-24 * time.Hour)}
	made := replay.Prepare(&e, out, "", nil, func(int) event.ID { return 100 }, now)
	var states []event.DeliveryState
	for _, d := range made.Deliveries {
		states = append(states, d.State)
	}
	want := []event.DeliveryState{event.Waiting, event.Waiting, event.Scheduled, event.Failed}
	for i := range want {
		if states[i] != want[i] || made.Deliveries[i].ID != []event.DeliveryID{100, 102, 103, 104}[i] { // each keeps its number
			t.Errorf("made %v, want %v", states, want)
			break
		}
	}
}
