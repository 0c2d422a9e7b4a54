package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/app/config"
)

// What is kept of a configuration must give the same rules again, with the
// same places, and must hold nothing that stands outside of the section.
func TestRuleText(t *testing.T) {
	t.Parallel()
	const before = "version: 1\nsources:\n  s: { type: webhook, token: S3CRETTOKEN }\n"
	const after = "connections:\n  c: { type: webhook, url: https://x.example/S3CRET }\n"
	for name, tc := range map[string]struct {
		text string
		line int // of the rule's name
	}{
		"in the middle":      {before + "rules:\n  # why\n  - name: a\n    from: s\n    then: [{ to: c, json: { x: '${{ data.x }} $${y}' } }]\n\n# S3CRET below\n" + after, 6},
		"at the end":         {before + after + "rules:\n  - name: a\n    from: s\n    then:\n      - to: c\n        body: |\n          # no comment\n\n          end\n", 7},
		"without the indent": {before + "rules:\n- name: a\n  from: s\n  then: [{ to: c, json: {} }]\n" + after, 5},
		"one line":           {before + "rules: [{ name: a, from: s, then: [{ to: c, json: 1.50 }] }]\n" + after, 4},
		"flow":               {"{version: 1, sources: {s: {type: webhook, token: S3CRET}},\nrules: [{name: a, from: s, then: [{to: c, json: {z: 1, b: \"x: y\"}}]}], connections: {c: {type: webhook, url: S3CRET}}}\n", 2},
		"with an anchor":     {"version: 1\nsources:\n  s: { type: webhook, token: S3CRET, event_type: &x data.x }\nrules:\n  - name: a\n    from: s\n    when: *x\n    then: [{ to: c, json: {} }]\n" + after, 4},
		"none":               {before + after, 0},
		"empty":              {before + "rules:\n" + after, 0},
		"CRLF":               {strings.ReplaceAll(before+"rules:\n  - name: a\n    from: s\n    then: []\n"+after, "\n", "\r\n"), 5},
	} {
		doc, _ := config.Parse("dir/config.yaml", []byte(tc.text), func(string) (string, bool) { return "", false })
		if doc == nil {
			t.Fatalf("%s: not read", name)
		}
		if strings.Contains(doc.RuleText[0].Text, "S3CRET") {
			t.Errorf("%s: a secret is kept: %q", name, doc.RuleText[0].Text)
		}
		again, list := doc.RuleText.Rules()
		if list.Err() != nil || len(again) != len(doc.Rules) {
			t.Errorf("%s: got %d rules from %q, %v, want %d", name, len(again), doc.RuleText[0].Text, list, len(doc.Rules))
			continue
		}
		for i := range again {
			was, is := doc.Rules[i], again[i]
			if is.Name.Pos().Line != tc.line || is.When.Value != was.When.Value || is.Name.Value != was.Name.Value {
				t.Errorf("%s: rule %d is %q at %v, was %q at %v, want line %d", name, i, is.Name.Value, is.Name.Pos(), was.Name.Value, was.Name.Pos(), tc.line)
			}
			for k := range was.Then {
				for f := range was.Then[k].Inputs {
					if diff := cmp.Diff(was.Then[k].Inputs[f].Value.Any(), is.Then[k].Inputs[f].Value.Any()); diff != "" {
						t.Errorf("%s: %s", name, diff)
					}
				}
			}
		}
	}
}
