package ruletest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/app/ruletest"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
	"hookgate/rules"
	"hookgate/rules/lang"
	"hookgate/test/planned"
)

// replySet is an autoreply as package app compiles it.
func replySet(t *testing.T, c *lang.Compiler) *rules.Set {
	t.Helper()
	root, list := yamlnode.Parse("c.yaml", []byte(`
rules:
  - name: autoreply
    from: contact
    when: '"a" in data.topics'
    then: [{ to: mail, recipient: "${{ data.email }}", subject: "Thanks ${{ data.topics }}" }]
`))
	var parsed []rules.Rule
	list = append(list, root.Get("rules").Decode("the file", &parsed)...)
	target := lang.Action{Noun: "a reply", Inputs: []lang.Input{{Name: "recipient", Kind: lang.TextInput, Required: true}, {Name: "subject", Kind: lang.TextInput}}}
	set, faults := rules.Compile(c, parsed, rules.Origins{"contact": {event.FormSubmitted}}, rules.Targets{"mail": target})
	if err := append(list, faults...).Err(); err != nil {
		t.Fatal(err)
	}
	return set
}

// A form's own reply is part of what a test expects only where it is named,
// and its output can be looked at in any case. The test fails when the
// counts it like a rule's delivery: "rules alone" has an unexpected one then.
func TestRunner_autoreply(t *testing.T) {
	t.Parallel()
	n, list := yamlnode.Parse("c.yaml", []byte(`tests:
  - name: rules alone
    event: { source: contact, data: { email: ada@example.com, topics: a } }
    expect: lead/billing
    assert: output["autoreply/mail"].subject == "Thanks [\"a\"]" and output["autoreply/mail"].recipient == data.email
  - name: named
    event: { source: contact, data: { email: ada@example.com, topics: a } }
    expect: [lead/billing, autoreply/mail]
  - name: the reply alone
    event: { source: contact, data: { email: ada@example.com, topics: a } }
    expect: autoreply/mail
  - name: its condition
    event: { source: contact, data: { email: ada@example.com, topics: b } }
    expect: [lead/billing, autoreply/mail]
  - name: not sent
    event: { source: contact, data: { email: ada@example.com, topics: b } }
    assert: output["autoreply/mail"] == nil
  - name: nobody reads it
    event: { source: contact, data: { email: no-reply@example.com, topics: a } }
    expect: [lead/billing, autoreply/mail]
  - name: spam
    event: { source: contact, data: { email: ada@example.com, topics: a, _gotcha: x } }
    expect: []
  - name: another source
    event: { source: shop, data: {} }
    expect: autoreply/mail
`))
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	plan, c := planned.Must(t, document), lang.NewCompiler()
	plan.Autoreplies = map[string]*rules.Set{"contact": replySet(t, c)}
	tests, list := ruletest.Compile(n.Get("tests"), c, plan.Rules, plan.Autoreplies, rules.Origins{"shop": nil, "contact": {event.FormSubmitted}})
	if len(list) != 1 || list[0].Line != 26 || list[0].Code != "unknown-action" {
		t.Errorf("a source without a reply: %v", list)
	}
	r := ruletest.Runner{Plan: plan, Now: time.Now}
	var got []string
	for _, result := range r.RunAll(tests[:len(tests)-1]) {
		line := result.Name + ": " + strings.Join(result.Got, " ")
		for _, f := range result.Findings {
			line += "; " + f.String()
		}
		got = append(got, line)
	}
	want := []string{
		"rules alone: lead/billing",
		"named: lead/billing autoreply/mail",
		"the reply alone: lead/billing autoreply/mail; unexpected lead/billing: the rule matched: it has no condition",
		`its condition: lead/billing; missing autoreply: "a" in data.topics was false (it is ["b"])`,
		"not sent: lead/billing",
		"nobody reads it: lead/billing; missing autoreply/mail: nobody reads mail at no-reply@example.com: that is a program's address",
		"spam: ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
