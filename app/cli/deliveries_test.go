package cli_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// eventually calls the command line until done is content with what it printed.
func eventually(t *testing.T, done func(outcome) bool, args ...string) outcome {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		got := run(t, args...)
		if done(got) {
			return got
		}
		if time.Now().After(deadline) {
			t.Fatalf("%v: still %+v", args, got)
		}
	}
}

func TestDeliveries(t *testing.T) {
	t.Parallel()
	var mended atomic.Bool
	var calls atomic.Int32
	sink := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		if !mended.Load() {
			http.Error(w, "no such customer", http.StatusUnprocessableEntity)
		}
	}))
	t.Cleanup(sink.Close)
	config := writeConfig(t, `version: 1
server: { listen: "`+freePort(t)+`" }
outbound: { allow_private: [127.0.0.1] }
sources:
  shop: { type: webhook, token: fedcba98765432100123 }
connections:
  billing: { type: webhook, url: "`+sink.URL+`" }
rules:
  - { name: bill, from: shop, then: [{ to: billing, ordering_key: data.customer, json: { customer: "${{ data.customer }}" } }] }
`)
	startServer(t, config)
	c := func(args ...string) []string { return append(args, "-c", config) }

	sent := runWith(t, `{"customer":7}`, c("events", "send", "shop", "-", "-q")...)
	if sent.code != 0 {
		t.Fatalf("send: %+v", sent)
	}
	id := strings.TrimSpace(sent.out)
	list := eventually(t, func(o outcome) bool { return strings.Contains(o.out, "✗ failed") }, c("deliveries", "list", "--event", id)...)
	if !strings.Contains(list.out, "bill → billing") || !strings.Contains(list.out, "422 Unprocessable Entity: no such customer") {
		t.Errorf("deliveries list:\n%s", list.out)
	}
	if got := run(t, c("deliveries", "retry", "--failed", "--connection", "billing", "--dry-run")...); got.code != 0 ||
		!strings.Contains(got.errOut, "1 failed delivery to billing matches, 1 of them under 1 ordering key. Nothing was changed.") {
		t.Errorf("--dry-run: %+v", got)
	}
	mended.Store(true)
	if got := run(t, c("deliveries", "retry", "--failed", "--yes")...); got.code != 0 || got.out != "1 delivery: sending again\n" {
		t.Errorf("retry: %+v", got)
	}
	eventually(t, func(o outcome) bool { return strings.Contains(o.out, "billing ✓ ") }, c("events", "list", "--source", "shop")...)
	if n := calls.Load(); n != 2 {
		t.Errorf("the receiver was called %d times, want 2", n)
	}

	var page struct {
		Items []struct {
			ID, State, Key string
			Attempts       int
		}
	}
	raw := run(t, c("deliveries", "list", "--json")...)
	if err := json.Unmarshal([]byte(raw.out), &page); err != nil || len(page.Items) != 1 {
		t.Fatalf("--json: %v: %+v", err, raw)
	}
	d := page.Items[0]
	if d.State != "delivered" || d.Attempts != 2 {
		t.Errorf("%+v, want delivered at the second attempt", d)
	}
	show := run(t, c("deliveries", "show", d.ID)...)
	for _, want := range []string{"ordering key: 7", "attempt 1", "no such customer", "attempt 2", `"customer": 7`} {
		if !strings.Contains(show.out, want) {
			t.Errorf("deliveries show lacks %q:\n%s", want, show.out)
		}
	}
	if got := run(t, c("deliveries", "cancel", d.ID)...); got.code != 1 || !strings.Contains(got.errOut, "left as it was") {
		t.Errorf("cancel of what is done: %+v", got)
	}
	if got := run(t, c("deliveries", "show", "dlv_1")...); got.code != 5 {
		t.Errorf("show of an unknown one: %+v", got)
	}
}
