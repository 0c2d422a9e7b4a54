package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"hookgate/app/config"
)

// Commands find a running server whatever stands in the rest of the file.
func TestLoadStorage(t *testing.T) {
	t.Parallel()
	env := func(string) (string, bool) { return "", false }
	for name, tt := range map[string]struct{ text, path string }{
		"no section":                   {"version: 1\nrules:\n  - {name: [\n", "hookgate.db"},
		"rules that are no YAML":       {"version: 1\nstorage:\n  path: x.db\nrules:\n - a\n  b: c\n\t- d\n", "x.db"},
		"before, with comments around": {"rules: [\n# a\nstorage:   # here\n\n# b\n  path: x.db\nforms:\n  {", "x.db"},
		"in one line":                  {"storage: { path: x.db }\nrules: *none\n", "x.db"},
		"in a flow":                    {"{version: 1, storage: {path: x.db}}", "x.db"},
		"as text of a rule":            {"version: 1\nrules:\n  - when: |\n      storage: {path: y.db}\n", "hookgate.db"},
		"from .env":                    {"storage:\n  path: ${DB}\nrules: [\n", "of-env.db"},
	} {
		dir := t.TempDir()
		file := filepath.Join(dir, "config.yaml")
		if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, ".env"), []byte("DB=of-env.db\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		c, report := config.LoadStorage(file, env)
		if c == nil || c.Path != file || c.Storage.Path != filepath.Join(dir, tt.path) {
			t.Errorf("%s: got %+v, %v", name, c, report.Err())
		}
	}
	if c, report := config.LoadStorage(filepath.Join(t.TempDir(), "none.yaml"), env); c != nil || report.Err() == nil {
		t.Errorf("no file: got %+v", c)
	}
}
