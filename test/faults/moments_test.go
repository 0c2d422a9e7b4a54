package faults

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"hookgate/test/lab"
)

// TestMomentsKilled kills the server again and again around the moments of
// delayed deliveries: none is lost, none goes before its moment, and what comes
// twice was under way when a kill struck.
//
// Negative control: the planner takes what is due in an hour. Then all went
// before their moments.
//
// Promise: F1.
func TestMomentsKilled(t *testing.T) {
	const delay = 6 * time.Second
	kills, total := lab.Pick(5, 50), lab.Pick(400, 10_000)
	sink := lab.NewSink(t, nil)
	g := lab.Start(t, fmt.Sprintf(`
sources:
  in: { type: webhook, token: %s, event_type: data.type, dedupe: off }
connections:
  sink: { type: webhook, url: %s/, concurrency: 32, retry: %s }
rules:
  - name: route
    from: in
    then: [{ to: sink, delay: 6s, json: { n: "${{ data.n }}", event: "${{ event.id }}", key: "", at: "${{ event.time }}" } }]
`, token, sink.URL, quick()))
	sender := lab.NewSender(t, g.URL+inPath, lab.Payload(50))
	end := sender.Start(t, 8)
	lab.Eventually(t, "events are accepted", func() bool { return sender.AcknowledgedCount() >= total })
	end()
	var struck []time.Time
	for range kills {
		time.Sleep(time.Duration(300+rand.IntN(900)) * time.Millisecond)
		struck = append(struck, time.Now())
		g.Kill()
		g.Start()
	}
	b := lab.AwaitAll(t, sender, sink, 2*lab.Patience)
	t.Logf("%d kills, %d acknowledged, %d deliveries, %d duplicates", kills, b.Acknowledged, b.Arrived, b.Duplicates)
	checkDuplicates(t, sink, struck)
	for _, a := range sink.Arrivals() {
		var body struct {
			At time.Time `json:"at"`
		}
		if err := json.Unmarshal(a.Body, &body); err != nil {
			t.Fatal(err)
		}
		if early := delay - a.At.Sub(body.At); early > time.Millisecond { // event.time has milliseconds
			t.Fatalf("%s came %s before its moment", a.ID, early)
		}
	}
}
