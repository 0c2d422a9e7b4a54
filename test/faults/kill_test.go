package faults

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"hookgate/test/lab"
)

// TestKillLoop kills the server under load again and again. No acknowledged
// event may be lost, none may arrive that was not sent, and a duplicate may
// only come of an attempt that had just begun or ended when a kill struck:
// one whose outcome was not committed.
//
// Negative control: intake answers before the commit. Then 372 of 20,186
// acknowledged events were lost.
//
// Promise: P1, P4, P5.
func TestKillLoop(t *testing.T) {
	kills, total := lab.Pick(10, 200), lab.Pick(20_000, 1_000_000)
	sink := lab.NewSink(t, nil)
	g := lab.Start(t, numbered(sink.URL))
	sender := lab.NewSender(t, g.URL+inPath, lab.Payload(50))

	end := sender.Start(t, 32)
	var struck []time.Time
	for kill := 1; kill <= kills; kill++ {
		at := (total*kill/(kills+1) + rand.IntN(total/(kills+1)/2))
		lab.Eventually(t, "the load goes on", func() bool { return sender.AcknowledgedCount() >= at })
		struck = append(struck, time.Now())
		g.Kill()
		g.Start()
	}
	lab.Eventually(t, "the load ends", func() bool { return sender.AcknowledgedCount() >= total })
	end()

	b := lab.AwaitAll(t, sender, sink, 2*lab.Patience)
	g.Stop()
	t.Logf("%d kills, %d acknowledged, %d deliveries, %d duplicates, answers %v",
		kills, b.Acknowledged, b.Arrived, b.Duplicates, sender.Statuses())
	if b.Acknowledged < total {
		t.Errorf("only %d of %d events were acknowledged", b.Acknowledged, total)
	}
	checkDuplicates(t, sink, struck)
}

// window is how long after its answer an attempt's outcome may be uncommitted.
const window = 500 * time.Millisecond

// checkDuplicates fails for an arrival that repeats one whose outcome must have
// been committed before the next kill.
func checkDuplicates(t *testing.T, sink *lab.Sink, kills []time.Time) {
	t.Helper()
	last := make(map[string]time.Time)
	excusable, wrong := 0, 0
	for _, a := range sink.Arrivals() {
		before, repeated := last[a.ID]
		last[a.ID] = a.At
		if !repeated {
			continue
		}
		near := false
		for _, kill := range kills {
			// In flight when the kill struck: it began or ended shortly before.
			near = near || kill.After(before.Add(-window)) && kill.Before(before.Add(window))
		}
		if near {
			excusable++
		} else if wrong++; wrong <= 3 {
			t.Errorf("%s came at %s and again at %s, and no kill was near", a.ID, before.Format("05.000"), a.At.Format("05.000"))
		}
	}
	if wrong > 0 {
		t.Errorf("%d duplicates without a reason, %d with", wrong, excusable)
	}
	// Besides, a kill may not repeat more than the lane and a batch of results hold.
	if limit := len(kills) * (32 + 512); excusable > limit {
		t.Errorf("%d duplicates by %d kills, want at most %d", excusable, len(kills), limit)
	}
}

// TestDrain sends SIGTERM under load again and again: what is in flight is
// finished, so that nothing is lost and nothing comes twice.
//
// Negative control: attempts under way are broken off at once. Then 30
// deliveries came twice.
//
// Promise: P5, P17.
func TestDrain(t *testing.T) {
	rounds := lab.Pick(20, 200)
	sink := lab.NewSink(t, func(lab.Arrival) lab.Answer {
		return lab.Answer{Delay: time.Duration(rand.IntN(20)) * time.Millisecond}
	})
	g := lab.Start(t, numbered(sink.URL))
	sender := lab.NewSender(t, g.URL+inPath, lab.Payload(50))
	end := sender.Start(t, 8)
	for range rounds {
		at := sender.AcknowledgedCount() + 20 + rand.IntN(200)
		lab.Eventually(t, "the load goes on", func() bool { return sender.AcknowledgedCount() >= at })
		if code := g.Stop(); code != 0 {
			t.Errorf("exit status %d after SIGTERM, want 0", code)
		}
		g.Start()
	}
	end()
	b := lab.AwaitAll(t, sender, sink, lab.Patience)
	if b.Duplicates > 0 {
		t.Errorf("%d duplicates, want none", b.Duplicates)
	}
	t.Logf("%d times SIGTERM, %d acknowledged, answers %v", rounds, b.Acknowledged, sender.Statuses())
}

// An upload that stalls does not use up the time in which deliveries end: what
// is being sent at SIGTERM, and after it, is sent once.
// Negative control: with no limit of its own for requests, the stop takes 25
// seconds, its status is 1, and what was being sent comes again.
//
// Promise: P5, P17.
func TestDrain_stalledUpload(t *testing.T) {
	sink := lab.NewSink(t, func(lab.Arrival) lab.Answer { return lab.Answer{Delay: 5 * time.Second} })
	g := lab.Start(t, strings.Replace(numbered(sink.URL), "concurrency: 32", "concurrency: 1", 1)+`
forms:
  apply: { fields: { cv: { type: file, accept: [pdf] } } }
`)
	for n := range 6 {
		g.Accepted(g.PostJSON(inPath, lab.Payload(50)(n)))
	}
	stalled, err := net.Dial("tcp", strings.TrimPrefix(g.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer stalled.Close()
	fmt.Fprint(stalled, "POST /f/apply HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=B\r\nContent-Length: 1000000\r\n\r\n"+
		"--B\r\nContent-Disposition: form-data; name=\"cv\"; filename=\"a.pdf\"\r\n\r\n%PDF-1.4\n")
	lab.Eventually(t, "something is being sent", func() bool { return sink.Count() > 0 })
	begun := time.Now()
	if code := g.Stop(); code != 0 || time.Since(begun) > 20*time.Second {
		t.Errorf("exit status %d, %s after SIGTERM, want 0 within 20 s", code, time.Since(begun))
	}
	sink.Script(nil)
	g.Start()
	lab.Eventually(t, "all has come", func() bool { return sink.Count() >= 6 })
	lab.Stays(t, 2*time.Second, "nothing comes twice", func() bool { return sink.Count() == 6 })
}
