package faults

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"hookgate/test/lab"
)

// generation is one version of the configuration: even numbers go to /even, odd
// ones to /odd, whatever the rules are called and in whatever order they stand.
func generation(sink string, n int) string {
	parity := func(name string, rest int) string {
		return fmt.Sprintf(`
  - name: %s-%d
    from: in
    when: data.n %% 2 == %d
    then: [{ to: %s, json: { n: "${{ data.n }}", event: "${{ event.id }}", key: "${{ data.key }}" } }]
`, name, n, rest, name)
	}
	rules := []string{parity("even", 0), parity("odd", 1)}
	for filler := range n % 5 {
		rules = append(rules, fmt.Sprintf("\n  - { name: never-%d, from: in, when: data.n < 0, then: [{ to: even, json: {} }] }\n", filler))
	}
	rand.Shuffle(len(rules), func(i, j int) { rules[i], rules[j] = rules[j], rules[i] })
	return fmt.Sprintf(`
sources:
  in: { type: webhook, token: %s, event_type: data.type, dedupe: off }
connections:
  even: { type: webhook, url: %s/even, concurrency: %d, retry: %s }
  odd: { type: webhook, url: %s/odd, retry: %s }
rules:`, token, sink, 4+n%8, quick(), sink, quick()) + strings.Join(rules, "")
}

// spoil makes a configuration invalid, in one of several ways. If it were taken
// into force, events would go wrong.
func spoil(config string, way int) string {
	config = strings.ReplaceAll(config, "/even", "/wrong")
	switch way % 4 {
	case 0:
		return config + "  - { name: bad, from: nobody, then: [{ to: even, json: {} }] }\n"
	case 1:
		return config + "  - { name: bad, from: in, when: data.n = 1, then: [{ to: even, json: {} }] }\n"
	case 2:
		return strings.Replace(config, "rules:", "rulez:", 1)
	default:
		return config + "  - {{{ not yaml\n"
	}
}

// TestReloads reloads under load, with every third file invalid: nothing is
// dropped, doubled or sent to the wrong place.
//
// Negative control: a reload replaces every lane and leaves what it held. Then
// 15 of 3,788 acknowledged events were lost.
//
// Promise: P16.
func TestReloads(t *testing.T) {
	reloads := lab.Pick(100, 1000)
	sink := lab.NewSink(t, nil)
	g := lab.Start(t, generation(sink.URL, 0))
	sender := lab.NewSender(t, g.URL+inPath, lab.Payload(50))
	end := sender.Start(t, 4)
	refused := 0
	for n := 1; n <= reloads; n++ {
		config, want := generation(sink.URL, n), 0
		if n%10 < 3 {
			config, want = spoil(config, n), 3
			refused++
		}
		g.Configure(config)
		if r := g.CLI("reload"); r.Code != want {
			t.Fatalf("reload %d: exit status %d, want %d: %s%s", n, r.Code, want, r.Stdout, r.Stderr)
		}
	}
	end()
	b := lab.AwaitAll(t, sender, sink, lab.Patience)
	if b.Duplicates > 0 {
		t.Errorf("%d duplicates, want none", b.Duplicates)
	}
	statuses := sender.Statuses()
	delete(statuses, 0) // cut off by the end of the test
	if statuses[202] != len(sender.Acknowledged()) || len(statuses) != 1 {
		t.Errorf("answers %v, want 202 only", statuses)
	}
	for _, a := range sink.Arrivals() {
		var body lab.Numbered
		if err := json.Unmarshal(a.Body, &body); err != nil {
			t.Fatal(err)
		}
		if want := [...]string{"/even", "/odd"}[body.N%2]; a.Path != want {
			t.Fatalf("event %d went to %s, want %s", body.N, a.Path, want)
		}
	}
	t.Logf("%d reloads, %d refused, %d events", reloads, refused, b.Acknowledged)
}
