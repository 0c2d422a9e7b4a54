package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"hookgate/test/lab"
)

// orderRules are a configuration of which the rule large has the condition.
func orderRules(sink, when string) string {
	return `
sources:
  shop: { type: webhook, token: e2e-shop-token-0123456789 }
connections:
  stock: { type: webhook, url: ` + sink + `/stock, retry: { delays: [100ms] } }
rules:
  - { name: priced, from: shop, when: data.price != nil, then: [{ to: stock, json: { priced: "${{ data.number }}" } }] }
  - { name: large, from: shop, when: '` + when + `', then: [{ to: stock, json: { large: "${{ data.number }}" } }] }
`
}

// startOrders runs a gateway with pages that got three orders for which the rule large
// could not be evaluated, one that it matched, and one that was rejected.
func startOrders(t *testing.T) (*lab.Gate, *lab.Sink) {
	t.Helper()
	sink := lab.NewSink(t, nil)
	g := lab.New(t, orderRules(sink.URL, "data.price.net > 100"))
	g.Extra = fmt.Sprintf("  admin:\n    user: team\n    password: correct horse battery\n    users: [{ name: vera, role: viewer, password_hash: %q }]\n", viewerHashOf(t))
	g.Start()
	for n, price := range []string{`null`, `null`, `null`, `{"net":200}`} {
		g.Settled(g.Accepted(g.PostJSON("/in/shop/e2e-shop-token-0123456789", fmt.Appendf(nil, `{"number":%d,"price":%s,"total":200}`, n, price))))
	}
	g.Do("POST", "/in/shop/e2e-shop-token-0123456789", []byte("{bad"), "Content-Type", "application/json")
	if got := sink.Count(); got != 2 {
		t.Fatalf("%d requests, want two for the order that has a price", got)
	}
	return g, sink
}

// A rule is mended, and what it missed is sent from the list of events: what is missing,
// each once. A viewer sees the plan and cannot act.
func TestUIReplay(t *testing.T) {
	t.Parallel()
	g, sink := startOrders(t)
	ctx := browser(t)
	logIn(ctx, t, g)
	reads(ctx, t, "the overview", "3 events had an error in a rule", "Replay…")
	press(ctx, t, `a[href^="/ui/events/replay"]`)
	settled(ctx, t, "Replay")
	has(t, "before it is mended", pageText(ctx, t), "A rule of today cannot be evaluated for 3 events, and sends nothing for them.", "large: ", "3 events: nothing is missing")
	if got := ask(ctx, t, chromedp.Evaluate[string](`String(document.querySelectorAll("main button.pri").length)`)); got != "0" {
		t.Error("nothing can be replayed, and there is a button for it")
	}
	accessible(ctx, t, "a plan that sends nothing")

	g.Configure(orderRules(sink.URL, "data.total > 100"))
	g.MustCLI("reload")
	vera := newVisitor(t, g)
	vera.logIn("vera", "only looking around")
	if _, _, page := vera.do("GET", "/ui/events/replay?q=state:rule_error", nil); !strings.Contains(page, "3 events") || strings.Contains(page, "Replay 3 events") {
		t.Errorf("a viewer sees the plan and no button: %.3000s", page)
	}
	show(ctx, t, g.URL+"/ui/events?q=state%3Arule_error")
	settled(ctx, t, "Events")
	press(ctx, t, `main a[href^="/ui/events/replay"]`)
	settled(ctx, t, "Replay")
	has(t, "the plan", pageText(ctx, t), "3 events", "3 deliveries", "large", "stock", "Replay 3 events")
	accessible(ctx, t, "a plan")
	press(ctx, t, "main button.pri")
	reads(ctx, t, "the run", "Done", "begun by team", "state:rule_error", "3 of 3", "3 deliveries")
	same(t, "the address of the run", "true", ask(ctx, t, chromedp.Evaluate[string](`String(/^\/ui\/events\/replays\/run_/.test(location.pathname))`)))
	accessible(ctx, t, "a run")
	sink.Await(t, 5)
	bodies := map[string]int{}
	for _, r := range sink.Arrivals() {
		bodies[string(r.Body)]++
	}
	want := map[string]int{`{"large":0}`: 1, `{"large":1}`: 1, `{"large":2}`: 1, `{"large":3}`: 1, `{"priced":3}`: 1}
	if diff := cmp.Diff(want, bodies); diff != "" {
		t.Errorf("what arrived (-want +got)\n%s", diff)
	}
	has(t, "events replay --list", g.MustCLI("events", "replay", "--list"), "team", "--unfinished")

	for q, says := range map[string][]string{
		"source:shop":                 {"4 events: nothing is missing of what today's rules send", "1 event, rejected, duplicate or spam", "Nothing: all that"},
		"source:shop&how=all":         {"4 events", "5 deliveries", "Receivers get again what they have.", "Replay 4 events"},
		"state:rule_error":            {"3 events: nothing is missing of what today's rules send", "Nothing: all that"},
		"state:rejected":              {"cannot be replayed: no rule has seen their data"},
		"rule:large":                  {"A replay needs a source", "Of the last 30 days"},
		"since:30d rule:large":        {"only what it sends today", "4 events: nothing is missing"},
		"delivery:failed":             {"A replay does not choose by deliveries", "without delivery failed"},
		"source:shop delivery:failed": {"A replay does not choose by deliveries", "without delivery failed"},
	} {
		show(ctx, t, g.URL+"/ui/events/replay?q="+strings.NewReplacer(" ", "%20", ":", "%3A").Replace(q))
		settled(ctx, t, "Replay")
		has(t, q, pageText(ctx, t), says...)
	}
	if code, _, _ := vera.do("POST", "/ui/events/replay", url.Values{"csrf": {vera.csrf()}, "q": {"source:shop"}, "how": {"all"}}); code != http.StatusForbidden {
		t.Errorf("a viewer begins a replay: %d", code)
	}
}

// Without scripts a replay goes on by a button, from where it stands; a look at it makes
// nothing happen. What a script asked for goes on by itself.
func TestUIReplay_goesOn(t *testing.T) {
	t.Parallel()
	g, sink := startOrders(t)
	team := newVisitor(t, g)
	team.logIn("team", "correct horse battery")
	got := g.Do("POST", "/api/v1/replays", []byte(`{"source":"shop"}`), "Content-Type", "application/json", "Authorization", basicOf("team", "correct horse battery"))
	var run struct{ ID string }
	if err := json.Unmarshal([]byte(got.Body), &run); err != nil || got.Status != http.StatusCreated {
		t.Fatalf("begin: %d %s", got.Status, got.Body)
	}
	page := "/ui/events/replays/" + run.ID
	goesOn := regexp.MustCompile(`hx-trigger="load`)
	if _, _, text := team.do("GET", page, nil); goesOn.MatchString(text) || !strings.Contains(text, "0 of 4") {
		t.Errorf("looked at: %.3000s", text)
	}
	if _, _, text := team.do("GET", page, nil, "HX-Request", "true"); !goesOn.MatchString(text) {
		t.Errorf("asked for by a script: %.3000s", text)
	}
	if _, _, text := team.do("GET", page, nil, "HX-Request", "true", "HX-History-Restore-Request", "true"); goesOn.MatchString(text) {
		t.Errorf("gone back to: %.3000s", text)
	}
	same(t, "requests while it stands still", 2, sink.Count())
	has(t, "the plan", planText(team), "Replays that are not done", page)

	ctx := browser(t)
	unscripted(ctx, t)
	logIn(ctx, t, g)
	show(ctx, t, g.URL+page)
	reads(ctx, t, "the run", "Not done", "0 of 4", "nothing goes twice")
	press(ctx, t, "main button.pri")
	reads(ctx, t, "the run", "Done", "4 of 4", "2 deliveries")
	sink.Await(t, 4)
	if text := planText(team); strings.Contains(text, "Replays that are not done") {
		t.Errorf("it is done: %.3000s", text)
	}
}

func planText(v *visitor) string {
	_, _, text := v.do("GET", "/ui/events/replay?q=source:shop", nil)
	return text
}
