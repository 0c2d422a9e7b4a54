package cli_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hookgate/app/admin"
	"hookgate/db"
	"hookgate/internal/event"
)

// status tells on one screen what is wrong, and is 0 while the server answers.
func TestStatus(t *testing.T) {
	t.Parallel()
	sink := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "out of order", http.StatusServiceUnavailable)
	}))
	defer sink.Close()
	listen := freePort(t)
	text := strings.Replace(serverConfig, "LISTEN", listen, 1) + `
outbound: { allow_private: [127.0.0.0/8] }
connections:
  log: { type: log }
  crm: { type: webhook, url: "` + sink.URL + `" }
  quiet: { type: log }
rules:
  - { name: tell, from: shop, then: [{ to: crm, json: {} }, { to: log, text: hi }, { to: quiet, text: hi }] }
forms:
  apply: { fields: { cv: { type: file } } }
`
	config := writeConfig(t, text)
	if got := run(t, "status", "-c", config); got.code != 4 {
		t.Errorf("without a server: %+v", got)
	}
	startServer(t, config)
	sent := run(t, "events", "send", "shop", "--sample", "-q", "-c", config)
	if sent.code != 0 {
		t.Fatal(sent)
	}
	run(t, "connections", "pause", "quiet", "-c", config)
	if err := os.WriteFile(config, []byte(text+"rulez: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "reload", "-c", config)
	got := eventually(t, func(o outcome) bool { return strings.Contains(o.out, "crm  ▲ failing") }, "status", "-c", config)
	for _, want := range []string{
		"● ready", "in force since", "rulez", "waiting", "crm 1", "quiet  ‖ paused", "503 Service Unavailable: out of order", "free on the disk",
		"hookgate.db, ", "apply has stored 0 KB of 200 MB", "none: hookgate backup FILE",
	} {
		if got.code != 0 || !strings.Contains(got.out, want) {
			t.Errorf("%q is not in\n%d\n%s%s", want, got.code, got.out, got.errOut)
		}
	}
	post, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+listen+"/f/apply", strings.NewReader("x=1"))
	if err != nil {
		t.Fatal(err)
	}
	post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	post.Header.Set("X-Forwarded-For", "203.0.113.7")
	answer, err := http.DefaultTransport.RoundTrip(post)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if got := run(t, "status", "-c", config); !strings.Contains(got.out, "127.0.0.1 is not trusted: all visitors behind it share one rate limit") {
		t.Errorf("behind a proxy that is not trusted: %s", got.out)
	}
	file := filepath.Join(t.TempDir(), "b.tar.zst")
	if got := run(t, "backup", file, "--verify", "-c", config); got.code != 0 || !strings.Contains(got.out, "read back and whole: 1 events") && !strings.Contains(got.out, "events") {
		t.Errorf("backup: %+v", got)
	}
	var st admin.Status
	out := run(t, "status", "--json", "-c", config)
	if err := json.Unmarshal([]byte(out.out), &st); err != nil || st.LastBackup == nil || st.LastBackup.File != file || !st.LastBackup.Verified || st.Refused == nil || len(st.Failing) != 2 ||
		st.Storage.Disk.Free <= 0 || st.OldestWaitingS <= 0 {
		t.Errorf("%v %s", err, out.out)
	}
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "reload", "-c", config)
	if got := run(t, "status", "-c", config); strings.Contains(got.out, "refused") {
		t.Errorf("after a good reload: %s", got.out)
	}
	all := run(t, "connections", "test", "--all", "-c", config)
	if all.code != 0 || !strings.Contains(all.out, "✓ log  it is in the log") || !strings.Contains(all.out, "– crm  sends a POST request") {
		t.Errorf("connections test --all: %+v", all)
	}
	all = run(t, "connections", "test", "--all", "--yes", "-c", config)
	if all.code != 1 || !strings.Contains(all.out, "✗ crm  503") || !strings.Contains(all.errOut, "1 of 3 connections failed") {
		t.Errorf("connections test --all --yes: %+v", all)
	}
}

// prune deletes what retention no longer keeps, after a question, and counts it
// first.
func TestPrune(t *testing.T) {
	t.Parallel()
	text := strings.Replace(serverConfig, "LISTEN", freePort(t), 1)
	config := writeConfig(t, text+"retention: { events: 1000d }\n")
	now := time.Now().Add(-500 * 24 * time.Hour)
	store, err := db.Open(t.Context(), filepath.Join(filepath.Dir(config), "hookgate.db"), db.Options{Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := store.Accept(&event.Event{ID: store.NewIDs(1), Source: "shop", ReceivedAt: now, State: event.NoMatch}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	startServer(t, config)
	if got := run(t, "prune", "--dry-run", "-c", config); got.code != 0 || !strings.Contains(got.out, "0 events") {
		t.Errorf("what is young: %+v", got)
	}
	if err := os.WriteFile(config, []byte(text+"retention: { events: 365d }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := run(t, "reload", "-c", config); got.code != 0 {
		t.Fatal(got)
	}
	if got := run(t, "prune", "--dry-run", "-c", config); !strings.Contains(got.out, "3 events, 0 form posts, 0 spam posts") {
		t.Errorf("what is old: %+v", got)
	}
	if got := run(t, "prune", "-c", config); got.code != 2 || !strings.Contains(got.errOut, "--yes") {
		t.Errorf("without a yes: %+v", got)
	}
	if got := run(t, "prune", "--yes", "-c", config); got.code != 0 || got.out != "3 events deleted\n" {
		t.Errorf("with a yes: %+v", got)
	}
	if got := run(t, "events", "list", "-c", config); got.out != "" {
		t.Errorf("left: %s", got.out)
	}
}
