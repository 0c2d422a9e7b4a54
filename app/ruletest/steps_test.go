package ruletest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/app/ruletest"
	"hookgate/internal/yamlnode"
	"hookgate/rules"
	"hookgate/rules/lang"
	"hookgate/test/planned"
)

// A test's chain goes on as that of the server does: each step when what it comes
// after has ended, over delays, by what is remembered then, and throttles are counted.
func TestLater_steps(t *testing.T) {
	t.Parallel()
	const document = `
sources:
  shop: { type: webhook, token: 0123456789abcdef, dedupe: off }
tables: { sites: {} }
rules:
  - name: chain
    from: shop
    when: data.n == 1
    then:
      - { step: one, to: billing, delay: 1h, text: one }
      - { step: two, to: billing, after: one, delay: 1h, when: 'lookup("sites", "s")?.n == 2', text: "two after ${{ outputs.one.id }}" }
      - { to: billing, after: { two: ended }, text: three }
      - { to: billing, after: { one: failed }, text: "not ${{ errors.one }}" }
  - name: few
    from: shop
    then: [{ to: billing, throttle: { key: data.k, within: 2h }, text: "${{ data.n }}" }]
  - { name: keep, from: shop, then: [{ remember: { table: sites, key: '"s"', set: { n: "${{ data.n }}" } } }] }
`
	r, tests := runnable(t, document, `tests:
  - name: right
    at: 2026-03-24T09:00
    event: { source: shop, data: { n: 1, k: a } }
    answers: { chain/one: { outputs: { id: "7" } } }
    expect: few/billing
    later:
      - { in: 50m, event: { source: shop, data: { n: 2, k: a } }, expect: [] }
      - { in: 1h, expect: chain/billing }
      - { in: 1h59m, expect: [] }
      - { in: 2h, event: { source: shop, data: { n: 3, k: a } }, expect: ["chain/billing#2", "chain/billing#3", few/billing], assert: 'output["chain/billing#2"].text == "two after 7"' }
  - name: failed
    at: 2026-03-24T09:00
    event: { source: shop, data: { n: 1 } }
    answers: { chain/one: { failed: no } }
    expect: few/billing
    later: [{ in: 1h, expect: [chain/billing, "chain/billing#3", "chain/billing#4"], assert: 'output["chain/billing#4"].text == "not no"' }]
  - name: wrong
    at: 2026-03-24T09:00
    event: { source: shop, data: { n: 1, k: a } }
    expect: [few/billing, "chain/billing#2"]
    later:
      - { in: 1h, event: { source: shop, data: { n: 5, k: a } }, expect: [few/billing, chain/billing, "chain/billing#2", "chain/billing#4"] }
      - { in: 2h, expect: ["chain/billing#2", "chain/billing#3", few/billing] }
`)
	for _, one := range tests[:2] {
		if got := r.Run(one); !got.OK {
			t.Errorf("%s: %+v", one.Name, got.Findings)
		}
	}
	var said []string
	for _, f := range r.Run(tests[2]).Findings {
		said = append(said, f.String())
	}
	want := []string{
		`missing chain/billing#2: it comes after one`,
		`missing few/billing: after 1h: throttle: one in 2 h for "a"`,
		`missing chain/billing#2: after 1h: it waits until Tue 24 Mar 11:00`,
		`missing chain: after 1h: data.n == 1 was false (it is 5)`,
		`missing chain/billing#2: after 2h: lookup("sites", "s")?.n == 2: it is 5`,
		`missing few/billing: after 2h: nothing of it is due`,
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Error(diff)
	}
}

// A step that cannot be made has failed, whatever its answer would be: what comes after
// that goes, by the test as by the server. Break: let explainSteps leave stands as it was.
func TestLater_stepThatCannotBeSent(t *testing.T) {
	t.Parallel()
	runner, tests := runnable(t, `
sources:
  shop: { type: webhook, token: 0123456789abcdef }
rules:
  - name: r
    from: shop
    then:
      - { to: billing, step: first, delay_until: data.at, text: plain }
      - { to: billing, after: { first: failed }, step: second, text: "${{ errors.first }}" }
      - { to: billing, after: second, text: "${{ outputs.second.id }}" }
      - { to: billing, after: first, text: never }
`, `tests:
  - name: one
    answers: { r/first: { outputs: { id: 7 } }, r/second: { outputs: { id: 8 } } }
    event: { source: shop, data: { at: b } }
    expect: [r/billing#2, r/billing#3]
    assert: 'output["r/billing#2"].text contains "no time" and output["r/billing#3"].text == "8"'
`)
	var got []string
	for _, f := range runner.Run(tests[0]).Findings {
		got = append(got, string(f.Kind)+" "+f.Name+": "+f.Text)
	}
	if diff := cmp.Diff([]string{"error r/billing: cannot be sent: delay_until gave no time: data.at"}, got); diff != "" {
		t.Error(diff)
	}
}

// Faults of answers tell their place and the remedy.
func TestAnswers_faults(t *testing.T) {
	t.Parallel()
	plan := planned.Must(t, `
sources: { shop: { type: webhook, token: 0123456789abcdef } }
rules: [{ name: r, from: shop, then: [{ step: one, to: billing, text: x }, { to: billing, after: one, text: y }] }]
`)
	for answer, want := range map[string]string{
		`{ status: 200, outputs: { id: 7 } }`: "conflict what a receiver answers does not go together with outputs and failed",
		`[{ failed: no }]`:                    "conflict what a receiver answers does not go together with outputs and failed",
		`{ failed: no, outputs: { id: 7 } }`:  "conflict a step that failed has no outputs",
		`{ status: 99 }`:                      "bad-value 99 is no status of HTTP",
		`{ outputs: { id: [7] } }`:            `wrong-type the output "id" must be a text, a number, or true or false`,
		`{ outputs: 7 }`:                      `wrong-type "outputs" must be a mapping of names`,
		`{ status: 201, body: { id: [7] } }`:  "",
		`[{ status: 503 }, { body: "gone" }]`: "",
		`{ outputs: { id: 7, paid: true } }`:  "",
	} {
		n, list := yamlnode.Parse("c.yaml", []byte("tests: [{ name: t, event: { source: shop }, expect: [], answers: { r/one: "+answer+" } }]"))
		if list.Err() != nil {
			t.Fatal(list)
		}
		_, list = ruletest.Compile(n.Get("tests"), lang.NewCompiler(), plan.Rules, nil, rules.Origins{"shop": nil})
		got := ""
		for _, d := range list {
			got += d.Code + " " + d.Message
		}
		if got != want {
			t.Errorf("%s: %q, want %q", answer, got, want)
		}
	}
}

// What is remembered after a step, which a test may call by its name, is there for what
// comes later, of the answer that the test gives; a record that cannot take it fails the test.
func TestLater_remember(t *testing.T) {
	t.Parallel()
	const document = `
sources: { shop: { type: webhook, token: 0123456789abcdef, dedupe: off } }
tables: { clients: {} }
rules:
  - name: chain
    from: shop
    when: data.n == 1
    then:
      - { step: one, to: billing, text: one }
      - { after: one, remember: { table: clients, key: data.k, set: { id: "${{ outputs.one.id }}" } } }
      - { after: { one: ended }, remember: { table: clients, key: data.k, add: { times: 1 } } }
      - { to: billing, after: one, delay: 1h, text: '${{ lookup("clients", data.k)?.id }}' }
  - { name: tell, from: shop, when: data.n == 2, then: [{ to: billing, text: '${{ toJSON(lookup("clients", data.k)) }}' }] }
`
	r, tests := runnable(t, document, `tests:
  - name: kept
    event: { source: shop, data: { n: 1, k: a } }
    answers: { chain/one: { outputs: { id: 7 } } }
    expect: chain/one
    assert: 'output["chain/one"].text == "one" and output["chain/billing"].text == "one"'
    later:
      - { in: 50m, event: { source: shop, data: { n: 2, k: a } }, expect: tell/billing, assert: 'len(output) == 1 and fromJSON(output["tell/billing"].text) == {"id": 7, "times": 1}' }
      - { in: 1h, expect: "chain/billing#2", assert: 'output["chain/billing#2"].text == "7"' }
  - name: failed
    event: { source: shop, data: { n: 1, k: a } }
    answers: { chain/one: { failed: "no" } }
    expect: chain/billing
    later:
      - { in: 50m, event: { source: shop, data: { n: 2, k: a } }, expect: tell/billing, assert: 'fromJSON(output["tell/billing"].text) == {"times": 1}' }
  - name: not sent
    event: { source: shop, data: { n: 3, k: a } }
    expect: chain/one
    assert: output["chain/one"].text == "one"
  - name: no number
    tables: { clients: { a: { times: often } } }
    event: { source: shop, data: { n: 1, k: a } }
    expect: chain/billing
`)
	want := map[string]string{"not sent": "missing chain: data.n == 1 was false (it is 3)", "no number": `chain/remember#2 cannot be written: remember: clients "a": times: nothing can be added to what it holds: "often" is no number that can be added`}
	for _, test := range tests {
		got := ""
		for _, f := range r.Run(test).Findings {
			got += f.String()
		}
		if diff := cmp.Diff(want[test.Name], got); diff != "" {
			t.Errorf("%s: %s", test.Name, diff)
		}
	}
}
