package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"hookgate/app"
	"hookgate/app/admin"
	"hookgate/app/web/api/client"
	"hookgate/db"
	"hookgate/internal/event"
)

const watched = `version: 1
server: { listen: 127.0.0.1:0 }
outbound: { allow_private: [127.0.0.0/8] }
sources:
  s: { type: webhook, token: ` + token + ` }
connections:
  refuses: { type: webhook, url: "%[1]s/refuses" }
  chat: { type: webhook, url: "%[1]s/%[2]s" }
rules:
  - { name: bad, from: s, when: lower(data.n) == "x", then: [{ to: refuses, json: 1 }] }
  - { name: fails, from: s, when: data.fail == true, then: [{ to: refuses, json: 1 }] }
  - { name: alarm, from: hookgate, then: [{ to: chat, json: { type: "${{ data.type }}", text: "${{ data.text }}", count: "${{ data.count }}" } }] }
`

// desk runs a gateway whose receiver refuses all but what goes to /chat, and
// gives its client, its file, and what has come to /chat.
func desk(t *testing.T, chat string) (*app.App, *client.Client, string, func() []string) {
	t.Helper()
	var mu sync.Mutex
	var said []string
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/chat" {
			w.WriteHeader(http.StatusUnprocessableEntity)
			return
		}
		text, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		said = append(said, string(text))
	}))
	t.Cleanup(receiver.Close)
	path := mustWrite(t, fmt.Sprintf(watched, receiver.URL, chat))
	loaded, report, err := app.Load(path)
	if err != nil {
		t.Fatal(report.List)
	}
	a := mustRun(t, path)
	c := client.Unix(app.SocketPath(loaded.Config))
	t.Cleanup(c.Close)
	return a, c, path, func() []string { mu.Lock(); defer mu.Unlock(); return append([]string{}, said...) }
}

// What waits at a start is sent at once, and fails before the start is over: somebody is
// told of each. It fails where connections are in use before the rules are.
//
// Promise: F7.
func TestAlerts_failedAtStart(t *testing.T) {
	t.Parallel()
	const waiting = 32
	var mu sync.Mutex
	told := map[string]bool{}
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/chat" {
			w.WriteHeader(http.StatusUnprocessableEntity)
			return
		}
		text, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		told[string(text)] = true
	}))
	t.Cleanup(receiver.Close)
	var text strings.Builder
	text.WriteString(strings.Replace(fmt.Sprintf(watched, receiver.URL, "chat"), `type: "${{ data.type }}"`, `type: "${{ data.delivery }}"`, 1))
	for n := range 1000 { // what takes its time at a start
		fmt.Fprintf(&text, "  - { name: r%d, from: s, when: data.n == %d, then: [{ to: chat, json: 1 }] }\n", n, n)
	}
	path := mustWrite(t, text.String())
	loaded, report, err := app.Load(path)
	if err != nil {
		t.Fatal(report.List)
	}
	store, err := db.Open(t.Context(), loaded.Config.Storage.Path, db.Options{Logger: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	for range waiting {
		id := store.NewIDs(2)
		e := event.Event{ID: id, Source: "s", ReceivedAt: time.Now(), State: event.Routed, Body: []byte(`{"fail":true}`)}
		if _, err := store.Accept(&e, []event.Delivery{{ID: event.DeliveryID(id) + 1, Event: id, Rule: "fails", Action: 1, Connection: "refuses", Output: json.RawMessage(`{"json":1}`)}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	mustRun(t, path)
	until(t, "each failure is told of", func() bool { mu.Lock(); defer mu.Unlock(); return len(told) >= waiting })
}

// metricsAt are those that the gateway of a file serves on its socket.
func metricsAt(t *testing.T, path string) string {
	t.Helper()
	loaded, _, err := app.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", app.SocketPath(loaded.Config))
	}}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Get("http://hookgate/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// ownEvents lists the events of source hookgate.
func ownEvents(t *testing.T, c *client.Client, typ string) []admin.Event {
	t.Helper()
	page, err := c.Events(t.Context(), event.Search{Filter: event.Filter{Source: event.Own, Type: typ, Limit: 100}})
	if err != nil {
		t.Fatal(err)
	}
	return page.Items
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not within 20 s: " + what)
		}
	}
}

// A failure is told of, a flood once a minute, and a refused file once until it
// is changed; none of it is among the events that senders sent.
func TestAlerts(t *testing.T) {
	t.Parallel()
	a, c, path, said := desk(t, "chat")
	for range 5 {
		post(t, a, `{"n":1,"fail":true}`)
	}
	until(t, "five deliveries and a rule are told of", func() bool { return len(said()) == 6 })
	if n := len(ownEvents(t, c, event.RuleFailedToJudge)); n != 1 {
		t.Errorf("of five rule errors within a minute was told %d times", n)
	}
	page, err := c.Events(t.Context(), event.Search{Filter: event.Filter{Limit: 100}})
	if err != nil || len(page.Items) != 5 {
		t.Errorf("%d events, %v", len(page.Items), err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(text, "x: [\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if answer, err := c.Reload(t.Context()); err != nil || answer.OK {
			t.Fatal(answer, err)
		}
	}
	until(t, "the refused file is told of", func() bool { return len(ownEvents(t, c, event.ConfigRefused)) == 1 })
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if answer, err := c.Reload(t.Context()); err != nil || !answer.OK {
		t.Fatal(answer, err)
	}
	if n := len(ownEvents(t, c, event.ConfigRefused)); n != 1 {
		t.Errorf("of one refused file was told %d times", n)
	}
}

// An alert that fails makes no alert. Fails where it is not asked of which
// source the event of the failed delivery is.
func TestAlerts_noLoop(t *testing.T) {
	t.Parallel()
	a, c, path, _ := desk(t, "refuses")
	post(t, a, `{"n":"y","fail":true}`)
	until(t, "the alert fails", func() bool {
		list := ownEvents(t, c, "")
		return len(list) == 1 && len(list[0].Deliveries) == 1 && list[0].Deliveries[0].State == event.Failed
	})
	until(t, "it is counted", func() bool {
		return strings.Contains(metricsAt(t, path), "hookgate_alerts_failed_total 1\n")
	})
	if list := ownEvents(t, c, ""); len(list) != 1 {
		t.Errorf("%d events of source hookgate", len(list))
	}
}
