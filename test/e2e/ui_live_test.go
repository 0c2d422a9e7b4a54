package e2e

import (
	"context"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"

	"hookgate/test/lab"
)

// What comes in is announced on Overview and Events, also to a viewer, and what is
// looked at stays where it is until it is asked for; a page hears of what its query
// selects alone.
func TestUILive(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusOK)
	g := startUI(t, &status)
	post := func() { g.Settled(g.Accepted(g.PostJSON("/in/sitejet/0123456789abcdef", []byte(donePayload)))) }
	g.Settled(g.Accepted(g.PostJSON("/in/sitejet/0123456789abcdef", []byte(`{"website":{"id":1,"title":"First","status":"Draft"}}`))))
	ctx := browser(t)
	show(ctx, t, g.URL+"/ui/login")
	settled(ctx, t, "Sign in")
	fillIn(ctx, t, "user", "vera", "password", "only looking around")
	press(ctx, t, "main button")
	settled(ctx, t, "Overview")

	said := func() string {
		return ask(ctx, t, chromedp.Evaluate[string](`(() => { const l = document.querySelector("[data-live]"); return !l ? "none" : l.hidden ? "" : l.textContent })()`))
	}
	rows := func() string {
		return ask(ctx, t, chromedp.Evaluate[string](`String(document.querySelectorAll("a[data-row]").length)`))
	}
	announced := func(want string) {
		t.Helper()
		got := ""
		t.Cleanup(func() {
			if t.Failed() {
				t.Logf("it said %q", got)
			}
		})
		lab.Eventually(t, "the page says: "+want, func() bool { got = said(); return got == want })
	}
	post()
	announced("1 new event")
	accessible(ctx, t, "the overview with what is new")
	desktop(ctx, t)

	show(ctx, t, g.URL+"/ui/events?q="+url.QueryEscape("source:sitejet"))
	settled(ctx, t, "Events")
	same(t, "rows", "2", rows())
	same(t, "what is announced of what is shown", "", said())
	g.Do("POST", "/f/contact", []byte("name=Ada&email=ada%40example.com&message=Hello"), "Content-Type", "application/x-www-form-urlencoded")
	g.Accepted(g.PostJSON("/in/sitejet/0123456789abcdef", []byte(`{"website":{"id":2,"title":"Second","status":"Draft"}}`)))
	announced("1 new event")
	g.Accepted(g.PostJSON("/in/sitejet/0123456789abcdef", []byte(`{"website":{"id":3,"title":"Third","status":"Draft"}}`)))
	announced("2 new events")
	same(t, "rows while they are announced", "2", rows())
	press(ctx, t, "[data-live]")
	lab.Eventually(t, "they are shown", func() bool { return rows() == "4" })
	same(t, "what is announced then", "", said())

	show(ctx, t, g.URL+"/ui/events?q="+url.QueryEscape("connection:billing"))
	settled(ctx, t, "Events")
	same(t, "a list that cannot be followed", "none", said())

	vera := newVisitor(t, g)
	vera.logIn("vera", "only looking around")
	for _, path := range []string{"/ui/live?after=%21", "/ui/live?q=state%3Anone", "/ui/live?q=connection%3Abilling", "/ui/live?q=source%3Anone"} {
		if code, _, _ := vera.do("GET", path, nil); code != http.StatusBadRequest {
			t.Errorf("%s: %d, want 400", path, code)
		}
	}
}

func desktop(ctx context.Context, t *testing.T) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1440, 900)); err != nil {
		t.Fatal(err)
	}
}
