package ruletest_test

import (
	"strings"
	"testing"
	"time"

	"hookgate/app/ruletest"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
	"hookgate/rules"
	"hookgate/rules/lang"
	"hookgate/test/planned"
)

// A test says what tables hold before its event; what its own events remember is
// there for its later parts, also at a moment, and no other test sees it.
func TestTables(t *testing.T) {
	t.Parallel()
	const config = `
tables: { websites: { keep: 400d }, turns: { keep: 400d } }
sources:
  briefing: { type: webhook, token: 0123456789abcdef }
  cms: { type: webhook, token: 0123456789abcdef, event_type: data.type }
rules:
  - name: remind
    from: briefing
    then:
      - to: billing
        delay: 7d
        when: lookup("websites", data.website_id)?.status != "Done"
        text: '${{ lookup("websites", data.website_id)?.status }}, ${{ len(rows("turns")) }} turns'
  - name: keep-status
    from: cms
    events: [status]
    then: [{ remember: { table: websites, key: data.id, set: { status: "${{ data.status }}" } } }]
  - name: count
    from: cms
    events: [turn]
    when: lookup("turns", data.of)?.n != 3
    then:
      - { remember: { table: turns, key: data.of, add: { n: "${{ data.by }}" } } }
      - { to: billing, text: '${{ lookup("turns", data.of)?.n ?? 0 }}' }
  - name: one
    from: cms
    events: [both]
    then: [{ remember: { table: turns, key: data.of, set: { a: 1 } } }, { to: billing, text: one }]
  - name: other
    from: cms
    events: [both]
    then: [{ remember: { table: turns, key: data.of, set: { a: "${{ data.a }}" } } }]
`
	plan := planned.Must(t, config)
	n, list := yamlnode.Parse("c.yaml", []byte(config+`
tests:
  - name: reminded
    at: 2026-03-24T09:00
    tables: { websites: { "7": { status: Preparation }, 8: { status: x } } }
    event: { source: briefing, data: { website_id: 7 } }
    expect: []
    later:
      - { in: 2d, event: { source: cms, data: { type: status, id: 7, status: Publish } }, expect: [] }
      - { in: 3d, event: { source: cms, data: { type: turn, of: a, by: 2 } }, expect: count/billing, assert: 'output["count/billing"].text == "0"' }
      - { in: 4d, event: { source: cms, data: { type: turn, of: a, by: 1 } }, expect: count/billing, assert: 'output["count/billing"].text == "2"' }
      - { in: 5d, event: { source: cms, data: { type: turn, of: a, by: 1 } }, expect: [] }
      - { in: 7d, expect: remind/billing, assert: 'output["remind/billing"].text == "Publish, 1 turns"' }
  - name: done
    at: 2026-03-24T09:00
    tables: { websites: { "7": { status: Preparation } } }
    event: { source: briefing, data: { website_id: 7 } }
    expect: []
    later:
      - { in: 2d, event: { source: cms, data: { type: status, id: "7", status: Done } }, expect: [] }
      - { in: 7d, expect: [] }
  - name: kept no longer
    at: 2026-03-24T09:00
    tables: { turns: { a: { n: 5 } } }
    event: { source: cms, data: { type: turn, of: a, by: 1 } }
    expect: count/billing
    assert: output["count/billing"].text == "5"
    later:
      - { in: 301d, event: { source: cms, data: { type: turn, of: a, by: 1 } }, expect: count/billing, assert: 'output["count/billing"].text == "0"' }
  - name: no number
    tables: { turns: { a: { n: many } } }
    event: { source: cms, data: { type: turn, of: a, by: 1 } }
    expect: count/billing
  - name: at odds
    event: { source: cms, data: { type: both, of: a, a: 2 } }
    expect: one/billing
  - name: agreed
    event: { source: cms, data: { type: both, of: a, a: 1 } }
    expect: one/billing
`))
	if list.Err() != nil {
		t.Fatal(list)
	}
	c := lang.NewCompiler()
	c.SetTables(planned.Kept(n))
	tests, list := ruletest.Compile(n.Get("tests"), c, plan.Rules, nil, rules.Origins{"briefing": nil, "cms": nil})
	if list.Err() != nil {
		t.Fatal(list)
	}
	failing := map[string]string{
		"no number": `count could not be evaluated: remember: turns "a": n: nothing can be added to what it holds: "many" is no number that can be added`,
		"at odds":   `one could not be evaluated: remember: a of turns "a" is set to 1 by rule "one" and to 2 by rule "other"`,
	}
	r := ruletest.Runner{Plan: plan, Now: time.Now}
	for _, test := range tests {
		var said []string
		for _, f := range r.Run(test).Findings {
			said = append(said, f.String())
		}
		switch got, want := strings.Join(said, "\n"), failing[test.Name]; {
		case want == "" && got != "":
			t.Errorf("%s: %s", test.Name, got)
		case !strings.HasPrefix(got, want):
			t.Errorf("%s: %s\nwant: %s", test.Name, got, want)
		}
	}
}

// What cannot be in a table is told with its place.
func TestTables_faults(t *testing.T) {
	t.Parallel()
	plan := planned.Must(t, "tables: { sites: { keep: 400d } }\nsources: { shop: { type: webhook, token: 0123456789abcdef } }\n")
	n, list := yamlnode.Parse("c.yaml", []byte(`tests:
  - { name: a, event: { source: shop }, expect: [], tables: { sties: {} } }
  - { name: b, event: { source: shop }, expect: [], tables: { plans: {} } }
  - { name: c, event: { source: shop }, expect: [], tables: { sites: [] } }
  - { name: d, event: { source: shop }, expect: [], tables: { sites: { "7": Done } } }
  - { name: e, event: { source: shop }, expect: [], tables: 7 }
  - { name: f, event: { source: shop }, expect: [], tables: { sites: { "7": { text: `+strings.Repeat("x", event.MaxRecord)+` } } } }
`))
	if list.Err() != nil {
		t.Fatal(list)
	}
	c := lang.NewCompiler()
	c.SetTables(map[string]*lang.Table{"sites": {Keep: time.Hour}, "plans": lang.ExampleTables()["plans"]})
	_, list = ruletest.Compile(n.Get("tests"), c, plan.Rules, nil, rules.Origins{"shop": nil})
	var codes []string
	for _, d := range list {
		codes = append(codes, d.Code)
	}
	if got := strings.Join(codes, " "); got != "unknown-table fixed-table wrong-type wrong-type wrong-type bad-value" {
		t.Errorf("got %s: %v", got, list)
	}
}
