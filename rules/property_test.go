package rules_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"hookgate/internal/event"
	"hookgate/internal/jsondoc"
	"hookgate/internal/yamlnode"
	"hookgate/rules"
	"hookgate/rules/lang"
)

// condition draws a condition, most of it over few fields of few values, so
// that it is true, false and an error about equally often.
func condition(depth int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		path := rapid.SampledFrom([]string{"data.a", "data.b", "data.a.c", "data.b?.c", "data.l", "event.type", `headers["x"]`, "query.q"}).Draw(t, "path")
		if depth == 0 {
			return path + rapid.SampledFrom([]string{
				` == "x"`, ` != 7`, ` in ["x", 7]`, ` > 3`, ` == true`, ` ?? false`, ` == nil`, ``, `?.c == 1`, ` contains "x"`, ` matches "x+"`,
			}).Draw(t, "test")
		}
		inner := condition(depth - 1)
		form := rapid.SampledFrom([]string{"(%s) and (%s)", "(%s) or (%s)", "not (%s) or (%s)", "(%s) ? (%s) : false", "any(data.l, # == 1 or (%s)) and (%s)"}).Draw(t, "form")
		return fmt.Sprintf(form, inner.Draw(t, "left"), inner.Draw(t, "right"))
	})
}

// ruleSet draws the section rules.
func ruleSet(t *rapid.T) string {
	var b strings.Builder
	b.WriteString("rules:\n")
	for i := range rapid.IntRange(1, 4).Draw(t, "rules") {
		fmt.Fprintf(&b, "  - name: r%d\n    from: %s\n", i, rapid.SampledFrom([]string{"sitejet", "shop", "[sitejet, shop]", "contact"}).Draw(t, "from"))
		if rapid.Bool().Draw(t, "typed") && strings.HasSuffix(b.String(), "from: sitejet\n") {
			b.WriteString("    events: [website_created]\n")
		}
		if rapid.IntRange(0, 4).Draw(t, "conditional") > 0 {
			fmt.Fprintf(&b, "    when: %q\n", condition(rapid.IntRange(0, 2).Draw(t, "depth")).Draw(t, "when"))
		}
		b.WriteString("    then:\n")
		for range rapid.IntRange(1, 3).Draw(t, "actions") {
			b.WriteString(rapid.SampledFrom([]string{
				`      - { to: billing, json: { a: "${{ data.a }}", t: "x ${{ data.b.c }}" }`,
				`      - { to: billing, ordering_key: data.a, json: "${{ data.l ?? 1 }}"`,
				`      - { to: slack, text: "${{ data.b?.c }}"`, `      - { to: slack, text: "${{ lower(data.a) }}"`,
				`      - { to: slack, text: "${{ data.a == 7 ? 'seven' : event.id }}"`,
			}).Draw(t, "action"))
			if rapid.Bool().Draw(t, "filtered") {
				fmt.Fprintf(&b, ", when: %q", condition(1).Draw(t, "filter"))
			}
			b.WriteString(" }\n")
		}
	}
	return b.String()
}

func drawScope(t *rapid.T) (*lang.Scope, func()) {
	value := rapid.SampledFrom([]string{`"x"`, `7`, `null`, `true`, `{"c": 1}`, `{"c": "xx"}`, `[1, 2]`, `1.5`, `{}`})
	text := fmt.Sprintf(`{"a": %s, "b": %s, "l": %s}`, value.Draw(t, "a"), value.Draw(t, "b"), value.Draw(t, "l"))
	doc, err := jsondoc.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	meta := lang.Meta{
		ID: "evt_7", Time: time.Unix(0, 0),
		Source: rapid.SampledFrom([]string{"sitejet", "shop", "contact", "nobody"}).Draw(t, "source"),
		Type:   rapid.SampledFrom([]string{"website_created", "x", event.FormSubmitted}).Draw(t, "type"),
	}
	sc := lang.NewScope(doc, meta, map[string]string{"x": "7"}, map[string]any{"q": "x"})
	return sc, func() { sc.Release(); doc.Release() }
}

// What Explain says is what Match does, for every rule and action, and neither
// Explain nor a Coverage changes what Match says after it.
func TestSet_ExplainIsMatch(t *testing.T) {
	t.Parallel()
	letters := map[string]byte{rules.Matched: 'm', rules.NotMatched: 'n', rules.Skipped: '-', rules.Failed: 'e'}
	valid := 0
	rapid.Check(t, func(t *rapid.T) {
		yaml := ruleSet(t)
		node, list := yamlnode.Parse("config.yaml", []byte(yaml))
		if list.Err() != nil {
			t.Fatalf("%s\n%v", yaml, list)
		}
		var f file
		list = node.Decode("the file", &f)
		set, faults := rules.Compile(lang.NewCompiler(), f.Rules, origins(), targets())
		if append(list, faults...).Err() != nil {
			return // ?? beside another operator and the like
		}
		valid++
		sc, release := drawScope(t)
		defer release()
		before := set.Match(sc)
		traces := set.Explain(sc)
		coverage := set.Coverage()
		coverage.Observe(sc)
		if diff := cmp.Diff(before, set.Match(sc)); diff != "" {
			t.Fatalf("%s\nit judged otherwise after it was explained:\n%s", yaml, diff)
		}
		var results []byte
		var sent []rules.Rendered
		for _, trace := range traces {
			results = append(results, letters[trace.Result])
			for _, a := range trace.Actions {
				if !a.Sent {
					continue
				}
				rendered := rules.Rendered{Rule: trace.Rule, Connection: a.To, Key: a.Key, Output: a.Output, Warnings: a.Warnings, Err: a.Err}
				rendered.Action = before.Deliveries[min(len(sent), len(before.Deliveries)-1)].Action
				if a.Name != event.ActionName(trace.Rule, a.To, rendered.Action) {
					t.Fatalf("%s\n%s is not the next action", yaml, a.Name)
				}
				sent = append(sent, rendered)
			}
		}
		if string(results) != string(before.Results) {
			t.Fatalf("%s\nExplain says %s, Match %s", yaml, results, before.Results)
		}
		if diff := cmp.Diff(before.Deliveries, sent, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%s\nExplain would send (+), Match sends (-):\n%s", yaml, diff)
		}
		if report := coverage.Report(); report.Rules.Seen != before.Matched()+erredInAction(traces) {
			t.Fatalf("%s\n%d rules are covered, %d matched", yaml, report.Rules.Seen, before.Matched())
		}
	})
	if valid == 0 {
		t.Error("no set of rules compiled: what is drawn is no longer the language")
	}
}

// erredInAction counts the rules whose own condition was met, and that of an
// action could not be evaluated.
func erredInAction(traces []rules.Trace) int {
	n := 0
	for _, t := range traces {
		if t.Result == rules.Failed && len(t.Actions) > 0 {
			n++
		}
	}
	return n
}
