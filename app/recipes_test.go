package app_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hookgate/app"
	"hookgate/internal/diag"
)

// own is a recipe of a user's own; WORD is in what it sends.
const own = `recipe: 1
name: mytool
doc: Tells MyTool.
settings:
  api_url: { type: url, default: https://api.mytool.example, doc: Where it is. }
actions:
  tell:
    doc: Tells it.
    direct: true
    inputs:
      n: { type: number, required: true, doc: A number., example: 1 }
    request: { json: { is: WORD, n: "${{ input.n }}" } }
`

// ownDocument is a configuration that uses it.
func ownDocument(listen, url string) string {
	text := document(listen, url, "x")
	from, to := strings.Index(text, "connections:"), strings.Index(text, "rules:")
	return text[:from] + "recipes: [./own/mytool.yaml]\nconnections: { c: { type: mytool, api_url: \"" + url + "\" } }\n" +
		text[to:strings.Index(text, "then:")] + "then: [{ to: c, n: \"${{ data.n }}\" }] }\n"
}

// mustWriteOwn writes both files into a new folder.
func mustWriteOwn(t *testing.T, config, recipe string) string {
	t.Helper()
	path := mustWrite(t, config)
	if err := os.Mkdir(filepath.Join(filepath.Dir(path), "own"), 0o700); err != nil {
		t.Fatal(err)
	}
	mustWriteRecipe(t, path, recipe)
	return path
}

func mustWriteRecipe(t *testing.T, config, recipe string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(filepath.Dir(config), "own", "mytool.yaml"), []byte(recipe), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A recipe's change alone is enough for a reload, and one with a fault leaves
// what was there in force. Broken by leaving the recipes out of the hash, of
// what is watched, or of a connection's fingerprint.
func TestRecipes_reload(t *testing.T) {
	t.Parallel()
	url, got := sink(t)
	path := mustWriteOwn(t, ownDocument("127.0.0.1:0", url), strings.Replace(own, "WORD", "first", 1))
	a := mustRun(t, path)
	awaitReload(t, a, got, "first")
	mustWriteRecipe(t, path, strings.Replace(own, "request:", "reqest:", 1))
	if report, err := a.Reload(); err != nil || report.Err() == nil {
		t.Errorf("a recipe with a fault: got %v, %v, want its report", report.List, err)
	}
	awaitReload(t, a, got, "first")
	mustWriteRecipe(t, path, strings.Replace(own, "WORD", "second", 1))
	awaitReload(t, a, got, "second")
}

// A fault in a recipe has its place there, and is shown with its line.
func TestRecipes_faults(t *testing.T) {
	t.Parallel()
	for recipe, want := range map[string]string{
		strings.Replace(own, "input.n }}", "input.nn }}", 1):     `own/mytool.yaml:12:48: input has no "nn" (did you mean "n"?)`,
		strings.Replace(own, "doc: Tells it.", "dok: x", 1):      `own/mytool.yaml:8:5: an action has no key "dok" (did you mean "doc"?)`,
		strings.Replace(own, "name: mytool", "name: webhook", 1): `own/mytool.yaml:2:7: there is a connector "webhook" already (choose another name)`,
		strings.Replace(own, "name: mytool", "name: other", 1):   `config.yaml:`,
		strings.Replace(own, "recipe: 1", "recipe: 1\n- x", 1):   `own/mytool.yaml:2:`,
	} {
		path := mustWriteOwn(t, ownDocument("127.0.0.1:0", "https://receiver.example"), recipe)
		_, report, err := app.Load(path)
		if alone := !strings.Contains(want, "config.yaml"); alone && strings.Contains(report.List.Error(), "unknown-type") && !strings.Contains(recipe, "name: webhook") {
			t.Errorf("the connection is blamed, too: %v", report.List)
		}
		if err == nil || !strings.Contains(strings.ReplaceAll(report.List.Error(), filepath.Dir(path)+"/", ""), want) {
			t.Errorf("got %v, want %s", report.List, want)
			continue
		}
		var shown strings.Builder
		if err := report.Render(&shown, false); err != nil || !strings.Contains(shown.String(), "^") {
			t.Errorf("shown as %s, %v", shown.String(), err)
		}
	}
	path := mustWrite(t, ownDocument("127.0.0.1:0", "https://receiver.example"))
	if _, report, _ := app.Load(path); !strings.Contains(report.List.Error(), "[bad-file]") || !strings.Contains(report.List.Error(), ": the recipe can't be read: ") {
		t.Errorf("without the file: got %v", report.List)
	}
}

// What is no YAML is explained in a recipe as it is in the config.
func TestRecipes_syntax(t *testing.T) {
	t.Parallel()
	for recipe, want := range map[string]string{
		"recipe: 1\nname: mytool\n\tdoc: x.\n": `mytool.yaml:3:1: this line is indented with a tab (indent with spaces, YAML allows no tabs)`,
		"# nothing yet\n":                      `config.yaml:6:11: the recipe is empty (begin it with recipe: 1)`,
	} {
		path := mustWriteOwn(t, ownDocument("127.0.0.1:0", "https://h.example"), recipe)
		_, report, _ := app.Load(path)
		if got := report.List.Error(); !strings.Contains(got, want) || strings.Contains(got, "no connector called") {
			t.Errorf("got %s\nwant %s, and no complaint that the type is unknown", got, want)
		}
	}
}

// An input that has the name of an action's own key is told of: beside the keys, what
// is written there is the key.
func TestRecipes_reservedInput(t *testing.T) {
	t.Parallel()
	for inputs, want := range map[string]bool{"": false, "      step: { type: text, doc: A step., example: one }\n": true} {
		recipe := strings.Replace(own, "    request:", inputs+"    request:", 1)
		_, report, err := app.Load(mustWriteOwn(t, ownDocument("127.0.0.1:0", "https://x.example"), recipe))
		if err != nil {
			t.Fatal(report.List)
		}
		found := false
		for _, d := range report.List {
			found = found || d.Code == "reserved-input" && strings.Contains(d.Message, `mytool has an input "step"`) && d.Line > 0
		}
		if found != want {
			t.Errorf("with %q: warned %t, want %t: %v", inputs, found, want, report.List)
		}
	}
}

// Where the samples of a recipe cannot be tried, as when check is ended, that is said,
// and not that they fail. Break: leave the error of RehearseRecipe out.
func TestRecipes_untried(t *testing.T) {
	t.Parallel()
	const samples = "samples:\n  - settings: { api_url: BASE }\n    action: { n: 1 }\n    request: { url: /, json: { is: WORD, n: 1 } }\n    answers: [{ status: 200, is: delivered }]\n"
	path := mustWriteOwn(t, ownDocument("127.0.0.1:0", "https://mytool.example"), own+samples)
	for untried, want := range map[bool]int{false: 0, true: 1} {
		ctx, cancel := context.WithCancel(t.Context())
		if untried {
			cancel()
		}
		_, report, err := app.Check(ctx, path, nil, false)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		said := 0
		for _, d := range report.List {
			if d.Code == "samples-untried" && d.Severity == diag.Warning && d.Line > 0 {
				said++
			}
		}
		if said != want {
			t.Errorf("untried %v: %v", untried, report.List)
		}
	}
}
