package faults

import (
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"hookgate/test/lab"
	"hookgate/test/pgtest"
)

// TestReplicaKilled kills one of three replicas under load, while it holds a
// queue. The others deliver what it had accepted soon after its lease.
//
// Negative control: reap frees nothing. Then nobody takes over.
//
// Promise: P1, P4, P24.
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
//
// Promise: P7.
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
//
// Promise: P24.
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
		c.checkRefuses(cut)
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
//
// Promise: P25.
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
//
// Promise: P24.
func TestDatabaseCrash(t *testing.T) {
	t.Parallel()
	server := pgtest.New(t)
	c := newCluster(t, server.URL(t), "", keyed)
	c.load(8)
	rounds := lab.Pick(3, 20)
	for range rounds {
		c.grow(200)
		server.Stop()
		c.checkRefuses(time.Now())
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

// TestReplicas_older has a replica of an older version live beside this one: rules with
// words that it does not know are refused by a reload, which names it, and a start with
// them waits until it is gone.
//
// Negative control: a replica's number of the language is not compared. Then the reload
// is done.
//
// Promise: P25.
func TestReplicas_older(t *testing.T) {
	t.Parallel()
	url := pgtest.Shared(t).URL(t)
	sink := lab.NewSink(t, nil)
	before := strings.Replace(chained(sink.URL), "{ after: two, remember: { table: made, key: event.id, add: { n: 1 } } }", "{ remember: { table: made, key: event.id, add: { n: 1 } } }", 1)
	first, second := lab.New(t, before), lab.New(t, chained(sink.URL))
	first.Database, second.Database = url, url
	first.Start()
	// As a version registers that does not know the column.
	pgtest.Exec(t, url, `INSERT INTO replicas (id, node, name, version, started, heartbeat, lease) OVERRIDING SYSTEM VALUE
		VALUES (9000, 900, 'web-2', 'v0.0.9', now_us(), now_us(), 600000000)`)
	first.Configure(chained(sink.URL))
	refused := first.CLI("reload")
	for _, want := range []string{"older-replica", "web-2", "v0.0.9", "remember with after", "hookgate replicas"} {
		if refused.Code == 0 || !strings.Contains(refused.Stdout+refused.Stderr, want) {
			t.Errorf("no %q in what a reload says (%d):\n%s%s", want, refused.Code, refused.Stdout, refused.Stderr)
		}
	}
	second.Configure(chained(sink.URL))
	if err := second.Launch(); err != nil {
		t.Fatal(err)
	}
	lab.Eventually(t, "the start says that it waits", func() bool { return strings.Contains(second.Stderr(), "waits until an older replica is gone") })
	lab.Stays(t, 2*time.Second, "it waits", func() bool { return second.Probe("/readyz") == 0 && !second.Ended() })
	if r := first.PostJSON(inPath, []byte(`{"type":"probe","n":1}`)); r.Status != 202 {
		t.Errorf("the one with the configuration before answers %d: %s", r.Status, r.Body)
	}
	pgtest.Exec(t, url, `UPDATE replicas SET dead = true WHERE id = 9000`)
	if err := second.AwaitReady(); err != nil {
		t.Fatal(err)
	}
	first.MustCLI("reload")
}
