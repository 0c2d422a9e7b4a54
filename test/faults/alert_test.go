package faults

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"hookgate/test/lab"
)

// told is a configuration in which every delivery fails for good, and a rule
// is told of each.
func told(sink string) string {
	return fmt.Sprintf(`
sources:
  in: { type: webhook, token: %s, event_type: data.type, dedupe: off }
connections:
  sink: { type: webhook, url: %s/refuses }
  chat: { type: webhook, url: %s/chat, retry: %s }
rules:
  - { name: route, from: in, then: [{ to: sink, json: { n: "${{ data.n }}" } }] }
  - { name: alarm, from: hookgate, events: delivery_failed, then: [{ to: chat, json: { delivery: "${{ data.delivery }}" } }] }
`, token, sink, sink, quick())
}

// TestKillEverySyscall_finalFailure kills the process at its Nth write or sync
// while deliveries fail for good and rules are told of it. After a restart there
// is one event of source hookgate for each delivery that failed: not none, and
// not two.
//
// Negative control: the event is stored in a transaction of its own, before the
// signal is taken. Then two events told of one failure.
//
// Promise: F7.
func TestKillEverySyscall_finalFailure(t *testing.T) {
	t.Parallel()
	sink := refusing(t)
	g := lab.Start(t, told(sink.URL))
	log := filepath.Join(g.Dir, "strace.log")
	attach(t, g, log)
	failTwo(t, g, sink)
	g.Stop()
	each(t, log, lab.Pick(6, 1000), func(t *testing.T, call string, n int) (killed bool) {
		sink := refusing(t)
		g := lab.Start(t, told(sink.URL))
		attach(t, g, filepath.Join(g.Dir, "strace.log"), fmt.Sprintf("%s:signal=SIGKILL:when=%d", call, n))
		acknowledged := failTwo(t, g, sink)
		killed = g.Ended()
		g.Kill()
		g.Wrap = nil
		g.Start()
		failed := func() []lab.Delivery { return g.Deliveries("--state", "failed", "--limit", "500") }
		alerts := func() []lab.Event {
			return g.Events("--source", "hookgate", "--type", "delivery_failed", "--limit", "500")
		}
		var ended, told, came int
		if !lab.Within(lab.Patience, func() bool {
			ended, told, came = len(failed()), len(alerts()), len(distinct(t, sink))
			return ended >= acknowledged && told >= ended && came >= ended
		}) {
			t.Fatalf("of %d acknowledged %d have failed, %d are told of, %d of that came", acknowledged, ended, told, came)
		}
		lab.Stays(t, 1200*time.Millisecond, "nobody is told twice", func() bool { return len(alerts()) == len(failed()) })
		for delivery, ids := range distinct(t, sink) {
			if len(ids) != 1 {
				t.Errorf("of %s was told %d times", delivery, len(ids))
			}
		}
		g.Stop()
		integrity(t, g.Storage)
		return killed
	})
}

// refusing is a sink that refuses all but what goes to chat.
func refusing(t *testing.T) *lab.Sink {
	t.Helper()
	return lab.NewSink(t, func(a lab.Arrival) lab.Answer {
		if a.Path == "/refuses" {
			return lab.Answer{Status: http.StatusUnprocessableEntity}
		}
		return lab.Answer{}
	})
}

// failTwo sends two events and waits until they are told of, if the process
// lives. It returns how many were acknowledged.
func failTwo(t *testing.T, g *lab.Gate, sink *lab.Sink) int {
	t.Helper()
	sender := lab.NewSender(t, g.URL+inPath, lab.Payload(1))
	for range 2 {
		sender.Post(t.Context())
	}
	lab.Within(3*time.Second, func() bool { return g.Ended() || len(distinct(t, sink)) >= sender.AcknowledgedCount() })
	lab.Within(50*time.Millisecond, g.Ended) // the outcomes are committed
	return sender.AcknowledgedCount()
}

// distinct are the ids under which was told of each delivery.
func distinct(t *testing.T, sink *lab.Sink) map[string]map[string]bool {
	t.Helper()
	told := map[string]map[string]bool{}
	for _, a := range sink.Arrivals() {
		if a.Path != "/chat" {
			continue
		}
		var body struct{ Delivery string }
		if err := json.Unmarshal(a.Body, &body); err != nil {
			t.Error(err)
			continue
		}
		if told[body.Delivery] == nil {
			told[body.Delivery] = map[string]bool{}
		}
		told[body.Delivery][a.ID] = true
	}
	return told
}
