package faults

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"hookgate/test/lab"
	"hookgate/test/pgtest"
)

// keyedSteps routes every event along three steps with one ordering key. They are
// numbered so that those of a key's events count on.
func keyedSteps(sink string) string {
	return fmt.Sprintf(`
sources:
  in: { type: webhook, token: %s, event_type: data.type, dedupe: off }
connections:
  sink: { type: webhook, url: %s/, concurrency: 32, retry: %s }
rules:
  - name: route
    from: in
    then:
      - { step: one, to: sink, ordering_key: data.key, json: { n: "${{ data.n * 10 + 1 }}", event: "${{ event.id }}", key: "${{ data.key }}" } }
      - { step: two, to: sink, after: one, ordering_key: data.key, json: { n: "${{ data.n * 10 + 2 }}", event: "${{ event.id }}", key: "${{ data.key }}" } }
      - { to: sink, after: two, ordering_key: data.key, json: { n: "${{ data.n * 10 + 3 }}", event: "${{ event.id }}", key: "${{ data.key }}" } }
`, token, sink, quick())
}

// TestOrder_steps sends events of many keys along chains all of whose steps have the
// key, to a receiver that fails often, while the server is killed: no chain of a key
// overtakes another, and no step another.
//
// Negative control: who accepts an event looks for an open delivery of its key, and
// not for what is about to come after one that has ended. Then there were some
// inversions in each hundred chains.
//
// Promise: P8.
func TestOrder_steps(t *testing.T) {
	for name, shared := range map[string]bool{"sqlite": false, "postgres": true} {
		t.Run(name, func(t *testing.T) { orderSteps(t, shared) })
	}
}

func orderSteps(t *testing.T, shared bool) {
	t.Helper()
	keys, each, kills := lab.Pick(60, 200), lab.Pick(5, 50), lab.Pick(2, 20)
	sink := lab.NewSink(t, func(lab.Arrival) lab.Answer {
		if rand.IntN(10) < 3 {
			return lab.Answer{Status: 503}
		}
		return lab.Answer{}
	})
	g := lab.New(t, keyedSteps(sink.URL))
	if shared {
		g.Database, g.Lease = pgtest.Shared(t).URL(t), lease.String()
	}
	g.Start()
	sender := lab.NewSender(t, g.URL+inPath, nil)
	keysUnderKills(t, g, sender, keys, each, kills)
	whole := func() int {
		last := map[int]bool{}
		for _, a := range sink.Arrivals() {
			var body lab.Numbered
			if err := json.Unmarshal(a.Body, &body); err != nil {
				t.Fatal(err)
			}
			if body.N%10 == 3 && a.Status/100 == 2 {
				last[body.N] = true
			}
		}
		return len(last)
	}
	if !lab.Within(3*lab.Patience, func() bool { return whole() >= sender.AcknowledgedCount() }) {
		t.Fatalf("%d of %d chains are whole", whole(), sender.AcknowledgedCount())
	}
	inOrder(t, g, sink)
	t.Logf("%d keys, %d chains, %d attempts, %d kills", keys, whole(), sink.Count(), kills)
}
