package app_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hookgate/app"
	"hookgate/app/admin"
	"hookgate/test/lab"
)

// What is tried can be taken away: the rule's text has each change in its place, with
// all else as it was, and the patch makes the file the same. What cannot be put
// there is named.
func TestTry_text(t *testing.T) {
	t.Parallel()
	const rule = `  # Before it.
  - name: r # its name
    from: s
    then:
      - { to: sink, body: "Hello ${{ data.n }}" } # the greeting
      - to: other
        when: data.n > 1
        body: | # the letter
          Dear ${{ data.n }},

          # no comment
          Bye
      - { to: sink, body: &b 'It''s', when: 'true' }
    when: data.n == 1 # why
`
	const behind = "\n  # Of the last.\n  - { name: last, from: s, then: [{ to: other, json: {} }] }"
	g := newRerendered(t, rule+behind)
	before, err := os.ReadFile(g.path)
	if err != nil {
		t.Fatal(err)
	}
	input := func(to string, action int, text string) admin.TextInput {
		return admin.TextInput{To: to, Action: action, RuleInput: admin.RuleInput{Name: "body", Text: text}}
	}
	try := func(when *string, inputs ...admin.TextInput) admin.Tried {
		t.Helper()
		tried, err := g.Try(t.Context(), admin.TryRequest{Rule: "r", RuleChange: admin.RuleChange{When: when, Inputs: inputs}})
		if err != nil || len(tried.Faults) > 0 {
			t.Fatal(err, tried.Faults)
		}
		return tried
	}
	if same := try(nil); same.Text != "" || same.Patch != "" || same.ByHand != nil {
		t.Errorf("without a change: %+v", same)
	}
	anchored := try(nil, input("sink", 1, "Hi"))
	if anchored.Text != "" || len(anchored.ByHand) != 1 || anchored.ByHand[0].Name != "body" {
		t.Errorf("what may stand elsewhere, too: %+v", anchored)
	}

	plain := strings.Replace(rule, "&b ", "", 1)
	g.reload(plain + behind)
	when, always := `data.n in [1, 2]`, ""
	for name, c := range map[string]struct {
		when    *string
		inputs  []admin.TextInput
		changed []string // old and new in turn
	}{
		"a text":        {nil, []admin.TextInput{input("sink", 1, `Hi "${{ data.n }}"`)}, []string{`"Hello ${{ data.n }}"`, `"Hi \"${{ data.n }}\""`}},
		"both":          {&when, []admin.TextInput{input("sink", 2, "It's not")}, []string{"data.n == 1", when, "'It''s'", "'It''s not'"}},
		"a block":       {nil, []admin.TextInput{input("other", 1, "Dear\n\n  all\n")}, []string{"          Dear ${{ data.n }},\n\n          # no comment\n          Bye\n", "          Dear\n\n            all\n"}},
		"no condition":  {&always, nil, []string{"    when: data.n == 1 # why\n", ""}},
		"all its texts": {nil, []admin.TextInput{input("sink", 1, "a"), input("other", 1, "b\n"), input("sink", 2, "c")}, []string{`"Hello ${{ data.n }}"`, `"a"`, "          Dear ${{ data.n }},\n\n          # no comment\n          Bye\n", "          b\n", "'It''s'", "'c'"}},
	} {
		tried := try(c.when, c.inputs...)
		_, want, _ := strings.Cut(plain, "it.\n")
		for pair := range slices.Chunk(c.changed, 2) {
			want = strings.Replace(want, pair[0], pair[1], 1)
		}
		if tried.Text != want || len(tried.ByHand) > 0 {
			t.Errorf("%s: got\n%s%v\nwant\n%s", name, tried.Text, tried.ByHand, want)
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "config.yaml"), []byte(strings.Replace(string(before), "&b ", "", 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		apply := exec.CommandContext(t.Context(), lab.Need(t, "git"), "apply", "-")
		apply.Dir, apply.Stdin = dir, strings.NewReader(tried.Patch)
		if out, err := apply.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v %s\n%s", name, err, out, tried.Patch)
		}
		patched, err := os.ReadFile(filepath.Join(dir, "config.yaml"))
		if err != nil || !strings.Contains(string(patched), "  # Before it.\n"+want+behind) {
			t.Errorf("%s: %v, the patch makes\n%s", name, err, patched)
		}
		if _, report, err := app.Load(filepath.Join(dir, "config.yaml")); err != nil {
			t.Errorf("%s: it does not load: %v", name, report.List)
		}
	}
}
