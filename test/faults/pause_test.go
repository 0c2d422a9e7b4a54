package faults

import (
	"encoding/json"
	"testing"
	"time"

	"hookgate/test/lab"
	"hookgate/test/pgtest"
)

// connectionNow is what the API says of the connection called sink.
func connectionNow(t *testing.T, g *lab.Gate) (state string, held, sending, attempts int) {
	t.Helper()
	var c struct {
		State         string
		Held, Sending int
		Day           struct{ Attempts int }
	}
	if err := json.Unmarshal([]byte(g.MustCLI("--json", "connections", "show", "sink")), &c); err != nil {
		t.Fatal(err)
	}
	return c.State, c.Held, c.Sending, c.Day.Attempts
}

// TestPause pauses a connection under load, kills the server, and lets the
// connection go on after the restart: nothing is sent in between, nothing is
// lost, and each key's order is kept.
//
// Negative control: the switches are not read at the start (New does not call
// loadSwitches). Then what was held is sent after the kill. Another: a paused
// lane drops what it held instead of releasing it (giveBack returns after
// drainQueue). Then it never ends to be "being sent".
func TestPause(t *testing.T) {
	const first, more = 300, 300
	sink := lab.NewSink(t, func(lab.Arrival) lab.Answer { return lab.Answer{Delay: 5 * time.Millisecond} })
	g := lab.Start(t, keyed(sink.URL))
	sender := lab.NewSender(t, g.URL+inPath, lab.Payload(50))
	sendKeys(t.Context(), sender, 50, first/50)
	g.MustCLI("connections", "pause", "sink", "--note", "maintenance")
	var quiet int
	lab.Eventually(t, "what was being sent ends", func() bool {
		_, _, sending, _ := connectionNow(t, g)
		quiet = sink.Count()
		return sending == 0
	})
	sendKeys(t.Context(), sender, 50, more/50) // it is accepted as ever
	if state, held, _, _ := connectionNow(t, g); state != "paused" || held != first+more-quiet {
		t.Errorf("%s with %d held, want paused with %d", state, held, first+more-quiet)
	}
	g.Kill()
	g.Start()
	lab.Stays(t, 500*time.Millisecond, "nothing is sent", func() bool { return sink.Count() == quiet })
	if state, held, _, _ := connectionNow(t, g); state != "paused" || held != first+more-quiet {
		t.Errorf("after the restart %s with %d held, want paused with %d", state, held, first+more-quiet)
	}
	g.MustCLI("connections", "resume", "sink", "--rate", "200/s")
	begun := time.Now()
	b := lab.AwaitAll(t, sender, sink, lab.Patience)
	if b.Acknowledged != first+more || b.Duplicates > 0 {
		t.Errorf("%d acknowledged, %d delivered, %d duplicates", b.Acknowledged, b.Arrived, b.Duplicates)
	}
	// A tenth of a second's worth may go at once.
	if took, least := time.Since(begun), time.Duration(first+more-quiet-20)*time.Second/200; took < least {
		t.Errorf("%d that were held were sent in %s, want at least %s", first+more-quiet, took, least)
	}
	if n := inversions(t, sink.Arrivals()); n > 0 {
		t.Errorf("%d began out of order", n)
	}
	lab.Eventually(t, "the rate ends", func() bool { return releasing(g) == "" })
}

// releasing is the rate at which what was held is sent, as JSON; "" without one.
func releasing(g *lab.Gate) string {
	var c struct{ Releasing json.RawMessage }
	_ = json.Unmarshal([]byte(g.MustCLI("--json", "connections", "show", "sink")), &c)
	return string(c.Releasing)
}

// TestPauseReplicas pauses a connection by one of three replicas: all of them
// hold it, and all go on.
//
// Negative control: replicas are not told of switches, and do not look
// (followSwitches returns at once, Watch has no Switches). Then the others go
// on sending.
func TestPauseReplicas(t *testing.T) {
	c := newCluster(t, pgtest.Shared(t).URL(t), "", keyed)
	c.load(8)
	c.grow(200)
	c.gates[0].MustCLI("connections", "pause", "sink")
	quiet := 0
	lab.Eventually(t, "all replicas hold it", func() bool {
		before := c.sink.Count()
		_, _, sending, _ := connectionNow(t, c.gates[1])
		<-time.After(100 * time.Millisecond)
		quiet = c.sink.Count()
		return sending == 0 && before == quiet
	})
	c.grow(200)
	if got := c.sink.Count(); got != quiet {
		t.Errorf("%d were sent while the connection was paused", got-quiet)
	}
	if state, held, _, _ := connectionNow(t, c.gates[2]); state != "paused" || held < 200 {
		t.Errorf("the third says %s with %d held", state, held)
	}
	c.gates[2].MustCLI("connections", "resume", "sink")
	c.end()
	c.finish(0)
}

// TestPauseEnds kills the server while a connection is paused for a time: after the
// restart it holds what it held, and goes on by itself at the end.
//
// Negative control: follow asks only whether what was held is sent (end returns at
// once). Then the connection is paused for ever.
func TestPauseEnds(t *testing.T) {
	sink := lab.NewSink(t, func(lab.Arrival) lab.Answer { return lab.Answer{} })
	g := lab.Start(t, keyed(sink.URL))
	sender := lab.NewSender(t, g.URL+inPath, lab.Payload(50))
	g.MustCLI("connections", "pause", "sink", "--for", "8s", "--note", "moving")
	begun := time.Now()
	sendKeys(t.Context(), sender, 5, 4)
	g.Kill()
	g.Start()
	if state, held, _, _ := connectionNow(t, g); state != "paused" || held != 20 || sink.Count() != 0 {
		t.Errorf("after the restart %s with %d held, %d sent; want paused with 20", state, held, sink.Count())
	}
	b := lab.AwaitAll(t, sender, sink, lab.Patience)
	if b.Acknowledged != 20 || b.Duplicates > 0 {
		t.Errorf("%d acknowledged, %d delivered, %d duplicates", b.Acknowledged, b.Arrived, b.Duplicates)
	}
	if took := time.Since(begun); took < 7*time.Second {
		t.Errorf("it went on after %s, want 8 s", took)
	}
	if state, _, _, _ := connectionNow(t, g); state != "ok" {
		t.Errorf("at the end it is %s", state)
	}
}

// TestPauseEndsReplicas pauses a connection for a time by one of three replicas,
// which is killed: the others go on at the end.
func TestPauseEndsReplicas(t *testing.T) {
	c := newCluster(t, pgtest.Shared(t).URL(t), "", keyed)
	c.load(4)
	c.gates[0].MustCLI("connections", "pause", "sink", "--for", "6s")
	c.gates[0].Kill()
	if state, _, _, _ := connectionNow(t, c.gates[1]); state != "paused" {
		t.Errorf("the second says %s", state)
	}
	c.grow(100)
	lab.Eventually(t, "it goes on", func() bool {
		state, held, _, _ := connectionNow(t, c.gates[2])
		return state == "ok" && held == 0
	})
	c.gates[0].Start()
	c.end()
	c.finish(8) // what the killed one was sending, eight at once, is sent again
}
