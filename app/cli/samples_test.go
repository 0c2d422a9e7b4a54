package cli_test

import (
	"encoding/json"
	"strings"
	"testing"
)

const samplesConfig = `version: 1
server: { listen: "LISTEN" }
sources:
  sitejet: { type: sitejet, token: 0123456789abcdef0123 }
  github: { type: webhook, verify: { scheme: github, secret: fedcba9876543210 } }
forms:
  contact:
    captcha: { type: turnstile, secret: 0123456789, sitekey: abc }
    fields: { name: { required: true }, email: { type: email, required: true } }
  apply:
    fields: { name: { required: true }, cv: { type: file, accept: [pdf], required: true } }
  odd:
    fields: { code: { pattern: "[x]{17}", required: true } }
`

func TestSamples(t *testing.T) {
	t.Parallel()
	list := run(t, "samples", "list", "sitejet")
	if list.code != 0 || !strings.Contains(list.out, "sitejet  website_status_changed") || strings.Contains(list.out, "github") {
		t.Errorf("%+v", list)
	}
	var all struct {
		Items []struct{ Sender, Name, Body string }
	}
	if got := run(t, "samples", "list", "--json"); json.Unmarshal([]byte(got.out), &all) != nil || len(all.Items) < 30 {
		t.Errorf("%+v", got)
	}
	show := run(t, "samples", "show", "github", "issues")
	if show.code != 0 || !strings.Contains(show.out, `"action": "opened"`) || !strings.Contains(show.errOut, "X-GitHub-Event: issues") {
		t.Errorf("%+v", show)
	}
	config := writeConfig(t, strings.Replace(samplesConfig, "LISTEN", "127.0.0.1:8080", 1))
	if got := run(t, "samples", "show", "contact", "-c", config); got.code != 0 || got.out != "{\n  \"name\": \"Ada Lovelace\",\n  \"email\": \"ada@example.com\"\n}\n" {
		t.Errorf("%+v", got)
	}
	for hint, args := range map[string][]string{
		`did you mean "issues"?`: {"show", "github", "isues"},
		`did you mean "github"?`: {"list", "guthub"},
		"hookgate samples list":  {"show", "xyz"},
	} {
		if got := run(t, append([]string{"samples"}, args...)...); got.code != 5 || !strings.Contains(got.errOut, hint) {
			t.Errorf("%v: %+v", args, got)
		}
	}
}

// What events send --sample posts comes in as from its sender: with the type,
// as often as it is sent, past captchas, with its file.
func TestEventsSend_sample(t *testing.T) {
	t.Parallel()
	config := writeConfig(t, strings.Replace(samplesConfig, "LISTEN", freePort(t), 1))
	startServer(t, config)
	send := func(args ...string) outcome {
		return run(t, append([]string{"events", "send", "-q", "-c", config}, args...)...)
	}
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"sitejet", "--sample"}, []string{"website_status_changed", "Harry's Diner", "no rule matched"}},
		{[]string{"sitejet", "--sample"}, []string{"no rule matched"}}, // no repeat
		{[]string{"sitejet", "website_created", "--sample", "--set", "website.title=Blau"}, []string{"website_created", "Blau"}},
		{[]string{"github", "--sample"}, []string{"  push", "no rule matched"}},
		{[]string{"github", "issues", "--sample"}, []string{"issues"}},
		{[]string{"contact", "--sample", "--set", "name=Bob"}, []string{"form_submitted", `"Bob"`, "no rule matched"}},
		{[]string{"apply", "--sample"}, []string{"form_submitted", "sample.pdf", "no rule matched"}},
	} {
		sent := send(c.args...)
		if sent.code != 0 {
			t.Errorf("%v: %+v", c.args, sent)
			continue
		}
		shown := run(t, "events", "show", strings.TrimSpace(sent.out), "-c", config).out
		for _, want := range c.want {
			if !strings.Contains(shown, want) {
				t.Errorf("%v: %q is not in\n%s", c.args, want, shown)
			}
		}
	}
	if got := send("odd", "--sample"); got.code != 1 || !strings.Contains(got.errOut, "the form refuses it") || !strings.Contains(got.errOut, "code") {
		t.Errorf("a form that no sample fits: %+v", got)
	}
	if got := send("odd", "--sample", "--set", "code=xxxxxxxxxxxxxxxxx"); got.code != 0 {
		t.Errorf("with its value: %+v", got)
	}
	if got := send("sitejet", "nothing", "--sample"); got.code != 5 || !strings.Contains(got.errOut, "website_created") {
		t.Errorf("a sample that there is not: %+v", got)
	}
	if got := send("shop", "--sample"); got.code != 5 {
		t.Errorf("a source that there is not: %+v", got)
	}
	if got := send("sitejet"); got.code != 2 || !strings.Contains(got.errOut, "--sample") {
		t.Errorf("neither file nor sample: %+v", got)
	}
	if got := send("sitejet", "as_printed", "--sample"); got.code != 1 || !strings.Contains(got.errOut, "a comma is missing") {
		t.Errorf("the broken sample: %+v", got)
	}
}
