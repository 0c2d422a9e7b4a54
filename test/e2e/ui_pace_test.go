package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"hookgate/test/lab"
)

// The plan of a retry or a replay says about how long it takes at the rate of a
// connection, by the same figure in the API, the commands and the pages, and nothing of one
// without a rate.
//
// Break: paces that never count; Rate that does not ask for the pause.
func TestPlanPace(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusBadRequest)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(int(status.Load())) }))
	t.Cleanup(receiver.Close)
	config := func(rate string) string {
		return fmt.Sprintf(`
sources: { shop: { type: webhook, token: 0123456789abcdef } }
connections: { billing: { type: webhook, url: %q%s }, crm: { type: webhook, url: %[1]q } }
rules: [{ name: r, from: shop, then: [{ to: billing, json: { n: 1 } }, { to: crm, json: { n: 1 } }] }]
`, receiver.URL, rate)
	}
	g := lab.New(t, config(""))
	g.Extra = "  admin: { user: team, password: correct horse battery }\n"
	g.Start()
	for n := range 5 {
		g.PostJSON("/in/shop/0123456789abcdef", fmt.Appendf(nil, `{"n":%d}`, n))
	}
	lab.Eventually(t, "all have failed", func() bool { return len(g.Deliveries("--state", "failed")) == 10 })
	team := newVisitor(t, g)
	team.logIn("team", "correct horse battery")
	api := func(path, body string) string {
		return g.Do("POST", "/api/v1/"+path, []byte(body), "Content-Type", "application/json", "Authorization", "Basic dGVhbTpjb3JyZWN0IGhvcnNlIGJhdHRlcnk=").Body
	}
	page := func(path string) string {
		_, _, text := team.do("GET", "/ui/"+path, nil)
		return text
	}

	lacks(t, "an API without a rate", api("deliveries/retry", `{"state":"failed","dry_run":true}`), "paces")
	lacks(t, "a page without a rate", page("deliveries/retry?state=failed&connection=billing"), "about ")
	lacks(t, "a replay without a rate", page("events/replay?q=source:shop&how=all"), "How fast")
	lacks(t, "a command without a rate", g.CLI("deliveries", "retry", "--failed", "--dry-run").Stderr, "about ")
	has(t, "a run with a rate of its own", g.CLI("deliveries", "retry", "--failed", "--rate", "1/m", "--dry-run").Stderr, "10 failed deliveries match; about 9 min at 1/m.")
	has(t, "a replay with a rate of its own", g.CLI("replay", "--source", "shop", "--rate", "1/m", "--dry-run").Stderr, "10 new deliveries; about 4 min at 1/m.")

	g.Configure(config(", rate_limit: 1/m"))
	lab.Eventually(t, "the rate is in force", func() bool {
		return strings.Contains(g.CLI("deliveries", "retry", "--failed", "--dry-run").Stderr, "about ")
	})
	const pace = `"paces":[{"connection":"billing","rate":"1/m","count":5,"seconds":240}]`
	has(t, "the API of a retry", api("deliveries/retry", `{"state":"failed","dry_run":true}`), pace)
	has(t, "the API of a retry that renders", api("deliveries/retry", `{"state":"failed","render":true,"dry_run":true}`), pace)
	has(t, "the API of a run", api("deliveries/runs", `{"state":"failed","rate":"5/s","dry_run":true}`), `"paces":[{"connection":"billing","rate":"1/m","count":5,"seconds":240},{"rate":"5/s","count":10,"seconds":2}]`)
	has(t, "the API of a replay", api("replays/preview", `{"source":"shop"}`), pace)
	has(t, "a retry of all", g.CLI("deliveries", "retry", "--failed", "--dry-run").Stderr, "; about 4 min at 1/m, the rate of billing.")
	has(t, "a retry to it", g.CLI("deliveries", "retry", "--connection", "billing", "--dry-run").Stderr, "; about 4 min at 1/m.")
	lacks(t, "a retry to another", g.CLI("deliveries", "retry", "--connection", "crm", "--dry-run").Stderr, "about ")
	has(t, "a replay", g.CLI("replay", "--source", "shop", "--dry-run").Stderr, "10 new deliveries; about 4 min at 1/m, the rate of billing.")
	has(t, "the page of all", page("deliveries/retry?state=failed"), "How fast", "about 4 min at 1/m, the rate of billing")
	has(t, "the page of it", page("deliveries/retry?state=failed&connection=billing"), "1/m, as the configuration says: about 4 min")
	lacks(t, "the page of another", page("deliveries/retry?state=failed&connection=crm"), "about ")
	has(t, "the page of a replay", page("events/replay?q=source:shop&how=all"), "How fast", "about 4 min at 1/m, the rate of billing")

	g.MustCLI("connections", "pause", "billing")
	lacks(t, "a retry to what is paused", g.CLI("deliveries", "retry", "--connection", "billing", "--dry-run").Stderr, "about ")
	// It goes slowly for as long as anything is held: the second of these goes in an hour.
	status.Store(http.StatusServiceUnavailable)
	for n := range 2 {
		g.Accepted(g.PostJSON("/in/shop/0123456789abcdef", fmt.Appendf(nil, `{"n":%d}`, 5+n)))
	}
	lab.Eventually(t, "two are held", func() bool {
		return len(g.Deliveries("--state", "held", "--connection", "billing")) == 2
	})
	g.MustCLI("connections", "resume", "billing", "--rate", "1/h")
	has(t, "a retry to what is released slowly", g.CLI("deliveries", "retry", "--connection", "billing", "--dry-run").Stderr, "; about 4 h at 1/h.")
	has(t, "the page of what is released slowly", page("deliveries/retry?state=failed&connection=billing"), "about 4 h at 1/h")
	g.MustCLI("connections", "pause", "billing")
	g.MustCLI("connections", "resume", "billing")

	team.do("GET", "/ui/lang/de", nil)
	has(t, "in German", page("deliveries/retry?state=failed"), "etwa 4 min bei 1/m, der Rate von billing")
}
