package config_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/app/config"
)

var update = flag.Bool("update", false, "write the .golden files anew")

func lookup(values map[string]string) config.LookupFunc {
	return func(name string) (string, bool) {
		value, set := values[name]
		return value, set
	}
}

// canary stands in every value that the golden files' environment holds.
const canary = "c4n4ryINtheEnvironment"

func environment() map[string]string {
	return map[string]string{
		"SET": canary + "set", "TEXT": canary + "text", "EMPTY": "", "DAYS": canary,
		"FILE_GONE_FILE": "/nowhere/" + canary,
	}
}

func TestParse_faults(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/faults/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			golden(t, file, func(*config.Config, *config.Report) {})
		})
	}
}

// golden parses file, lets more add what it finds, and compares what is
// rendered with the .golden file beside it.
func golden(t *testing.T, file string, more func(*config.Config, *config.Report)) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	doc, report := config.Parse("config.yaml", content, lookup(environment()))
	if doc != nil {
		more(doc, report)
	}
	if report.Err() == nil {
		t.Error("want an error")
	}
	var out bytes.Buffer
	if err := report.Render(&out, false); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), canary) {
		t.Errorf("a value of the environment is shown:\n%s", out.String())
	}
	path := strings.TrimSuffix(file, ".yaml") + ".golden"
	if *update {
		if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), out.String()); diff != "" {
		t.Error(diff)
	}
}
