package faults

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hookgate/test/lab"
	"hookgate/test/pgtest"
)

// trio are three replicas on a database of their own that send what each is
// posted to the sink, with more settings of the connection.
func trio(t *testing.T, sink *lab.Sink, settings string) (gates []*lab.Gate, database string) {
	t.Helper()
	database = pgtest.Shared(t).URL(t)
	for n := range 3 {
		own := fmt.Sprintf("concurrency: 2, headers: { x-replica: r%d }, %s,", n, settings)
		text := strings.Replace(numbered(sink.URL), "concurrency: 32,", own, 1)
		g := lab.New(t, strings.Replace(text, quick(), "{ delays: [1h] }", 1))
		g.Database, g.Lease = database, lease.String()
		gates = append(gates, g)
	}
	var wg sync.WaitGroup
	for _, g := range gates {
		wg.Go(g.Start)
	}
	wg.Wait()
	return gates, database
}

// post has a replica accept n events.
func post(t *testing.T, g *lab.Gate, n int) {
	t.Helper()
	for i := range n {
		if r := g.PostJSON(inPath, fmt.Appendf(nil, `{"type":"t","n":%d}`, i)); r.Status != 202 {
			t.Errorf("answered %d", r.Status)
		}
	}
}

// TestRateOfReplicas sends at 20/s: by one of three replicas, which has all of
// the rate, and by all three, which have no more together.
//
// Negative control: a rate that is divided by the number of replicas (then one
// alone takes three times as long); Options.Gates is not set (then three
// together send 60 a second).
func TestRateOfReplicas(t *testing.T) {
	t.Parallel()
	const rate, alone, each = 20, 40, 16
	sink := lab.NewSink(t, nil)
	gates, _ := trio(t, sink, "rate_limit: 20/s")
	// Two tenths of a second's worth go beyond the rate at most; the rest is for
	// a machine that is too busy to note an arrival in time.
	check := func(at []time.Time) {
		t.Helper()
		slices.SortFunc(at, time.Time.Compare)
		for i := range at {
			for j := i + 1; j < len(at); j++ {
				if window := at[j].Sub(at[i]); float64(j-i+1) > 1+rate*(window.Seconds()+0.7) {
					t.Fatalf("%d arrived within %s", j-i+1, window)
				}
			}
		}
	}
	times := func(list []lab.Arrival) (at []time.Time) {
		for _, a := range list {
			at = append(at, a.At)
		}
		return at
	}
	for _, g := range gates { // a lane that has sent something keeps what its replica accepts
		post(t, g, 1)
	}
	sink.Await(t, 3)
	post(t, gates[1], alone)
	at := times(sink.Await(t, 3+alone))[3:]
	check(at)
	took := at[alone-1].Sub(at[0])
	t.Logf("one replica alone: %d in %s", alone, took)
	if took > 4500*time.Millisecond { // at a third of the rate it takes 5.7 s
		t.Errorf("one replica alone sent %d in %s, at a rate of %d a second", alone, took, rate)
	}
	var wg sync.WaitGroup
	for _, g := range gates {
		wg.Go(func() { post(t, g, each) })
	}
	at = times(sink.Await(t, 3+alone+3*each))[3+alone:]
	wg.Wait()
	check(at)
	t.Logf("three replicas: %d in %s", len(at), at[len(at)-1].Sub(at[0]))
}

// TestProberKilled has one of three replicas find out that the receiver is
// down: all hold. When the time has come one probes, and is killed while it
// waits for the answer. Another probes in its place, one delivery, and when
// that gets through all go on. The machine's clocks have no say in it: here the
// database's row alone is changed.
//
// Negative control: a claim of a probe does not end (`probing <= now_us()` is
// `probing = 0`). Then nobody probes again.
func TestProberKilled(t *testing.T) {
	t.Parallel()
	var (
		mu     sync.Mutex
		sick   = true
		probes []string // the replicas that sent one
	)
	hold := make(chan struct{})
	sink := lab.NewSink(t, func(a lab.Arrival) lab.Answer {
		mu.Lock()
		defer mu.Unlock()
		if sick {
			return lab.Answer{Status: 503}
		}
		probes = append(probes, a.Header.Get("X-Replica"))
		return lab.Answer{Until: hold}
	})
	probed := func() []string { mu.Lock(); defer mu.Unlock(); return slices.Clone(probes) }
	gates, database := trio(t, sink, "timeout: 3s")
	post(t, gates[0], 30) // others may claim some: ten in a row fail at one of three all the same
	open := func(g *lab.Gate) bool { state, _, _, _ := connectionNow(t, g); return state == "open" }
	for i, g := range gates {
		lab.Eventually(t, fmt.Sprintf("replica %d holds", i), func() bool { return open(g) })
	}
	if said := gates[2].MustCLI("replicas"); !strings.Contains(said, "sink is left alone since ") {
		t.Errorf("replicas says nothing of it:\n%s", said)
	}
	before := sink.Count()
	for _, g := range gates {
		post(t, g, 2)
	}
	mu.Lock()
	sick = false
	mu.Unlock()
	if n := sink.Count(); n != before {
		t.Errorf("%d were sent while the breaker was open", n-before)
	}
	pgtest.Exec(t, database, `UPDATE gates SET retry = 0`)
	lab.Eventually(t, "one probes", func() bool { return len(probed()) > 0 })
	first := probed()[0]
	victim := int(first[1] - '0')
	gates[victim].Kill()
	killed := time.Now()
	lab.Eventually(t, "another probes", func() bool { return len(probed()) > 1 })
	t.Logf("%s was killed; %s later %s probes", first, time.Since(killed).Round(10*time.Millisecond), probed()[1])
	if all := probed(); len(all) != 2 || all[1] == first {
		t.Errorf("probed by %v, want two, of which one was killed", all)
	}
	close(hold)
	for i, g := range gates {
		if i != victim {
			lab.Eventually(t, fmt.Sprintf("replica %d goes on", i), func() bool { return !open(g) })
		}
	}
	// The killed one's go once its lease is over.
	lab.Eventually(t, "what waited is sent", func() bool { return len(probed()) >= 5 })
}
