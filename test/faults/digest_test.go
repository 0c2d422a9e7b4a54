package faults

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"hookgate/app/admin"
	"hookgate/internal/event"
	"hookgate/test/lab"
	"hookgate/test/pgtest"
)

// mostGathered closes a digest of these tests.
const mostGathered = 20

// gathering is numbered with a digest of each key, which says whom it has.
func gathering(sink string) string {
	return strings.Replace(numbered(sink), `{ to: sink, json: { n: "${{ data.n }}", event: "${{ event.id }}", key: "${{ data.key }}" } }`,
		fmt.Sprintf(`{ to: sink, digest: { key: data.key, wait: 2s, max: %d }, json: { key: "${{ data.key }}", keys: "${{ map(items, .data.key) }}", events: "${{ map(items, .event.id) }}" } }`, mostGathered), 1)
}

// gathered are the events of the digests that arrived, by the ids of these.
type gathered map[string][]string

// of adds up all digests that arrived. One that came twice must say the same.
func (g gathered) of(t *testing.T, sink *lab.Sink) (digests int, events map[string]string) {
	t.Helper()
	events = map[string]string{}
	for _, a := range sink.Arrivals() {
		var b struct {
			Key    string   `json:"key"`
			Keys   []string `json:"keys"`
			Events []string `json:"events"`
		}
		if err := json.Unmarshal(a.Body, &b); err != nil {
			t.Fatal(err)
		}
		if before, repeated := g[a.ID]; repeated && !slices.Equal(before, b.Events) {
			t.Fatalf("%s came with %v and with %v", a.ID, before, b.Events)
		}
		g[a.ID] = b.Events
		if len(b.Events) == 0 || len(b.Events) > mostGathered || !asAccepted(t, b.Events) || slices.ContainsFunc(b.Keys, func(key string) bool { return key != b.Key }) {
			t.Fatalf("a digest of %q has the events %v with the keys %v", b.Key, b.Events, b.Keys)
		}
		for _, e := range b.Events {
			if other, found := events[e]; found && other != a.ID {
				t.Fatalf("%s is in %s and in %s", e, other, a.ID)
			}
			events[e] = a.ID
		}
	}
	return len(g), events
}

// asAccepted reports whether events stand in the order in which they were accepted, as
// far as their ids tell: those of requests that were under way at the same time may be
// the other way round, for an id is given before the commit.
func asAccepted(t *testing.T, ids []string) bool {
	t.Helper()
	var newest time.Time
	for _, text := range ids {
		var id event.ID
		if err := id.UnmarshalText([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if id.Time().Before(newest.Add(-time.Second)) {
			return false
		}
		if at := id.Time(); at.After(newest) {
			newest = at
		}
	}
	return true
}

// awaitGathered waits until every acknowledged event has come in a digest.
func awaitGathered(t *testing.T, sink *lab.Sink, sender *lab.Sender) {
	t.Helper()
	g := gathered{}
	var missing []string
	whole := lab.Within(3*lab.Patience, func() bool {
		_, events := g.of(t, sink)
		missing = nil
		for _, s := range sender.Acknowledged() {
			if events[s.ID] == "" {
				missing = append(missing, s.ID)
			}
		}
		return len(missing) == 0
	})
	digests, events := g.of(t, sink)
	t.Logf("%d acknowledged, %d events in %d digests", sender.AcknowledgedCount(), len(events), digests)
	if !whole {
		t.Fatalf("%d acknowledged events came in no digest, such as %s", len(missing), missing[0])
	}
}

// TestDigestsKilled kills the server again and again while digests are joined and
// closed: each acknowledged event is in exactly one, which has one key and not more
// than it may have.
//
// Negative control: an event joins the digest of its key after its time too, and
// who closes it does not see that. Then some came in none, on a machine on which a
// start takes longer than a digest waits; TestGather_joined in db holds it at every run.
//
// Promise: F2.
func TestDigestsKilled(t *testing.T) {
	kills := lab.Pick(6, 60)
	sink := lab.NewSink(t, nil)
	g := lab.Start(t, gathering(sink.URL))
	sender := lab.NewSender(t, g.URL+inPath, lab.Payload(10))
	end := sender.Start(t, 8)
	for range kills {
		at := sender.AcknowledgedCount() + 100
		lab.Eventually(t, "the load goes on", func() bool { return sender.AcknowledgedCount() >= at })
		g.Kill()
		g.Start()
	}
	end()
	awaitGathered(t, sink, sender)
}

// TestReplicas_digests has three replicas gather the same keys, and kills them in
// turn: each acknowledged event is in exactly one digest.
//
// Negative control: as for TestDigestsKilled, on PostgreSQL.
//
// Promise: F2.
func TestReplicas_digests(t *testing.T) {
	t.Parallel()
	c := newCluster(t, pgtest.Shared(t).URL(t), "", gathering)
	c.load(8)
	for round := range lab.Pick(3, 20) {
		c.grow(200)
		c.gates[round%3].Kill()
		c.grow(100)
		c.start(round % 3)
	}
	c.end()
	awaitGathered(t, c.sink, c.sender)
	if n := pgtest.Number(t, c.url, `SELECT count(*) FROM timers WHERE kind = 2`); n != 0 {
		t.Errorf("%d digests are open", n)
	}
}

// TestDigestsReloaded reloads the configuration while digests are open: what the rule
// says now, and that it is gone, leaves when they close, and what they say.
//
// Negative control: a digest is closed by the rules in force. Then it said what those
// say, or nothing.
//
// Promise: F6.
func TestDigestsReloaded(t *testing.T) {
	t.Parallel()
	sink := lab.NewSink(t, nil)
	g := lab.Start(t, strings.Replace(gathering(sink.URL), "wait: 2s", "wait: 15s", 1))
	const total = 12
	for n := range total {
		g.Accepted(g.PostJSON(inPath, lab.Payload(3)(n)))
	}
	open := func() map[string]time.Time {
		t.Helper()
		var list admin.Page[admin.Digest]
		if err := json.Unmarshal([]byte(g.MustCLI("digests", "list", "--json")), &list); err != nil {
			t.Fatal(err)
		}
		closes := map[string]time.Time{}
		for _, d := range list.Items {
			closes[d.Key] = d.Closes
		}
		return closes
	}
	before := open()
	if len(before) != 3 {
		t.Fatalf("open digests: %v, want those of 3 keys", before)
	}
	for _, text := range []string{
		strings.Replace(strings.Replace(gathering(sink.URL), "wait: 2s", "wait: 1h", 1), `{ key: "${{`, `{ other: 1, key: "${{`, 1),
		strings.Replace(numbered(sink.URL), "from: in", "from: in\n    when: data.n == nil", 1),
	} {
		loaded := strings.Count(g.Stderr(), "configuration loaded")
		g.Configure(text)
		lab.Eventually(t, "the reload", func() bool { return strings.Count(g.Stderr(), "configuration loaded") > loaded })
	}
	for key, at := range open() {
		if !at.Equal(before[key]) {
			t.Errorf("that of %s closes at %s, and closed at %s before the reload", key, at, before[key])
		}
	}
	lab.Eventually(t, "all have come", func() bool { _, events := gathered{}.of(t, sink); return len(events) == total })
	for _, a := range sink.Arrivals() {
		if strings.Contains(string(a.Body), "other") || a.At.Before(before["k1"].Add(-5*time.Second)) {
			t.Errorf("at %s came %s", a.At, a.Body)
		}
	}
}
