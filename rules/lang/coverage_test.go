package lang_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// sides writes what a probe saw: way, text and whether.
func sides(p *lang.CoverageProbe) string {
	var parts []string
	for _, s := range p.Branches {
		seen := "-"
		if s.Seen {
			seen = "+"
		}
		parts = append(parts, seen+string(s.Outcome)+" "+s.Text)
	}
	return strings.Join(parts, " | ")
}

func TestPredicate_Probe(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ code, want string }{
		{`data.yes`, `+true data.yes | -false data.yes`},
		{`data.yes and data.f > 2`, `+true data.yes | -false data.yes | -true data.f > 2 | +false data.f > 2`},
		{`data.yes or data.f > 2`, `+true data.yes | -false data.yes | -true data.f > 2 | -false data.f > 2`},
		{
			`not (data.yes and (data.f > 2 or data.f == 1.5))`,
			`-true not (data.yes and (data.f > 2 or data.f == 1.5)) | +false not (data.yes and (data.f > 2 or data.f == 1.5))` +
				` | +true data.yes | -false data.yes | -true data.f > 2 | +false data.f > 2 | +true data.f == 1.5 | -false data.f == 1.5`,
		},
		{
			`(data.nothing ?? "none") == (data.yes ? "none" : "x")`,
			`+true (data.nothing ?? "none") == (data.yes ? "none" : "x") | -false (data.nothing ?? "none") == (data.yes ? "none" : "x")` +
				` | -present data.nothing | +fallback "none" | +true data.yes | -false data.yes | +then "none" | -else "x"`,
		},
		{`any(data.items, .n == 1 or .n == 2)`, `+true any(data.items, .n == 1 or .n == 2) | -false any(data.items, .n == 1 or .n == 2) | +true .n == 1 | -false .n == 1 | -true .n == 2 | -false .n == 2`},
		{
			`title(data.website.status) == "Done" and number("5") == 5`,
			`+true title(data.website.status) == "Done" | -false title(data.website.status) == "Done" | +true number("5") == 5 | -false number("5") == 5`,
		},
		{`1 < data.f < 1.2`, `+true 1 < data.f | -false 1 < data.f | -true data.f < 1.2 | +false data.f < 1.2`},
		{`data.yes and data.website.assigned_to.x == 1`, `+true data.yes | -false data.yes | -true data.website.assigned_to.x == 1 | -false data.website.assigned_to.x == 1`},
		{`let s = data.website.status; s == "Done" or s == "x"`, `+true let s = data.website.status; s == "Done" or s == "x" | -false let s = data.website.status; s == "Done" or s == "x" | +true s == "Done" | -false s == "Done" | -true s == "x" | -false s == "x"`},
	} {
		t.Run(c.code, func(t *testing.T) {
			t.Parallel()
			p, list := lang.NewCompiler().Predicate(yamlnode.Plain(c.code))
			if err := list.Err(); err != nil {
				t.Fatal(err)
			}
			probe := p.Probe()
			probe.Run(newScope(t, sample))
			got := sides(probe)
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// A template's sides are those of all its ${{ }}, with their places in the file.
func TestTemplate_Probe(t *testing.T) {
	t.Parallel()
	n, list := yamlnode.Parse("c.yaml", []byte("json:\n  a: \"x ${{ data.yes ? 1 : 2 }} ${{ data.f }}\"\n  b: ${{ data.nothing ?? 3 }}\n"))
	if list.Err() != nil {
		t.Fatal(list)
	}
	tpl, list := lang.NewCompiler().Template(n.Get("json"), lang.Input{Kind: lang.ValueInput})
	if list.Err() != nil {
		t.Fatal(list)
	}
	probe := tpl.Probe()
	probe.Run(newScope(t, sample))
	var got []string
	for _, s := range probe.Branches {
		got = append(got, fmt.Sprintf("%d:%d %s %s %v", s.At.Line, s.At.Column, s.Outcome, s.Text, s.Seen))
	}
	want := []string{
		"2:13 true data.yes true", "2:13 false data.yes false", "2:24 then 1 true", "2:28 else 2 false",
		"3:10 present data.nothing false", "3:26 fallback 3 true",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Watching changes neither a verdict nor an error, and what was watched agrees
// with what Explain says of the same tests.
func TestProbe_agrees(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, _ := drawnScope(t, 2)
		p, source := drawnPredicate(t, "%s and %s", "%s or %s", "(%s) and (%s)", "(%s) or not (%s)", "(%s) ? %s : false")
		if p == nil {
			return
		}
		before, beforeErr := p.Eval(s)
		probe := p.Probe()
		probe.Run(s)
		after, afterErr := p.Eval(s)
		if before != after || (beforeErr == nil) != (afterErr == nil) {
			t.Fatalf("%s: %v, %v; then %v, %v", source, before, beforeErr, after, afterErr)
		}
		trace := p.Explain(s)
		for _, part := range trace.Parts { // of which several can have one text
			seen, known := false, false
			for _, side := range probe.Branches {
				if side.Text == part.Text && side.Outcome == lang.Outcome(part.Verdict) {
					seen, known = seen || side.Seen, true
				}
			}
			if known && !seen {
				t.Fatalf("%s: %s was %s, and the probe did not see it: %s", source, part.Text, part.Verdict, sides(probe))
			}
		}
	})
}
