package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"hookgate/test/lab"
	"hookgate/test/pgtest"
)

const (
	// lease is the replicas' in these tests, the shortest that is allowed;
	// takeover is the longest time after which others have what a replica held.
	lease    = 5 * time.Second
	takeover = lease + 5*time.Second
	// workers is how many deliveries one replica sends at once.
	workers = 32
	// inMemory is how many deliveries of one connection a replica holds:
	// queued, being sent, and sent without their result being recorded.
	inMemory = 1024
	// answerTime is a slow receiver's: a queue outlasts the lease.
	answerTime = 600 * time.Millisecond
)

// cluster is three replicas on one PostgreSQL database, a sender that posts to
// all of them in turn, and a receiver.
type cluster struct {
	*testing.T
	gates  []*lab.Gate
	ids    []int64 // the numbers that the replicas got when they were started
	url    string  // of the database
	sink   *lab.Sink
	sender *lab.Sender
	valve  valve
	end    func() // of the load; it waits
}

// valve holds back the receiver's answers while it is shut.
type valve struct {
	mu sync.Mutex
	ch chan struct{}
}

func (v *valve) shut() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.ch = make(chan struct{})
}

func (v *valve) open() {
	v.mu.Lock()
	defer v.mu.Unlock()
	close(v.ch)
	v.ch = nil
}

func (v *valve) wait() <-chan struct{} {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.ch
}

// newCluster starts three replicas on the database at url. The first, if
// through is set, reaches it there. Each tells the receiver who it is.
func newCluster(t *testing.T, database, through string, config func(sink string) string) *cluster {
	t.Helper()
	c := &cluster{T: t, url: database}
	c.sink = lab.NewSink(t, func(lab.Arrival) lab.Answer {
		return lab.Answer{Until: c.valve.wait(), Delay: time.Duration(rand.IntN(5)) * time.Millisecond}
	})
	for n := range 3 {
		text := strings.Replace(config(c.sink.URL), "concurrency: 32,", fmt.Sprintf("concurrency: %d, timeout: 1m, headers: { x-replica: r%d },", workers, n), 1)
		g := lab.New(t, text)
		g.Database, g.Lease = database, lease.String()
		if n == 0 && through != "" {
			g.Database = through
		}
		c.gates = append(c.gates, g)
		c.ids = append(c.ids, 0)
		c.start(n)
	}
	c.sender = lab.NewSender(t, c.gates[0].URL+inPath, lab.Payload(50))
	c.sender.Also = []string{c.gates[1].URL + inPath, c.gates[2].URL + inPath}
	return c
}

// start starts a replica and notes its number.
func (c *cluster) start(n int) {
	c.Helper()
	c.gates[n].Start()
	c.ids[n] = pgtest.Number(c, c.url, `SELECT max(id) FROM replicas`)
}

// load posts on so many connections until end is called.
func (c *cluster) load(connections int) {
	ctx, cancel := context.WithCancel(c.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.sender.Run(ctx, connections, 0)
	}()
	c.end = func() { cancel(); <-done }
	c.Cleanup(c.end)
}

// grow waits until so many more events are acknowledged.
func (c *cluster) grow(by int) {
	c.Helper()
	at := c.sender.AcknowledgedCount() + by
	lab.Eventually(c, "events are acknowledged", func() bool { return c.sender.AcknowledgedCount() >= at })
}

// held is how many deliveries a registration holds.
func (c *cluster) held(id int64) int64 {
	c.Helper()
	return pgtest.Number(c, c.url, fmt.Sprintf(`SELECT count(*) FROM deliveries WHERE state = 0 AND owner = %d`, id))
}

// awaitTakeover waits until the registration holds nothing and checks how long
// that took since it was heard last.
func (c *cluster) awaitTakeover(id int64, since time.Time) {
	c.Helper()
	if c.held(id) == 0 {
		c.Error("the replica held nothing when it was struck: the test shows nothing")
	}
	if !lab.Within(2*lab.Patience, func() bool { <-time.After(50 * time.Millisecond); return c.held(id) == 0 }) {
		c.Fatal("nobody takes over")
	}
	took := time.Since(since)
	c.Logf("taken over after %s", took.Round(10*time.Millisecond))
	if took > takeover {
		c.Errorf("taken over after %s, want at most %s", took, takeover)
	}
}

// remember notes how all deliveries and their failed attempts are; changed is
// how many of those are another way now.
func (c *cluster) remember() {
	c.Helper()
	pgtest.Exec(c, c.url, `DROP TABLE IF EXISTS deliveries_before, attempts_before`)
	pgtest.Exec(c, c.url, `CREATE TABLE deliveries_before AS SELECT * FROM deliveries`)
	pgtest.Exec(c, c.url, `CREATE TABLE attempts_before AS SELECT * FROM attempts`)
}

func (c *cluster) changed() int64 {
	c.Helper()
	return pgtest.Number(c, c.url, `SELECT
		(SELECT count(*) FROM (SELECT * FROM deliveries_before EXCEPT SELECT * FROM deliveries) d) +
		(SELECT count(*) FROM (SELECT * FROM attempts WHERE delivery IN (SELECT id FROM deliveries_before) EXCEPT SELECT * FROM attempts_before) a)`)
}

// settle waits until everything is delivered and recorded.
func (c *cluster) settle() {
	c.Helper()
	lab.AwaitAll(c, c.sender, c.sink, 3*lab.Patience)
	if !lab.Within(3*lab.Patience, func() bool {
		<-time.After(50 * time.Millisecond)
		return pgtest.Number(c, c.url, `SELECT count(*) FROM deliveries WHERE state <> 1`) == 0
	}) {
		c.Fatal("some deliveries are never recorded as delivered")
	}
}

// finish ends the load and compares the ledgers.
func (c *cluster) finish(duplicates int) {
	c.Helper()
	c.end()
	c.settle()
	b := lab.AwaitAll(c, c.sender, c.sink, lab.Patience)
	c.Logf("%d acknowledged, %d deliveries, %d duplicates, answers %v", b.Acknowledged, b.Arrived, b.Duplicates, c.sender.Statuses())
	if b.Duplicates > duplicates {
		c.Errorf("%d duplicates, want at most %d", b.Duplicates, duplicates)
	}
	for _, g := range c.gates {
		if g.Ended() {
			c.Error("a replica ended")
		}
	}
}

// TestReplicaKilled kills one of three replicas under load, while it holds a
// queue. The others deliver what it had accepted soon after its lease.
//
// Negative control: reap frees nothing. Then nobody takes over.
func TestReplicaKilled(t *testing.T) {
	t.Parallel()
	c := newCluster(t, pgtest.Shared(t).URL(t), "", numbered)
	c.load(16)
	rounds := lab.Pick(2, 20)
	for round := range rounds {
		victim := round % 3
		c.grow(500)
		c.valve.shut() // deliveries queue up
		c.grow(1000)
		c.gates[victim].Kill()
		killed := time.Now()
		c.valve.open()
		c.awaitTakeover(c.ids[victim], killed)
		c.start(victim)
	}
	c.finish(rounds * workers)
}

// TestReplicaPaused stops one of three replicas, with SIGSTOP, for longer than
// its lease, while it waits for answers. The answers come; the others take over
// and send the same deliveries again. Before those are answered it wakes up:
// what it has to say of them changes nothing.
//
// Negative control: beat raises nothing and results do not ask for claim and
// owner. Then what others are sending is recorded as delivered.
func TestReplicaPaused(t *testing.T) {
	t.Parallel()
	c := newCluster(t, pgtest.Shared(t).URL(t), "", numbered)
	var again atomic.Pointer[valve] // holds back the answers to repeats
	c.sink.Script(func(a lab.Arrival) lab.Answer {
		if v := again.Load(); a.Nth > 1 && v != nil {
			return lab.Answer{Until: v.wait()}
		}
		return lab.Answer{Until: c.valve.wait()}
	})
	rounds := lab.Pick(1, 20)
	for round := range rounds {
		victim := round % 3
		c.load(16)
		c.grow(500)
		repeats := &valve{}
		repeats.shut()
		again.Store(repeats)
		c.valve.shut()
		c.grow(600)
		c.gates[victim].Pause()
		paused := time.Now()
		c.end()
		c.valve.open()
		c.awaitTakeover(c.ids[victim], paused)
		const open = `SELECT count(*) FROM deliveries WHERE state = 0`
		waiting := int64(-1)
		lab.Eventually(t, "only what is sent again, and what is queued behind it, is open", func() bool {
			before := waiting
			waiting = pgtest.Number(t, c.url, open)
			<-time.After(300 * time.Millisecond)
			return waiting == before
		})
		if waiting == 0 {
			t.Error("nothing is sent again: the test shows nothing")
		}
		c.remember()
		c.gates[victim].Signal(syscall.SIGCONT)
		lab.Eventually(t, "the one that was paused accepts again", func() bool { return c.gates[victim].Probe("/readyz") == 200 })
		lab.Eventually(t, "it has registered again", func() bool {
			now := pgtest.Number(t, c.url, `SELECT max(id) FROM replicas`)
			fresh := !slices.Contains(c.ids, now)
			if fresh {
				c.ids[victim] = now
			}
			return fresh
		})
		lab.Stays(t, time.Second, "nothing is changed by the one that was paused", func() bool { return c.changed() == 0 })
		repeats.open()
		c.settle()
	}
	c.load(8)
	c.grow(200)
	c.finish(rounds * workers)
}

// TestReplicaCutOff breaks the network between one of three replicas and the
// database under load. It refuses what comes, within five seconds, and sends
// nothing once its lease is over; the others take over. When the network is
// whole again, what was on its way arrives, and changes nothing.
//
// Negative control: fresh is always true. Then the one that is cut off went on
// sending: 64 requests came after its lease.
func TestReplicaCutOff(t *testing.T) {
	t.Parallel()
	database := pgtest.Shared(t).URL(t)
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	proxy := lab.NewProxy(t, u.Host)
	u.Host = proxy.Addr
	c := newCluster(t, database, u.String(), numbered)
	var slow atomic.Bool
	c.sink.Script(func(lab.Arrival) lab.Answer {
		if slow.Load() {
			return lab.Answer{Delay: answerTime}
		}
		return lab.Answer{}
	})
	rounds := lab.Pick(1, 20)
	for range rounds {
		c.load(16)
		c.grow(500)
		slow.Store(true)
		c.grow(2000)
		proxy.Cut()
		cut := time.Now()
		reply := c.gates[0].PostJSON(inPath, []byte(`{"type":"numbered","n":0}`))
		if took := time.Since(cut); reply.Status != 503 || reply.Header.Get("Retry-After") == "" || took > 5*time.Second {
			t.Errorf("cut off from the database: %d after %s, want 503 with Retry-After within 5 s", reply.Status, took)
		}
		if status := c.gates[0].Probe("/readyz"); status != 503 {
			t.Errorf("/readyz: %d while cut off, want 503", status)
		}
		c.awaitTakeover(c.ids[0], cut)
		silent := cut.Add(lease + time.Second)
		<-time.After(time.Until(silent.Add(2 * answerTime)))
		if n := c.sentBy("r0", silent); n > 0 {
			t.Errorf("%d requests of the replica that is cut off came after its lease", n)
		}
		slow.Store(false)
		c.end()
		c.settle()
		c.remember()
		proxy.Heal()
		lab.Eventually(t, "the one that was cut off accepts again", func() bool { return c.gates[0].Probe("/readyz") == 200 })
		lab.Stays(t, time.Second, "nothing is changed by the one that was cut off", func() bool { return c.changed() == 0 })
		c.ids[0] = pgtest.Number(t, c.url, `SELECT max(id) FROM replicas`)
		c.checkRepeats(cut)
	}
	c.load(8)
	c.grow(200)
	c.finish(rounds * inMemory)
}

// sentBy is how many requests of a replica arrived after a time.
func (c *cluster) sentBy(replica string, after time.Time) int {
	n := 0
	for _, a := range c.sink.Arrivals() {
		if a.Header.Get("x-replica") == replica && a.At.After(after) {
			n++
		}
	}
	return n
}

// checkRepeats fails for a repeat since the cut of what the replica that was
// cut off had sent so long before that it must have been recorded.
func (c *cluster) checkRepeats(cut time.Time) {
	c.Helper()
	first := map[string]time.Time{}
	for _, a := range c.sink.Arrivals() {
		before, repeated := first[a.ID]
		if !repeated {
			first[a.ID] = a.At
		} else if a.At.After(cut) && before.Before(cut.Add(-window-answerTime)) {
			c.Errorf("%s came %s before the cut and again after it", a.ID, cut.Sub(before))
		}
	}
}

// TestReplicasRestarted restarts three replicas in turn under load, as a
// rolling upgrade does: nothing is lost, nothing comes twice.
//
// Negative control: close gives back nothing. Then what a replica had queued
// waits for its lease, and the test says so.
func TestReplicasRestarted(t *testing.T) {
	t.Parallel()
	c := newCluster(t, pgtest.Shared(t).URL(t), "", numbered)
	c.sink.Script(func(lab.Arrival) lab.Answer {
		return lab.Answer{Delay: time.Duration(50+rand.IntN(50)) * time.Millisecond} // slow, so that deliveries queue up
	})
	c.load(16)
	for round := range lab.Pick(6, 60) {
		c.grow(100 + rand.IntN(200))
		n := round % 3
		if code := c.gates[n].Stop(); code != 0 {
			t.Errorf("exit status %d after SIGTERM, want 0", code)
		}
		if held := c.held(c.ids[n]); held > 0 {
			t.Errorf("%d deliveries are still held by a replica that was stopped", held)
		}
		c.start(n)
	}
	c.finish(0)
}

// TestReplicasUpgraded replaces three replicas in turn, under load, by a later
// version with a migration: while it is applied, and after it, those of the
// version before go on. Nothing is lost, nothing comes twice. Going back to the
// version before is refused by name, as it may not understand the tables.
//
// Negative control: a migration that renames the column warnings of deliveries.
// Then the replicas of the version before refuse every event.
func TestReplicasUpgraded(t *testing.T) {
	t.Parallel()
	next := lab.BinaryWith(t, map[string]string{"db/migrations/postgres/9999_next.sql": `-- +goose Up
		ALTER TABLE events ADD COLUMN tag text;
		ALTER TABLE deliveries ADD COLUMN tag text NOT NULL DEFAULT '';
		CREATE INDEX deliveries_tag ON deliveries (tag) WHERE tag <> '';`})
	c := newCluster(t, pgtest.Shared(t).URL(t), "", func(sink string) string {
		return strings.Replace(numbered(sink), "from: in\n", "from: in\n    events: [numbered]\n", 1)
	})
	c.load(16)
	for n := range c.gates {
		c.grow(300)
		if code := c.gates[n].Stop(); code != 0 {
			t.Errorf("exit status %d after SIGTERM, want 0", code)
		}
		c.gates[n].Program = next
		c.start(n)
		if got := pgtest.Number(t, c.url, `SELECT max(version_id) FROM goose_db_version`); got != 9999 {
			t.Fatalf("the tables are of version %d: the migration was not applied", got)
		}
		for _, old := range c.gates[n+1:] {
			if r := old.PostJSON(inPath, []byte(`{"type":"probe"}`)); r.Status != 202 {
				t.Errorf("a replica of the version before answers %d: %s", r.Status, r.Body)
			}
		}
	}
	c.grow(300)
	c.finish(0)
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
	c := newCluster(t, server.URL(t), "", keyed)
	c.load(8)
	rounds := lab.Pick(3, 20)
	for range rounds {
		c.grow(200)
		server.Stop()
		down := time.Now()
		r := c.gates[0].PostJSON(inPath, []byte(`{"type":"numbered","n":0}`))
		if took := time.Since(down); r.Status != 503 || r.Header.Get("Retry-After") == "" || took > 5*time.Second {
			t.Errorf("while the database is down: %d after %s, want 503 with Retry-After within 5 s", r.Status, took)
		}
		if status := c.gates[0].Probe("/readyz"); status != 503 {
			t.Errorf("/readyz: %d while the database is down, want 503", status)
		}
		server.Start(t)
	}
	c.grow(200)
	c.finish(rounds * 3 * workers)
	for _, g := range c.gates {
		if out := g.MustCLI("events", "list", "--limit", "3"); out == "" {
			t.Error("events list prints nothing")
		}
	}
}
