package e2e

import (
	"fmt"
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
