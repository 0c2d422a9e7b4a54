package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"hookgate/test/lab"
)

// How a connection was before a restart is told after it, and what a webhook's
// outputs read from an answer is with its delivery. Counting in memory alone
// breaks the first.
func TestHealth_overARestart(t *testing.T) {
	t.Parallel()
	sink := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.Contains(string(body), "bad") {
			w.WriteHeader(http.StatusUnprocessableEntity)
			_, _ = io.WriteString(w, `{"error":"no such plan"}`)
			return
		}
		w.Header().Set("Location", "/subscriptions/7")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"id":7}`)
	}))
	defer sink.Close()
	g := lab.Start(t, fmt.Sprintf(`
sources:
  in: { type: webhook, token: e2e-token-0123456789 }
connections:
  billing: { type: webhook, url: "%s", outputs: { id: body.id, url: 'headers["location"]' } }
rules:
  - name: tell
    from: in
    then: [{ to: billing, json: "${{ data }}" }]
`, sink.URL))
	send := func(body string) string {
		t.Helper()
		return g.Accepted(g.PostJSON("/in/in/e2e-token-0123456789", []byte(body)))
	}
	good := send(`{"plan":"good"}`)
	g.Settled(good)
	if out := g.MustCLI("events", "show", good); !strings.Contains(out, "id 7") || !strings.Contains(out, "url /subscriptions/7") {
		t.Errorf("the outputs are not shown:\n%s", out)
	}
	bad := send(`{"plan":"bad"}`)
	lab.Eventually(t, "the second delivery fails", func() bool { return len(g.Deliveries("--state", "failed")) == 1 })
	type health struct {
		State     string
		Hour, Day struct{ Attempts, Failed int }
		LastError string `json:"last_error"`
	}
	check := func(when string) {
		t.Helper()
		var got health
		if err := json.Unmarshal([]byte(g.MustCLI("connections", "show", "billing", "--json")), &got); err != nil {
			t.Fatal(err)
		}
		if got.State != "failing" || got.Hour.Attempts != 2 || got.Day.Attempts != 2 || got.Day.Failed != 1 || !strings.HasPrefix(got.LastError, "422 Unprocessable Entity") {
			t.Errorf("%s: %+v", when, got)
		}
	}
	check("before")
	if code := g.Stop(); code != 0 {
		t.Fatalf("the server ended with %d", code)
	}
	g.Start()
	check("after a restart")
	if out := g.MustCLI("events", "show", bad); !strings.Contains(out, "no such plan") {
		t.Errorf("got %s", out)
	}
}
