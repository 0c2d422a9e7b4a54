package admin_test

import (
	"testing"
	"time"

	"hookgate/app/admin"
	"hookgate/internal/yamlnode"
)

// What goes takes as long as its rate has it from the first to the last; connections go
// beside each other, so the slowest tells, and what has no rate tells nothing.
func TestPaces(t *testing.T) {
	t.Parallel()
	fiveASecond, hourly := yamlnode.Rate{Count: 5, Per: time.Second}, yamlnode.Rate{Count: 1, Per: time.Hour}
	list := admin.AddPace(nil, "fast", 412, yamlnode.Rate{})
	if got := admin.Slowest(list); got != nil {
		t.Errorf("without a rate: %+v", got)
	}
	list = admin.AddPace(list, "crm", 1, hourly)
	if got := admin.Slowest(list); got != nil {
		t.Errorf("one alone goes at once: %+v", got)
	}
	list = admin.AddPace(list, "billing", 400, fiveASecond)
	list = admin.AddPace(list, "billing", 12, fiveASecond) // of another part of a preview
	if got := admin.Slowest(list); got == nil || *got != (admin.Pace{Connection: "billing", Rate: "5/s", Count: 412, Seconds: 83}) {
		t.Errorf("the slowest: %+v", got)
	}
	list = admin.AddPace(list, "crm", 2, hourly)
	if got := admin.Slowest(list); got == nil || got.Connection != "crm" || got.Seconds != 2*3600 {
		t.Errorf("the slowest of both: %+v", got)
	}
	for seconds, want := range map[int]string{1: "1 s", 83: "83 s", 240: "4 min", 5400: "90 min", 7200: "2 h", 4 * 86400: "4 d"} {
		if got := (&admin.Pace{Seconds: seconds}).About(); got != want {
			t.Errorf("%d: got %s, want %s", seconds, got, want)
		}
	}
}
