package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"hookgate/test/lab"
)

// inversions counts arrivals that break the order of a key: one that comes
// before an earlier event of its key was delivered, or after a later one began.
func inversions(t *testing.T, arrivals []lab.Arrival) int {
	t.Helper()
	type step struct {
		n  int
		ok bool
	}
	byKey := make(map[string][]step)
	ever := make(map[string]map[int]bool)
	for _, a := range arrivals {
		var body lab.Numbered
		if err := json.Unmarshal(a.Body, &body); err != nil {
			t.Fatal(err)
		}
		if ever[body.Key] == nil {
			ever[body.Key] = make(map[int]bool)
		}
		ever[body.Key][body.N] = true
		byKey[body.Key] = append(byKey[body.Key], step{body.N, a.Status/100 == 2})
	}
	count := 0
	for key, steps := range byKey {
		delivered := make(map[int]bool)
		highest := 0
		for _, s := range steps {
			wrong := s.n < highest
			for n := range ever[key] {
				wrong = wrong || n < s.n && !delivered[n]
			}
			if wrong {
				if count++; count <= 3 {
					t.Logf("key %s: %d began out of order", key, s.n)
				}
			}
			highest = max(highest, s.n)
			delivered[s.n] = delivered[s.n] || s.ok
		}
	}
	lab.Note(t, func(m *lab.Measure) { m.Inversions += count })
	return count
}

// sendKeys posts events of so many keys, those of one key one after the other,
// until each key has had its share of acknowledged ones.
func sendKeys(ctx context.Context, sender *lab.Sender, keys, each int) {
	jobs := make(chan int, keys)
	for k := range keys {
		jobs <- k
	}
	close(jobs)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for k := range jobs {
				for done := 0; done < each && ctx.Err() == nil; {
					if sender.PostKey(ctx, fmt.Sprintf("k%d", k)).Status/100 == 2 {
						done++
					} else {
						<-time.After(5 * time.Millisecond)
					}
				}
			}
		})
	}
	wg.Wait()
}

// keysUnderKills posts what sendKeys does while the server is killed so often.
func keysUnderKills(t *testing.T, g *lab.Gate, sender *lab.Sender, keys, each, kills int) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		sendKeys(t.Context(), sender, keys, each)
	}()
	for kill := range kills {
		lab.Eventually(t, "the load goes on", func() bool { return sender.AcknowledgedCount() >= keys*each*(kill+1)/(kills+2) })
		g.Kill()
		g.Start()
	}
	<-done
}

// inOrder stops the server and fails where the order of a key was broken.
func inOrder(t *testing.T, g *lab.Gate, sink *lab.Sink) {
	t.Helper()
	g.Stop()
	if n := inversions(t, sink.Arrivals()); n > 0 {
		t.Errorf("%d inversions, want none", n)
	}
}

// TestOrder sends events of many keys to a receiver that fails often, while the
// server is killed: the events of a key arrive one at a time, in order.
//
// Negative control: a delivery does not look for an earlier one of its key
// (keyTaken is always false). Then there were 2,786 inversions.
//
// Promise: P8.
func TestOrder(t *testing.T) {
	keys, each, kills := lab.Pick(200, 1000), lab.Pick(10, 100), lab.Pick(3, 30)
	sink := lab.NewSink(t, func(lab.Arrival) lab.Answer {
		switch rand.IntN(20) {
		case 0, 1, 2:
			return lab.Answer{Status: 503}
		case 3, 4:
			return lab.Answer{Status: 500, Delay: 5 * time.Millisecond}
		case 5:
			return lab.Answer{Reset: true}
		default:
			return lab.Answer{Delay: time.Duration(rand.IntN(5)) * time.Millisecond}
		}
	})
	g := lab.Start(t, keyed(sink.URL))
	sender := lab.NewSender(t, g.URL+inPath, nil)
	keysUnderKills(t, g, sender, keys, each, kills)
	b := lab.AwaitAll(t, sender, sink, 3*lab.Patience)
	inOrder(t, g, sink)
	t.Logf("%d keys, %d acknowledged, %d attempts, %d kills", keys, b.Acknowledged, sink.Count(), kills)
}
