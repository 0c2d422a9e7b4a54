package faults

import (
	"context"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"hookgate/test/lab"
	"hookgate/test/pgtest"
)

// replicas starts n gates on one PostgreSQL database, and a sender that posts
// to all of them in turn.
func replicas(t *testing.T, n int, config string) ([]*lab.Gate, *lab.Sender) {
	t.Helper()
	url := pgtest.Shared(t).URL(t)
	var gates []*lab.Gate
	for range n {
		g := lab.New(t, config)
		g.Database = url
		g.Start()
		gates = append(gates, g)
	}
	sender := lab.NewSender(t, gates[0].URL+inPath, lab.Payload(50))
	for _, g := range gates[1:] {
		sender.Also = append(sender.Also, g.URL+inPath)
	}
	return gates, sender
}

// TestReplicaKilled kills one of two replicas under load for good. The other
// one delivers what the dead one had accepted, once its lease is over.
//
// Negative control: reap frees nothing. Then what the dead one held is lost.
func TestReplicaKilled(t *testing.T) {
	t.Parallel()
	full := make(chan struct{}) // until then nothing is answered, so that deliveries queue up
	sink := lab.NewSink(t, func(lab.Arrival) lab.Answer { return lab.Answer{Until: full} })
	gates, sender := replicas(t, 2, numbered(sink.URL))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		sender.Run(ctx, 16, 0)
	}()
	half := lab.Pick(2000, 100_000)
	lab.Eventually(t, "the load goes on", func() bool { return sender.AcknowledgedCount() >= half })
	killed := time.Now()
	gates[1].Kill()
	close(full)
	lab.Eventually(t, "the load ends", func() bool { return sender.AcknowledgedCount() >= 2*half })
	cancel()
	<-done
	b := lab.AwaitAll(t, sender, sink, 3*lab.Patience)
	t.Logf("%d acknowledged, %d deliveries, %d duplicates, all there %s after the kill, answers %v",
		b.Acknowledged, b.Arrived, b.Duplicates, time.Since(killed).Round(time.Second), sender.Statuses())
	if b.Duplicates > 32 { // what the dead one was sending
		t.Errorf("%d duplicates, want at most 32", b.Duplicates)
	}
	if late := time.Since(killed); late < 20*time.Second {
		t.Errorf("all there after %s: the dead one held nothing, the test shows nothing", late)
	}
}

// TestReplicasRestarted restarts two replicas in turn under load, as a rolling
// upgrade does: nothing is lost, nothing comes twice.
//
// Negative control: close gives back nothing. Then what a replica had queued
// waits for its lease, and the test for longer than its patience.
func TestReplicasRestarted(t *testing.T) {
	t.Parallel()
	sink := lab.NewSink(t, func(lab.Arrival) lab.Answer {
		return lab.Answer{Delay: time.Duration(50+rand.IntN(50)) * time.Millisecond} // slow, so that deliveries queue up
	})
	gates, sender := replicas(t, 2, numbered(sink.URL))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		sender.Run(ctx, 16, 0)
	}()
	for round := range lab.Pick(6, 60) {
		at := sender.AcknowledgedCount() + 100 + rand.IntN(200)
		lab.Eventually(t, "the load goes on", func() bool { return sender.AcknowledgedCount() >= at })
		g := gates[round%2]
		if code := g.Stop(); code != 0 {
			t.Errorf("exit status %d after SIGTERM, want 0", code)
		}
		g.Start()
	}
	cancel()
	<-done
	b := lab.AwaitAll(t, sender, sink, lab.Patience)
	t.Logf("%d acknowledged, %d deliveries, answers %v", b.Acknowledged, b.Arrived, sender.Statuses())
	if b.Duplicates > 0 {
		t.Errorf("%d duplicates, want none", b.Duplicates)
	}
}

// TestDatabaseCrash stops the PostgreSQL server at once, again and again, as a
// crash does, and starts it again. While it is down senders are refused; when
// it is back everything goes on without a restart.
//
// Negative control: faultOf calls a lost connection fatal. Then the replicas
// end.
func TestDatabaseCrash(t *testing.T) {
	t.Parallel()
	server := pgtest.New(t)
	sink := lab.NewSink(t, nil)
	url := server.URL(t)
	var gates []*lab.Gate
	for range 2 {
		g := lab.New(t, keyed(sink.URL))
		g.Database = url
		g.Start()
		gates = append(gates, g)
	}
	sender := lab.NewSender(t, gates[0].URL+inPath, lab.Payload(50))
	sender.Also = []string{gates[1].URL + inPath}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		sender.Run(ctx, 8, 0)
	}()
	grow := func(by int) {
		t.Helper()
		at := sender.AcknowledgedCount() + by
		lab.Eventually(t, "events are acknowledged", func() bool { return sender.AcknowledgedCount() >= at })
	}
	for range lab.Pick(3, 20) {
		grow(200)
		server.Stop()
		down := time.Now()
		r := gates[0].PostJSON(inPath, []byte(`{"type":"numbered","n":0}`))
		if took := time.Since(down); r.Status != 503 || r.Header.Get("Retry-After") == "" || took > 5*time.Second {
			t.Errorf("while the database is down: %d after %s, want 503 with Retry-After within 5 s", r.Status, took)
		}
		if status := gates[0].Probe("/readyz"); status != 503 {
			t.Errorf("/readyz: %d while the database is down, want 503", status)
		}
		server.Start(t)
	}
	grow(200)
	cancel()
	<-done
	b := lab.AwaitAll(t, sender, sink, 2*lab.Patience)
	t.Logf("%d acknowledged, %d deliveries, %d duplicates, answers %v", b.Acknowledged, b.Arrived, b.Duplicates, sender.Statuses())
	for _, g := range gates {
		if g.Ended() {
			t.Error("a replica ended")
		}
		if out := g.MustCLI("events", "list", "--limit", "3"); out == "" {
			t.Error("events list prints nothing")
		}
	}
}

// TestReplicaPaused stops one of two replicas, with SIGSTOP, for longer than its
// lease. The other takes over; the one that wakes up finds out and sends
// nothing of what it still has in memory.
//
// Negative control: lane.work does not ask whether the claim still holds. Then
// all that was queued comes twice.
func TestReplicaPaused(t *testing.T) {
	t.Parallel()
	full := make(chan struct{}) // until then nothing is answered, so that deliveries queue up
	sink := lab.NewSink(t, func(lab.Arrival) lab.Answer { return lab.Answer{Until: full} })
	gates, sender := replicas(t, 2, numbered(sink.URL))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		sender.Run(ctx, 16, 0)
	}()
	lab.Eventually(t, "the load goes on", func() bool { return sender.AcknowledgedCount() >= 2000 })
	gates[1].Signal(syscall.SIGSTOP)
	paused := time.Now()
	cancel()
	<-done
	close(full)
	lab.AwaitAll(t, sender, sink, 3*lab.Patience) // by the other one alone
	if late := time.Since(paused); late < 20*time.Second {
		t.Errorf("all there after %s: the paused one held nothing, the test shows nothing", late)
	}
	gates[1].Signal(syscall.SIGCONT)
	sender.Also, sender.URL = nil, gates[1].URL+inPath
	lab.Eventually(t, "the one that was paused accepts again", func() bool { return sender.Post(t.Context()).Status == 202 })
	for range 50 {
		sender.Post(t.Context())
	}
	lab.AwaitAll(t, sender, sink, 2*lab.Patience)
	if code := gates[1].Stop(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	b, err := lab.Compare(sender, sink)
	t.Logf("%d acknowledged, %d deliveries, %d duplicates, %v, answers %v", b.Acknowledged, b.Arrived, b.Duplicates, err, sender.Statuses())
	if b.Duplicates > 32 { // what it was sending
		t.Errorf("%d duplicates, want at most 32", b.Duplicates)
	}
}
