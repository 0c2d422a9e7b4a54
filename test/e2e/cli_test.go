package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"hookgate/test/lab"
)

// Start, probes, SIGTERM: the life of a server.
func TestLife(t *testing.T) {
	t.Parallel()
	sink := lab.NewSink(t, nil)
	g := lab.Start(t, agency(sink.URL, sink.URL))
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/metrics": 404, "/api/v1/events": 404, "/nowhere": 404} {
		if got := g.Probe(path); got != want {
			t.Errorf("GET %s: status %d, want %d", path, got, want)
		}
	}
	if out := g.Stdout() + g.Stderr(); strings.Contains(out, sitejetToken) {
		t.Error("the token is printed at the start")
	}
	if code := g.Stop(); code != 0 {
		t.Errorf("exit status %d after SIGTERM, want 0", code)
	}
	if r := g.CLI("events", "list"); r.Code != 4 {
		t.Errorf("events list without a server: exit status %d, want 4: %s", r.Code, r.Stderr)
	}
	began := time.Now()
	g.Start()
	// The benchmark measures it, the target is 150 ms; this one only finds a stall.
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("ready %s after the start", took)
	}
	if code := g.CLI("events", "list").Code; code != 0 {
		t.Errorf("events list after a restart: exit status %d", code)
	}
}

// The demo needs no configuration and no account, and says how it went.
func TestDemo(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(lab.Binary(t), "demo", "--once")
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "NO_COLOR=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("demo --once: %v\n%s", err, out)
	}
	has(t, "the demo", string(out), "4 of 4 expected deliveries arrived", "signature verified", "a comma is missing", "spam, kept")
	left, err := os.ReadDir(cmd.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 0 {
		t.Errorf("the demo left files behind: %v", left)
	}
}

// The admin side is behind a login.
func TestAdmin(t *testing.T) {
	t.Parallel()
	sink := lab.NewSink(t, nil)
	g := lab.New(t, agency(sink.URL, sink.URL))
	g.Extra = "  admin: { user: team, password: \"${ADMIN_PASSWORD}\" }\n"
	g.Env = []string{"ADMIN_PASSWORD=e2e-admin-password"}
	g.Start()
	g.Settled(g.Accepted(g.PostJSON(sitejetPath, lab.Fixture(t, "sitejet/website_status_changed.json"))))
	if r := g.Do("GET", "/metrics", nil); r.Status != 401 {
		t.Errorf("metrics without a login: status %d, want 401", r.Status)
	}
	r := g.Do("GET", "/metrics", nil, "Authorization", "Basic dGVhbTplMmUtYWRtaW4tcGFzc3dvcmQ=")
	if r.Status != 200 {
		t.Fatalf("metrics with a login: status %d", r.Status)
	}
	has(t, "metrics", r.Body, `hookgate_events_received_total{result="routed",source="sitejet"} 1`,
		`hookgate_deliveries_total{connection="billing",result="delivered"} 1`,
		"hookgate_delivery_duration_seconds", "hookgate_queue_depth", "hookgate_oldest_waiting_seconds",
		"hookgate_database_size_bytes", "hookgate_config_last_reload_successful 1", "hookgate_build_info")
	if r := g.Do("GET", "/api/v1/events", nil, "Authorization", "Basic dGVhbTplMmUtYWRtaW4tcGFzc3dvcmQ="); r.Status != 200 {
		t.Errorf("the API with a login: status %d", r.Status)
	}
	if r := g.Do("GET", "/API/v1/events", nil); r.Status != 404 {
		t.Errorf("/API: status %d, want 404", r.Status)
	}
}

// events send goes the way of a real event; deliveries are listed, failed ones
// retried with the same output under the same id.
func TestSendListRetry(t *testing.T) {
	t.Parallel()
	var up atomic.Bool
	billing := lab.NewSink(t, func(lab.Arrival) lab.Answer {
		if up.Load() {
			return lab.Answer{}
		}
		return lab.Answer{Status: 400, Body: "customer is unknown"}
	})
	slack := lab.NewSink(t, nil)
	g := lab.Start(t, agency(billing.URL, slack.URL))
	file := filepath.Join(g.Dir, "event.json")
	if err := os.WriteFile(file, lab.Fixture(t, "sitejet/interest_to_preparation.json"), 0o600); err != nil {
		t.Fatal(err)
	}
	var sent struct{ ID string }
	if err := json.Unmarshal([]byte(g.MustCLI("events", "send", "sitejet", file, "--set", "website.title=Café Blau", "--json")), &sent); err != nil {
		t.Fatal(err)
	}
	ev := g.Settled(sent.ID)
	same(t, "deliveries", []string{"create-subscription/billing"}, names(ev))
	has(t, "output", string(ev.Deliveries[0].Output), "Café Blau")
	has(t, "error", ev.Deliveries[0].Error, "400", "customer is unknown")
	has(t, "events list", g.MustCLI("events", "list"), sent.ID, "sitejet", "Café Blau", "Interest → Preparation", "billing ✗")
	has(t, "events show", g.MustCLI("events", "show", sent.ID), "create-subscription", "customer is unknown", "Café Blau")

	failed := g.Deliveries("--state", "failed", "--connection", "billing")
	if len(failed) != 1 || failed[0].State != "failed" || failed[0].Name != "create-subscription/billing" {
		t.Fatalf("failed deliveries: %+v", failed)
	}
	same(t, "of another connection", 0, len(g.Deliveries("--state", "failed", "--connection", "slack-web")))

	up.Store(true)
	if r := g.CLI("deliveries", "retry", "--failed", "--connection", "billing"); r.Code == 0 {
		t.Errorf("a bulk retry without a terminal and without --yes did not ask: %s", r.Stdout)
	}
	g.MustCLI("deliveries", "retry", "--failed", "--connection", "billing", "--dry-run")
	same(t, "requests so far", 1, billing.Count())
	g.MustCLI("deliveries", "retry", "--failed", "--connection", "billing", "--yes")
	arrivals := billing.Await(t, 2)
	if arrivals[0].ID != arrivals[1].ID || string(arrivals[0].Body) != string(arrivals[1].Body) {
		t.Errorf("the retry sent %s %s, want the first again: %s %s", arrivals[1].ID, arrivals[1].Body, arrivals[0].ID, arrivals[0].Body)
	}
	same(t, "state", "delivered", g.Settled(sent.ID).Deliveries[0].State)
	same(t, "failed ones left", 0, len(g.Deliveries("--state", "failed")))
}

// A reload takes a valid file and refuses a bad one, by file watch and by HUP.
func TestReload(t *testing.T) {
	t.Parallel()
	sink := lab.NewSink(t, nil)
	config := func(mark string) string {
		return strings.Replace(echo(sink.URL), "data: ", "mark: "+mark+", data: ", 1)
	}
	g := lab.Start(t, config("one"))
	marked := func(mark string) func() bool {
		return func() bool {
			before := sink.Count()
			g.Accepted(g.PostJSON(echoPath, []byte(`{}`)))
			return strings.Contains(string(sink.Await(t, before+1)[before].Body), `"mark":"`+mark+`"`)
		}
	}
	if !marked("one")() {
		t.Fatal("the first configuration does not work")
	}
	g.Configure(config("two"))
	lab.Eventually(t, "the new file is loaded", marked("two"))
	g.Configure(strings.Replace(config("three"), "from: in", "from: nobody", 1))
	lab.Eventually(t, "the refusal is logged", func() bool { return strings.Contains(g.Stderr()+g.Stdout(), "nobody") })
	if !marked("two")() {
		t.Error("the old configuration is not in force after a bad reload")
	}
	r := g.CLI("reload")
	if r.Code != 3 {
		t.Errorf("reload of a bad file: exit status %d, want 3", r.Code)
	}
	has(t, "reload", r.Stdout+r.Stderr, "nobody")
	g.Configure(config("four"))
	g.Signal(syscall.SIGHUP)
	lab.Eventually(t, "the file is loaded", marked("four"))
	if code := g.CLI("reload").Code; code != 0 {
		t.Errorf("reload: exit status %d", code)
	}
}

// Deliveries with one ordering key go one at a time in order; the later ones
// say what they wait for.
//
// Promise: P8.
func TestOrderingKey(t *testing.T) {
	t.Parallel()
	open := make(chan struct{})
	slack := lab.NewSink(t, func(a lab.Arrival) lab.Answer {
		if strings.Contains(string(a.Body), "n=1") {
			return lab.Answer{Until: open}
		}
		return lab.Answer{}
	})
	g := lab.Start(t, twice(slack.URL, lab.NewSink(t, nil).URL))
	first := g.Accepted(g.PostJSON(echoPath, []byte(`{"n":1,"key":"a"}`)))
	second := g.Accepted(g.PostJSON(echoPath, []byte(`{"n":2,"key":"a"}`)))
	other := g.Accepted(g.PostJSON(echoPath, []byte(`{"n":3,"key":"b"}`)))
	g.Settled(other)
	blocked := to(t, g.Show(second), "slack")
	if blocked.State != "waiting" || blocked.WaitsFor != to(t, g.Show(first), "slack").ID {
		t.Errorf("the second of a key is %s and waits for %q", blocked.State, blocked.WaitsFor)
	}
	close(open)
	g.Settled(first)
	g.Settled(second)
	var order []string
	for _, a := range slack.Await(t, 3) {
		order = append(order, string(a.Body))
	}
	if len(order) != 3 || !strings.Contains(order[2], "n=2") {
		t.Errorf("the order of arrival: %q", order)
	}
}
