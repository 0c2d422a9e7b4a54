package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hookgate/connectors/all"
)

func TestConnectors_list(t *testing.T) {
	t.Parallel()
	config := writeConfig(t, "version: 1\n")
	got := run(t, "connectors", "list", "-c", config)
	if got.code != 0 {
		t.Fatalf("got %+v", got)
	}
	for _, k := range all.Kinds() {
		if !strings.Contains(got.out, "\n"+k.Name+" ") {
			t.Errorf("%s is not in the table:\n%s", k.Name, got.out)
		}
	}
	for line := range strings.Lines(got.out) {
		if len([]rune(line)) > 81 {
			t.Errorf("too wide: %s", line)
		}
	}
	var list struct {
		Items []struct {
			Type, Doc string
			Own       bool
			Actions   []struct{ Name string }
		}
	}
	if err := json.Unmarshal([]byte(run(t, "connectors", "list", "--json", "-c", config).out), &list); err != nil || len(list.Items) != len(all.Kinds()) {
		t.Errorf("got %+v, %v", list, err)
	}
}

func TestConnectors_show(t *testing.T) {
	t.Parallel()
	config := writeConfig(t, "version: 1\n")
	golden(t, "connectors_show", run(t, "connectors", "show", "campaign_monitor", "-c", config).out)
	if got := run(t, "connectors", "show", "stirpe", "-c", config); got.code != 5 || !strings.Contains(got.errOut, `did you mean "stripe"?`) {
		t.Errorf("an unknown one: got %+v", got)
	}
	for _, k := range all.Kinds() {
		got := run(t, "connectors", "show", k.Name, "-c", config)
		var details struct {
			Settings []struct{ Name string }
			Example  string
		}
		err := json.Unmarshal([]byte(run(t, "connectors", "show", k.Name, "--json", "-c", config).out), &details)
		if got.code != 0 || err != nil || len(details.Settings) != len(k.Settings) || details.Example != k.Example {
			t.Errorf("%s: got %+v, %+v, %v", k.Name, got, details, err)
		}
	}
}

// Connectors of the user's own are listed with the others, and a fault in one
// has its place.
func TestConnectors_own(t *testing.T) {
	t.Parallel()
	config := writeConfig(t, "version: 1\nrecipes: [mytool.yaml]\n")
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(filepath.Dir(config), "mytool.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const recipe = "recipe: 1\nname: mytool\ndoc: Does it.\nactions:\n  go:\n    doc: Goes.\n    request: { url: https://mytool.example }\n"
	write(recipe)
	if got := run(t, "connectors", "list", "-c", config); got.code != 0 || !strings.Contains(got.out, "Does it. (your own recipe)") {
		t.Errorf("got %+v", got)
	}
	schema := run(t, "schema", "-c", config)
	if !strings.Contains(schema.out, `"mytool"`) {
		t.Error("the schema does not know it")
	}
	write(strings.Replace(recipe, "reques", "requst", 1))
	got := run(t, "connectors", "show", "mytool", "-c", config)
	if got.code != 3 || !strings.Contains(got.errOut, "mytool.yaml:7:5: an action has no key") || !strings.Contains(got.errOut, "^^^^") {
		t.Errorf("got %+v", got)
	}
}

// The samples of a recipe are tried, by recipes test and by check.
func TestRecipes_test(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/recipes.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "<!-- file: mytool.yaml -->\n```yaml\n")
	good, _, _ := strings.Cut(rest, "```")
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	path := write("mytool.yaml", good)
	config := write("config.yaml", "version: 1\nrecipes: [mytool.yaml]\nconnections: { m: { type: mytool, api_key: abc } }\n")
	if got := run(t, "recipes", "test", path); got.code != 0 || !strings.Contains(got.out, "✓ mytool: 2 samples, 5 answers") {
		t.Errorf("got %+v", got)
	}
	if got := run(t, "check", config); got.code != 0 {
		t.Errorf("check: got %+v", got)
	}
	bare, _, _ := strings.Cut(good, "samples:")
	if got := run(t, "recipes", "test", write("bare.yaml", bare)); got.code != 0 || !strings.Contains(got.errOut, "mytool has no samples") {
		t.Errorf("without samples: got %+v", got)
	}

	write("mytool.yaml", strings.Replace(good, "status == 201", "status == 204", 1))
	const want = `with the answer 201 {"id":"c1"} it is transient, not delivered`
	if got := run(t, "recipes", "test", path); got.code != 1 || !strings.Contains(got.errOut, want) {
		t.Errorf("a sample that fails: got %+v", got)
	}
	if got := run(t, "check", config); got.code != 1 || !strings.Contains(got.errOut, want) || !strings.Contains(got.errOut, "samples of a recipe fail") {
		t.Errorf("a sample that fails, by check: got %+v", got)
	}
	var out struct {
		OK          bool
		Diagnostics []struct{ Code string }
	}
	if err := json.Unmarshal([]byte(run(t, "recipes", "test", "--json", path).out), &out); err != nil || out.OK || len(out.Diagnostics) == 0 || out.Diagnostics[0].Code != "sample-failed" {
		t.Errorf("as JSON: %+v, %v", out, err)
	}
	if got := run(t, "recipes", "test", filepath.Join(dir, "none.yaml")); got.code != 3 {
		t.Errorf("no file: got %+v", got)
	}
	if got := run(t, "recipes", "test"); got.code != 2 {
		t.Errorf("no argument: got %+v", got)
	}
}
