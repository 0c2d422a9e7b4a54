package ruletest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/app/ruletest"
	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
	"hookgate/rules"
	"hookgate/rules/lang"
	"hookgate/test/planned"
)

// document is the configuration that the tests of this package test.
const document = `
sources:
  shop: { type: webhook, token: 0123456789abcdef, event_type: 'headers["x-topic"] ?? data.type' }
forms:
  contact: { fields: { email: { type: email, required: true }, topics: { type: checkbox, options: [a, b] } } }
  apply: { fields: { cv: { type: file, accept: [pdf], required: true, multiple: true } } }
rules:
  - name: secret
    from: shop
    when: headers["x-api-key"] != nil
    then: [{ to: billing, text: x }]
  - name: paid
    from: shop
    events: [order]
    when: data.total > 10
    then: [{ to: billing, text: "${{ data.total }} ${{ query.a }} ${{ event.time }}" }]
  - name: lead
    from: contact
    then: [{ to: billing, text: "${{ data.email }} ${{ data.topics }}" }]
`

// compileTests compiles a section against the rules of document.
func compileTests(t *testing.T, folder, yaml string) ([]*ruletest.Test, diag.List) {
	t.Helper()
	n, list := yamlnode.Parse(filepath.Join(folder, "c.yaml"), []byte(yaml))
	if list.Err() != nil {
		t.Fatal(list)
	}
	origins := rules.Origins{"shop": nil, "contact": {event.FormSubmitted}}
	tests, list := ruletest.Compile(n.Get("tests"), lang.NewCompiler(), planned.Must(t, document).Rules, nil, origins)
	list.Sort()
	return tests, list
}

// runnable are tests of a configuration, which have no error, and what runs them.
func runnable(t *testing.T, document, section string) (ruletest.Runner, []*ruletest.Test) {
	t.Helper()
	plan := planned.Must(t, document)
	root, _ := yamlnode.Parse("c.yaml", []byte(document))
	n, list := yamlnode.Parse("c.yaml", []byte(section))
	if list.Err() != nil {
		t.Fatal(list)
	}
	c := lang.NewCompiler()
	c.SetTables(planned.Kept(root))
	tests, list := ruletest.Compile(n.Get("tests"), c, plan.Rules, nil, rules.Origins{"shop": nil, "contact": {event.FormSubmitted}})
	if list.Err() != nil {
		t.Fatal(list)
	}
	return ruletest.Runner{Plan: plan, Now: time.Now}, tests
}

func TestCompile_faults(t *testing.T) {
	t.Parallel()
	_, list := compileTests(t, "", `tests:
  - name: one
    event: { source: shp, file: a.json, data: {} }
    expects: [paid/billing]
    assert: output["paid/biling"].text == x
  - name: one
    event: { source: contact, type: form_submited, from: x }
    expect: [paid/biling, lead, paid/slack, paid/billing, paid/billing, zzz]
    unmatched: true
    assert: [data.a = 1, "${{ data.a }}", output.zzz == 1]
  - name: ""
    event: { source: shop, data: { a: .inf } }
    set: [1]
  - event: { source: shop }
    expect:
  - 5
`)
	var got []string
	for _, d := range list {
		got = append(got, fmt.Sprintf("%d:%d %s %s | %s", d.Line, d.Column, d.Code, d.Message, d.Hint))
	}
	want := []string{
		`3:22 unknown-source no source or form is called "shp" | did you mean "shop"?`,
		`3:41 conflict a test's event has both "file" and "data" | keep one of them`,
		`4:5 unknown-key a test has no key "expects" | did you mean "expect"?`,
		`5:20 expr-name output has no "paid/biling" | did you mean "paid/billing"?`,
		`5:43 expr-name unknown name "x" | text needs quotes: "x"`,
		`6:11 duplicate-name there is a test "one" already, in line 2 | `,
		`7:37 unknown-event "contact" has no event "form_submited" | did you mean "form_submitted"?`,
		`7:52 unknown-key a test's event has no key "from" | did you mean "source"?`,
		`8:14 unknown-action no rule has the action "paid/biling" | did you mean "paid/billing"?`,
		`8:27 unknown-action no rule has the action "lead" | lead has lead/billing`,
		`8:33 unknown-action no rule has the action "paid/slack" | paid has paid/billing`,
		`8:59 duplicate-name "paid/billing" is expected twice | an action sends once for an event`,
		`8:73 unknown-action no rule has the action "zzz" | write rule/connection`,
		`9:16 conflict a test with "unmatched" can expect nothing | keep one of them`,
		`10:21 expr-syntax "=" is not an operator | write == to compare`,
		`10:27 template-in-when "assert" is already an expression | drop the ${{ }}`,
		`10:50 expr-name output has no "zzz" | it has secret/billing, paid/billing, lead/billing`,
		`11:5 missing-key a test needs "expect", "unmatched" or "assert" | expect: [] says that nothing is sent`,
		`11:11 empty-value "name" is empty | `,
		`12:39 bad-value JSON has no .inf | `,
		`13:5 wrong-type "set" must be a mapping of paths | such as { website.status: Done }`,
		`14:5 missing-key a test needs "name" | `,
		`15:5 empty-value "expect" is empty: it must be a list | `,
		`16:5 wrong-type "tests[4]" must be a mapping | `,
	}
	if diff := cmp.Diff(strings.Join(want, "\n"), strings.Join(got, "\n")); diff != "" {
		t.Error(diff)
	}
	if tests, list := compileTests(t, "", "tests:\n"); len(tests)+len(list) != 0 {
		t.Errorf("an empty section: %v, %v", tests, list)
	}
	if _, list := compileTests(t, "", "tests: { a: 1 }\n"); list.Count(diag.Error) != 1 {
		t.Errorf("no list: %v", list)
	}
}

func TestRunner(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for name, text := range map[string]string{
		"order.json": `{"type":"order","total":11}`, "post.txt": "email=ada%40example.com&topics=a", "broken.json": `{"a":1,}`,
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tests, list := compileTests(t, folder, `tests:
  - name: a file
    event: { source: shop, file: order.json, query: { a: q } }
    expect: paid/billing
    assert:
      - output["paid/billing"].text startsWith "11 q "
      - data.total == 11 and query.a == "q" and event.source == "shop" and event.type == "order"
      - len(output) == 1
  - name: set
    event: { source: shop, file: order.json }
    set: { total: 10, a.b: [1, { c: null }] }
    expect: []
    unmatched: true
    assert: data.a.b[1].c == nil and len(output) == 0
  - name: type
    event: { source: shop, type: order, data: { total: 99 } }
    expect: [paid/billing]
  - name: headers
    event: { source: shop, headers: { X-Topic: order, X-Api-Key: k }, data: { total: 99 } }
    expect: [paid/billing]
  - name: content type
    event: { source: shop, type: order, headers: { Content-Type: text/plain }, file: order.json }
    expect: [paid/billing]
  - name: a form's file
    event: { source: contact, headers: { Content-Type: application/x-www-form-urlencoded }, file: post.txt }
    expect: [lead/billing]
    assert: output["lead/billing"].text == 'ada@example.com ["a"]'
  - name: a form's fields are converted
    event: { source: contact, data: { email: " ada@example.com ", topics: [a, b] } }
    set: { topics: b }
    assert: data.email == "ada@example.com" and data.topics == ["b"]
  - name: spam as it is meant
    event: { source: contact, data: { email: ada@example.com, _gotcha: x } }
    expect: []
  - name: spam
    event: { source: contact, data: { email: ada@example.com, _gotcha: x } }
    expect: [lead/billing]
  - name: missing
    event: { source: shop, type: order, data: { total: 9 } }
    expect: [paid/billing, lead/billing]
    assert: output["paid/billing"].text == "x"
  - name: unexpected
    event: { source: contact, data: { email: ada@example.com } }
    expect: []
  - name: matched
    event: { source: shop, type: order, data: { total: 12 } }
    unmatched: true
  - name: error
    event: { source: shop, type: order, data: { total: [] } }
    expect: []
  - name: assert
    event: { source: shop, type: order, data: { total: 12 } }
    assert: ['output["paid/billing"].text == "x" or data.total == 11', data.total, data.total.x == 1, 'output["lead/billing"].text == "x"']
  - name: refused
    event: { source: contact, data: { email: ada@ } }
    expect: []
  - name: rejected
    event: { source: shop, file: broken.json }
    expect: []
  - name: no file
    event: { source: shop, file: gone.json }
    expect: []
  - name: a folder
    event: { source: shop, file: . }
    expect: []
  - name: a set that cannot be
    event: { source: shop, file: order.json }
    set: { total.x: 1 }
    expect: []
`)
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 10, 10, 42, 7, 0, time.UTC)
	runner := ruletest.Runner{Plan: planned.Must(t, document), Now: func() time.Time { return at }}
	results := runner.RunAll(tests)
	var got []string
	for _, r := range results {
		if r.OK != (len(r.Findings) == 0) {
			t.Errorf("%s: ok is %v with %d findings", r.Name, r.OK, len(r.Findings))
		}
		for _, f := range r.Findings {
			got = append(got, fmt.Sprintf("%s: %s | %s | %s", r.Name, f.Kind, f.Name, f.Text))
		}
	}
	want := []string{
		`spam: refused |  | it is taken for spam, so that no rule sees it: honeypot _gotcha = "x"`,
		`missing: missing | paid | data.total > 10 was false (it is 9)`,
		`missing: missing | lead | it listens to contact, and this is order of shop`,
		`unexpected: unexpected | lead/billing | the rule matched: it has no condition`,
		`matched: unexpected | paid | matched because data.total > 10 was true (it is 12)`,
		`error: error | paid | could not be evaluated: data.total > 10: cannot work out list > number`,
		`assert: assert | output["paid/billing"].text == "x" or data.total == 11 | output["paid/billing"].text == "x" was false (it is "12  2026-03-10T10:42:07.000Z"), data.total == 11 was false (it is 12)`,
		`assert: assert | data.total | could not be evaluated: assert gave 12 (number), not true or false`,
		`assert: assert | data.total.x == 1 | could not be evaluated: data.total is a number, so it has no "x"`,
		`assert: assert | output["lead/billing"].text == "x" | could not be evaluated: lead/billing is not sent`,
		`refused: refused |  | by the form contact: email: Please enter an e-mail address, such as name@example.com.`,
		`rejected: refused |  | invalid JSON at line 1, column 7: there is a comma too many before "}"`,
		`no file: refused |  | gone.json: there is no such file`,
		`a folder: refused |  | .: it is no ordinary file`,
		`a set that cannot be: refused |  | total.x: "x" is below a number`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	failed := ruletest.Failed(results)
	if len(failed) != 11 || len(results) != 19 {
		t.Fatalf("%d of %d failed", len(failed), len(results))
	}
	d := failed[1].Diagnostic()
	if d.Message != `the test "missing" fails: missing paid: data.total > 10 was false (it is 9), and 1 more` || d.Line == 0 || d.Code != "test-failed" || d.Path == "" {
		t.Errorf("as a fault: %+v", d)
	}
}

// Of a rule that fails at one element nothing is sent: that alone is the error, not
// what an action of another element came to. Break: look at the actions of such a rule.
func TestRunner_failedElement(t *testing.T) {
	t.Parallel()
	runner, tests := runnable(t, `
sources:
  shop: { type: webhook, token: 0123456789abcdef }
rules:
  - name: each
    from: shop
    for_each: data.items
    then:
      - { to: billing, delay_until: item.at, text: "${{ item.n }}" }
      - { to: billing, when: 'item.n > 0', text: "x" }
`, `tests:
  - name: one
    event: { source: shop, data: { items: [{ n: 1, at: never }, { n: [] , at: never }] } }
    expect: []
`)
	var got []string
	for _, f := range runner.Run(tests[0]).Findings {
		got = append(got, f.Name+": "+f.Text)
	}
	if diff := cmp.Diff([]string{`each: could not be evaluated: element 1: item.n > 0: cannot work out list > number`}, got); diff != "" {
		t.Error(diff)
	}
}

// What is missing because another branch sends, or none, or a rule's other action to the
// same connection, is told as that. Break: say of each that its branch is not taken.
func TestRunner_otherAction(t *testing.T) {
	t.Parallel()
	runner, tests := runnable(t, `
sources:
  shop: { type: webhook, token: 0123456789abcdef }
rules:
  - name: r
    from: shop
    then:
      - { to: billing, when: data.n < 2, text: first }
      - { to: billing, when: data.n > 1, text: second }
    branches:
      - { name: two, when: data.n == 2, then: [{ to: billing, text: third }] }
      - { name: three, when: data.n == 3, then: [{ to: billing, text: fourth }] }
`, `tests:
  - name: no branch
    event: { source: shop, data: { n: 1 } }
    expect: [r/billing, "r/billing#3"]
  - name: another branch
    event: { source: shop, data: { n: 3 } }
    expect: [r/billing, "r/billing#3", "r/billing#4"]
`)
	var got []string
	for _, r := range runner.RunAll(tests) {
		for _, f := range r.Findings {
			got = append(got, r.Name+": "+f.String())
		}
	}
	if diff := cmp.Diff([]string{
		`no branch: missing r/billing#3: it is in the branch "two", which is not taken: data.n == 2 was false (it is 1)`,
		`another branch: missing r/billing: data.n < 2 was false (it is 3); r/billing#2 is what is sent`,
		`another branch: missing r/billing#3: it is in the branch "two", and "three" is taken; r/billing#2 is what is sent`,
		`another branch: unexpected r/billing#2: the rule matched because data.n > 1 was true (it is 3)`,
	}, got); diff != "" {
		t.Error(diff)
	}
}
