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
