package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hookgate/test/lab"
)

// shop is a configuration whose rule orders matches what status says.
func shop(sink, status string) string {
	return `
sources:
  shop: { type: webhook, token: e2e-shop-token-0123456789 }
connections:
  stock: { type: webhook, url: ` + sink + `/stock, retry: { delays: [100ms] } }
rules:
  - name: orders
    from: shop
    when: data.status == "` + status + `"
    then:
      - { to: stock, ordering_key: data.customer, json: { number: "${{ data.number }}", seen: "${{ event.id }}" } }
  - name: big
    from: shop
    when: data.total > 1000
    then:
      - { to: stock, json: { big: "${{ data.number }}" } }
`
}

// A status that was renamed in the shop: what no rule matched is replayed once
// the rule is mended, and what was sent is not sent again.
func TestReplay(t *testing.T) {
	t.Parallel()
	sink := lab.NewSink(t, nil)
	g := lab.Start(t, shop(sink.URL, "bezahlt"))
	var ids []string
	for n := range 6 {
		body := fmt.Sprintf(`{"number":%d,"status":"%s","customer":"c%d","total":%d}`, n, []string{"paid", "bezahlt"}[n%2], n%3, n*400)
		ids = append(ids, g.Accepted(g.PostJSON("/in/shop/e2e-shop-token-0123456789", []byte(body))))
	}
	for _, id := range ids {
		g.Settled(id)
	}
	before := sink.Count()
	g.Configure(shop(sink.URL, "paid"))
	g.MustCLI("reload")

	preview := g.CLI("events", "replay", "--source", "shop", "--status", "no-match", "--dry-run")
	has(t, "preview", preview.Stdout+preview.Stderr, "orders → stock", "2 events match", "2 new deliveries", "Nothing was sent")
	if got := g.CLI("events", "replay", "--status", "no-match"); got.Code != 2 {
		t.Errorf("without a terminal and --yes: exit %d, want 2: %s", got.Code, got.Stderr)
	}
	if got := sink.Count(); got != before {
		t.Fatalf("%d requests, want none but the %d from before", got, before)
	}
	out := g.MustCLI("events", "replay", "--status", "no-match", "--yes")
	has(t, "replay", out, "run_", "2 events replayed, 2 deliveries made")
	for _, n := range []int{0, 2} {
		ev := g.Settled(ids[n])
		if ev.State != "routed" || len(ev.Deliveries) != 1 {
			t.Errorf("event %d: %s with %d deliveries", n, ev.State, len(ev.Deliveries))
		}
	}
	if got := sink.Count(); got != before+2 {
		t.Errorf("%d requests, want %d", got, before+2)
	}
	// Nothing is left that no rule matched, so the same call sends nothing.
	has(t, "again", g.MustCLI("events", "replay", "--status", "no-match", "--yes"), "0 events replayed, 0 deliveries made")

	// One event by its id: the rules of today, and the delivery from before stays.
	g.MustCLI("events", "replay", ids[4])
	ev := g.Settled(ids[4])
	if len(ev.Deliveries) != 3 {
		t.Errorf("replayed by id: %d deliveries, want the one from before and two new ones", len(ev.Deliveries))
	}
	shown := g.MustCLI("events", "show", ids[4])
	has(t, "show", shown, "Replays", "2 deliveries by orders, big", "no longer in force")
	// Only what one rule sends.
	g.MustCLI("replay", ids[4], "--rule", "big")
	if ev := g.Settled(ids[4]); len(ev.Deliveries) != 4 {
		t.Errorf("replayed for one rule: %d deliveries, want one more", len(ev.Deliveries))
	}
	if got := g.CLI("events", "replay", "evt_0"); got.Code != 1 || !strings.Contains(got.Stderr, "1 event left out") {
		t.Errorf("an unknown event: exit %d, %s", got.Code, got.Stderr)
	}
	has(t, "list", g.MustCLI("events", "replay", "--list"), "done", "--state no_match", "--rule big")
}

// The server is killed in the middle of a replay: it goes on with --continue,
// and no event is replayed twice or left out. Without the cursor and the key of
// table replays, what was done before the kill is done again.
func TestReplay_killed(t *testing.T) {
	t.Parallel()
	const n = 60
	sink := lab.NewSink(t, nil)
	g := lab.Start(t, shop(sink.URL, "bezahlt"))
	var ids []string
	for i := range n {
		body := fmt.Sprintf(`{"number":%d,"status":"paid","customer":"c%d","total":0}`, i, i)
		ids = append(ids, g.Accepted(g.PostJSON("/in/shop/e2e-shop-token-0123456789", []byte(body))))
	}
	g.Configure(shop(sink.URL, "paid"))
	g.MustCLI("reload")
	ended := make(chan lab.Result, 1)
	go func() { ended <- g.CLI("events", "replay", "--status", "no-match", "--yes", "--rate", "40/s") }()
	sink.Await(t, 10)
	g.Kill()
	stopped := <-ended
	if stopped.Code != 4 {
		t.Fatalf("exit %d, want 4: %s", stopped.Code, stopped.Stderr)
	}
	_, run, found := strings.Cut(stopped.Stderr, "--continue ")
	if !found {
		t.Fatalf("it does not say how to go on: %s", stopped.Stderr)
	}
	g.Start()
	has(t, "continued", g.MustCLI("events", "replay", "--continue", strings.TrimSpace(run)), "60 events replayed, 60 deliveries made")
	for i, id := range ids {
		if ev := g.Settled(id); len(ev.Deliveries) != 1 || ev.Deliveries[0].State != "delivered" {
			t.Errorf("event %d: %+v, want one delivery", i, ev.Deliveries)
		}
	}
	has(t, "done", g.MustCLI("events", "replay", "--continue", strings.TrimSpace(run)), "60 events replayed, 60 deliveries made")
}

// A rule that is about to be changed: the same answer from the running server
// and from its database when it is stopped, and exit status 1 for a gate.
func TestReplay_diff(t *testing.T) {
	t.Parallel()
	sink := lab.NewSink(t, nil)
	g := lab.Start(t, shop(sink.URL, "paid"))
	ids := map[string]string{}
	for _, status := range []string{"paid", "settled", "open"} {
		body := fmt.Sprintf(`{"number":1,"status":"%s","customer":"c","total":0}`, status)
		ids[status] = g.Accepted(g.PostJSON("/in/shop/e2e-shop-token-0123456789", []byte(body)))
		g.Settled(ids[status])
	}
	sent := sink.Count()
	other := filepath.Join(g.Dir, "other.yaml")
	text := strings.Replace(g.Header()+shop(sink.URL, "settled"), "token: e2e-shop-token-0123456789", `token: "${E2E_NOT_SET}"`, 1)
	if err := os.WriteFile(other, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	check := func(when string) {
		t.Helper()
		got := g.CLI("replay", "--diff", "--config", other)
		if got.Code != 1 {
			t.Errorf("%s: exit %d, want 1: %s", when, got.Code, got.Stderr)
		}
		has(t, when, got.Stdout, "orders  1    1     +1    −1     0", ids["paid"], "− orders/stock", ids["settled"], "+ orders/stock", "2 of 3 events change")
		if strings.Contains(got.Stdout, ids["open"]) {
			t.Errorf("%s: an event that does not change is named", when)
		}
		if same := g.CLI("events", "replay", "--diff", "--rule", "big", "--config", other); same.Code != 0 {
			t.Errorf("%s, of a rule that stays: exit %d, want 0: %s%s", when, same.Code, same.Stdout, same.Stderr)
		}
		if itself := g.CLI("replay", "--diff"); itself.Code != 0 {
			t.Errorf("%s, with the file that is in force: exit %d, want 0: %s%s", when, itself.Code, itself.Stdout, itself.Stderr)
		}
	}
	check("with the server running")
	g.Stop()
	check("with the server stopped")
	if err := os.WriteFile(other, []byte("version: 1\nruls: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if bad := g.CLI("replay", "--diff", "--config", other); bad.Code != 3 {
		t.Errorf("a config with an error: exit %d, want 3", bad.Code)
	}
	if got := sink.Count(); got != sent {
		t.Errorf("%d requests, want none but the %d from before", got, sent)
	}
}

// What is in the events decides which are listed.
func TestEventsList_search(t *testing.T) {
	t.Parallel()
	sink := lab.NewSink(t, nil)
	g := lab.Start(t, shop(sink.URL, "paid"))
	for n := range 6 {
		body := fmt.Sprintf(`{"number":%d,"status":"%s","name":"Caf\u00e9 %d","total":%d}`, n, []string{"paid", "open"}[n%2], n, n*400)
		g.Settled(g.Accepted(g.PostJSON("/in/shop/e2e-shop-token-0123456789", []byte(body))))
	}
	for _, tc := range []struct {
		args []string
		want int
	}{
		{[]string{"--where", `data.number >= 2 and data.status == "paid"`}, 2},
		{[]string{"--where", `headers["user-agent"] != nil`, "--limit", "3"}, 3},
		{[]string{"--rule", "big"}, 3},
		{[]string{"--rule", "orders", "--where", "data.total == 0"}, 1},
		{[]string{"--text", "CAFÉ 3"}, 1},
		{[]string{"--status", "no-match"}, 1},
		{[]string{"--since", "1h", "--until", "30m"}, 0},
	} {
		if got := g.Events(tc.args...); len(got) != tc.want {
			t.Errorf("%v: %d events, want %d", tc.args, len(got), tc.want)
		}
	}
	bad := g.CLI("events", "list", "--where", `data.number = 1`)
	if bad.Code != 2 {
		t.Errorf("a bad expression: exit %d", bad.Code)
	}
	has(t, "a bad expression", bad.Stderr, "error[expr-syntax] --where:1:13", "   1 | data.number = 1", "^ write == to compare")
	has(t, "an expression that fails", g.CLI("events", "list", "--where", "data.name.first == 1").Stderr, "could not be evaluated for 6 events")
}

// A replay looks up what a table held when the event was accepted, and with --tables now
// what it holds now; how it was asked is told where it goes on. It fails where a replay
// keeps to what was read.
func TestReplay_tables(t *testing.T) {
	t.Parallel()
	sink := lab.NewSink(t, nil)
	g := lab.Start(t, `
sources: { shop: { type: webhook, token: 0123456789abcdef, dedupe: off } }
connections: { stock: { type: webhook, url: "`+sink.URL+`/" } }
tables: { clients: { keep: 30d } }
rules:
  - { name: note, from: shop, when: data.name != nil, then: [{ remember: { table: clients, key: data.k, set: { name: "${{ data.name }}" } } }] }
  - { name: tell, from: shop, when: data.name == nil, then: [{ to: stock, json: { name: '${{ lookup("clients", data.k)?.name }}' } }] }
`)
	id := g.Accepted(g.PostJSON("/in/shop/0123456789abcdef", []byte(`{"k":"a"}`)))
	g.Accepted(g.PostJSON("/in/shop/0123456789abcdef", []byte(`{"k":"a","name":"Jo"}`)))
	for n, c := range []struct {
		flags []string
		want  string
	}{{nil, `{"name":null}`}, {[]string{"--tables", "then"}, `{"name":null}`}, {[]string{"--tables", "now"}, `{"name":"Jo"}`}} {
		g.MustCLI(append([]string{"replay", id, "--yes"}, c.flags...)...)
		sink.Await(t, n+2)
		if got := string(sink.Arrivals()[n+1].Body); got != c.want {
			t.Errorf("%v: sent %s, want %s", c.flags, got, c.want)
		}
	}
	has(t, "the list", g.MustCLI("replay", "--list"), "--tables now")
	if got := g.CLI("replay", id, "--tables", "later"); got.Code != 2 || !strings.Contains(got.Stderr, "then or now") {
		t.Errorf("%+v", got)
	}
}
