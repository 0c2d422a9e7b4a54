package app_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/app"
	"hookgate/app/config"
	"hookgate/app/deliver"
	"hookgate/internal/yamlnode"
)

// grown is a config with what a page adds to it: sections grow, entries of a
// name are replaced.
func grown(whole, more any) any {
	switch more := more.(type) {
	case map[string]any:
		m, ok := whole.(map[string]any)
		if !ok {
			return more
		}
		for key, value := range more {
			m[key] = grown(m[key], value)
		}
		return m
	case []any:
		list, ok := whole.([]any)
		if !ok {
			return more
		}
		for _, item := range more {
			one, named := item.(map[string]any)
			same := slices.IndexFunc(list, func(x any) bool { have, ok := x.(map[string]any); return ok && named && have["name"] == one["name"] })
			if same >= 0 {
				list[same] = item
				continue
			}
			list = append(list, item)
		}
		return list
	}
	return more
}

// A newcomer who follows docs/getting-started.md, or a page of docs/de, has a
// valid config after each of its steps, whose tests pass, as the running server
// wants them to.
func TestDocs_steps(t *testing.T) {
	t.Parallel()
	for page, least := range map[string]int{"getting-started.md": 4, "de/erste-schritte.md": 4, "de/formulare.md": 0} {
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile("../docs/" + page)
			if err != nil {
				t.Fatal(err)
			}
			if tests := followed(t, string(text)); tests < least {
				t.Errorf("%d tests ran, want %d", tests, least)
			}
		})
	}
}

// followed does what a page says and counts the tests that ran.
func followed(t *testing.T, page string) (tests int) {
	t.Helper()
	folder := t.TempDir()
	env := "SITEJET_TOKEN=0123456789abcdef0123\nSLACK_WEBHOOK_URL=https://hooks.slack.example/services/T0/B0/x\nBILLING_API_KEY=0123456789\n" +
		"BILLING_SIGNING_SECRET=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\nMAIL_PASSWORD=0123456789\n"
	if err := os.WriteFile(filepath.Join(folder, ".env"), []byte(env), 0o600); err != nil {
		t.Fatal(err)
	}
	var config any
	for i, part := range strings.Split(page, "```yaml\n")[1:] {
		block, _, _ := strings.Cut(part, "```")
		node, faults := yamlnode.Parse("block", []byte(block))
		if faults.Err() != nil {
			t.Fatalf("block %d: %v\n%s", i+1, faults, block)
		}
		config = grown(config, node.Any())
		text, err := json.Marshal(config)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(folder, "config.yaml")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		plan, report, err := app.Load(path)
		if err != nil {
			t.Fatalf("after block %d:\n%s\n%v", i+1, block, report.List)
		}
		for _, result := range plan.RunTests(time.Now, nil, nil) {
			if tests++; len(result.Findings) > 0 {
				t.Errorf("after block %d the test %q fails: %v", i+1, result.Name, result.Findings)
			}
		}
	}
	return tests
}

// The whole configurations on these pages are valid, without advice, and their
// tests pass.
func TestDocs_examples(t *testing.T) {
	t.Parallel()
	for page, least := range map[string]int{"alerts": 2} {
		text, err := os.ReadFile("../docs/" + page + ".md")
		if err != nil {
			t.Fatal(err)
		}
		ran := 0
		for _, part := range strings.Split(string(text), "```yaml\n")[1:] {
			block, _, _ := strings.Cut(part, "```")
			if !strings.HasPrefix(block, "version: 1\n") {
				continue
			}
			plan, report, err := app.Load(mustWrite(t, block))
			if err != nil || len(report.List) > 0 {
				t.Fatalf("%s: %v\n%s", page, report.List, block)
			}
			for _, result := range plan.RunTests(time.Now, nil, nil) {
				if ran++; len(result.Findings) > 0 {
					t.Errorf("%s: the test %q fails: %v", page, result.Name, result.Findings)
				}
			}
		}
		if ran < least {
			t.Errorf("%s: %d tests ran", page, ran)
		}
	}
}

// What the configuration calls the usual delays are those that deliveries have.
//
// Promise: P9.
func TestRetry_schedule(t *testing.T) {
	t.Parallel()
	var told config.Retry
	yamlnode.Defaults(&told)
	if diff := cmp.Diff(deliver.Schedule(), told.Delays); diff != "" {
		t.Errorf("deliver.Schedule has (-), the tag of retry.delays (+):\n%s", diff)
	}
}
