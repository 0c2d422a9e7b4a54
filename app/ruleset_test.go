package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"hookgate/app"
	"hookgate/app/ingest"
	"hookgate/connectors"
	"hookgate/connectors/all"
	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/rules"
)

// versioned is a configuration whose rules use what a judge has to know of the
// rest: a source's types, a connection's shape, how its values are escaped,
// the time zone, the language.
const versioned = `version: 1
server: { timezone: Europe/Berlin, lang: de }
sources:
  site: { type: sitejet, token: 0123456789abcdefS3CRET }
connections:
  chat: { type: slack, bot_token: xoxb-S3CRET, channel: "#a" }
  mail: { type: email, from: a@agency.example, smtp: { host: mail.S3CRET.example, port: 465, user: S3CRET, password: S3CRET } }
  crowd: { type: discord, webhook_url: "https://discord.com/api/webhooks/1/S3CRET" }
  billing: { type: webhook, url: "https://billing.example/S3CRET", headers: { X-Key: S3CRET } }
rules:
  - name: done
    from: site
    events: [website_status_changed]
    when: data.website.status == "Done"
    then:
      - { to: chat, text: "${{ data.website.title }} at ${{ event.time }}" }
      - { to: chat, text: "${{ data.website.nothing }}" }
      - { to: crowd, text: '${{ format_money(1234.5, "EUR") }}, ${{ format_time("2026-07-01", "EEEE XXX") }}' }
      - { to: mail, recipient: "${{ data.website.title }} <x@agency.example>", html: "<b>${{ data.website.title }}</b>" }
      - { to: crowd, text: "**${{ data.website.title }}**" }
      - { to: billing, when: data.website.id > 5, ordering_key: data.website.id, json: { id: "${{ data.website.id }}" } }
`

func loadText(t testing.TB, text string) *app.Plan {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	loaded, report, err := app.Load(path)
	if err != nil {
		t.Fatal(err, report)
	}
	return loaded
}

// A version that was stored judges as the configuration did, and holds none of
// its secrets.
func TestVersion(t *testing.T) {
	t.Parallel()
	loaded := loadText(t, versioned)
	version, err := loaded.RuleSet()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(version.Source), "S3CRET") || strings.Contains(string(version.Source), "billing.example") {
		t.Errorf("the version holds what it must not: %s", version.Source)
	}
	stored, err := app.NewRuleSet(version.Source, loaded.Kinds)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		`{"website":{"status":"Done","title":"a<b & c","id":321654}}`, `{"website":{"status":"Done","title":"x","id":3}}`,
		`{"website":{"status":"Draft"}}`, `{"website":null}`, `{}`,
	} {
		e := event.Event{
			ID: 77, Source: "site", Type: "website_status_changed", ReceivedAt: time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC), Body: []byte(text),
		}
		want, err := loaded.Decide(&e)
		if err != nil {
			t.Fatal(err)
		}
		got, err := stored.Decide(&e)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: (-loaded +stored)\n%s", text, diff)
		}
		said := ""
		for _, d := range got.Deliveries {
			said += string(d.Output)
		}
		if strings.Contains(text, "Done") && !strings.Contains(said, "1.234,50 €, Mittwoch +02:00") {
			t.Errorf("%s: %s is not in the zone and the language of the configuration", text, said)
		}
		if diff := cmp.Diff(loaded.Explain(&e), stored.Explain(&e), cmpopts.IgnoreFields(diag.Position{}, "File")); diff != "" {
			t.Errorf("%s: explained (-loaded +stored)\n%s", text, diff)
		}
	}
	again, err := loadText(t, versioned).RuleSet()
	if err != nil || again.Hash != version.Hash {
		t.Errorf("the same file has the hashes %s and %s, %v", version.Hash, again.Hash, err)
	}
	if _, err := app.NewRuleSet(nil, loaded.Kinds); err == nil {
		t.Error("a version without its rules gives a judge")
	}
}

// A form's posts are told in its language and with its labels, also by a
// version that was stored.
func TestVersion_words(t *testing.T) {
	t.Parallel()
	loaded := loadText(t, `version: 1
connections: { mail: { type: email, from: a@agency.example, smtp: { host: mail.example, port: 465, user: u, password: p } } }
forms:
  anfrage:
    lang: de
    fields: { name: { label: "Ihr *Name*:" }, consent: { type: checkbox, label: "Ich akzeptiere die [Datenschutzerklärung](https://a.example)." } }
rules: [{ name: r, from: anfrage, then: [{ to: mail, recipient: sales@agency.example }] }]
`)
	version, err := loaded.RuleSet()
	if err != nil {
		t.Fatal(err)
	}
	stored, err := app.NewRuleSet(version.Source, loaded.Kinds)
	if err != nil {
		t.Fatal(err)
	}
	e := event.Event{ID: 7, Source: "anfrage", Type: event.FormSubmitted, ReceivedAt: time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC), Body: []byte(`{"name":"Ada","consent":true}`)}
	want, err := loaded.Decide(&e)
	if err != nil {
		t.Fatal(err)
	}
	got, err := stored.Decide(&e)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got.Deliveries) != 1 {
		t.Fatalf("(-loaded +stored)\n%s", diff)
	}
	for _, said := range []string{"Neue Nachricht (anfrage)", "Ihr Name:", "Ich akzeptiere die Datenschutzerklärung: ja"} {
		if output := string(got.Deliveries[0].Output); !strings.Contains(output, said) {
			t.Errorf("no %q in %s", said, output)
		}
	}
}

// An event is explained also when the recipe of a connection is no longer
// there, and which connection that was is said.
func TestVersion_recipeGone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "config.yaml")
	for name, text := range map[string]string{
		"mytool.yaml": "recipe: 1\nname: mytool\ndoc: Does it.\nactions:\n  add:\n    doc: Adds it.\n    inputs: { text: { doc: The text., escape: html } }\n" +
			"    request: { url: https://mytool.example, json: { text: '${{ input.text }}' } }\n",
		"config.yaml": "version: 1\nrecipes: [mytool.yaml]\nsources: { site: { type: webhook, token: fedcba98765432100123 } }\n" +
			"connections: { crm: { type: mytool }, billing: { type: webhook, url: https://billing.example/ } }\n" +
			"rules:\n  - { name: keep, from: site, when: data.n > 1, then: [{ to: crm, add: { text: '<${{ data.t }}>' } }, { to: billing, json: 1 }] }\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	loaded, report, err := app.Load(path)
	if err != nil {
		t.Fatal(err, report)
	}
	version, err := loaded.RuleSet()
	if err != nil {
		t.Fatal(err)
	}
	e := event.Event{ID: 77, Source: "site", Type: "x", Body: []byte(`{"n":2,"t":"<b>"}`)}
	for name, tc := range map[string]struct {
		kinds *connectors.Catalog
		gone  []ingest.GoneConnection
		sends string
	}{
		"there": {loaded.Kinds, nil, `"text":"<&lt;b&gt;>"`},
		"gone":  {all.Catalog(), []ingest.GoneConnection{{Name: "crm", Type: "mytool"}}, `"text":"<<b>>"`},
	} {
		judge, err := app.NewRuleSet(version.Source, tc.kinds)
		if err != nil {
			t.Fatal(name, err)
		}
		if diff := cmp.Diff(tc.gone, judge.Gone); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		traces := judge.Explain(&e)
		if len(traces) != 1 || traces[0].Result != rules.Matched || len(traces[0].Actions) != 2 || !strings.Contains(string(traces[0].Actions[0].Output), tc.sends) {
			t.Errorf("%s: got %+v", name, traces)
		}
	}
}

// A stored version has the fixed tables that its rules look up, and two
// versions with one table share it.
func TestVersion_tables(t *testing.T) {
	t.Parallel()
	const text = `version: 1
sources: { site: { type: webhook, token: abcdefghijklmnopqrstuvwxyz } }
connections: { chat: { type: log } }
tables:
  plans: { key: code, rows: [{ code: s, price: 19.90 }, { code: 7, price: 99 }] }
rules:
  - { name: r, from: site, when: 'lookup("plans", data.plan) != nil', then: [{ to: chat, text: '${{ lookup("plans", data.plan).price }} %s' }] }
`
	loaded := loadText(t, strings.Replace(text, "%s", "", 1))
	version, err := loaded.RuleSet()
	if err != nil {
		t.Fatal(err)
	}
	other, err := loadText(t, strings.Replace(text, "%s", "EUR", 1)).RuleSet()
	if err != nil || len(other.Parts) != 1 || len(version.Parts) != 1 || other.Parts[0].Hash != version.Parts[0].Hash || other.Hash == version.Hash {
		t.Fatalf("got the parts %v and %v, %v", version.Parts, other.Parts, err)
	}
	stored, err := app.NewRuleSet(version.Whole(), loaded.Kinds)
	if err != nil {
		t.Fatal(err)
	}
	for data, want := range map[string]string{`{"plan":"s"}`: `{"text":"19.90 "}`, `{"plan":"7"}`: `{"text":"99 "}`, `{"plan":"x"}`: "", `{}`: ""} {
		e := event.Event{ID: 7, Source: "site", Type: "event", ReceivedAt: time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC), Body: []byte(data)}
		for _, set := range []*ingest.RuleSet{&loaded.Plan.RuleSet, stored} {
			out, err := set.Decide(&e)
			if err != nil || len(out.Errors) > 0 {
				t.Fatal(err, out.Errors)
			}
			got := ""
			for _, d := range out.Deliveries {
				got += string(d.Output)
			}
			if got != want {
				t.Errorf("%s: got %s, want %s", data, got, want)
			}
		}
	}
}

// A version of a configuration in several files holds the rules of all of them,
// and judges as that did. One of a single file is written as it always was.
func TestVersion_include(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for name, text := range map[string]string{
		"config.yaml": "version: 1\ninclude: [rest.yaml]\nsources: { shop: { type: webhook, token: 0123456789abcdefS3CRET } }\nrules:\n  - { name: one, from: shop, when: data.x > 1, then: [{ to: log, text: a }] }\n",
		"rest.yaml":   "connections: { log: { type: log } }\nrules:\n- name: two\n  from: shop\n  when: data.y > 1\n  then: [{ to: log, text: \"${{ data.y }}\" }]\n",
		"single.yaml": "version: 1\nrules: []\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	loaded, report, err := app.Load(filepath.Join(folder, "config.yaml"))
	if err != nil {
		t.Fatal(err, report)
	}
	version, err := loaded.RuleSet()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(version.Source), "S3CRET") || strings.Contains(string(version.Source), folder) {
		t.Errorf("the version holds what it must not: %s", version.Source)
	}
	stored, err := app.NewRuleSet(version.Source, loaded.Kinds)
	if err != nil {
		t.Fatal(err)
	}
	e := event.Event{ID: 77, Source: "shop", ReceivedAt: time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC), Body: []byte(`{"x":1,"y":2}`)}
	got, err := stored.Decide(&e)
	if err != nil || len(got.Deliveries) != 1 || !strings.Contains(string(got.Deliveries[0].Output), "2") {
		t.Errorf("got %+v, %v", got, err)
	}
	if traces := stored.Explain(&e); len(traces) != 2 || traces[0].Parts[0].At.String() != "config.yaml:5:36" || traces[1].Parts[0].At.String() != "rest.yaml:5:9" {
		t.Errorf("got %+v", traces)
	}
	single, _, err := app.Load(filepath.Join(folder, "single.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if version, err = single.RuleSet(); err != nil || !strings.Contains(string(version.Source), `"text":{"File":"single.yaml","Line":2,"Text":"rules: []\n"}`) {
		t.Errorf("got %s, %v", version.Source, err)
	}
}
