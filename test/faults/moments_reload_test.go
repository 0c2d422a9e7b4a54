package faults

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"hookgate/test/lab"
)

// TestMomentsReloaded reloads the configuration again and again while deliveries
// are scheduled, and restarts it once: their rule says something else, is
// renamed, and is gone. Each goes once, at its moment, as the version says that
// accepted it.
//
// Negative control: a moment is judged by the rules in force. Then the outputs
// that look something up said what those say.
//
// Promise: F6.
func TestMomentsReloaded(t *testing.T) {
	t.Parallel()
	sink := lab.NewSink(t, nil)
	config := func(rules string) string {
		return fmt.Sprintf(`
tables:
  seen: { keep: 1d }
sources:
  in: { type: webhook, token: %s, dedupe: off }
connections:
  sink: { type: webhook, url: %s/, retry: %s }
rules:
%s
`, token, sink.URL, quick(), rules)
	}
	rule := func(name, word string) string {
		return fmt.Sprintf(`  - name: %s
    from: in
    then: [{ to: sink, delay: 8s, json: { n: "${{ data.n }}", word: %s, seen: '${{ lookup("seen", data.n)?.word }}' } }]
`, name, word)
	}
	const other = "  - { name: other, from: in, when: data.n == nil, then: [{ to: sink, json: {} }] }\n"
	g := lab.Start(t, config(rule("route", "first")))
	const total = 20
	begun := time.Now()
	for n := range total {
		g.Accepted(g.PostJSON(inPath, fmt.Appendf(nil, `{"n":"%d"}`, n)))
	}
	for n, rules := range []string{rule("route", "second"), rule("renamed", "third"), other, rule("route", "fourth")} {
		loaded := strings.Count(g.Stderr(), "configuration loaded")
		g.Configure(config(rules))
		lab.Eventually(t, "the reload", func() bool { return strings.Count(g.Stderr(), "configuration loaded") > loaded })
		if n == 1 {
			g.Kill()
			g.Start()
		}
	}
	lab.Eventually(t, "all have arrived", func() bool { return len(sink.Arrivals()) >= total })
	if early := 8*time.Second - time.Since(begun); early > 0 {
		t.Errorf("all came %s before the moment of the first", early)
	}
	lab.Eventually(t, "nothing is open", func() bool { return len(g.Deliveries("--state", "delivered", "--limit", "100")) == total })
	seen := map[string]int{}
	for _, a := range sink.Arrivals() {
		seen[a.ID]++
		if !strings.Contains(string(a.Body), `"word":"first"`) {
			t.Errorf("%s arrived: not what the rules said that accepted it", a.Body)
		}
	}
	if len(seen) != total || len(sink.Arrivals()) != total {
		t.Errorf("%d deliveries arrived %d times, want %d once each", len(seen), len(sink.Arrivals()), total)
	}
}
