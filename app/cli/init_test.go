package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hookgate/app/cli/initial"
)

// What init writes for any sender passes check and test as it stands, and its
// secrets are its own.
func TestInit_everySender(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	seen := map[string]bool{}
	for _, sender := range initial.Senders() {
		folder := filepath.Join(dir, sender)
		got := run(t, "init", "--yes", "--for", sender, "--public-url", "https://127.0.0.1", folder)
		if got.code != 0 {
			t.Errorf("%s: %+v", sender, got)
			continue
		}
		config := filepath.Join(folder, "config.yaml")
		if check := run(t, "check", "--strict", "-c", config); check.code != 0 {
			t.Errorf("%s: check: %+v", sender, check)
		}
		if test := run(t, "test", "-c", config); test.code != 0 || !strings.Contains(test.out, "passed") {
			t.Errorf("%s: test: %+v", sender, test)
		}
		env, err := os.ReadFile(filepath.Join(folder, ".env"))
		info, err2 := os.Stat(filepath.Join(folder, ".env"))
		if err != nil || err2 != nil || info.Mode().Perm() != 0o600 || seen[string(env)] {
			t.Errorf("%s: .env: %v %v, mode %v", sender, err, err2, info.Mode())
		}
		seen[string(env)] = true
		schema, err := os.ReadFile(filepath.Join(folder, "config.schema.json"))
		if err != nil || !json.Valid(schema) {
			t.Errorf("%s: the schema: %v", sender, err)
		}
	}
	if len(seen) < 20 {
		t.Errorf("%d senders", len(seen))
	}
}

// The walk that init prints: serve, a sample, and it is delivered.
func TestInit_walk(t *testing.T) {
	t.Parallel()
	config := writeConfig(t, "")
	if err := os.Remove(config); err != nil {
		t.Fatal(err)
	}
	got := run(t, "init", "--yes", "--json", "-c", config)
	var out struct {
		Name, URL string
		Next      []string
		Reach     struct{ Public bool }
	}
	if err := json.Unmarshal([]byte(got.out), &out); err != nil || got.code != 0 {
		t.Fatal(err, got)
	}
	if out.Name != "sitejet" || !strings.HasPrefix(out.URL, "http://127.0.0.1:8080/in/sitejet/") || out.Reach.Public || len(out.Next) != 3 {
		t.Errorf("%+v", out)
	}
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	text = []byte(strings.Replace(string(text), "127.0.0.1:8080", freePort(t), 1)) // others may listen on 8080
	if err := os.WriteFile(config, text, 0o600); err != nil {
		t.Fatal(err)
	}
	startServer(t, config)
	for _, command := range out.Next[1:] {
		words := strings.Fields(command)
		if got := run(t, words[1:]...); got.code != 0 {
			t.Errorf("%s: %+v", command, got)
		}
	}
	sent := run(t, "events", "send", "sitejet", "--sample", "-q", "-c", config)
	eventually(t, func(shown outcome) bool {
		return strings.Contains(shown.out, "delivered") && strings.Contains(shown.out, "Harry's Diner moved from Publish to Done")
	}, "events", "show", strings.TrimSpace(sent.out), "-c", config)
}

// Nothing is overwritten, and where one file is there none is written.
func TestInit_overwritesNothing(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"config.yaml", ".env", "config.schema.json"} {
		dir := t.TempDir()
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		got := run(t, "init", "--yes", dir)
		if got.code != 1 || !strings.Contains(got.errOut, file+" is there already: nothing was changed") {
			t.Errorf("%s: %+v", name, got)
		}
		entries, err := os.ReadDir(dir)
		text, err2 := os.ReadFile(file)
		if err != nil || err2 != nil || len(entries) != 1 || string(text) != "mine" {
			t.Errorf("%s: %v %v, %d files, %q", name, err, err2, len(entries), text)
		}
	}
}

func TestInit_usage(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"add --yes":                             {},
		`did you mean "sitejet"?`:               {"--yes", "--for", "sitejt"},
		"write it like https://":                {"--yes", "--public-url", "hooks.example"},
		"give a folder or --config, not both":   {"--yes", "-c", "x.yaml", "folder"},
		"hookgate init wants a folder at the m": {"a", "b"},
	} {
		dir := t.TempDir()
		if len(args) == 0 {
			args = []string{dir}
		}
		if got := run(t, append([]string{"init"}, args...)...); got.code != 2 || !strings.Contains(got.errOut, want) {
			t.Errorf("%v: %+v", args, got)
		}
	}
}
