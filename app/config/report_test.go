package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/app/config"
	"hookgate/internal/diag"
)

// Whatever a later pass says, no value of the environment is seen.
func TestReport_Add_hidesValues(t *testing.T) {
	t.Parallel()
	doc, report := MustParse(t, "version: 1\nsources: { a: { x: \"${LONG} ${QUOTED} ${SHORT} ${PORT}\" } }\n", map[string]string{
		"LONG": "a-long-secret-value", "QUOTED": "with \"quotes\" and\nlines", "SHORT": "secret", "PORT": "8080",
	})
	x := doc.Sources[0].Node.Get("x").Text()
	report.Add(diag.List{
		x.Diag("later", "use a-long-secret-value", "not %q and xa-long-secret-valuex", "with \"quotes\" and\nlines"),
		x.Diag("later", "", `"secret", signing_secret, secrets, port 8080`),
	})
	want := []string{
		`error[later] dir/config.yaml:2:20: not "${QUOTED}" and x${LONG}x (use ${LONG})`,
		`error[later] dir/config.yaml:2:20: "${SHORT}", signing_secret, secrets, port 8080`,
	}
	if diff := cmp.Diff(strings.Join(want, "\n"), report.List.Error()); diff != "" {
		t.Error(diff)
	}
}

// What a later pass says of a value that is missing would only follow from that.
func TestReport_Add_dropsWhatFollows(t *testing.T) {
	t.Parallel()
	doc, report := config.Parse("c.yaml", []byte(`version: 1
sources:
  a: &a { tokn: "${NONE}", other: 1 }
  b: { <<: *a }
  c: *a
`), lookup(nil))
	if got := codes(report.List); got != "env-missing" {
		t.Fatalf("got %v", report.List)
	}
	for _, e := range doc.Sources {
		report.Add(diag.List{
			e.Node.Get("tokn").Diag("too-short", "", "the token is too short"),
			e.Node.Get("other").Diag("kept", "", "this is not of the value"),
			e.Node.Fields()[0].Key.Diag("unknown-key", "", "this is of the key"),
		})
	}
	if got, want := codes(report.List), "env-missing kept kept kept unknown-key unknown-key unknown-key"; sorted(got) != want {
		t.Errorf("got %s, want %s: %v", got, want, report.List)
	}
	for i := 1; i < len(report.List); i++ {
		if a, b := report.List[i-1], report.List[i]; a.Line > b.Line || a.Line == b.Line && a.Column > b.Column {
			t.Errorf("not in the file's order: %v", report.List)
		}
	}
}

func sorted(words string) string {
	list := strings.Fields(words)
	for i := range list {
		for j := range list[:i] {
			if list[i] < list[j] {
				list[i], list[j] = list[j], list[i]
			}
		}
	}
	return strings.Join(list, " ")
}

// An alias in a rule must not bring in what the environment gave elsewhere.
func TestParse_aliasOfASecretInARule(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"scalar":  "version: 1\nsources: { a: { token: &t \"${TOKEN}\" } }\nrules: [{ name: r, from: a, then: [{ to: c, text: *t }] }]\n",
		"mapping": "version: 1\nconnections: { c: &c { type: x, token: \"${TOKEN}\" } }\nrules: [{ name: r, from: a, then: [{ to: c, json: *c }] }]\n",
		"merge":   "version: 1\nconnections: { c: &c { type: x, token: \"${TOKEN}\" } }\nrules: [{ name: r, from: a, then: [{ to: c, json: { <<: *c } }] }]\n",
		"reverse": "version: 1\nrules: [{ name: r, from: a, then: [{ to: c, text: &t \"${TOKEN}\" }] }]\nsources: { a: { token: *t } }\n",
	} {
		_, report := config.Parse("c.yaml", []byte(text), lookup(map[string]string{"TOKEN": canary}))
		if got := codes(report.List); got != "env-in-rules" {
			t.Errorf("%s: got %v", name, report.List)
		}
	}
}

func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		"version: 1\nsources: { a: { x: \"${A} $${ ${{ '}}' }} ${B:-c}\" } }\n",
		"a: &a [*a]\n", "? [a]\n: b\n", "- 1\n", "\ta", "version: 1\nrules: [{then: [{to: #x\n}]}]\n",
		"connections: {a: {<<: [*x]}, retry: {delays: [1s]}}", "server: {admin: , listen: !!binary x}", "\"\\u0000\": ${A}\n",
		"version: !!float 1\nforms: {a: &x {b: ${A}}, c: {<<: *x}}\n", "\ufeffversion: 1\r\nx: |\r\n  ${A}\r\n",
	} {
		f.Add([]byte(seed))
	}
	env := lookup(map[string]string{"A": canary, "B": ""})
	f.Fuzz(func(t *testing.T, content []byte) {
		doc, report := config.Parse("c.yaml", content, env)
		if doc == nil && report.Err() == nil {
			t.Error("neither a document nor an error")
		}
		var out strings.Builder
		if err := report.Render(&out, true); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out.String(), canary) && !strings.Contains(string(content), canary) {
			t.Errorf("a value of the environment is shown:\n%s", out.String())
		}
	})
}
