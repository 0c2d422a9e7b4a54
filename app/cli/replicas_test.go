package cli_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

func TestReplicas(t *testing.T) {
	t.Parallel()
	shared := answer{http.StatusOK, `{"shared":true,"items":[
		{"id":7,"name":"web-1","version":"1.2.3","started":"2026-03-10T10:42:07Z","heartbeat":"2026-03-10T11:42:07Z","lease_left_ms":28510,"alive":true,"self":true,"holds":{"slack":1,"billing":1204}},
		{"id":8,"name":"web-2\u001b[31m","version":"1.2.3","started":"2026-03-10T10:42:07Z","heartbeat":"2026-03-10T11:42:07Z","lease_left_ms":-3,"alive":false,"holds":{}}],
		"left_alone":[{"connection":"a","failing_since":"2026-03-10T10:42:07Z","probe_in_ms":4210},{"connection":"b","failing_since":"2026-03-10T10:42:07Z","prober":8},
		{"connection":"c\u001b[31m","failing_since":"2026-03-10T10:42:07Z","paused_ms":20000},{"connection":"d","failing_since":"2026-03-10T10:42:07Z"},{"connection":"e","paused_ms":20000}]}`}
	alone := answer{http.StatusOK, `{"shared":false,"items":[{"id":1,"name":"web-1","alive":true,"self":true,"holds":{"billing":2}}]}`}
	f := serveAPI(t, map[string][]answer{"GET /api/v1/replicas": {shared, shared, alone}})

	got := f.run(t, "replicas")
	for _, want := range []string{
		"7   web-1 (answers)", "28.5s", "billing 1,204, slack 1\n", "8   web-2", "over", "nothing\n",
		": attempts failed many times in a row; a probe is sent in 4.2s\nb is left alone since 2026", "in a row; replica 8 sends a probe\n",
		"in a row, and its receiver asked for 20s more\n", "in a row; the next delivery is a probe\ne is left alone for 20s: its receiver asked for it\n",
	} {
		if !strings.Contains(got.out, want) {
			t.Errorf("it lacks %q:\n%s", want, got.out)
		}
	}
	if got.code != 0 || got.errOut != "" || strings.Contains(got.out, "\x1b") {
		t.Errorf("%+v", got)
	}
	if got := f.run(t, "replicas", "--json"); got.code != 0 || !strings.Contains(got.out, `"lease_left_ms": 28510`) {
		t.Errorf("as JSON: %+v", got)
	}
	if got := f.run(t, "replicas"); got.code != 0 || got.out != "the database is a SQLite file: there is one process; it holds billing 2\n" {
		t.Errorf("on SQLite: %+v", got)
	}
}

func TestMigrateUsage(t *testing.T) {
	t.Parallel()
	config := writeConfig(t, "version: 1\n")
	nowhere := "postgres://hookgate:secret@127.0.0.1:1/hookgate"
	file := filepath.Join(t.TempDir(), "none.db")
	for _, tt := range []struct {
		args   string
		code   int
		errOut string
	}{
		{"", 2, "say which SQLite file: --from FILE"},
		{"--from " + file, 3, "no storage.url to move the history to"},
		{"--from " + file + " --to " + nowhere, 1, "none.db: no such file"},
		{"--from " + config + " --to " + nowhere, 1, "not a database of hookgate"},
		{"--from " + file + " extra", 2, "wants no arguments"},
	} {
		got := run(t, append([]string{"migrate", "sqlite-to-postgres", "-c", config}, strings.Fields(tt.args)...)...)
		if got.code != tt.code || !strings.Contains(got.errOut, tt.errOut) || got.out != "" || strings.Contains(got.errOut, "secret") {
			t.Errorf("%s: %+v, want %d, %q", tt.args, got, tt.code, tt.errOut)
		}
	}
}

// A server that is SQLite's: it is stopped, and its file cannot go to a server
// that is not there, nor to what is no URL. The file is as before.
func TestMigrate_noTarget(t *testing.T) {
	t.Parallel()
	config := writeConfig(t, strings.Replace(serverConfig, "LISTEN", freePort(t), 1))
	_, stop := startServer(t, config)
	file := filepath.Join(filepath.Dir(config), "hookgate.db")
	if got := run(t, "replicas", "-c", config); got.code != 0 || !strings.HasPrefix(got.out, "the database is a SQLite file: there is one process") {
		t.Errorf("replicas: %+v", got)
	}
	to := "postgres://hookgate:secret@127.0.0.1:1/hookgate?connect_timeout=1"
	if got := run(t, "migrate", "sqlite-to-postgres", "--from", file, "--to", to); got.code != 1 || !strings.Contains(got.errOut, "another hookgate is running on this database\n  stop it first") {
		t.Errorf("in use: %+v", got)
	}
	stop()
	for _, target := range []string{to, "secret.example:5432:x"} {
		got := run(t, "migrate", "sqlite-to-postgres", "--from", file, "--to", target)
		if got.code == 0 || got.errOut == "" || strings.Contains(got.errOut, "secret") {
			t.Errorf("to %s: %+v", target, got)
		}
	}
	_, stop = startServer(t, config)
	if code := stop(); code != 0 {
		t.Errorf("it ends with %d afterwards", code)
	}
}
