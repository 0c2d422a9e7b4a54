package replay_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hookgate/app/ingest"
	"hookgate/app/replay"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
	"hookgate/rules"
	"hookgate/rules/lang"
)

// judge compiles rules that send to one connection.
func judge(t rapid.TB, text string) *ingest.RuleSet {
	t.Helper()
	node, list := yamlnode.Parse("config.yaml", []byte(text))
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	var file struct {
		Rules []rules.Rule `yaml:"rules"`
	}
	list = node.Decode("the file", &file)
	set, faults := rules.Compile(lang.NewCompiler(), file.Rules, rules.Origins{"shop": nil}, rules.Targets{
		"x": {Noun: "an action", Inputs: []lang.Input{{Name: "json", Kind: lang.ValueInput}}},
	})
	if err := append(list, faults...).Err(); err != nil {
		t.Fatal(err)
	}
	return &ingest.RuleSet{Hash: "c", Rules: set}
}

// source gives the events one after another.
func source(events []*event.Event) func(func(*event.Event) error) error {
	return func(each func(*event.Event) error) error {
		for _, e := range events {
			if err := each(e); err != nil {
				return err
			}
		}
		return nil
	}
}

func event3(id int, text string) *event.Event {
	return &event.Event{ID: event.ID(id), Source: "shop", State: event.Routed, ReceivedAt: time.Unix(int64(id), 0), Body: []byte(text)}
}

func TestComparison(t *testing.T) {
	t.Parallel()
	now := judge(t, `rules:
  - { name: a, from: shop, when: data.n > 1, then: [{ to: x, json: { n: "${{ data.n }}", s: "${{ data.s }}" } }, { to: x, when: data.n > 3, json: 1 }] }
  - { name: b, from: shop, when: data.s.t == 1, then: [{ to: x, json: {} }] }
  - { name: gone, from: shop, when: data.n == 2, then: [{ to: x, json: {} }] }
  - { name: silent, from: shop, when: data.n == 1, then: [{ to: x, when: "false and data.n == 1", json: {} }] }
`)
	then := judge(t, `rules:
  - { name: fresh, from: shop, when: data.n == 2, then: [{ to: x, json: {} }] }
  - { name: a, from: shop, when: data.n > 1, then: [{ to: x, ordering_key: data.n, json: { s: "${{ data.s }}", n: "${{ data.n * 2 }}" } }] }
  - { name: b, from: shop, when: data.s?.t == 1, then: [{ to: x, json: {} }] }
  - { name: silent, from: shop, when: data.n == 9, then: [{ to: x, json: {} }] }
`)
	c := replay.Comparison{Now: now, Then: then, Limit: 10, Summary: func(data []byte) string { return string(data[:4]) }}
	got, err := c.Run(t.Context(), source([]*event.Event{
		event3(1, `{"n":1,"s":{"t":1}}`), event3(2, `{"n":2,"s":null}`), event3(4, `{"n":4,"s":{}}`), event3(5, `{"n":0,"s":{}}`), event3(6, `no json`),
	}))
	if err != nil {
		t.Fatal(err)
	}
	change := func(id int, summary string, routes ...replay.RouteChange) replay.EventChange {
		return replay.EventChange{ID: event.ID(id), Time: time.Unix(int64(id), 0).UTC(), Source: "shop", Summary: summary, Routes: routes}
	}
	output := func(differences ...replay.Difference) replay.RouteChange {
		return replay.RouteChange{Route: "a/x", Change: replay.Output, Differences: differences}
	}
	want := replay.Report{
		Examined: 4, Changed: 3, Failed: 1, Failure: got.Failure,
		Rules: []replay.RuleCount{
			{Rule: "fresh", Then: 1, More: 1, New: true},
			{Rule: "a", Now: 2, Then: 2, Outputs: 2},
			{Rule: "b", Now: 1, Then: 1, ErrorsNow: 1},
			{Rule: "silent", Now: 1, Fewer: 1},
			{Rule: "gone", Now: 1, Fewer: 1, Removed: true},
		},
		Events: []replay.EventChange{
			change(1, `{"n"`, replay.RouteChange{Route: "silent", Change: replay.Removed}),
			change(2, `{"n"`, replay.RouteChange{Route: "fresh/x", Change: replay.Added},
				output(replay.Difference{Path: "ordering_key", Then: `"2"`}, replay.Difference{Path: "json.n", Now: "2", Then: "4"}),
				replay.RouteChange{Route: "gone/x", Change: replay.Removed}),
			change(4, `{"n"`, output(replay.Difference{Path: "ordering_key", Then: `"4"`}, replay.Difference{Path: "json.n", Now: "4", Then: "8"}),
				replay.RouteChange{Route: "a/x#2", Change: replay.Removed}),
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	c.Rule = "gone"
	only, err := c.Run(t.Context(), source([]*event.Event{event3(1, `{"n":1,"s":{"t":1}}`), event3(2, `{"n":2,"s":null}`)}))
	if err != nil || only.Changed != 1 || len(only.Rules) != 1 || len(only.Events[0].Routes) != 1 {
		t.Errorf("of one rule: %+v, %v", only, err)
	}
	if got.Failure == "" {
		t.Error("what cannot be judged is not told")
	}
}

// How the events are split among goroutines and parts changes nothing, and
// the events told are the oldest of those that change.
func TestComparison_splits(t *testing.T) {
	t.Parallel()
	now := judge(t, "rules:\n  - { name: a, from: shop, when: data.n % 2 == 0, then: [{ to: x, json: { n: '${{ data.n }}' } }] }\n")
	then := judge(t, "rules:\n  - { name: a, from: shop, when: data.n % 3 == 0, then: [{ to: x, json: { n: '${{ data.n / 6 }}' } }] }\n")
	rapid.Check(t, func(t *rapid.T) {
		numbers := rapid.SliceOfN(rapid.IntRange(0, 30), 0, 60).Draw(t, "numbers")
		limit := rapid.IntRange(0, 20).Draw(t, "limit")
		var events []*event.Event
		for i, n := range numbers {
			events = append(events, event3(i+1, fmt.Sprintf(`{"n":%d}`, n)))
		}
		one := replay.Comparison{Now: now, Then: then, Limit: limit, Workers: 1}
		want, err := one.Run(t.Context(), source(events))
		if err != nil {
			t.Fatal(err)
		}
		changed := 0
		for _, n := range numbers {
			if (n%2 == 0) != (n%3 == 0) || n%6 == 0 && n != 0 {
				changed++
			}
		}
		if want.Changed != changed || want.Examined != len(numbers) || len(want.Events) != min(limit, changed) {
			t.Fatalf("%v: %+v, want %d that change", numbers, want, changed)
		}
		at := rapid.IntRange(0, len(events)).Draw(t, "at")
		many := one
		many.Workers = 4
		got, err := many.Run(t.Context(), source(events[:at]))
		if err != nil {
			t.Fatal(err)
		}
		rest, err := many.Run(t.Context(), source(events[at:]))
		if err != nil {
			t.Fatal(err)
		}
		got.Merge(&rest, limit)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-one +many)\n%s", diff)
		}
	})
}
