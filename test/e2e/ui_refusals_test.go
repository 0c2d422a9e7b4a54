package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"hookgate/test/lab"
)

// What there is not, well formed or not, is answered by a page with a sentence, and never
// by an error of the server; so is what was done already, in another tab.
//
// Negative control: events without the status of explained answers 503 for each name.
func TestUIUnknown(t *testing.T) {
	t.Parallel()
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(receiver.Close)
	g := lab.New(t, fmt.Sprintf(`
sources: { shop: { type: webhook, token: 0123456789abcdef } }
connections: { billing: { type: webhook, url: %q } }
forms: { contact: { fields: { name: { type: text } }, max_links: 0, min_time: 0s } }
tables: { leads: { keep: 10d } }
rules: [{ name: r, from: shop, then: [{ to: billing, json: "${{ data }}" }] }]
`, receiver.URL))
	g.Extra = "  admin: { user: team, password: correct horse battery }\n"
	g.Start()
	g.PostJSON("/in/shop/0123456789abcdef", []byte(`{"n":1}`))
	team := newVisitor(t, g)
	team.logIn("team", "correct horse battery")
	const evt, dlv, run = "evt_0000000000001", "dlv_0000000000001", "run_0000000000001"
	for _, path := range []string{
		"events?q=source:nope", "events?q=rule:nope", "events?q=connection:nope", "events?q=delivery:nope", "events?q=state:nope", "events?q=key:nope",
		"events?q=type:nope", "events?q=nobody:knows", "events?q=where:data.n+%3E", "events?q=where:data.nope.no+%3D%3D+1", "events?q=since:nope", "events?before=nope", "events?before=" + evt,
		"events/nope", "events/" + evt, "events/" + evt + "?tab=nope", "events/" + evt + "?tab=payload", "events/" + evt + "?tab=replays", "?range=nope",
		"deliveries?state=nope", "deliveries?connection=nope", "deliveries?rule=nope", "deliveries?cause=nope", "deliveries?since=nope", "deliveries?by=time&before=nope", "deliveries?by=time&before=" + dlv,
		"deliveries/retry?id=" + dlv, "deliveries/retry?state=failed&connection=nope", "deliveries/retry?state=nope", "deliveries/retry?state=failed&cause=nope", "deliveries/runs/" + run, "deliveries/runs/nope",
		"forms/nope", "forms/contact?before=nope", "forms/contact?before=" + evt, "forms/contact?post=" + evt, "forms/contact?post=nope", "forms/contact?q=where:data.+%3D", "forms/nope/spam", "forms/nope/files", "forms/nope/fields", "forms/nope/export", "forms/contact/spam?post=" + evt,
		"playground?rule=nope", "playground?event=" + evt, "playground?rule=r&when=data.+%3D%3D&limit=nope", "playground?rule=r&at=nope", "rules?rule=nope", "routes?range=nope",
		"scheduled?connection=nope", "scheduled?before=nope", "digests/nope", "digests?connection=nope", "tables/nope", "tables/leads?key=nope", "tables/leads?after=nope",
		"config/versions/nope", "config/versions/99", "config/change?version=99", "start?event=" + evt, "start?source=nope", "forget?before=nope", "forget?address=nope",
	} {
		code, header, page := team.do("GET", "/ui/"+path, nil)
		if code >= http.StatusInternalServerError || code == http.StatusUnauthorized || !strings.HasPrefix(header.Get("Content-Type"), "text/html") && code != http.StatusSeeOther {
			t.Errorf("%s: %d %s %.200s", path, code, header.Get("Content-Type"), page)
		}
	}
	for _, name := range []string{"source", "rule", "connection"} {
		code, _, page := team.do("GET", "/ui/events?q="+name+":nope", nil)
		if code != http.StatusNotFound || !strings.Contains(page, "nope") || !strings.Contains(page, `name="q"`) {
			t.Errorf("an unknown %s: %d, it can be mended there: %t", name, code, strings.Contains(page, `name="q"`))
		}
	}

	for query, want := range map[string]int{"source:shop": http.StatusSeeOther, "state:nope": http.StatusBadRequest} {
		if code, _, page := team.do("POST", "/ui/views", url.Values{"csrf": {team.csrf()}, "name": {"mine"}, "q": {query}}); code != want {
			t.Errorf("a view of %s: %d, want %d: %.300s", query, code, want, page)
		}
	}

	if code := g.Do("POST", "/f/contact", []byte("name=http%3A%2F%2Fspam.example"), "Content-Type", "application/x-www-form-urlencoded").Status; code >= 400 {
		t.Fatal(code)
	}
	spam := g.Events("--state", "spam")
	if len(spam) != 1 {
		t.Fatalf("%d are spam", len(spam))
	}
	for _, want := range []int{http.StatusSeeOther, http.StatusConflict} {
		code, _, page := team.do("POST", "/ui/forms/post/"+spam[0].ID+"/notspam", url.Values{"csrf": {team.csrf()}})
		if code != want || want == http.StatusConflict && !strings.Contains(page, "neither spam nor a repeat") {
			t.Errorf("a post that is released: %d, want %d: %.300s", code, want, page)
		}
	}
}

// A receiver that is down is on the overview while its deliveries are retried, not only
// once they have failed for good.
//
// Negative control: the overview without the causes of what is being retried.
func TestUIAttention_receiverDown(t *testing.T) {
	t.Parallel()
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	t.Cleanup(receiver.Close)
	g := lab.New(t, fmt.Sprintf(`
sources: { shop: { type: webhook, token: 0123456789abcdef } }
connections: { billing: { type: webhook, url: %q } }
rules: [{ name: r, from: shop, then: [{ to: billing, json: { n: "${{ data.n }}" } }] }]
`, receiver.URL))
	g.Extra = "  admin: { user: team, password: correct horse battery }\n"
	g.Start()
	g.PostJSON("/in/shop/0123456789abcdef", []byte(`{"n":1}`))
	lab.Eventually(t, "it is being retried", func() bool { return len(g.Deliveries("--state", "retrying")) == 1 })
	ctx := browser(t)
	logIn(ctx, t, g)
	show(ctx, t, g.URL+"/ui/")
	settled(ctx, t, "Overview")
	reads(ctx, t, "the overview", "Needs attention", "billing: 503", "1 is being retried.", "0 %", "Retry 1…")
	same(t, "the mark of what arrived", "warn", ask(ctx, t, chromedp.Evaluate[string](`document.querySelector(".kpis a").className`)))
	accessible(ctx, t, "what is being retried")
	press(ctx, t, ".causes a.quiet")
	settled(ctx, t, "Deliveries")
	reads(ctx, t, "what is being retried", "503")
	show(ctx, t, g.URL+"/ui/connections")
	settled(ctx, t, "Connections")
}
