package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"hookgate/test/lab"
)

// check: everything wrong at once, with places; exit status 3.
func TestCheck(t *testing.T) {
	t.Parallel()
	g := lab.New(t, "")
	g.Configure(agency("http://127.0.0.1:1", "http://127.0.0.1:1"))
	out := g.MustCLI("check")
	has(t, "check", out, "1 source", "2 connections", "4 rules")

	g.WriteConfig(`version: 1
sources:
  sitejet: { type: sitejet, token: 0123456789abcdef0123 }
connections:
  billing: { type: webhook, url: "https://billing.example/x" }
  slack-bot: { type: slack, bot_token: "${NOT_SET_ANYWHERE}", channel: "#x" }
rules:
  - name: one
    from: sitejet
    filter: data.website.status == "Done"
    then: [{ to: billing, json: {} }]
  - name: two
    from: sitejet
    when: data.website.status = "Done"
    then: [{ to: biling, json: {} }]
  - name: three
    from: sitejet
    when: data.website.status == Done
    then: [{ to: billing, json: {} }]
`)
	r := g.CLI("check")
	if r.Code != 3 {
		t.Errorf("exit status %d, want 3", r.Code)
	}
	text := r.Stdout + r.Stderr
	has(t, "check", text,
		`error[unknown-key] `, `config.yaml:10:5: a rule has no key "filter"`, `did you mean "when"?`,
		`error[expr-syntax] `, `config.yaml:14:31: "=" is not an operator`, "write == to compare",
		`error[unknown-connection] `, `config.yaml:15:18: no connection is called "biling"`, `did you mean "billing"?`,
		`error[expr-name] `, `config.yaml:18:34: unknown name "Done"`, `text needs quotes: "Done"`,
		`error[env-missing] `, `NOT_SET_ANYWHERE is not set`)
	if strings.Index(text, ":10:5") > strings.Index(text, ":18:34") {
		t.Error("the errors are not in the order of the file")
	}
	r = g.CLI("check", "--json")
	var report struct {
		OK          bool
		Diagnostics []struct {
			Code, Path, Message, Hint string
			Line, Column              int
		}
	}
	if err := json.Unmarshal([]byte(r.Stdout), &report); err != nil {
		t.Fatalf("%v in %s", err, r.Stdout)
	}
	if r.Code != 3 || report.OK || len(report.Diagnostics) != 5 {
		t.Errorf("exit status %d, %d diagnostics, want 3 and 5: %s", r.Code, len(report.Diagnostics), r.Stdout)
	}
	if err := g.Launch(); err != nil {
		t.Fatal(err)
	}
	if code := g.Wait(lab.Patience); code != 3 {
		t.Errorf("serve with an invalid configuration: exit status %d, want 3", code)
	}
	has(t, "serve's errors", g.Stderr()+g.Stdout(), "biling", "NOT_SET_ANYWHERE")
}

func TestExitStatus(t *testing.T) {
	t.Parallel()
	sink := lab.NewSink(t, nil)
	g := lab.Start(t, agency(sink.URL, sink.URL))
	for _, c := range []struct {
		args []string
		want int
	}{
		{[]string{"--version"}, 0},
		{[]string{"--help"}, 0},
		{[]string{"nonsense"}, 2},
		{[]string{"events", "list", "--nonsense"}, 2},
		{[]string{"events", "show"}, 2},
		{[]string{"events", "show", "not-an-id"}, 2},
		{[]string{"events", "show", "evt_00000000000aa"}, 5},
		{[]string{"deliveries", "show", "dlv_00000000000aa"}, 5},
		{[]string{"events", "send", "nobody", "-"}, 5},
	} {
		if r := g.CLIWith("{}", c.args...); r.Code != c.want {
			t.Errorf("hookgate %s: exit status %d, want %d: %s%s", strings.Join(c.args, " "), r.Code, c.want, r.Stdout, r.Stderr)
		}
	}
}
