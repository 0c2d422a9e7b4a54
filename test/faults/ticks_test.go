package faults

import (
	"encoding/json"
	"fmt"
	"syscall"
	"testing"
	"time"

	"hookgate/test/lab"
	"hookgate/test/pgtest"
)

// TestTicksKilled has a schedule tick again and again on three replicas, each
// time while one of them loads its configuration anew, and one is killed now
// and then: each tick is one event, and none is missed.
//
// Negative control: a replica that loads its configuration has each schedule
// count anew. Then ticks were missed.
//
// Promise: F3.
func TestTicksKilled(t *testing.T) {
	t.Parallel()
	total := lab.Pick(12, 100)
	database, sink := pgtest.Shared(t).URL(t), lab.NewSink(t, nil)
	config := func(n int) string {
		return fmt.Sprintf(`
sources:
  yearly: { type: schedule, cron: 0 0 1 1 *, data: { n: %d } }
connections:
  sink: { type: webhook, url: %s/, retry: %s }
rules:
  - { name: route, from: yearly, then: [{ to: sink, json: { event: "${{ event.id }}", missed: "${{ data.missed }}" } }] }
`, n, sink.URL, quick())
	}
	var gates []*lab.Gate
	for range 3 {
		g := lab.New(t, config(-1))
		g.Database, g.Lease = database, lease.String()
		g.Start()
		gates = append(gates, g)
	}
	lab.Eventually(t, "the schedule has a row", func() bool { return pgtest.Number(t, database, `SELECT count(*) FROM timers WHERE kind = 4`) == 1 })
	made := func() int64 { return pgtest.Number(t, database, `SELECT count(*) FROM events`) }
	for n := range total {
		reloaded := gates[n%3]
		reloaded.WriteConfig(config(n))
		pgtest.Exec(t, database, `UPDATE timers SET due = now_us() + 500000, count = count + 1 WHERE kind = 4`)
		reloaded.Signal(syscall.SIGHUP)
		if n%4 == 3 {
			time.Sleep(time.Duration(n) * 5 * time.Millisecond)
			gates[(n+1)%3].Kill()
			gates[(n+1)%3].Start()
		}
		lab.Eventually(t, "it has ticked", func() bool { return made() > int64(n) })
	}
	lab.Stays(t, 2*time.Second, "each tick is one event", func() bool { return made() == int64(total) })
	events := map[string]bool{}
	lab.Eventually(t, "all are delivered", func() bool {
		for _, a := range sink.Arrivals() {
			var body struct {
				Event  string `json:"event"`
				Missed any    `json:"missed"`
			}
			if err := json.Unmarshal(a.Body, &body); err != nil || fmt.Sprint(body.Missed) != "0" {
				t.Fatalf("got %s, %v", a.Body, err)
			}
			events[body.Event] = true
		}
		return len(events) == total
	})
	t.Logf("%d ticks, %d events, %d deliveries", total, made(), sink.Count())
}
