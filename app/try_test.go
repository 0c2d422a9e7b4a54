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
	var before []byte
	var err error
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
	when, always := `data.n in [1, 2]`, ""
	// The last line of the last rule, where another section follows.
	g.reload(plain + "\n\ntests: []")
	if before, err = os.ReadFile(g.path); err != nil {
		t.Fatal(err)
	}
	if got := patched(t, before, try(&when).Patch); !strings.Contains(got, "    when: "+when+" # why\n\n\ntests: []") {
		t.Errorf("the patch makes\n%s", got)
	}

	g.reload(plain + behind)
	if before, err = os.ReadFile(g.path); err != nil {
		t.Fatal(err)
	}
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
		file := patched(t, before, tried.Patch)
		if !strings.Contains(file, "  # Before it.\n"+want+behind) {
			t.Errorf("%s: the patch makes\n%s", name, file)
		}
		if _, report, err := app.Load(mustWrite(t, file)); err != nil {
			t.Errorf("%s: it does not load: %v", name, report.List)
		}
	}
}

// patched is a configuration with a patch put into it, as people do that.
func patched(t *testing.T, file []byte, patch string) string {
	t.Helper()
	path := mustWrite(t, string(file))
	apply := exec.CommandContext(t.Context(), lab.Need(t, "git"), "apply", "-")
	apply.Dir, apply.Stdin = filepath.Dir(path), strings.NewReader(patch)
	if out, err := apply.CombinedOutput(); err != nil {
		t.Fatalf("%v %s\n%s", err, out, patch)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
