package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hookgate/app"
	"hookgate/app/ruletest"
	"hookgate/internal/diag"
)

// mustWrite writes config.yaml into a new folder and returns its path.
func mustWrite(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestExample loads the example that ships with the project, with the values
// of docs/env.example.
func TestExample(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	env, err := os.ReadFile("../docs/env.example")
	if err != nil {
		t.Fatal(err)
	}
	path := mustWrite(t, string(text))
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), ".env"), env, 0o600); err != nil {
		t.Fatal(err)
	}
	loaded, report, err := app.Load(path)
	if err != nil {
		t.Fatalf("config.yaml has faults:\n%v", report.List)
	}
	if len(report.List) > 0 {
		t.Errorf("config.yaml has warnings:\n%v", report.List)
	}
	results := loaded.RunTests(time.Now, nil, nil)
	for _, r := range ruletest.Failed(results) {
		t.Errorf("the test %q fails: %v", r.Name, r.Findings)
	}
	if len(results) < 3 {
		t.Errorf("config.yaml shows %d tests", len(results))
	}
	if len(loaded.Sources) == 0 || len(loaded.Forms) == 0 || len(loaded.Rules.Names()) == 0 {
		t.Errorf("config.yaml shows too little: %+v", loaded)
	}
}

func TestLoad_signedURL(t *testing.T) {
	t.Parallel()
	const sources = `
sources:
  crm: { type: webhook, verify: { scheme: hubspot, secret: 0123456789abcdef } }
  git: { type: webhook, verify: { scheme: github, secret: 0123456789abcdef } }
`
	_, report, err := app.Load(mustWrite(t, "version: 1"+sources))
	if err != nil || len(report.List) != 1 || report.List[0].Code != "no-public-url" || report.List[0].Path != "sources.crm.verify" {
		t.Errorf("got %v, want a warning about crm alone", report.List)
	}
	_, report, err = app.Load(mustWrite(t, "version: 1\nserver: { public_url: https://hooks.example, trusted_proxies: [127.0.0.1] }"+sources))
	if err != nil || len(report.List) != 0 {
		t.Errorf("with public_url: got %v, want nothing", report.List)
	}
}

// TestLoad_faultsOfEveryPart has a fault in each part: all must be reported at
// once, in the order of the file.
func TestLoad_faultsOfEveryPart(t *testing.T) {
	t.Parallel()
	path := mustWrite(t, `version: 1
server: { listen: nowhere }
outbond: {}
sources:
  sitejet: { type: sitejet, token: short }
  shop: { type: webhok }
forms:
  contact: { fields: { email: { type: emial } } }
connections:
  billing: { type: webhook, url: "ftp://example.com" }
  slack: { type: slak }
  chat: { type: slack, webhook_url: "${NOT_SET_ANYWHERE}" }
rules:
  - name: one
    from: sitjet
    filter: data.website.status == "Done"
    then:
      - { to: biling, json: { a: 1 } }
      - { to: slack, anything: "${{ data. }}" }
  - name: two
    from: sitejet
    when: data.website.status = "Done"
    then:
      - { to: billing, jsn: { a: 1 } }
`)
	loaded, report, err := app.Load(path)
	if err == nil || loaded != nil {
		t.Fatal("faults were accepted")
	}
	var got []string
	for _, d := range report.List {
		if d.Severity == diag.Error {
			got = append(got, d.Code)
		}
		if d.Line == 0 || d.File != path {
			t.Errorf("no place: %v", d)
		}
	}
	want := []string{
		"bad-value", "unknown-key", "weak-secret", "unknown-type", "unknown-type", "bad-url", "unknown-type", "env-missing",
		"unknown-source", "unknown-key", "unknown-connection", "expr-syntax", "expr-syntax", "unknown-key",
	}
	missing := map[string]int{}
	for _, code := range want {
		missing[code]++
	}
	for _, code := range got {
		missing[code]--
	}
	for code, n := range missing {
		if n != 0 {
			t.Errorf("%s: %d too few (negative: too many)", code, n)
		}
	}
	if t.Failed() {
		t.Logf("got\n%s", strings.ReplaceAll(report.List.Error(), path, "config.yaml"))
	}
}
