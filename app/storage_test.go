package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hookgate/app"
	"hookgate/app/config"
	"hookgate/test/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func TestSocketPath(t *testing.T) {
	t.Parallel()
	for storage, want := range map[string]string{
		"{ path: data/x.db }":      "/etc/hg/data/x.db.sock",
		"{ url: postgres://db/x }": "/etc/hg/config.yaml.sock",
	} {
		doc, report := config.Parse("/etc/hg/config.yaml", []byte("version: 1\nstorage: "+storage+"\n"), func(string) (string, bool) { return "", false })
		if doc == nil {
			t.Fatal(report.List)
		}
		if got := app.SocketPath(doc); got != want {
			t.Errorf("%s: got %s, want %s", storage, got, want)
		}
	}
}

// The whole program on PostgreSQL: an event goes through, and a reload cannot
// move it to another database.
func TestPostgres(t *testing.T) {
	t.Parallel()
	url := pgtest.Shared(t).URL(t)
	target, got := sink(t)
	addr := freePort(t)
	text := document(addr, target, "one") + "storage: { url: \"" + url + "\" }\n"
	path := filepath.Join(t.TempDir(), "config.yaml")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(text)
	a := mustRun(t, path)
	if status := post(t, a, `{"n":7}`); status != 202 {
		t.Fatal(status)
	}
	if body := <-got; !strings.Contains(body, `"one"`) {
		t.Errorf("got %s", body)
	}
	write(strings.Replace(text, url, url+"_other", 1))
	if _, err := a.Reload(); err == nil || !strings.Contains(err.Error(), "storage.url") || strings.Contains(err.Error(), "postgres://") {
		t.Errorf("reload with another database: got %v", err)
	}
}
