package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"hookgate/test/lab"
)

// TestOutage takes Slack down under load, by answers and by silence: nothing is
// lost, the order of each key is kept, and another connection goes on as before.
//
// Negative control: a delivery is not tried again. Then Slack lacked 10 messages
// and 150 came out of order.
//
// Promise: P9.
func TestOutage(t *testing.T) {
	down := lab.Pick(4*time.Second, time.Minute)
	var outage atomic.Int32
	slack := lab.NewSink(t, func(a lab.Arrival) lab.Answer {
		switch outage.Load() {
		case 1:
			return lab.Answer{Status: 503, Body: "service_unavailable"}
		case 2:
			return lab.Answer{Reset: true}
		default:
			return lab.Answer{}
		}
	})
	other := lab.NewSink(t, nil)
	g := lab.Start(t, fmt.Sprintf(`
sources:
  in: { type: webhook, token: %s, event_type: data.type, dedupe: off }
connections:
  slack: { type: slack, webhook_url: "%s/services/x", timeout: 2s, concurrency: 16, retry: %s }
  other: { type: webhook, url: %s/, retry: %s }
rules:
  - name: both
    from: in
    then:
      - to: slack
        ordering_key: data.key
        text: '{"n":${{ data.n }},"key":"${{ data.key }}"}'
      - { to: other, json: { n: "${{ data.n }}", event: "${{ event.id }}", key: "${{ data.key }}" } }
`, token, slack.URL, quick(), other.URL, quick()))
	sender := lab.NewSender(t, g.URL+inPath, nil)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for key := 0; ctx.Err() == nil; key++ {
			sender.PostKey(context.WithoutCancel(ctx), fmt.Sprintf("k%d", key%50))
			<-time.After(5 * time.Millisecond)
		}
	}()
	phase := func(kind int32, d time.Duration) {
		outage.Store(kind)
		<-time.After(d)
	}
	phase(0, down/4)
	phase(1, down/2)
	phase(2, down/2)
	phase(0, down/4)
	cancel()
	<-done

	lab.AwaitAll(t, sender, other, lab.Patience)
	acked := make(map[int]time.Time)
	for _, e := range sender.Acknowledged() {
		acked[e.N] = e.At
	}
	// Slack's messages carry JSON in their text, so that they can be counted.
	var seen []lab.Arrival
	lab.Within(3*lab.Patience, func() bool {
		seen = unwrap(t, slack.Arrivals())
		return delivered(t, seen) >= len(acked)
	})
	if got := delivered(t, seen); got != len(acked) {
		t.Errorf("Slack has %d of %d messages", got, len(acked))
	}
	if n := inversions(t, seen); n > 0 {
		t.Errorf("%d inversions at Slack, want none", n)
	}
	var late []time.Duration
	for _, a := range other.Arrivals() {
		var body lab.Numbered
		if err := json.Unmarshal(a.Body, &body); err != nil {
			t.Fatal(err)
		}
		late = append(late, a.At.Sub(acked[body.N]))
	}
	if p99 := lab.Percentile(late, 99); p99 > time.Second {
		t.Errorf("the other connection's p99 is %s during the outage, want less than 1 s", p99)
	}
	t.Logf("%d events, %d requests to Slack, the other's p50 %s p99 %s", len(acked), slack.Count(), lab.Percentile(late, 50), lab.Percentile(late, 99))
}

// unwrap takes the bodies of a sink's messages out of their text.
func unwrap(t *testing.T, arrivals []lab.Arrival) []lab.Arrival {
	t.Helper()
	for i := range arrivals {
		var message struct{ Text string }
		if err := json.Unmarshal(arrivals[i].Body, &message); err != nil {
			t.Fatalf("Slack got %q: %v", arrivals[i].Body, err)
		}
		arrivals[i].Body = []byte(message.Text)
	}
	return arrivals
}

// delivered counts the events that arrived with success.
func delivered(t *testing.T, arrivals []lab.Arrival) int {
	t.Helper()
	seen := make(map[int]bool)
	for _, a := range arrivals {
		var body lab.Numbered
		if err := json.Unmarshal(a.Body, &body); err != nil {
			t.Fatalf("%q: %v", a.Body, err)
		}
		if a.Status == 200 {
			seen[body.N] = true
		}
	}
	return len(seen)
}

// TestSlowSink compares the delivery times of 19 connections while the 20th
// answers, and while it hangs, dribbles or resets. The parts alternate within
// one run, so that other load on the machine strikes both.
//
// Negative control: one pool of eight workers for all connections. Then the
// others' p99 rose from 5 to 641 ms.
//
// Promise: P20, T10.
func TestSlowSink(t *testing.T) {
	const connections = 20
	rounds, part := lab.Pick(2, 6), lab.Pick(1500*time.Millisecond, 4*time.Second)
	var stuck atomic.Int32
	bad := lab.NewSink(t, func(lab.Arrival) lab.Answer {
		switch n := stuck.Load(); {
		case n == 0:
			return lab.Answer{}
		case n%3 == 1:
			return lab.Answer{Hang: true}
		case n%3 == 2:
			return lab.Answer{Dribble: true}
		default:
			return lab.Answer{Reset: true}
		}
	})
	good := lab.NewSink(t, nil)
	config := "sources:\n  in: { type: webhook, token: " + token + ", event_type: data.type, dedupe: off }\nconnections:\n"
	rules := "rules:\n"
	for n := range connections {
		url := good.URL
		if n == 0 {
			url = bad.URL
		}
		config += fmt.Sprintf("  c%d: { type: webhook, url: %s/, timeout: 1s, retry: { delays: [100ms, 1h] } }\n", n, url)
		rules += fmt.Sprintf("  - { name: r%d, from: in, when: data.n %% %d == %d, then: [{ to: c%d, json: { n: \"${{ data.n }}\" } }] }\n", n, connections, n, n)
	}
	g := lab.Start(t, config+rules)

	measure := func(kind int32) []time.Duration {
		stuck.Store(kind)
		sender := lab.NewSender(t, g.URL+inPath, lab.Payload(1))
		defer sender.Close()
		ctx, cancel := context.WithTimeout(t.Context(), part)
		defer cancel()
		from := good.Count()
		sender.RunPaced(ctx, 400)
		wanted := 0
		sent := make(map[int]time.Time)
		for _, e := range sender.Acknowledged() {
			sent[e.N] = e.At
			if e.N%connections != 0 {
				wanted++
			}
		}
		if wanted < 50 {
			t.Fatalf("only %d events were acknowledged in %s: %v", wanted, part, sender.Statuses())
		}
		arrivals := good.Await(t, from+wanted)[from:]
		var took []time.Duration
		for _, a := range arrivals {
			var body lab.Numbered
			if err := json.Unmarshal(a.Body, &body); err != nil {
				t.Fatal(err)
			}
			took = append(took, a.At.Sub(sent[body.N]))
		}
		return took
	}
	measure(0) // warm up
	// Of the parts' p99 the median: what else runs on the machine may strike one
	// or the other part for seconds.
	var well, ill []time.Duration
	for round := range rounds {
		for half := range 2 {
			well = append(well, lab.Percentile(measure(0), 99))
			ill = append(ill, lab.Percentile(measure(int32(round*2+half+1)), 99))
		}
	}
	p99well, p99ill := lab.Percentile(well, 50), lab.Percentile(ill, 50)
	t.Logf("others' p99, by part: %s and %s", well, ill)
	// The short form has few samples and a busy machine: it looks for a stall, as
	// long as an attempt at the stuck one takes; the long one for the promised 20 %.
	limit := lab.Pick(max(3*p99well, 500*time.Millisecond), p99well*12/10+2*time.Millisecond)
	if p99ill > limit {
		t.Errorf("others' p99 is %s beside a stuck connection and %s beside a good one", p99ill, p99well)
	}
}
