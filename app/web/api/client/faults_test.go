package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"hookgate/app/web/api/client"
	"hookgate/internal/event"
	"hookgate/internal/schema"
)

func TestFaults(t *testing.T) {
	t.Parallel()
	f := sample()
	c, url := serve(t, f)
	f.err = errors.New("SELECT secret")
	var problem *client.Problem
	if _, err := c.Status(t.Context()); !errors.As(err, &problem) || problem.Status != 500 || strings.Contains(err.Error(), "SELECT") {
		t.Errorf("a fault of the server: %v", err)
	}
	f.err = fmt.Errorf("read: %w", event.ErrUnavailable)
	if _, err := c.Status(t.Context()); !errors.As(err, &problem) || problem.Status != 503 {
		t.Errorf("the store is away: %v", err)
	}
	f.err = nil

	gone := client.Unix(filepath.Join(t.TempDir(), "none.sock"))
	if _, err := gone.Status(t.Context()); !errors.Is(err, client.ErrUnreachable) || !strings.Contains(err.Error(), "none.sock") {
		t.Errorf("no server: %v", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Status(cancelled); !errors.Is(err, context.Canceled) || errors.Is(err, client.ErrUnreachable) {
		t.Errorf("cancelled: %v", err)
	}

	right, err := client.Remote(url, "team:pass:word")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := right.Status(t.Context()); err != nil {
		t.Errorf("by URL: %v", err)
	}
	wrong, err := client.Remote(url+"/", "team:wrong")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wrong.Status(t.Context()); !errors.Is(err, client.ErrLogin) || strings.Contains(err.Error(), "wrong") {
		t.Errorf("wrong password: %v", err)
	}
	for target, login := range map[string]string{url: "", "http://": "a:b", "https://a.example": "nocolon", "http://b.example": ":x"} {
		if _, err := client.Remote(target, login); err == nil {
			t.Errorf("%q with login %q is taken", target, login)
		}
	}
}

func TestBadParameters(t *testing.T) {
	t.Parallel()
	_, url := serve(t, sample())
	for path, want := range map[string]string{
		"/events?sorce=sitejet":          `did you mean \"source\"`,
		"/events?zzzzzz=1":               "there are source",
		"/events?state=done":             "there is no state",
		"/events?since=yesterday":        "neither a time",
		"/events?limit=0":                "not a number",
		"/events?limit=x":                "not a number",
		"/events?before=dlv_0":           "not an event's id",
		"/deliveries?id=evt_1":           "not a delivery's id",
		"/deliveries?state=routed":       "there is no state",
		"/deliveries?event=!":            "not an event's id",
		"/deliveries?rendered=yes":       "not true or false",
		"/deliveries?stale=1":            "not true or false",
		"/deliveries/runs?left=1":        "not true or false",
		"/deliveries/runs?before=dlv_1":  "not a run's id",
		"/replays?before=!":              "not a run's id",
		"POST /prune?dry_run=1":          "not true or false", // it is not taken for false, and done
		"/events?since=24h&state=routed": "",
		"/deliveries?since=2w":           "",
	} {
		method := http.MethodGet
		if rest, acts := strings.CutPrefix(path, "POST "); acts {
			method, path = http.MethodPost, rest
		}
		req, err := http.NewRequestWithContext(t.Context(), method, url+"/api/v1"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth("team", "pass:word")
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		_, _ = fmt.Fprint(&text, res.Status, " ")
		var content json.RawMessage
		_ = json.NewDecoder(res.Body).Decode(&content)
		_ = res.Body.Close()
		text.Write(content)
		wantStatus := http.StatusBadRequest
		if want == "" {
			wantStatus = http.StatusOK
		}
		if res.StatusCode != wantStatus || !strings.Contains(text.String(), want) {
			t.Errorf("%s: %s", path, text.String())
		}
	}
}

func TestFields(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, sample())
	got, err := c.Fields(t.Context(), "a b", false)
	if err != nil || got.Events() != 1 {
		t.Fatal(got, err)
	}
	if n := got.Seen[0].Find(schema.Path{"n"}); n == nil || string(n.Examples[0]) != "9007199254740993" {
		t.Errorf("got %+v", n)
	}
	if x := got.Seen[0].Find(schema.Path{"1.3"}); x == nil || !x.HasText("x") {
		t.Errorf("got %+v", x)
	}
	if _, err := c.Fields(t.Context(), "a b", true); !errors.Is(err, client.ErrNotFound) || !strings.Contains(err.Error(), `no form "a b"`) {
		t.Errorf("no such form: %v", err)
	}
}
