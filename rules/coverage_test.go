package rules_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const covered = `rules:
  - name: both
    from: sitejet
    when: data.a == 1 and (data.b == 2 or data.c == 3)
    then:
      - { to: billing, ordering_key: data.a ?? data.b, json: { x: "${{ data.a == 1 ? 'one' : 'other' }}" } }
      - { to: slack, when: data.a == 2, text: "${{ data.a }}" }
  - name: never
    from: sitejet
    events: [website_created]
    when: data.a == 9 or data.a == 8
    then: [{ to: slack, text: "${{ data.x ?? 1 }}" }]
  - name: unreached
    from: shop
    when: data.a == 9
    then: [{ to: slack, text: x }]
  - name: always
    from: [sitejet, shop]
    then: [{ to: slack, text: x }]
`

func TestCoverage(t *testing.T) {
	t.Parallel()
	coverage := mustCompile(t, covered).Coverage()
	observe := func(text, typ string) string {
		sc := scope(t, []byte(text), "sitejet", typ)
		defer sc.Release()
		coverage.Observe(sc)
		r := coverage.Report()
		var lines []string
		for _, g := range r.Gaps {
			name := g.Rule
			if g.Action != "" {
				name = g.Action
			}
			never := ""
			if g.Never {
				never = " at all"
			}
			lines = append(lines, strings.TrimSpace(fmt.Sprintf("%d:%d %s %s %s %s%s", g.At.Line, g.At.Column, name, g.Key, g.Text, g.Outcome, never)))
		}
		return fmt.Sprintf("%d %% %v %v %v\n%s", r.Percent(), r.Rules, r.Actions, r.Sides, strings.Join(lines, "\n"))
	}
	got := observe(`{"a": 1, "b": 2}`, "website_created")
	want := `38 % {2 4} {2 5} {8 22}
4:11 both when data.a == 1 false
4:28 both when data.b == 2 false
4:43 both when data.c == 3 true at all
6:48 both/billing ordering_key data.b fallback
6:72 both/billing json data.a == 1 false
6:94 both/billing json 'other' else
7:15 both/slack
7:28 both/slack when data.a == 2 true
8:11 never
11:11 never when data.a == 9 true
11:26 never when data.a == 8 true
13:11 unreached`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, text := range []string{`{"a": 2}`, `{"a": 1, "c": 3}`, `{"a": 1}`, `{"a": 8}`, `{"a": 9}`} {
		got = observe(text, "website_created")
	}
	if !strings.HasPrefix(got, "67 % {3 4} {3 5} {") || strings.Contains(got, "both when") || strings.Contains(got, "never when") {
		t.Errorf("after more events:\n%s", got)
	}
	if r := mustCompile(t, "rules: []\n").Coverage().Report(); r.Percent() != 100 || r.Gaps == nil {
		t.Errorf("without rules: %+v", r)
	}
}
