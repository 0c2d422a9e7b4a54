package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"hookgate/test/lab"
)

// What failed and was overtaken by a later delivery with its ordering key is told before
// a retry, and left out where that is asked for: sent, it would put an older state after
// a newer one. Other keys and other connections overtake nothing.
//
// Negative control: NotOvertaken without the condition on the key, and without that on
// the connection.
func TestRetry_overtaken(t *testing.T) {
	t.Parallel()
	var fails atomic.Bool
	fails.Store(true)
	var got atomic.Int64
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if fails.Load() && !bytes.Contains(body, []byte(`"late"`)) && r.URL.Path == "/billing" {
			w.WriteHeader(http.StatusUnprocessableEntity)
			return
		}
		got.Add(1)
	}))
	t.Cleanup(receiver.Close)
	g := lab.New(t, fmt.Sprintf(`
sources: { shop: { type: webhook, token: 0123456789abcdef } }
connections:
  billing: { type: webhook, url: "%[1]s/billing" }
  other: { type: webhook, url: "%[1]s/other" }
rules:
  - { name: o, from: shop, when: data.to == "other", then: [{ to: other, ordering_key: string(data.site), json: { says: x } }] }
  - { name: r, from: shop, when: data.to == "billing", then: [{ to: billing, ordering_key: string(data.site), json: { says: "${{ data.says }}" } }] }
`, receiver.URL))
	g.Extra = "  admin: { user: team, password: correct horse battery }\n"
	g.Start()
	for n, e := range []string{
		`{"to":"billing","site":1,"says":"early"}`, // overtaken
		`{"to":"billing","site":2,"says":"early"}`, // nothing came after it there
		`{"to":"other","site":2,"says":"late"}`,
		`{"to":"billing","site":1,"says":"late"}`,
		`{"to":"billing","site":3,"says":"late"}`,
		`{"to":"billing","site":3,"says":"early"}`, // what arrived came before it
	} {
		g.Accepted(g.PostJSON("/in/shop/0123456789abcdef", []byte(e)))
		lab.Eventually(t, "it has ended", func() bool {
			return len(g.Deliveries("--state", "failed"))+len(g.Deliveries("--state", "delivered")) == n+1
		})
	}
	if n := len(g.Deliveries("--state", "failed")); n != 3 {
		t.Fatalf("%d failed", n)
	}
	all := g.CLI("deliveries", "retry", "--failed", "--connection", "billing", "--dry-run")
	if !strings.Contains(all.Stdout+all.Stderr, "3 failed deliveries to billing match, 3 of them under 3 ordering keys; of 1 a later one with the same key has arrived (--skip-overtaken leaves them out)") {
		t.Errorf("what is said of all: %+v", all)
	}
	some := g.CLI("deliveries", "retry", "--failed", "--connection", "billing", "--skip-overtaken", "--dry-run")
	if !strings.Contains(some.Stdout+some.Stderr, "2 failed deliveries to billing match, 2 of them under 2 ordering keys; 1 more left out, for a later one with the same key has arrived") {
		t.Errorf("what is said of the others: %+v", some)
	}
	if r := g.CLI("deliveries", "cancel", "--failed", "--skip-overtaken"); r.Code == 0 {
		t.Error("what is given up can be selected by what overtook it")
	}

	team := newVisitor(t, g)
	team.logIn("team", "correct horse battery")
	plan := "/ui/deliveries/retry?state=failed&connection=billing"
	_, _, page := team.do("GET", plan, nil)
	if !strings.Contains(page, "1: a later one with the same key has arrived.") || !strings.Contains(page, `href="/ui/deliveries/retry?connection=billing&amp;overtaken=skip&amp;state=failed"`) {
		t.Errorf("the plan with it: %s", page)
	}
	_, _, page = team.do("GET", plan+"&overtaken=skip", nil)
	if !strings.Contains(page, "1 left out: a later one with the same key has arrived.") || !strings.Contains(page, "Retry 2 deliveries to billing") {
		t.Errorf("the plan without it: %s", page)
	}
	fails.Store(false)
	got.Store(0)
	code, header, _ := team.do("POST", "/ui/deliveries/retry", url.Values{"csrf": {team.csrf()}, "state": {"failed"}, "connection": {"billing"}, "overtaken": {"skip"}, "how": {"all"}})
	if code != http.StatusSeeOther || !strings.HasPrefix(header.Get("Location"), "/ui/deliveries/runs/") {
		t.Errorf("it is not begun: %d %v", code, header)
	}
	lab.Eventually(t, "the others are sent", func() bool { return got.Load() == 2 && len(g.Deliveries("--state", "failed")) == 1 })
	if left := g.Deliveries("--state", "failed"); len(left) != 1 {
		t.Errorf("%d are left", len(left))
	}
}
