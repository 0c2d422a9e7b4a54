package app_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"hookgate/app"
	"hookgate/app/ruletest"
	"hookgate/internal/diag"
)

// Each example of docs/examples is a configuration without a fault or warning
// whose tests pass: with what its environment holds.
func TestExamples_files(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../docs/examples/*.yaml")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d examples, %v", len(files), err)
	}
	url := regexp.MustCompile(`_URL$`)
	getenv := func(name string) (string, bool) {
		if url.MatchString(name) {
			return "https://receiver.example/hook/0123456789abcdef", true
		}
		return "value-0123456789abcdef", true
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			plan, report, err := app.CheckText(t.Context(), path, content, getenv, nil)
			if err != nil {
				t.Fatal(report.List)
			}
			for _, d := range report.List {
				if d.Severity != diag.Advice {
					t.Errorf("%s", d)
				}
			}
			results := plan.RunTests(time.Now, nil, nil)
			if len(results) == 0 {
				t.Error("it has no test")
			}
			for _, r := range ruletest.Failed(results) {
				t.Errorf("%s", r.Diagnostic())
			}
		})
	}
}
