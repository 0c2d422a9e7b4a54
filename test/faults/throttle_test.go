package faults

import (
	"encoding/json"
	"strings"
	"testing"

	"hookgate/test/lab"
	"hookgate/test/pgtest"
)

// throttled is numbered with a throttle of so many an hour for each key.
func throttled(times string) func(sink string) string {
	return func(sink string) string {
		return strings.Replace(numbered(sink), "{ to: sink,", "{ to: sink, throttle: { key: data.key, times: "+times+", within: 1h },", 1)
	}
}

// went are the ids of the deliveries that arrived, by their key.
func went(sink *lab.Sink) map[string]map[string]bool {
	ids := map[string]map[string]bool{}
	for _, a := range sink.Arrivals() {
		var sent struct {
			Key string `json:"key"`
		}
		if json.Unmarshal(a.Body, &sent) != nil {
			continue // it is counted under no key, which no test expects
		}
		if ids[sent.Key] == nil {
			ids[sent.Key] = map[string]bool{}
		}
		ids[sent.Key][a.ID] = true
	}
	return ids
}

// TestKillLoop_throttle kills the server again and again under a load of which one
// delivery of each key may go an hour: never does a second one.
//
// Negative control: what has gone is not counted in the commit that makes the
// delivery. Then many of a key went.
//
// Promise: F4.
func TestKillLoop_throttle(t *testing.T) {
	const keys = 50
	kills := lab.Pick(5, 100)
	sink := lab.NewSink(t, nil)
	g := lab.Start(t, throttled("1")(sink.URL))
	sender := lab.NewSender(t, g.URL+inPath, lab.Payload(keys))
	end := sender.Start(t, 32)
	for range kills {
		at := sender.AcknowledgedCount() + 300
		lab.Eventually(t, "the load goes on", func() bool { return sender.AcknowledgedCount() >= at })
		g.Kill()
		g.Start()
	}
	end()
	lab.Eventually(t, "one of each key arrives", func() bool { return len(went(sink)) == keys })
	g.Stop()
	for key, ids := range went(sink) {
		if len(ids) != 1 {
			t.Errorf("of the key %s %d deliveries went", key, len(ids))
		}
	}
	t.Logf("%d kills, %d acknowledged", kills, sender.AcknowledgedCount())
}

// TestReplicas_throttle posts to three replicas at once: of each key exactly three go.
//
// Negative control: the same as for TestKillLoop_throttle, on PostgreSQL.
//
// Promise: F4.
func TestReplicas_throttle(t *testing.T) {
	t.Parallel()
	const keys = 50
	c := newCluster(t, pgtest.Shared(t).URL(t), "", throttled("3"))
	c.load(16)
	c.grow(1000)
	c.end()
	lab.Eventually(t, "three of each key arrive", func() bool {
		n := 0
		for _, ids := range went(c.sink) {
			n += len(ids)
		}
		return n >= 3*keys
	})
	for key, ids := range went(c.sink) {
		if len(ids) != 3 {
			t.Errorf("of the key %s %d deliveries went", key, len(ids))
		}
	}
	if n := pgtest.Number(t, c.url, `SELECT count(*) FROM deliveries WHERE NOT (state = 3 AND cause = 2)`); n != 3*keys {
		t.Errorf("%d deliveries were let go, want %d", n, 3*keys)
	}
}
