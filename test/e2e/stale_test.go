package e2e

import (
	"strings"
	"testing"

	"hookgate/test/lab"
)

// What waits by a version of the configuration that a reload has replaced is listed
// alone; what was made by the one in force is not, nor is anything once the earlier one
// is back. It fails where the newest version of the event counts.
func TestDeliveries_stale(t *testing.T) {
	t.Parallel()
	sink := lab.NewSink(t, nil)
	config := func(text string) string {
		return `
sources: { shop: { type: webhook, token: 0123456789abcdef, dedupe: off } }
connections: { billing: { type: webhook, url: "` + sink.URL + `/" } }
rules: [{ name: remind, from: shop, then: [{ to: billing, delay: 1h, json: { text: ` + text + ` } }] }]
`
	}
	g := lab.New(t, config("before"))
	g.Start()
	post := func() string {
		t.Helper()
		return g.Accepted(g.PostJSON("/in/shop/0123456789abcdef", []byte(`{}`)))
	}
	stale := func(want ...string) {
		t.Helper()
		text := g.MustCLI("deliveries", "list", "--stale", "--json")
		for _, id := range want {
			if !strings.Contains(text, id) {
				t.Errorf("%s is not listed: %s", id, text)
			}
		}
		if n := strings.Count(text, `"rule"`); n != len(want) {
			t.Errorf("%d are listed, want %d: %s", n, len(want), text)
		}
	}
	first := post()
	stale()
	g.Configure(config("after"))
	g.MustCLI("reload")
	second := post()
	stale(first)
	g.Configure(config("before"))
	g.MustCLI("reload")
	stale(second)
	if got := g.CLI("deliveries", "list", "--stale", "--failed"); got.Code == 0 || !strings.Contains(got.Stderr, "does not wait") {
		t.Errorf("%+v", got)
	}
}
