package faults

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"hookgate/test/lab"
	"hookgate/test/pgtest"
)

// chained routes every event along three steps, to one sink each of which is told the
// number of the step and what the one before was answered, and counts in a record of
// the event that the second has ended.
func chained(sink string) string {
	return fmt.Sprintf(`
sources:
  in: { type: webhook, token: %s, event_type: data.type, dedupe: off }
tables: { made: { keep: 400d } }
connections:
  sink: { type: webhook, url: %s/, concurrency: 32, outputs: { made: body.made }, retry: %s }
rules:
  - name: route
    from: in
    then:
      - { step: one, to: sink, json: { n: "${{ data.n }}", event: "${{ event.id }}", step: 1, before: "" } }
      - { step: two, to: sink, after: one, json: { n: "${{ data.n }}", event: "${{ event.id }}", step: 2, before: "${{ outputs.one.made }}" } }
      - { to: sink, after: two, json: { n: "${{ data.n }}", event: "${{ event.id }}", step: 3, before: "${{ outputs.two.made }}" } }
      - { after: two, remember: { table: made, key: event.id, add: { n: 1 } } }
`, token, sink, quick())
}

// stepBody is what a step of chained and joined sends.
type stepBody struct {
	N      int    `json:"n"`
	Event  string `json:"event"`
	Step   int    `json:"step"`
	Before string `json:"before"`
}

// namesWhatItMade answers with the id of what came.
func namesWhatItMade(a lab.Arrival) lab.Answer {
	return lab.Answer{Body: fmt.Sprintf(`{"made":%q}`, a.ID)}
}

// stepsAt are the ids by event and step, and what each was told of the one before.
func stepsAt(t *testing.T, sink *lab.Sink) (ids map[string]map[int]map[string]bool, before map[string]string) {
	t.Helper()
	ids, before = map[string]map[int]map[string]bool{}, map[string]string{}
	for _, a := range sink.Arrivals() {
		var b stepBody
		if err := json.Unmarshal(a.Body, &b); err != nil {
			t.Fatal(err)
		}
		if ids[b.Event] == nil {
			ids[b.Event] = map[int]map[string]bool{}
		}
		if ids[b.Event][b.Step] == nil {
			ids[b.Event][b.Step] = map[string]bool{}
		}
		ids[b.Event][b.Step][a.ID] = true
		if told, repeated := before[a.ID]; repeated && told != b.Before {
			t.Errorf("%s came with %q and with %q", a.ID, told, b.Before)
		}
		before[a.ID] = b.Before
	}
	return ids, before
}

// TestStepsKilled kills the server again and again while chains of three steps go on:
// each step of each event comes under one id, and with what its own predecessor was
// answered; what is counted after a step is counted once.
//
// Negative controls: what follows a result is noted in a commit of its own, after that
// of the result. Then chains end in the middle. Or a record is written in a commit of its
// own, before that of its delivery. Then some are counted twice.
//
// Promise: F8.
func TestStepsKilled(t *testing.T) {
	kills := lab.Pick(6, 60)
	sink := lab.NewSink(t, namesWhatItMade)
	g := lab.Start(t, chained(sink.URL))
	sender := lab.NewSender(t, g.URL+inPath, lab.Payload(50))
	end := sender.Start(t, 16)
	for range kills {
		at := sender.AcknowledgedCount() + 100
		lab.Eventually(t, "the load goes on", func() bool { return sender.AcknowledgedCount() >= at })
		time.Sleep(time.Duration(rand.IntN(50)) * time.Millisecond)
		g.Kill()
		g.Start()
	}
	end()
	want := sender.AcknowledgedCount()
	done := lab.Within(2*lab.Patience, func() bool { return chainsDone(t, sink, 3) >= want })
	ids, before := stepsAt(t, sink)
	t.Logf("%d kills, %d acknowledged, %d chains", kills, want, len(ids))
	if !done {
		t.Fatalf("%d of %d chains are whole", chainsDone(t, sink, 3), want)
	}
	lab.Eventually(t, "all are counted", func() bool { return len(counted(t, g)) == len(ids) })
	for e, n := range counted(t, g) {
		if n != 1 || ids[e] == nil {
			t.Errorf("%s is counted %d times", e, n)
		}
	}
	for e, steps := range ids {
		for n, one := range steps {
			if len(one) != 1 {
				t.Errorf("step %d of %s came under the ids %v", n, e, one)
			}
			for id := range one {
				if n > 1 && !steps[n-1][before[id]] {
					t.Errorf("step %d of %s was told of %q", n, e, before[id])
				}
			}
		}
	}
}

// counted are the events that chained has counted, and how often.
func counted(t *testing.T, g *lab.Gate) map[string]int {
	t.Helper()
	list := map[string]int{}
	for line := range strings.Lines(g.MustCLI("tables", "export", "made", "--json")) {
		var record struct {
			Key   string
			Value struct{ N int }
		}
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		list[record.Key] = record.Value.N
	}
	return list
}

// chainsDone counts the events whose last step has come.
func chainsDone(t *testing.T, sink *lab.Sink, last int) (n int) {
	t.Helper()
	ids, _ := stepsAt(t, sink)
	for _, steps := range ids {
		if len(steps[last]) > 0 {
			n++
		}
	}
	return n
}

// TestReplicas_steps has two steps of each event end on three replicas at once: what
// comes after both is made exactly once, and of every event; so is what is counted then.
//
// Negative controls: what is there already is made anew, under another id. Then some
// came twice. Or a record is written whether or not its delivery is there. Then some
// are counted twice.
//
// Promise: F8.
func TestReplicas_steps(t *testing.T) {
	t.Parallel()
	c := newCluster(t, pgtest.Shared(t).URL(t), "", func(sink string) string {
		text := strings.Replace(chained(sink), "after: one,", "", 1)
		text = strings.Replace(text, "${{ outputs.one.made }}", "", 1)
		return strings.ReplaceAll(text, "after: two,", "after: [one, two],")
	})
	c.load(16)
	c.grow(lab.Pick(600, 2000))
	c.end()
	want := c.sender.AcknowledgedCount()
	lab.Eventually(t, "the last step of each event comes", func() bool {
		ids, _ := stepsAt(t, c.sink) // also of what was accepted and not acknowledged
		done := chainsDone(t, c.sink, 3)
		return done >= want && done == len(ids)
	})
	ids, _ := stepsAt(t, c.sink)
	for e, steps := range ids {
		if len(steps[3]) != 1 {
			t.Errorf("the last step of %s came under the ids %v", e, steps[3])
		}
	}
	lab.Eventually(t, "all are counted", func() bool { return pgtest.Number(t, c.url, `SELECT count(*) FROM records`) == int64(len(ids)) })
	if n := pgtest.Number(t, c.url, `SELECT count(*) FROM records WHERE value <> '{"n":1}'`); n != 0 {
		t.Errorf("%d are counted more than once", n)
	}
	if n := pgtest.Number(t, c.url, `SELECT count(*) FROM timers WHERE kind = 5`); n != 0 {
		t.Errorf("%d timers are left", n)
	}
}
