package faults

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"hookgate/test/lab"
)

// wrongClock takes the place of app/cli/clock.go: a clock that is off by what a
// file says, read anew a thousand times a second.
const wrongClock = `package cli

import (
	"os"
	"sync/atomic"
	"time"
)

var offset atomic.Int64

func init() {
	read := func() {
		text, err := os.ReadFile(os.Getenv("WRONG_CLOCK"))
		if d, bad := time.ParseDuration(string(text)); err == nil && bad == nil {
			offset.Store(int64(d))
		}
	}
	read()
	go func() {
		for range time.Tick(time.Millisecond) {
			read()
		}
	}()
}

func now() time.Time { return time.Now().Add(time.Duration(offset.Load())) }
`

// TestClockJumps lets the clock of the running server jump by an hour and by ten
// years, there and back: each event is acknowledged, and arrives once; what
// waits for its next attempt is tried at most twice for each jump, of which one
// is for the restart after it, and what was tried ten years ahead does not wait
// for ten years.
//
// Negative control: Store.Reschedule does nothing. Then what was tried while the
// clock was ten years ahead did not arrive.
//
// Promise: P15.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	const year, waiting = 365 * 24 * time.Hour, 3
	sink := lab.NewSink(t, nil)
	var down atomic.Bool
	down.Store(true)
	receiver := lab.NewSink(t, func(lab.Arrival) lab.Answer {
		if down.Load() {
			return lab.Answer{Status: http.StatusServiceUnavailable}
		}
		return lab.Answer{}
	})
	g := lab.New(t, fmt.Sprintf(`
sources:
  in: { type: webhook, token: %[1]s, event_type: data.type, dedupe: off }
connections:
  sink: { type: webhook, url: %[2]s/ }
  down: { type: webhook, url: %[3]s/, concurrency: 1, retry: { delays: [40m, 40m, 40m, 40m, 40m, 40m, 40m, 40m, 40m, 40m, 40m, 40m, 40m, 40m, 40m] } }
rules:
  - name: route
    from: in
    events: [numbered]
    then: [{ to: sink, json: { n: "${{ data.n }}", event: "${{ event.id }}", key: "" } }]
  - name: other
    from: in
    events: [other]
    then: [{ to: down, json: { n: 1 } }]
`, token, sink.URL, receiver.URL))
	clock := filepath.Join(g.Dir, "clock")
	set := func(by time.Duration) {
		if err := os.WriteFile(clock, []byte(by.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	set(0)
	g.Program = lab.BinaryWith(t, map[string]string{"app/cli/clock.go": wrongClock})
	g.Env = append(g.Env, "WRONG_CLOCK="+clock)
	g.Start()
	for range waiting {
		g.Accepted(g.PostJSON(inPath, []byte(`{"type":"other"}`)))
	}
	sender := lab.NewSender(t, g.URL+inPath, lab.Payload(1))
	jumps := []time.Duration{time.Hour, 0, -time.Hour, 0, -10 * year, 0, 10 * year}
	for _, jump := range jumps {
		set(jump)
		for range 30 {
			if sent := sender.Post(t.Context()); sent.Status != http.StatusAccepted {
				t.Fatalf("by %s: status %d", jump, sent.Status)
			}
		}
		if code := g.Stop(); code != 0 {
			t.Errorf("by %s: exit status %d", jump, code)
		}
		g.Start()
		if b := lab.AwaitAll(t, sender, sink, lab.Patience); b.Duplicates > 0 {
			t.Fatalf("by %s: %d duplicates", jump, b.Duplicates)
		}
	}
	lab.Eventually(t, "all were tried ten years ahead", func() bool {
		list := g.Deliveries("--connection", "down", "--state", "retrying")
		return len(list) == waiting && !slices.ContainsFunc(list, func(d lab.Delivery) bool { return time.Until(d.Next) < 9*year })
	})
	if got, most := receiver.Count(), waiting*(1+2*len(jumps)); got > most {
		t.Errorf("%d attempts of %d deliveries, want at most %d", got, waiting, most)
	}
	t.Logf("%d attempts of %d deliveries that failed", receiver.Count(), waiting)
	g.Stop()
	down.Store(false)
	set(0)
	g.Start()
	lab.Eventually(t, "what waited is delivered", func() bool {
		return len(g.Deliveries("--connection", "down", "--state", "delivered")) == waiting
	})
}
