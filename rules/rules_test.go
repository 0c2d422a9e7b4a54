package rules_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/internal/event"
	"hookgate/rules"
)

func TestSet_Match(t *testing.T) {
	t.Parallel()
	sc := scope(t, seed(t), "sitejet", "website_status_changed")
	defer sc.Release()
	got := mustCompile(t, example).Match(sc)
	want := rules.Outcome{
		Results: []byte("nmmee--"),
		Errors: []event.Verdict{
			{Rule: "broken", Result: event.RuleFailed, Message: `data.website.assigned_to is null, so it has no "name" (write assigned_to?.name)`},
			{Rule: "broken-action", Result: event.RuleFailed, Message: `when gave "Harry's Diner" (text), not true or false`},
		},
		Deliveries: []rules.Rendered{
			{
				Rule: "activate-subscription", Connection: "billing", Action: 1, Key: "321654",
				Output:   json.RawMessage(`{"json":{"action":"activate","website_id":321654,"sold_by":"mary-sales@agency.com","due":null}}`),
				Warnings: []string{"data.website.due_date is missing"},
			},
			{
				Rule: "activate-subscription", Connection: "billing", Action: 3, Output: json.RawMessage(`{"path":"/x/evt_7"}`),
				Warnings: []string{"data.website.nothing is missing: there is no ordering key"},
			},
			{Rule: "announce", Connection: "slack", Action: 1, Output: json.RawMessage(`{"channel":"#web","text":"*Harry's Diner* <moved> a&lt;b"}`)},
			{
				Rule: "announce", Connection: "slack", Action: 2, Output: json.RawMessage(`{"text":""}`),
				Warnings: []string{"data.website.nothing is missing"}, Err: "text is empty: data.website.nothing is missing",
			},
			{
				Rule: "announce", Connection: "slack", Action: 3, Output: json.RawMessage(`{"text":"x "}`),
				Err: "text: ${{ lower(data.website.due_date) }}: lower(data.website.due_date): needs text, but got null",
			},
			{
				Rule: "announce", Connection: "slack", Action: 4, Output: json.RawMessage(`{"text":"x"}`),
				Err: `ordering_key: data.website.due_date is null, so it has no "x" (write due_date?.x)`,
			},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got.Matched() != 2 {
		t.Errorf("Matched is %d, want 2", got.Matched())
	}
}

func TestSet_Match_listens(t *testing.T) {
	t.Parallel()
	set := mustCompile(t, example)
	for key, want := range map[[2]string]string{
		{"sitejet", "website_created"}: "--neemm"[:5] + "m-", {"sitejet", "other"}: "--nee--", {"shop", "order"}: "------m",
		{"contact", event.FormSubmitted}: "--n---m", {"nobody", "x"}: "-------",
	} {
		sc := scope(t, []byte(`{"website": {"title": "t", "assigned_to": null}}`), key[0], key[1])
		if got := string(set.Match(sc).Results); got != want {
			t.Errorf("%v: got %s, want %s", key, got, want)
		}
		sc.Release()
	}
	if diff := cmp.Diff([]string{"create-subscription", "activate-subscription", "announce", "broken", "broken-action", "created", "lead"}, set.Names()); diff != "" {
		t.Error(diff)
	}
}

func TestSet_Explain(t *testing.T) {
	t.Parallel()
	sc := scope(t, seed(t), "sitejet", "website_status_changed")
	defer sc.Release()
	set := mustCompile(t, example)
	traces := set.Explain(sc)
	var lines []string
	for _, tr := range traces {
		line := tr.Rule + ": " + tr.Result
		for _, extra := range []string{tr.Reason, tr.Error} {
			if extra != "" {
				line += " (" + extra + ")"
			}
		}
		for _, p := range tr.Parts {
			line += " | " + p.Text + " " + string(p.Verdict) + " " + p.Note
		}
		for _, a := range tr.Actions {
			if line += " > " + a.Name; !a.Sent {
				line += " not sent"
			}
			for _, p := range a.Parts {
				line += " | " + p.Text + " " + string(p.Verdict) + " " + p.Note
			}
			if a.Err != "" {
				line += fmt.Sprintf(" %d:%d", a.At.Line, a.At.Column)
			}
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	want := []string{
		`create-subscription: no | data.previousStatus == "Interest" false it is "Publish" | data.website.status == "Preparation" not evaluated`,
		`activate-subscription: match | data.website.status == "Done" true  > activate-subscription/billing > activate-subscription/billing#2 not sent | data.website.following false  > activate-subscription/billing#3`,
		`announce: match | data.website.status in ["Assign", "Done"] true it is "Done" > announce/slack > announce/slack#2 27:33 > announce/slack#3 28:35 > announce/slack#4 29:45`,
		`broken: error (data.website.assigned_to is null, so it has no "name" (write assigned_to?.name)) | data.website.assigned_to.name == "x" error`,
		`broken-action: error (when gave "Harry's Diner" (text), not true or false) > broken-action/slack not sent > broken-action/slack#2 not sent | data.website.title error it is "Harry's Diner", not true or false`,
		`created: skipped (listens to website_created)`,
		`lead: skipped (listens to shop, contact)`,
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
	if got := string(traces[1].Actions[0].Output); !strings.Contains(got, `"website_id":321654`) {
		t.Errorf("output is %s", got)
	}
}

// What Explain says must be what Match does.
func TestSet_ExplainAgrees(t *testing.T) {
	t.Parallel()
	set := mustCompile(t, example)
	letters := map[string]byte{rules.Matched: 'm', rules.NotMatched: 'n', rules.Skipped: '-', rules.Failed: 'e'}
	for _, text := range []string{string(seed(t)), `{}`, `null`, `[]`, `{"website":{"status":"Done"}}`, `{"website":{"status":"Done","following":1}}`, `{"website":5}`} {
		for _, typ := range []string{"website_status_changed", "website_created"} {
			sc := scope(t, []byte(text), "sitejet", typ)
			outcome := set.Match(sc)
			var got []byte
			for _, tr := range set.Explain(sc) {
				got = append(got, letters[tr.Result])
			}
			if string(got) != string(outcome.Results) {
				t.Errorf("%s: Explain says %s, Match %s", text, got, outcome.Results)
			}
			sc.Release()
		}
	}
}

func TestCompile_faults(t *testing.T) {
	t.Parallel()
	_, list := compile(t, `rules:
  - name: a
    from: sitjet
    filter: data.website.status == "Done"
    then: [{ to: billing, json: {} }]
  - name: a
    from: [sitejet, contact]
    events: [website_status_change, form_submitted]
    when: data.website.status = "Done"
    then:
      - to: biling
        text: ${{ data.x = 1 }}
      - { to: slack, txt: x, if: y }
      - { to: slack, text: x, channel: bad }
      - { to: billing }
      - { text: x }
  - name: b c
    from: shop
    events: anything
    on: x
    do: x
    then: []
  - name: deaf
    from: shop
    events: []
    then: [{ to: billing, json: {} }]
`)
	var lines []string
	for _, d := range list {
		lines = append(lines, d.Error())
	}
	want := []string{
		`error[unknown-source] config.yaml:3:11: no source or form is called "sitjet" (did you mean "sitejet"?)`,
		`error[unknown-key] config.yaml:4:5: a rule has no key "filter" (did you mean "when"?)`,
		`error[duplicate-name] config.yaml:6:11: there is a rule "a" already, in line 2`,
		`error[unknown-event] config.yaml:8:14: "sitejet" has no event "website_status_change" (did you mean "website_status_changed"?)`,
		`error[expr-syntax] config.yaml:9:31: "=" is not an operator (write == to compare)`,
		`error[unknown-connection] config.yaml:11:13: no connection is called "biling" (did you mean "billing"?)`,
		`error[expr-syntax] config.yaml:12:26: "=" is not an operator (write == to compare)`,
		`error[missing-key] config.yaml:13:9: an action to Slack needs "text"`,
		`error[unknown-key] config.yaml:13:22: an action to Slack has no key "txt" (did you mean "text"?)`,
		`error[unknown-key] config.yaml:13:30: an action to Slack has no key "if" (did you mean "when"?)`,
		`error[bad-value] config.yaml:14:40: no channel`,
		`error[missing-key] config.yaml:15:9: an action to a webhook needs a body`,
		`error[missing-key] config.yaml:16:9: an action needs "to" (name a connection, or write remember)`,
		`error[bad-name] config.yaml:17:11: "b c" cannot be the name of a rule (use letters, digits, _ . and -, the first a letter or digit)`,
		`error[empty-value] config.yaml:17:11: rule "b c" has no action under then`,
		`error[unknown-key] config.yaml:20:5: a rule has no key "on" (did you mean "events"?)`,
		`error[unknown-key] config.yaml:21:5: a rule has no key "do" (did you mean "then"?)`,
		`error[empty-value] config.yaml:23:11: rule "deaf" listens to no type of event (leave events out for all)`,
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
}

// What all actions of an event send together is bounded: what goes beyond it
// fails with words, and explain says the same.
//
// Promise: T16.
func TestMatch_outputsAreBounded(t *testing.T) {
	t.Parallel()
	const actions = 5
	set := mustCompile(t, "rules:\n  - name: all\n    from: shop\n    then:\n"+strings.Repeat("      - {to: billing, json: '${{ data }}'}\n", actions))
	sc := scope(t, []byte(`{"long":"`+strings.Repeat("x", 9<<20)+`"}`), "shop", "x")
	out, total := set.Match(sc), 0
	for i, d := range out.Deliveries {
		total += len(d.Output)
		want := ""
		if i > 2 { // three times 9 MB are less than 32 MB, four times are not
			want = "json: what the rules send because of one event would be larger than 32 MB together"
		}
		if d.Err != want || (want != "") != (string(d.Output) == `{"json":null}`) {
			t.Errorf("%d: %d bytes, %q, want %q", i, len(d.Output), d.Err, want)
		}
		if cap(d.Output) > 3*len(d.Output)+1024 {
			t.Errorf("%d: %d bytes keep %d", i, len(d.Output), cap(d.Output))
		}
	}
	if len(out.Deliveries) != actions || total > rules.MaxOutputs {
		t.Errorf("%d deliveries of %d bytes", len(out.Deliveries), total)
	}
	for i, a := range set.Explain(sc)[0].Actions {
		if d := out.Deliveries[i]; a.Err != d.Err || len(a.Output) != len(d.Output) || (a.Err != "") != (a.At.Line > 0) {
			t.Errorf("%d: explained as %q at %v, is %q", i, a.Err, a.At, d.Err)
		}
	}
}
