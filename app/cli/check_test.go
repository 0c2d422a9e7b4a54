package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func mustWriteConfig(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte("version: 1\nsources: { s: { type: webhook, token: 0123456789abcdef0123 } }\n"+text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// What a reload would refuse is not valid for check: it runs the tests.
func TestCheck_testsFail(t *testing.T) {
	t.Parallel()
	const rest = `connections: { a: { type: webhook, url: https://a.example/ } }
rules: [{ name: r, from: s, when: data.n == 1, then: [{ to: a, json: {} }] }]
tests: [{ name: one, event: { source: s, data: { n: N } }, expect: [r/a] }]
`
	if got := run(t, "check", "-c", mustWriteConfig(t, strings.Replace(rest, "N", "1", 1))); got.code != 0 {
		t.Errorf("a test that passes: got %+v", got)
	}
	path := mustWriteConfig(t, strings.Replace(rest, "N", "2", 1))
	if got := run(t, "check", "-c", path); got.code != 1 || !strings.Contains(got.errOut, "error[test-failed]") || !strings.Contains(got.errOut, `"one"`) {
		t.Errorf("got %+v, want exit 1 and the test", got)
	}
	if got := run(t, "check", "--json", "-c", path); got.code != 1 || !strings.Contains(got.out, `"ok": false`) || !strings.Contains(got.out, "test-failed") {
		t.Errorf("--json: got %+v", got)
	}
}

// A database whose address is known to be wrong is not asked, and no part of
// it, which can be one of the password, is shown.
func TestCheck_badDatabaseURL(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"postgres://u:c4n@ryword@127.0.0.1:1/db", "postgres://u:c4n/aryword@127.0.0.1:1/db", "postgres://u:12?c4naryword@127.0.0.1:1/db",
		"postgres://u:c4n%ZZaryword@127.0.0.1:1/db", "postgres://u:c4naryword@127.0.0.1:1x/db",
		"postgres://u:c4n#aryword@127.0.0.1:1/db", "postgres://u:p@127.0.0.1:1/db?sslmode=c4naryword", "c4naryword",
	} {
		for _, args := range [][]string{{"check"}, {"check", "--json"}, {"serve"}} {
			path := mustWriteConfig(t, "storage: { url: \"${DB}\" }\n")
			if err := os.WriteFile(filepath.Join(filepath.Dir(path), ".env"), []byte("DB='"+url+"'\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			got := run(t, append(args, "-c", path)...)
			said := got.errOut + got.out
			if got.code != 3 || strings.Contains(said, "c4n") || strings.Contains(said, "aryword") || strings.Contains(said, "lookup") {
				t.Errorf("%v %s: got %d\n%s", args, url, got.code, said)
			}
		}
	}
}

// A directory is no database.
func TestCheck_directoryAsDatabase(t *testing.T) {
	t.Parallel()
	got := run(t, "check", "-c", mustWriteConfig(t, "storage: { path: '"+t.TempDir()+"' }\n"))
	if got.code != 3 || !strings.Contains(got.errOut, "error[bad-file]") || !strings.Contains(got.errOut, "is a directory") {
		t.Errorf("got %+v", got)
	}
}
