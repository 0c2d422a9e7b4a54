package faults

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"hookgate/test/journal"
	"hookgate/test/lab"
)

// syncs are the calls by which data reaches the disk; SQLite uses one of them.
var syncs = []string{"fsync", "fdatasync"}

// TestKillEverySyscall kills the process at its Nth write or sync, for every N
// while it takes five events, and while it starts with a new database, which is
// also a migration that is interrupted (of those writes the short form takes a
// sample). After a restart all that was acknowledged arrives. A call that a run
// does not come to kills nobody; a third must.
//
// Negative control: the same as for TestKillLoop. Then all that was acknowledged
// before a kill at a late call was lost.
//
// Promise: P1, P25.
func TestKillEverySyscall(t *testing.T) {
	t.Parallel()
	t.Run("start", func(t *testing.T) {
		g := lab.New(t, numbered(lab.NewSink(t, nil).URL))
		log := filepath.Join(g.Dir, "strace.log")
		g.Wrap = strace(t, log)
		g.Start()
		g.Stop()
		each(t, log, lab.Pick(25, 1000), killAtStart)
	})
	t.Run("work", func(t *testing.T) {
		sink := lab.NewSink(t, nil)
		g := lab.Start(t, numbered(sink.URL))
		log := filepath.Join(g.Dir, "strace.log")
		attach(t, g, log)
		fiveEvents(t, g, sink)
		g.Stop()
		each(t, log, 1000, killAtWork)
	})
}

// each runs a part for some of the calls that the log of a calm run shows.
func each(t *testing.T, log string, most int, kill func(t *testing.T, call string, n int) (killed bool)) {
	t.Helper()
	synced, runs, kills := 0, 0, 0
	for _, call := range append([]string{"pwrite64"}, syncs...) {
		all, busiest := calls(t, log, call)
		if call != "pwrite64" {
			synced += all
		}
		for n := 1; n <= busiest; n += (busiest + most - 1) / most {
			t.Run(fmt.Sprintf("%s %d of %d", call, n, busiest), func(t *testing.T) {
				if runs++; kill(t, call, n) {
					kills++
				}
			})
		}
	}
	if synced == 0 {
		t.Error("the run made no sync")
	}
	t.Logf("%d of %d runs were killed", kills, runs)
	if kills < runs/3 {
		t.Errorf("only %d of %d runs were killed", kills, runs)
	}
}

// fiveEvents sends five events and lets their deliveries end, if the process lives.
func fiveEvents(t *testing.T, g *lab.Gate, sink *lab.Sink) *lab.Sender {
	t.Helper()
	sender := lab.NewSender(t, g.URL+inPath, lab.Payload(1))
	for range 5 {
		sender.Post(t.Context())
	}
	lab.Within(time.Second, func() bool { return g.Ended() || sink.Count() >= sender.AcknowledgedCount() })
	lab.Within(50*time.Millisecond, g.Ended) // the outcomes are committed
	return sender
}

func killAtStart(t *testing.T, call string, n int) bool {
	sink := lab.NewSink(t, nil)
	g := lab.New(t, numbered(sink.URL))
	g.Wrap = strace(t, filepath.Join(g.Dir, "strace.log"), fmt.Sprintf("%s:signal=SIGKILL:when=%d", call, n))
	g.Configure(numbered(sink.URL))
	if err := g.Launch(); err != nil {
		t.Fatal(err)
	}
	sender := lab.NewSender(t, g.URL+inPath, lab.Payload(1))
	if g.AwaitReady() == nil {
		sender = fiveEvents(t, g, sink)
	}
	return restart(t, g, sink, sender)
}

func killAtWork(t *testing.T, call string, n int) bool {
	sink := lab.NewSink(t, nil)
	g := lab.Start(t, numbered(sink.URL))
	attach(t, g, filepath.Join(g.Dir, "strace.log"), fmt.Sprintf("%s:signal=SIGKILL:when=%d", call, n))
	return restart(t, g, sink, fiveEvents(t, g, sink))
}

// restart starts the gate again and compares the ledgers; it reports whether the
// gate had been killed.
func restart(t *testing.T, g *lab.Gate, sink *lab.Sink, sender *lab.Sender) (died bool) {
	t.Helper()
	if died = g.Ended(); died {
		lab.Note(t, func(m *lab.Measure) { m.Kills++ })
	}
	g.Kill()
	g.Wrap = nil
	g.Start()
	b := lab.AwaitAll(t, sender, sink, lab.Patience)
	g.Stop()
	integrity(t, g.Storage)
	t.Logf("killed: %t, %d of 5 acknowledged, %d duplicates", died, b.Acknowledged, b.Duplicates)
	return died
}

// attach lets strace follow the running gate, and inject faults, from now on.
// strace ends with the gate.
func attach(t *testing.T, g *lab.Gate, log string, inject ...string) {
	t.Helper()
	args := strace(t, log, inject...)
	attachTo(t, g, append(args[:2], args[3:]...)...) // not quiet: it says when it is attached
}

// attachTo runs strace, with its arguments, on the running gate.
func attachTo(t *testing.T, g *lab.Gate, args ...string) {
	t.Helper()
	args = append(args, "-p", fmt.Sprint(g.PID()))
	cmd := exec.Command(args[0], args[1:]...)
	said := new(journal.Journal)
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGINT) // lets the gate go, if it is still there
		<-ended
	})
	lab.Eventually(t, "strace is attached", func() bool {
		if strings.Contains(said.String(), "Operation not permitted") {
			lab.Skip(t, "strace may not attach to a process here")
		}
		return strings.Contains(said.String(), "attached")
	})
}
