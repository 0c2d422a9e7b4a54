package cli_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"hookgate/app/cli"
)

const serverConfig = `version: 1
server: { listen: "LISTEN" }
sources:
  sitejet: { type: sitejet, token: 0123456789abcdef0123 }
  shop: { type: webhook, token: fedcba98765432100123 }
`

// freePort finds an address that nobody listens on, below the ports that
// clients get.
func freePort(t *testing.T) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000))
		if l, err := net.Listen("tcp", address); err == nil {
			_ = l.Close()
			return address
		}
	}
	t.Fatal("no free port")
	return ""
}

// startServer runs `serve` until stop is called, which gives the exit status.
// logs are the lines up to and with the one that says where it listens.
func startServer(t *testing.T, config string) (logs []map[string]any, stop func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	code := make(chan int, 1)
	go func() {
		defer func() { _ = w.Close() }()
		code <- cli.Run(ctx, []string{"serve", "-c", config}, strings.NewReader(""), io.Discard, w)
	}()
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		var record map[string]any
		if err := json.Unmarshal(lines.Bytes(), &record); err != nil {
			t.Fatalf("a log line is no JSON: %v: %s", err, lines.Text())
		}
		logs = append(logs, record)
		if record["msg"] == "listening" {
			break
		}
	}
	drained := make(chan struct{})
	go func() { defer close(drained); _, _ = io.Copy(io.Discard, r) }()
	stopped := -1
	stop = func() int {
		if stopped < 0 {
			cancel()
			stopped = <-code
			<-drained
		}
		return stopped
	}
	t.Cleanup(func() { stop() })
	return logs, stop
}

func TestServe(t *testing.T) {
	t.Parallel()
	listen := freePort(t)
	config := writeConfig(t, strings.Replace(serverConfig, "LISTEN", listen, 1))
	logs, stop := startServer(t, config)
	var text strings.Builder
	for _, record := range logs {
		line, err := json.Marshal(record)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(append(line, '\n'))
	}
	for _, want := range []string{
		"http://" + listen + "/in/sitejet/••••", "http://" + listen + "/in/shop/••••", `"there is no rule`,
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the logs lack %s:\n%s", want, text.String())
		}
	}
	if strings.Contains(text.String(), "0123456789abcdef0123") {
		t.Error("the logs hold the token")
	}

	url := strings.TrimSpace(run(t, "sources", "url", "sitejet", "-c", config).out)
	if want := "http://" + listen + "/in/sitejet/0123456789abcdef0123"; url != want {
		t.Errorf("sources url: %q, want %q", url, want)
	}
	res, err := http.Post(url, "application/json", strings.NewReader(`{"event":"website_created","website":{"title":"Harry's Diner"}}`))
	if err != nil {
		t.Fatal(err)
	}
	var accepted struct{ ID string }
	err = json.NewDecoder(res.Body).Decode(&accepted)
	_ = res.Body.Close()
	if err != nil || res.StatusCode != http.StatusAccepted {
		t.Fatalf("status %d, %v", res.StatusCode, err)
	}
	list := run(t, "events", "list", "-c", config)
	if list.code != 0 || !strings.Contains(list.out, accepted.ID+"  sitejet  website_created  Harry's Diner  no rule matched\n") {
		t.Errorf("events list: %+v", list)
	}
	show := run(t, "events", "show", accepted.ID, "-c", config)
	if show.code != 0 || !strings.Contains(show.out, `"title":"Harry's Diner"`) {
		t.Errorf("events show: %+v", show)
	}
	sent := runWith(t, `{"n":1}`, "events", "send", "shop", "-", "-c", config, "--set", "n=2", "-q")
	if shown := run(t, "events", "show", strings.TrimSpace(sent.out), "-c", config); sent.code != 0 || !strings.Contains(shown.out, `{"n":2}`) {
		t.Errorf("events send: %+v, shown %+v", sent, shown)
	}
	if got := run(t, "events", "send", "nothing", config, "-c", config); got.code != 5 {
		t.Errorf("send to an unknown source: %+v", got)
	}
	if got := run(t, "events", "show", "evt_1", "-c", config); got.code != 5 {
		t.Errorf("show of an unknown event: %+v", got)
	}
	if got := run(t, "reload", "-c", config); got.code != 0 || !strings.Contains(got.errOut, "is in force") {
		t.Errorf("reload: %+v", got)
	}
	if err := os.WriteFile(config, []byte("version: 2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := run(t, "reload", "-c", config); got.code != 3 || !strings.Contains(got.errOut, "1 | version: 2\n") || !strings.Contains(got.errOut, "stays in force") {
		t.Errorf("reload of a bad file: %+v", got)
	}
	if code := stop(); code != 0 {
		t.Errorf("serve ended with %d", code)
	}
	if got := run(t, "events", "list", "-c", config); got.code != 4 {
		t.Errorf("with the server gone: %+v", got)
	}
}

func TestServe_refused(t *testing.T) {
	t.Parallel()
	if got := run(t, "serve", "-c", writeConfig(t, "version: 1\nrulez: []\n")); got.code != 3 || !strings.Contains(got.errOut, "config.yaml:2:1") {
		t.Errorf("a bad config: %+v", got)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	taken := writeConfig(t, strings.Replace(serverConfig, "LISTEN", l.Addr().String(), 1))
	if got := run(t, "serve", "-c", taken); got.code != 1 || !strings.Contains(got.errOut, "address already in use") {
		t.Errorf("a taken port: %+v", got)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	good := writeConfig(t, `version: 1
sources:
  sitejet: { type: sitejet, token: "${SITEJET_TOKEN}" }
connections:
  billing: { type: webhook, url: https://api.billing.example/v1 }
rules:
  - name: all
    from: sitejet
    then: [{ to: billing, json: { id: "${{ data.website.id }}" } }]
`)
	env := filepath.Join(filepath.Dir(good), ".env")
	if err := os.WriteFile(env, []byte("SITEJET_TOKEN=0123456789abcdef0123\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := run(t, "check", "-c", good)
	want := "✓ 1 source, 0 forms, 1 connection, 1 rule          warnings: 0\n✓ 1 of 1 environment values set\n"
	if got.code != 0 || got.out != want || got.errOut != "" {
		t.Errorf("got %+v, want %q", got, want)
	}
	if byArgument := run(t, "check", good); byArgument != got {
		t.Errorf("check FILE: %+v", byArgument)
	}

	bad := writeConfig(t, "version: 1\nrules:\n  - name: a\n    frm: sitejet\n    then: [{ to: billing, json: 1 }]\n")
	got = run(t, "check", "-c", bad)
	for _, part := range []string{"error[unknown-key] ", "config.yaml:4:5: ", `did you mean "from"?`, "error[unknown-connection]", "hookgate: the config has "} {
		if !strings.Contains(got.errOut, part) {
			t.Errorf("stderr lacks %q:\n%s", part, got.errOut)
		}
	}
	if got.code != 3 || got.out != "" {
		t.Errorf("exit %d, stdout %q; want 3 and nothing", got.code, got.out)
	}
	got = run(t, "check", "--json", "-c", bad)
	var result struct {
		OK          bool
		File        string
		Diagnostics []struct {
			Code, Message string
			Line          int
		}
	}
	if err := json.Unmarshal([]byte(got.out), &result); err != nil {
		t.Fatalf("%v: %s", err, got.out)
	}
	if got.code != 3 || got.errOut != "" || result.OK || result.File != bad || len(result.Diagnostics) < 2 {
		t.Errorf("--json: %+v", got)
	}
}

// A burst of large bodies must not leave its memory behind for ever.
func TestServe_boundsItsMemory(t *testing.T) {
	t.Parallel()
	startServer(t, writeConfig(t, "version: 1\nserver: { listen: \""+freePort(t)+"\" }\n"))
	if limit := debug.SetMemoryLimit(-1); limit > 1<<30 {
		t.Errorf("the soft limit of memory is %d bytes", limit)
	}
}
