package app_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hookgate/app"
	"hookgate/app/web/api/client"
	"hookgate/test/journal"
)

const token = "0123456789abcdef0123"

// document is a configuration that sends every event of s to sink.
func document(listen, sink, text string) string {
	return fmt.Sprintf(`version: 1
server: { listen: "%s" }
outbound: { allow_private: [127.0.0.0/8] }
sources:
  s: { type: webhook, token: %s }
connections:
  sink: { type: webhook, url: "%s", retry: { delays: [50ms, 50ms, 50ms] } }
rules:
  - { name: all, from: s, then: [{ to: sink, json: { is: "%s", n: "${{ data.n }}" } }] }
`, listen, token, sink, text)
}

// sink is a receiver that hands on what it gets.
func sink(t testing.TB) (url string, got chan string) {
	t.Helper()
	got = make(chan string, 1000)
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- string(body)
	}))
	t.Cleanup(srv.Close)
	return srv.URL, got
}

// freePort is an address on which nothing listens.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// mustRun runs an App of the file until the test ends.
func mustRun(t testing.TB, path string) *app.App {
	t.Helper()
	return startAt(t, path, time.Now)
}

// startAt runs an App of the file by a clock until the test ends.
func startAt(t testing.TB, path string, now func() time.Time) *app.App {
	t.Helper()
	loaded, report, err := app.Load(path)
	if err != nil {
		t.Fatal(report.List)
	}
	return mustRunLoaded(t, loaded, slog.New(slog.DiscardHandler), now)
}

func mustRunLoaded(t testing.TB, loaded *app.Plan, logger *slog.Logger, now func() time.Time) *app.App {
	t.Helper()
	a, err := app.New(loaded, app.Options{Logger: logger, Version: "test", Now: now})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	select {
	case <-a.Ready():
	case err := <-done:
		done <- err
		t.Fatal(err)
	}
	return a
}

func post(t testing.TB, a *app.App, text string) int {
	t.Helper()
	resp, err := http.Post("http://"+a.Addr()+"/in/s/"+token, "application/json", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

func await(t testing.TB, got chan string, want string) {
	t.Helper()
	select {
	case text := <-got:
		if text != want {
			t.Errorf("arrived: %s, want %s", text, want)
		}
	case <-time.After(10 * time.Second):
		t.Fatalf("%s did not arrive", want)
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	url, got := sink(t)
	a := mustRun(t, mustWrite(t, document("127.0.0.1:0", url, "first")))
	if status := post(t, a, `{"n":9007199254740993}`); status != http.StatusAccepted {
		t.Fatalf("status %d", status)
	}
	await(t, got, `{"is":"first","n":9007199254740993}`)
}

// Promise: P16.
func TestReload(t *testing.T) {
	t.Parallel()
	url, got := sink(t)
	listen := freePort(t)
	path := mustWrite(t, document(listen, url, "first"))
	a := mustRun(t, path)
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(strings.Replace(document(listen, url, "broken"), "from: s", "from: nobody", 1))
	if report, err := a.Reload(); err != nil || report.Err() == nil {
		t.Errorf("a file with a fault: got %v, %v, want its report", report.List, err)
	}
	post(t, a, `{"n":1}`)
	await(t, got, `{"is":"first","n":1}`)
	write(document("127.0.0.1:1", url, "moved"))
	if _, err := a.Reload(); err == nil || !strings.Contains(err.Error(), "server.listen") {
		t.Errorf("another listen address: got %v, want that it needs a restart", err)
	}
	write(document(listen, url, "second"))
	if report, err := a.Reload(); err != nil || report.Err() != nil {
		t.Fatal(report.List, err)
	}
	post(t, a, `{"n":2}`)
	await(t, got, `{"is":"second","n":2}`)
}

// The version that a reload replaces was in force until then.
func TestReload_endsVersion(t *testing.T) {
	t.Parallel()
	url, _ := sink(t)
	listen := freePort(t)
	path := mustWrite(t, document(listen, url, "first"))
	var ahead atomic.Int64
	a := startAt(t, path, func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) })
	ahead.Store(int64(3 * time.Hour))
	reloaded := time.Now().Add(3 * time.Hour)
	if err := os.WriteFile(path, []byte(document(listen, url, "second")), 0o600); err != nil {
		t.Fatal(err)
	}
	if report, err := a.Reload(); err != nil || report.Err() != nil {
		t.Fatal(report.List, err)
	}
	loaded, _, err := app.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	server := client.Unix(app.SocketPath(loaded.Config))
	defer server.Close()
	page, err := server.ConfigVersions(t.Context())
	if err != nil || len(page.Items) != 2 {
		t.Fatal(page, err)
	}
	if first := page.Items[1]; first.InForce || first.Used.Before(reloaded.Add(-time.Second)) || first.Used.After(page.Items[0].Created) {
		t.Errorf("replaced at %s, it was used until %s, and the next came into force at %s", reloaded, first.Used, page.Items[0].Created)
	}
}

// awaitReload posts until what arrives is made by the configuration that says text.
func awaitReload(t testing.TB, a *app.App, got chan string, text string) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		post(t, a, `{"n":1}`)
		select {
		case arrived := <-got:
			if strings.Contains(arrived, text) {
				return
			}
		case <-deadline:
			t.Fatal("the change of the file was not noticed")
		}
	}
}

// TestReload_byItself: the file's change alone is enough.
func TestReload_byItself(t *testing.T) {
	t.Parallel()
	url, got := sink(t)
	listen := freePort(t)
	path := mustWrite(t, document(listen, url, "first"))
	a := mustRun(t, path)
	if err := os.WriteFile(path+".new", []byte(document(listen, url, "second")), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil { // as editors do it
		t.Fatal(err)
	}
	awaitReload(t, a, got, "second")
}

// A configuration file may be a link to one that is kept elsewhere, in a
// checked-out repository for instance.
func TestReload_byItself_linkedFile(t *testing.T) {
	t.Parallel()
	url, got := sink(t)
	listen := freePort(t)
	kept := mustWrite(t, document(listen, url, "first"))
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.Symlink(kept, path); err != nil {
		t.Fatal(err)
	}
	a := mustRun(t, path)
	if err := os.WriteFile(kept, []byte(document(listen, url, "second")), 0o600); err != nil {
		t.Fatal(err)
	}
	awaitReload(t, a, got, "second")
}

// What waits for a connection that is taken out of the configuration is not
// sent by anybody, which must not be silent.
func TestReload_tellsOfOrphans(t *testing.T) {
	t.Parallel()
	down := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(down.Close)
	before := strings.Replace(document(freePort(t), down.URL, "x"), "[50ms, 50ms, 50ms]", "[1h]", 1)
	path := mustWrite(t, before)
	loaded, report, err := app.Load(path)
	if err != nil {
		t.Fatal(report.List)
	}
	var log journal.Journal
	a := mustRunLoaded(t, loaded, slog.New(slog.NewTextHandler(&log, nil)), time.Now)
	post(t, a, `{"n":1}`)
	log.Await(t, "will be tried again")
	if err := os.WriteFile(path, []byte(strings.NewReplacer("  sink:", "  other:", "to: sink,", "to: other,").Replace(before)), 0o600); err != nil {
		t.Fatal(err)
	}
	if report, err := a.Reload(); err != nil || report.Err() != nil {
		t.Fatal(err, report.List)
	}
	log.Await(t, "connection=sink count=1")
}

func TestNew_databaseInUse(t *testing.T) {
	t.Parallel()
	url, _ := sink(t)
	path := mustWrite(t, document("127.0.0.1:0", url, "x"))
	mustRun(t, path)
	loaded, _, err := app.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := app.New(loaded, app.Options{Logger: slog.New(slog.DiscardHandler), Now: time.Now}); err == nil || !strings.Contains(err.Error(), "another hookgate is running") {
		t.Errorf("a second process: got %v", err)
	}
}

func TestRun_addressTaken(t *testing.T) {
	t.Parallel()
	url, _ := sink(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	loaded, _, err := app.Load(mustWrite(t, document(l.Addr().String(), url, "x")))
	if err != nil {
		t.Fatal(err)
	}
	a, err := app.New(loaded, app.Options{Logger: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Run(t.Context()); err == nil || !strings.Contains(err.Error(), l.Addr().String()) {
		t.Errorf("got %v, want an error that names the address", err)
	}
}
