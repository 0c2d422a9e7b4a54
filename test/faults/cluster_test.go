package faults

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
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
	c.end = c.sender.Start(c, connections)
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

// checkRefuses fails where the first replica, without its database since a time,
// does not tell its senders and probes so.
func (c *cluster) checkRefuses(since time.Time) {
	c.Helper()
	r := c.gates[0].PostJSON(inPath, []byte(`{"type":"numbered","n":0}`))
	if took := time.Since(since); r.Status != 503 || r.Header.Get("Retry-After") == "" || took > 5*time.Second {
		c.Errorf("without its database: %d after %s, want 503 with Retry-After within 5 s", r.Status, took)
	}
	if status := c.gates[0].Probe("/readyz"); status != 503 {
		c.Errorf("/readyz: %d without its database, want 503", status)
	}
}
