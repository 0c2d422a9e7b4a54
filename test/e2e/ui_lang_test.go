package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/chromedp/chromedp"

	"hookgate/test/lab"
)

// What stays English on German pages is marked as such: causes, what attempts met, the
// story, errors of rules, what check says, a test of a connection. Codes are in no
// language, and what came in is in its sender's.
//
// Negative control: inEnglish without lang.
func TestUIGerman_english(t *testing.T) {
	t.Parallel()
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnprocessableEntity) }))
	t.Cleanup(receiver.Close)
	g := lab.New(t, fmt.Sprintf(`
sources:
  shop: { type: webhook, token: 0123456789abcdef }
connections:
  billing: { type: webhook, url: %q }
  unused: { type: webhook, url: "http://127.0.0.1:1" }
rules:
  - { name: all, from: shop, then: [{ to: billing, json: { n: "${{ data.n }}" } }] }
  - { name: rare, from: shop, when: 'data.n == "a" and data.n == "b"', then: [{ to: billing, json: { n: 1 } }] }
  - { name: broken, from: shop, when: int(data.n) > 1, then: [{ to: billing, json: { n: 1 } }] }
`, receiver.URL))
	g.Extra = "  admin: { user: team, password: correct horse battery }\n"
	g.Start()
	id := g.Accepted(g.PostJSON("/in/shop/0123456789abcdef", []byte(`{"n":"many"}`)))
	lab.Eventually(t, "the delivery failed", func() bool { return len(g.Deliveries("--state", "failed")) == 1 })
	ctx := browser(t)
	logIn(ctx, t, g)
	show(ctx, t, g.URL+"/ui/lang/de")
	marked := func(name string) {
		t.Helper()
		lab.Eventually(t, name+": English that is marked", func() bool {
			return ask(ctx, t, chromedp.Evaluate[string](`String(document.readyState === "complete" && document.querySelector("main [lang=en]") !== null)`)) == "true"
		})
		same(t, name+": English that is not marked", "", ask(ctx, t, chromedp.Evaluate[string](`(() => {
			const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
			while (walk.nextNode()) {
				const text = walk.currentNode, of = text.parentElement;
				if (of.closest("[lang]").lang === "de" && !of.closest("code, pre, .src > :not(:has(.say)), script, noscript, textarea") && /\b(the|answered|answer|never|reads|met|is|not|cannot|can|and|it|of)\b/.test(text.data)) found.push(text.data);
			}
			return found.join("\n");
		})()`)))
	}
	for _, path := range []string{"", "deliveries?state=failed", "deliveries?state=failed&by=time", "events/" + id, "rules", "config", "connections", "playground?rule=all&when=" + url.QueryEscape(`data.n = "a"`)} {
		show(ctx, t, g.URL+"/ui/"+path)
		marked(path)
	}
	show(ctx, t, g.URL+"/ui/connections")
	press(ctx, t, "#unused form button")
	reads(ctx, t, "the test", "Trotzdem testen")
	marked("a test")
}
