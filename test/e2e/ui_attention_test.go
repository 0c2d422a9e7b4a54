package e2e

import (
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"

	"hookgate/test/lab"
)

// A rule that cannot be evaluated and a change that was refused make no delivery
// fail: the overview says so all the same, and the event goes through the rules once
// they are mended.
//
// Negative control: notice without RuleErrors and Refused leaves "All is well.".
func TestUIAttention(t *testing.T) {
	t.Parallel()
	const broken, mended = `int(data.n) > 1`, `data.n == "many"`
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(receiver.Close)
	config := func(when string) string {
		return fmt.Sprintf(`
sources:
  shop: { type: webhook, token: 0123456789abcdef }
connections:
  billing: { type: webhook, url: %q }
rules:
  - name: many
    from: shop
    when: %s
    then: [{ to: billing, json: { n: "${{ data.n }}" } }]
`, receiver.URL, when)
	}
	g := lab.New(t, config(broken))
	g.Extra = fmt.Sprintf("  admin: { user: team, password: correct horse battery, users: [{ name: vera, role: viewer, password_hash: %q }] }\n", viewerHashOf(t))
	g.Start()
	id := g.Accepted(g.PostJSON("/in/shop/0123456789abcdef", []byte(`{"n":"many"}`)))
	g.Configure(config(`nobody.knows == 1`))
	if r := g.CLI("reload"); r.Code == 0 {
		t.Fatal("a rule that cannot be compiled was loaded")
	}
	ctx := browser(t)
	logIn(ctx, t, g)
	show(ctx, t, g.URL+"/ui/")
	settled(ctx, t, "Overview")
	reads(ctx, t, "the overview", "1 event had an error in a rule within the last day.", "1 event had an error in a rule", "A change of the configuration was refused")
	accessible(ctx, t, "what needs attention")
	replays := "/ui/events/" + id + "?tab=replays"
	show(ctx, t, g.URL+replays)
	reads(ctx, t, "before it is mended", "Today's rules send nothing for it.")

	g.Configure(config(mended))
	g.MustCLI("reload")
	show(ctx, t, g.URL+replays)
	reads(ctx, t, "what a replay would send", "What is missing", "many → billing.")
	accessible(ctx, t, "the plan of a replay")
	press(ctx, t, "form.panel button.pri")
	reads(ctx, t, "what it made", "Today's rules made 1 delivery of it.")
	lab.Eventually(t, "it is delivered", func() bool { return len(g.Deliveries("--state", "delivered")) == 1 })
	show(ctx, t, g.URL+replays)
	reads(ctx, t, "nothing is missing", "Nothing: all that today's rules send was delivered, or is on its way.", "1 delivery, judged by config")
	show(ctx, t, g.URL+"/ui/")
	settled(ctx, t, "Overview")
	if text := pageText(ctx, t); strings.Contains(text, "was refused") {
		t.Error("a change that was refused needs attention after another was loaded")
	}

	vera := newVisitor(t, g)
	vera.logIn("vera", "only looking around")
	if code, _, page := vera.do("GET", replays, nil); code != http.StatusOK || strings.Contains(page, "</button></footer>") {
		t.Errorf("a viewer: %d, and has a button", code)
	}
	if code, _, _ := vera.do("POST", "/ui/events/"+id+"/replay", url.Values{"csrf": {vera.csrf()}, "how": {"all"}}); code != http.StatusForbidden {
		t.Errorf("a viewer replays: %d", code)
	}
	team := newVisitor(t, g)
	team.logIn("team", "correct horse battery")
	for path, want := range map[string]int{"/ui/events/nonsense/replay": http.StatusNotFound, "/ui/events/evt_0000000000001/replay": http.StatusNotFound} {
		if code, _, _ := team.do("POST", path, url.Values{"csrf": {team.csrf()}, "how": {"all"}}); code != want {
			t.Errorf("%s: %d, want %d", path, code, want)
		}
	}
}

// A moment that is over while nothing comes of it is told of: by the overview, by status
// and by doctor. Once it goes, nobody is told any more.
//
// Negative control: moments of the service without late leaves "All is well.".
func TestUIAttention_late(t *testing.T) {
	t.Parallel()
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(receiver.Close)
	g := lab.New(t, fmt.Sprintf(`
sources:
  shop: { type: webhook, token: 0123456789abcdef }
connections:
  billing: { type: webhook, url: %q }
rules:
  - { name: remind, from: shop, then: [{ to: billing, delay: 1h, json: {} }] }
`, receiver.URL))
	g.Extra = "  admin: { user: team, password: correct horse battery }\n"
	g.Start()
	for range 2 {
		g.Accepted(g.PostJSON("/in/shop/0123456789abcdef", []byte(`{}`)))
	}
	if st := g.MustCLI("status"); strings.Contains(st, "late") {
		t.Errorf("what has its time is called late:\n%s", st)
	}
	change := func(text string) {
		t.Helper()
		g.Stop()
		conn, err := sql.Open("sqlite3", "file:"+g.Storage)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	change(`UPDATE timers SET due = due - 7200000000 WHERE kind = 1;
		CREATE TRIGGER stuck BEFORE DELETE ON timers BEGIN SELECT RAISE(ABORT, 'stuck'); END`)
	g.Start()
	if st := g.MustCLI("status"); !strings.Contains(st, "2 moments of what is scheduled, the first since") {
		t.Errorf("status:\n%s", st)
	}
	if r := g.CLI("doctor"); !strings.Contains(r.Stdout, "what is scheduled is late") {
		t.Errorf("doctor:\n%s%s", r.Stdout, r.Stderr)
	}
	ctx := browser(t)
	logIn(ctx, t, g)
	show(ctx, t, g.URL+"/ui/")
	settled(ctx, t, "Overview")
	reads(ctx, t, "the overview", "1 thing needs attention.", "What is scheduled is late", "2 moments are over since then")
	accessible(ctx, t, "what is late")

	change(`DROP TRIGGER stuck`)
	g.Start()
	lab.Eventually(t, "it is delivered", func() bool { return len(g.Deliveries("--state", "delivered")) == 2 })
	show(ctx, t, g.URL+"/ui/")
	settled(ctx, t, "Overview")
	reads(ctx, t, "nothing is late", "All is well.")
}

// startSlowReceiver starts a receiver that refuses while fails is set, and else answers
// once hold is closed.
func startSlowReceiver(t *testing.T) (receiver *httptest.Server, fails *atomic.Bool, hold chan struct{}) {
	t.Helper()
	fails, hold = &atomic.Bool{}, make(chan struct{})
	fails.Store(true)
	receiver = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if fails.Load() {
			w.WriteHeader(http.StatusUnprocessableEntity)
			return
		}
		select {
		case <-hold:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(receiver.Close)
	return receiver, fails, hold
}

// A run is paused, found again, goes on and is stopped while its receiver takes its
// time; what the page shows changes, and the button that somebody is at stays. What is
// of no use to anybody is given up by its cause.
//
// Negative control: hx-get on #run in place of #figures.
func TestUIRetryRun_steered(t *testing.T) {
	t.Parallel()
	receiver, fails, hold := startSlowReceiver(t)
	g := lab.New(t, fmt.Sprintf(`
sources:
  shop: { type: webhook, token: 0123456789abcdef }
connections:
  billing: { type: webhook, url: %q, concurrency: 1 }
rules:
  - { name: first, from: shop, when: data.n < 4, then: [{ to: billing, json: { n: "${{ data.n }}" } }] }
  - { name: second, from: shop, when: data.n >= 4, then: [{ to: billing, json: { n: "${{ data.n }}" } }] }
`, receiver.URL))
	g.Extra = "  admin: { user: team, password: correct horse battery }\n"
	g.Start()
	for n := range 6 {
		g.PostJSON("/in/shop/0123456789abcdef", fmt.Appendf(nil, `{"n":%d}`, n))
	}
	lab.Eventually(t, "six failed", func() bool { return len(g.Deliveries("--state", "failed")) == 6 })
	fails.Store(false)
	ctx := browser(t)
	logIn(ctx, t, g)
	show(ctx, t, g.URL+"/ui/deliveries?rule=first&since=24h")
	settled(ctx, t, "Deliveries")
	press(ctx, t, "a.btn[href*=retry]")
	settled(ctx, t, "Retry 4 deliveries to billing") // of this rule, not of all with this cause
	reads(ctx, t, "the plan", "first", "Since")
	run(ctx, t, `document.querySelector("input[value=all]").checked = true`)
	press(ctx, t, "button.pri")
	reads(ctx, t, "the run", "Running", "0 of 4")
	run(ctx, t, `window.figures = document.getElementById("figures"); document.querySelector("#run footer button").focus()`)
	lab.Eventually(t, "the figures are shown anew", func() bool {
		return ask(ctx, t, chromedp.Evaluate[string](`String(document.getElementById("figures") !== window.figures)`)) == "true"
	})
	same(t, "where one is", "Pause", ask(ctx, t, chromedp.Evaluate[string](`document.activeElement.innerText.trim()`)))
	press(ctx, t, `form[action$="/pause"] button`)
	reads(ctx, t, "the paused run", "Paused")
	show(ctx, t, g.URL+"/ui/deliveries")
	settled(ctx, t, "Deliveries")
	reads(ctx, t, "the run among deliveries", "Retry of 4 deliveries to billing: Paused.")
	accessible(ctx, t, "a run among deliveries")
	press(ctx, t, `.note a[href*="/runs/"]`)
	press(ctx, t, `form[action$="/resume"] button`)
	reads(ctx, t, "the run goes on", "Running")
	press(ctx, t, `form[action$="/stop"] button`)
	reads(ctx, t, "the stopped run", "Stopped")
	close(hold)
	show(ctx, t, g.URL+"/ui/deliveries?rule=second")
	settled(ctx, t, "Deliveries")
	if text := pageText(ctx, t); strings.Contains(text, "Retry of 4") {
		t.Error("a run that was stopped is among those that can go on")
	}
	run(ctx, t, `document.querySelector('form[action="/ui/deliveries/cancel"] button').click()`)
	lab.Eventually(t, "those of the second rule are given up", func() bool {
		return len(g.Deliveries("--state", "cancelled")) == 2 && len(g.Deliveries("--state", "cancelled", "--rule", "second")) == 2
	})

	team := newVisitor(t, g)
	team.logIn("team", "correct horse battery")
	for path, want := range map[string]int{
		"/ui/deliveries/retry?state=failed&since=never": http.StatusBadRequest, "/ui/deliveries/retry?state=failed&since=24h": http.StatusOK,
	} {
		if code, _, page := team.do("GET", path, nil); code != want || want == http.StatusBadRequest && !strings.Contains(page, "30d, 12h") {
			t.Errorf("%s: %d, want %d", path, code, want)
		}
	}
}

// The payload says which rule reads what, what is an ordering key, what goes out, and
// by what a rule missed the event.
func TestUIPayload(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusOK)
	g := startUI(t, &status)
	id := g.Accepted(g.PostJSON("/in/sitejet/0123456789abcdef", []byte(`{"previousStatus":"Publish","website":{"id":7,"title":"<b>Diner</b>","status":"Done","domains":[],"tags":["a",{}]}}`)))
	team := newVisitor(t, g)
	team.logIn("team", "correct horse battery")
	_, _, page := team.do("GET", "/ui/events/"+id+"?tab=payload", nil)
	for _, line := range []string{
		`<div><span>1</span><span>{</span></div>`,
		`<div class="er bad"><span>2</span><span>  &#34;previousStatus&#34;: &#34;Publish&#34;, <span class="by">read by activate, near; this decided</span></span></div>`,
		`<div class="hi"><span>4</span><span>    &#34;id&#34;: 7, <span class="by">in what goes to billing</span></span></div>`,
		`<div><span>5</span><span>    &#34;title&#34;: &#34;&lt;b&gt;Diner&lt;/b&gt;&#34;,</span></div>`,
		`<div class="hi"><span>6</span><span>    &#34;status&#34;: &#34;Done&#34;, <span class="by">read by activate, near</span></span></div>`,
		`<div><span>7</span><span>    &#34;domains&#34;: [],</span></div>`,
		`<div><span>10</span><span>      {}</span></div>`,
		`<div><span>11</span><span>    ]</span></div>`,
		`<div><span>13</span><span>}</span></div>`,
	} {
		if !strings.Contains(page, line) {
			t.Errorf("lacks %s in\n%s", line, page[strings.Index(page, `class="src"`):])
		}
	}
	ctx := browser(t)
	logIn(ctx, t, g)
	show(ctx, t, g.URL+"/ui/events/"+id+"?tab=payload")
	accessible(ctx, t, "the payload")
}
