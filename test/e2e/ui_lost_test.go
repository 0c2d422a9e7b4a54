package e2e

import (
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"hookgate/test/lab"
)

// A page that has lost its server says so, of when it is, and goes on by itself when the
// server is back: also where a proxy answered for it meanwhile, after which no browser
// tries again.
//
// How long nothing answered at all does not count then, only how often a proxy did.
//
// Negative control: onerror without listen, no onopen, or a page that is never gone; or
// a wait by 2 ** failed, which is a minute after five tries that nothing answered.
func TestUILive_lost(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusOK)
	g := startUI(t, &status)
	post := func() { g.Settled(g.Accepted(g.PostJSON("/in/sitejet/0123456789abcdef", []byte(donePayload)))) }
	post()
	ctx := browser(t)
	logIn(ctx, t, g)
	says := func(what string, want *regexp.Regexp) {
		t.Helper()
		lab.Eventually(t, what, func() bool {
			return want.MatchString(ask(ctx, t, chromedp.Evaluate[string](`(l => l.hidden ? "" : l.textContent)(document.querySelector("[data-live]"))`)))
		})
	}
	says("nothing", regexp.MustCompile(`^$`))
	g.Stop()
	says("that it is lost", regexp.MustCompile(`^Connection lost, trying again. This page is of \d\d:\d\d$`))
	accessible(ctx, t, "a page that is lost")
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", strings.TrimPrefix(g.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int32
	proxy := &httptest.Server{Listener: listener, Config: &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) < 5 {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(http.StatusBadGateway)
	})}}
	proxy.Start()
	lab.Eventually(t, "a proxy's answer", func() bool { return asked.Load() >= 5 })
	proxy.Close()
	g.Start()
	says("nothing again", regexp.MustCompile(`^$`))
	post()
	says("what is new", regexp.MustCompile(`^1 new event$`))
}

// What is under way on the page of an event is told as it goes on, without a reload;
// what is opened there stays open, and nothing is asked any more once all has ended.
//
// Negative control: life without data-poll.
func TestUIEventGoesOn(t *testing.T) {
	t.Parallel()
	receiver, fails, hold := startSlowReceiver(t)
	g := lab.New(t, `
sources:
  shop: { type: webhook, token: 0123456789abcdef }
connections:
  billing: { type: webhook, url: "`+receiver.URL+`" }
rules:
  - { name: first, from: shop, then: [{ to: billing, json: { n: "${{ data.n }}" } }] }
`)
	g.Extra = "  admin: { user: team, password: correct horse battery }\n"
	g.Start()
	id := g.Settled(g.Accepted(g.PostJSON("/in/shop/0123456789abcdef", []byte(`{"n":1}`)))).ID
	ctx := browser(t)
	logIn(ctx, t, g)
	show(ctx, t, g.URL+"/ui/events/"+id)
	reads(ctx, t, "the event", "billing did not get it")
	fails.Store(false)
	press(ctx, t, `[data-key="r"]`)
	reads(ctx, t, "while it is sent", "Sending")
	run(ctx, t, `window.kept = true; const d = [...document.querySelectorAll("details.try")].at(-1); d.open = true; d.dataset.was = "open"`)
	close(hold)
	reads(ctx, t, "when it has arrived", "billing had it after", "Delivered")
	same(t, "the page, what was open, and whether it asks again", "true true false", ask(ctx, t, chromedp.Evaluate[string](
		`[window.kept, [...document.querySelectorAll("details.try")].at(-1).open, document.querySelector("[data-poll]") !== null].join(" ")`)))
}
