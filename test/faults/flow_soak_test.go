package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"hookgate/app/admin"
	"hookgate/test/lab"
	"hookgate/test/pgtest"
)

// mostThrottled is how many of a key go in everything.
const mostThrottled = 3

// everything has all words of flow control at once, to one sink, which is told of
// which each is.
func everything(sink string) string {
	return fmt.Sprintf(`
sources:
  in: { type: webhook, token: %s, event_type: data.type, dedupe: off }
  minute: { type: schedule, cron: "* * * * *", timezone: UTC }
tables: { seen: { keep: 400d } }
connections:
  sink: { type: webhook, url: %s/, concurrency: 32, outputs: { made: body.made }, retry: %s }
rules:
  - { name: plain, from: in, then: [{ to: sink, json: { kind: plain, event: "${{ event.id }}", key: "${{ data.key }}" } }] }
  - { name: later, from: in, then: [{ to: sink, delay: 2s, json: { kind: later, event: "${{ event.id }}" } }] }
  - { name: count, from: in, then: [{ remember: { table: seen, key: data.key, add: { n: 1 } } }] }
  - { name: few, from: in, then: [{ to: sink, throttle: { key: data.key, times: %d, within: 30d }, json: { kind: few, event: "${{ event.id }}", key: "${{ data.key }}" } }] }
  - { name: each, from: in, for_each: data.list, then: [{ to: sink, json: { kind: "each${{ item }}", event: "${{ event.id }}" } }] }
  - name: gathered
    from: in
    then: [{ to: sink, digest: { key: data.key, wait: 2s, max: %d }, json: { kind: digest, events: "${{ map(items, .event.id) }}" } }]
  - name: chain
    from: in
    then:
      - { step: one, to: sink, json: { kind: step1, event: "${{ event.id }}" } }
      - { step: two, to: sink, after: one, delay: 1s, json: { kind: step2, event: "${{ event.id }}", before: "${{ outputs.one.made }}" } }
    branches:
      - { name: odd, when: data.n %% 2 == 1, then: [{ to: sink, after: two, json: { kind: step3, event: "${{ event.id }}", before: "${{ outputs.two.made }}" } }] }
      - { name: even, then: [{ to: sink, after: { two: ended }, when: 'lookup("seen", data.key) != nil', json: { kind: step3, event: "${{ event.id }}", before: "${{ outputs.two.made }}" } }] }
  - { name: tick, from: minute, then: [{ to: sink, json: { kind: tick, event: "${{ event.id }}", key: "${{ data.scheduled_for }}" } }] }
`, token, sink, quick(), mostThrottled, mostGathered)
}

// kinds are what comes of each event, once.
var kinds = []string{"plain", "later", "each1", "each2", "step1", "step2", "step3", "digest"}

// came is what arrived of everything: the ids by kind and event, and what each was told
// of the one before.
type came struct {
	ids    map[string]map[string]map[string]bool
	keys   map[string]string // of the events
	before map[string]string // by id
	few    map[string]map[string]bool
	ticks  map[string]map[string]bool
}

func cameOf(t *testing.T, sink *lab.Sink) came {
	t.Helper()
	c := came{map[string]map[string]map[string]bool{}, map[string]string{}, map[string]string{}, map[string]map[string]bool{}, map[string]map[string]bool{}}
	add := func(to map[string]map[string]bool, key, value string) {
		if to[key] == nil {
			to[key] = map[string]bool{}
		}
		to[key][value] = true
	}
	for _, a := range sink.Arrivals() {
		var b struct {
			Kind, Event, Key, Before string
			Events                   []string
		}
		if err := json.Unmarshal(a.Body, &b); err != nil {
			t.Fatal(err)
		}
		if told, repeated := c.before[a.ID]; repeated && told != b.Before {
			t.Errorf("%s came with %q and with %q", a.ID, told, b.Before)
		}
		c.before[a.ID] = b.Before
		switch b.Kind {
		case "few":
			add(c.few, b.Key, a.ID)
			continue
		case "tick":
			add(c.ticks, b.Key, b.Event)
			continue
		case "plain":
			c.keys[b.Event] = b.Key
		case "digest":
		default:
			b.Events = nil
		}
		if c.ids[b.Kind] == nil {
			c.ids[b.Kind] = map[string]map[string]bool{}
		}
		for _, e := range append(b.Events, b.Event) {
			if e != "" {
				add(c.ids[b.Kind], e, a.ID)
			}
		}
	}
	return c
}

// missing are the acknowledged events, and all that came, of which something has not
// come.
func (c *came) missing(acknowledged []lab.Sent) (list []string) {
	events := maps.Clone(c.keys)
	for _, s := range acknowledged {
		events[s.ID] = ""
	}
	for e := range events {
		for _, kind := range kinds {
			if len(c.ids[kind][e]) == 0 {
				list = append(list, kind+" of "+e)
			}
		}
	}
	return list
}

// TestFlowKilled has everything in use while the server, or replicas in turn, are
// killed again and again: what the sender was promised and what the receiver got are
// equal. Of each event each delivery comes under one id, each step with what its own
// predecessor was answered, and it is in one digest; of each key as many go as its
// throttle lets go, and its count is exact; each tick is one event. FLOW_SOAK says how
// long (30m: the long form).
//
// Negative control: any of those of the tests of each word.
//
// Promise: F1, F2, F3, F4, F8.
func TestFlowKilled(t *testing.T) {
	lasts := 20 * time.Second
	if text := os.Getenv("FLOW_SOAK"); text != "" {
		var err error
		if lasts, err = time.ParseDuration(text); err != nil {
			t.Fatalf("FLOW_SOAK=%q: %v", text, err)
		}
	}
	for name, replicas := range map[string]int{"sqlite": 0, "replicas": 3} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			flowKilled(t, replicas, lasts)
		})
	}
}

func flowKilled(t *testing.T, replicas int, lasts time.Duration) {
	t.Helper()
	sink := lab.NewSink(t, namesWhatItMade)
	database := ""
	if replicas > 0 {
		database = pgtest.Shared(t).URL(t)
	}
	var gates []*lab.Gate
	for range max(replicas, 1) {
		g := lab.New(t, everything(sink.URL))
		if g.Database = database; database != "" {
			g.Lease = lease.String()
		}
		g.Start()
		gates = append(gates, g)
	}
	const keys = 5
	sender := lab.NewSender(t, gates[0].URL+inPath, func(n int) []byte {
		return fmt.Appendf(nil, `{"type":"x","n":%d,"key":"k%d","list":[1,2]}`, n, n%keys)
	})
	for _, g := range gates[1:] {
		sender.Also = append(sender.Also, g.URL+inPath)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	loaded := make(chan struct{})
	go func() { defer close(loaded); sender.RunPaced(ctx, 50) }()
	every := min(20*time.Second, lasts/5)
	kills := 0
	for began := time.Now(); time.Since(began) < lasts; kills++ {
		time.Sleep(every)
		g := gates[kills%len(gates)]
		g.Kill()
		g.Start()
	}
	cancel()
	<-loaded
	ended := time.Now()
	c, missing := settled(t, sink, sender, gates[0])
	t.Logf("%d kills, %d acknowledged, %d events came, %d ticks; the rest took %s", kills, sender.AcknowledgedCount(), len(c.keys), len(c.ticks), time.Since(ended).Round(time.Second))
	if len(missing) > 0 {
		slices.Sort(missing)
		t.Fatalf("%d are missing, such as %s", len(missing), missing[0])
	}
	c.once(t)
	c.counted(t, gates[0])
}

// settled waits until all has come, or nothing more comes: what waits after half an
// hour on a busy machine is late, not lost. All is what was acknowledged, and what was
// stored without an answer before a kill, which nobody but the database knows of: it
// comes when the killed replica's lease is over.
func settled(t *testing.T, sink *lab.Sink, sender *lab.Sender, g *lab.Gate) (c came, missing []string) {
	t.Helper()
	open := func() bool {
		return slices.ContainsFunc([]string{"waiting", "sending", "retrying"}, func(state string) bool { return len(g.Deliveries("--state", state, "--limit", "1")) > 0 })
	}
	const pause = 500 * time.Millisecond
	judged := -1
	for last, still := -1, time.Now(); time.Since(still) < 2*lab.Patience; time.Sleep(pause) {
		switch n := sink.Count(); {
		case n != last:
			last, still = n, time.Now()
		case n != judged && !open():
			judged = n
			c = cameOf(t, sink)
			if missing = c.missing(sender.Acknowledged()); len(missing) == 0 {
				return c, nil
			}
		}
	}
	return c, missing
}

// once checks that each came under one id, and the steps with what their own
// predecessors were answered.
func (c *came) once(t *testing.T) {
	t.Helper()
	for _, kind := range kinds {
		for e, ids := range c.ids[kind] {
			if len(ids) != 1 {
				t.Errorf("%s of %s came as %v", kind, e, slices.Collect(maps.Keys(ids)))
			}
		}
	}
	for _, kind := range []string{"step2", "step3"} {
		first := map[string]string{"step2": "step1", "step3": "step2"}[kind]
		for e, ids := range c.ids[kind] {
			for id := range ids {
				if !c.ids[first][e][c.before[id]] {
					t.Errorf("%s of %s was told of %q", kind, e, c.before[id])
				}
			}
		}
	}
	for at, events := range c.ticks {
		if len(events) != 1 {
			t.Errorf("the tick of %s is %d events", at, len(events))
		}
	}
}

// counted checks what is counted of each key.
func (c *came) counted(t *testing.T, g *lab.Gate) {
	t.Helper()
	want := map[string]int{}
	for _, key := range c.keys {
		want[key]++
	}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if n := len(c.few[key]); n != min(mostThrottled, want[key]) {
			t.Errorf("%d of %s went, want %d", n, key, mostThrottled)
		}
		var record struct{ Value struct{ N int } }
		text := g.MustCLI("tables", "get", "seen", key, "--json")
		if err := json.Unmarshal([]byte(text), &record); err != nil || record.Value.N != want[key] {
			t.Errorf("%s was counted %d times, and %d events have it: %v %s", key, record.Value.N, want[key], err, strings.TrimSpace(text))
		}
	}
	var open admin.Page[admin.Digest]
	if err := json.Unmarshal([]byte(g.MustCLI("digests", "list", "--json")), &open); err != nil || len(open.Items) != 0 {
		t.Errorf("%d digests are open, %v", len(open.Items), err)
	}
}
