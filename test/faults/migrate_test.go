package faults

import (
	"encoding/json"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"hookgate/test/lab"
	"hookgate/test/pgtest"
)

// TestMigrated moves a gateway from SQLite to PostgreSQL while retries and the
// queues of ordering keys are pending: afterwards each event is delivered once,
// and the order of each key holds, also with those that come after the move.
//
// Negative control: the history's deliveries get no turn. Then what comes
// after the move goes first.
//
// Promise: P25.
func TestMigrated(t *testing.T) {
	t.Parallel()
	keys, each := lab.Pick(40, 400), lab.Pick(8, 50)
	var up atomic.Bool // until then only every fourth key is answered well
	sink := lab.NewSink(t, func(a lab.Arrival) lab.Answer {
		var body lab.Numbered
		if err := json.Unmarshal(a.Body, &body); err != nil {
			return lab.Answer{Status: 400}
		}
		if n, err := strconv.Atoi(strings.TrimPrefix(body.Key, "k")); !up.Load() && (err != nil || n%4 != 0) {
			return lab.Answer{Status: 503}
		}
		return lab.Answer{}
	})
	g := lab.Start(t, keyed(sink.URL))
	sender := lab.NewSender(t, g.URL+inPath, nil)
	sendKeys(t.Context(), sender, keys, each)
	if text := g.MustCLI("replicas"); !strings.Contains(text, "there is one process") {
		t.Errorf("replicas on SQLite: %s", text)
	}
	file := g.Storage
	pending := len(g.Deliveries("--state", "waiting,retrying", "--limit", "1000"))
	if pending < keys/2 {
		t.Fatalf("%d deliveries are pending: the test shows nothing", pending)
	}

	g.Database = pgtest.Shared(t).URL(t)
	g.WriteConfig(g.Header() + keyed(sink.URL))
	if r := g.CLI("migrate", "sqlite-to-postgres", "--from", file); r.Code != 1 || !strings.Contains(r.Stderr, "another hookgate is running") {
		t.Errorf("while hookgate runs on the file: %+v", r)
	}
	if code := g.Stop(); code != 0 {
		t.Fatalf("exit status %d", code)
	}
	r := g.CLI("migrate", "sqlite-to-postgres", "--from", file)
	if r.Code != 0 || strings.Contains(r.Stdout, "different") || !strings.Contains(r.Stderr, "deliveries: ") || strings.Contains(r.Stdout+r.Stderr, g.Database) {
		t.Fatalf("migrate: %+v", r)
	}
	if r := g.CLI("migrate", "sqlite-to-postgres", "--from", file); r.Code != 0 || !strings.Contains(r.Stderr, "moved already") {
		t.Errorf("migrated again: %+v", r)
	}
	g.Start()
	if text := g.MustCLI("replicas"); !strings.Contains(text, "LEASE LEFT") || !strings.Contains(text, "(answers)") {
		t.Errorf("replicas on PostgreSQL: %s", text)
	}
	sendKeys(t.Context(), sender, keys, 2)
	up.Store(true)
	lab.AwaitAll(t, sender, sink, 3*lab.Patience)
	done := map[string]int{}
	lab.Eventually(t, "all is delivered", func() bool {
		clear(done)
		for _, a := range sink.Arrivals() {
			if a.Status == 200 {
				done[a.ID]++
			}
		}
		return len(done) >= sender.AcknowledgedCount()
	})
	if code := g.Stop(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	for id, n := range done {
		if n != 1 {
			t.Errorf("%s was delivered %d times", id, n)
		}
	}
	if n := inversions(t, sink.Arrivals()); n > 0 {
		t.Errorf("%d inversions, want none", n)
	}
	t.Logf("%d acknowledged, %d pending when it was moved, %d delivered", sender.AcknowledgedCount(), pending, len(done))
}
