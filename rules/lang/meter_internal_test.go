package lang

import (
	"testing"
	"time"
)

// An evaluation that stood still, because the machine had others to run, goes
// on; one that is looked at again and again and is not done ends. To compare
// with a time of day set at its start breaks the first.
func TestMeter_clock(t *testing.T) {
	t.Parallel()
	var m meter
	m.start()
	for range 3 {
		m.looked = m.looked.Add(-time.Hour)
		if err := m.charge("x"); err != nil {
			t.Fatalf("after a standstill: %v", err)
		}
	}
	for range 10 {
		m.looked = m.looked.Add(-time.Hour)
		if m.clock() != nil {
			return
		}
	}
	t.Error("it never ended")
}
