package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"

	"hookgate/test/lab"
)

// startUI runs a gateway with pages, of which the receiver answers as status says.
func startUI(t *testing.T, status *atomic.Int32) *lab.Gate {
	t.Helper()
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("X-Request-Id", "req_7")
		w.WriteHeader(int(status.Load()))
	}))
	t.Cleanup(receiver.Close)
	g := lab.New(t, fmt.Sprintf(`
sources:
  sitejet: { type: sitejet, token: 0123456789abcdef }
forms:
  contact:
    fields: { name: { type: text, required: true }, email: { type: email }, message: { type: text }, brief: { type: file, accept: [pdf] } }
    max_links: 1
    rate_limit: 1000/m
connections:
  billing: { type: webhook, url: %q, retry: { delays: [50ms] } }
rules:
  - name: activate
    from: sitejet
    when: data.previousStatus == "Publish" and data.website.status == "Done"
    then: [{ to: billing, json: { id: "${{ data.website.id }}" } }]
  - name: near
    from: sitejet
    when: data.website.status == "Done" and data.previousStatus == "Interest"
    then: [{ to: billing, json: { id: 1 } }]
  - name: lead
    from: contact
    then: [{ to: billing, json: { name: "${{ data.name }}" } }]
`, receiver.URL))
	g.Extra = fmt.Sprintf(`  timezone: Europe/Berlin
  admin:
    user: team
    password: correct horse battery
    users: [{ name: vera, role: viewer, password_hash: %q }]
    oidc: { issuer: "https://login.agency.example", client_id: a, client_secret: b, label: Agency, domains: [agency.example] }
`, viewerHashOf(t))
	g.Start()
	return g
}

// viewerHashOf makes the hash with the command that users have for it.
func viewerHashOf(t *testing.T) string {
	t.Helper()
	g := lab.New(t, "sources: {}\n")
	got := g.CLIWith("only looking around\n", "passwd")
	if got.Code != 0 {
		t.Fatalf("passwd: %+v", got)
	}
	return strings.TrimSpace(got.Stdout)
}

const donePayload = `{"previousStatus":"Publish","website":{"id":321654,"title":"Harry's Diner","status":"Done"}}`

// logIn has the browser follow a link that logs in once.
func logIn(ctx context.Context, t *testing.T, g *lab.Gate) {
	t.Helper()
	show(ctx, t, strings.TrimSpace(g.MustCLI("login")))
	lab.Eventually(t, "the first page", func() bool {
		got, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.readyState === "complete" && document.querySelector("main h1") ? document.querySelector("h1").innerText : ""`))
		return err == nil && (got == "Overview" || got == "Welcome") // welcome: while there is no event
	})
}

// Every page can be used by everybody, in both languages and themes, and none
// is wider than the window.
func TestUIPages(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusBadRequest)
	g := startUI(t, &status)
	event := g.Settled(g.Accepted(g.PostJSON("/in/sitejet/0123456789abcdef", []byte(donePayload)))).ID
	g.Do("POST", "/in/sitejet/0123456789abcdef", []byte("{bad"), "Content-Type", "application/json")
	post := attached(t, g, "Ada")
	for _, form := range []string{"name=Ada&email=ada%40example.com&message=Hello", "name=seo&message=http%3A%2F%2Fa.example+http%3A%2F%2Fb.example"} {
		g.Do("POST", "/f/contact", []byte(form), "Content-Type", "application/x-www-form-urlencoded")
	}
	ctx := browser(t)
	show(ctx, t, g.URL+"/ui/events")
	settled(ctx, t, "Sign in")
	accessible(ctx, t, "the login")
	logIn(ctx, t, g)
	for _, lang := range []struct {
		code   string
		titles []string
	}{
		{"en", []string{"Overview", "Events", "Harry's Diner · Publish → Done", "Harry's Diner · Publish → Done", "Replay", "Export", "Deliveries", "Connections", "Rules", "Routes", "Playground", "Config", "Config", "Config", "Config", "Welcome", "Forms", "Forms", "Forms", "Forms", "Export", "Delete this post", "Delete a person", "Not found"}},
		{"de", []string{"Überblick", "Ereignisse", "Harry's Diner · Publish → Done", "Harry's Diner · Publish → Done", "Neu auswerten", "Exportieren", "Zustellungen", "Verbindungen", "Regeln", "Wege", "Ausprobieren", "Konfiguration", "Konfiguration", "Konfiguration", "Konfiguration", "Willkommen", "Formulare", "Formulare", "Formulare", "Formulare", "Exportieren", "Diese Einsendung löschen", "Person löschen", "Nicht gefunden"}},
	} {
		show(ctx, t, g.URL+"/ui/lang/"+lang.code)
		for i, path := range []string{"", "events", "events/" + event, "events/" + event + "?tab=request", "events/replay?q=source%3Asitejet&how=all", "events/export?q=source%3Asitejet+where%3Adata.website.status+!%3D+nil", "deliveries", "connections", "rules", "routes", "playground", "config", "config/change", "config/versions", "config/versions/1", "start", "forms/contact?post=" + post + "#read", "forms/contact/spam", "forms/contact/files", "forms/contact/snippet", "forms/contact/export", "forms/post/" + post + "/delete", "forget", "nothing"} {
			show(ctx, t, g.URL+"/ui/"+path)
			settled(ctx, t, lang.titles[i])
			same(t, path+": language", lang.code, ask(ctx, t, chromedp.Evaluate[string](`document.documentElement.lang`)))
			accessible(ctx, t, lang.code+" /ui/"+path)
		}
	}
}

// Somebody finds what failed, sees why, and sends it again once the receiver is
// mended: without a script.
func TestUIRetry(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusServiceUnavailable)
	g := startUI(t, &status)
	id := g.Accepted(g.PostJSON("/in/sitejet/0123456789abcdef", []byte(donePayload)))
	lab.Eventually(t, "the delivery failed", func() bool { return len(g.Deliveries("--state", "failed")) == 1 })
	ctx := browser(t)
	unscripted(ctx, t)
	logIn(ctx, t, g)
	reads(ctx, t, "the overview", "billing", "503")
	show(ctx, t, g.URL+"/ui/events/"+id)
	settled(ctx, t, "Harry's Diner · Publish → Done")
	reads(ctx, t, "the event", "1 of 3 rules matched", "billing did not get it", "Near miss", `data.previousStatus == "Interest"`, "503")
	reads(ctx, t, "the last try, open", "POST http://127.0.0.1:", "503 Service Unavailable", "x-request-id: req_7")
	has(t, "events show", g.MustCLI("events", "show", id), "POST http://127.0.0.1:", "x-request-id: req_7")
	status.Store(http.StatusOK)
	show(ctx, t, g.URL+"/ui/deliveries?state=failed")
	settled(ctx, t, "Deliveries")
	press(ctx, t, "a.btn.pri")
	settled(ctx, t, "Retry 1 delivery to billing")
	press(ctx, t, "button.pri")
	reads(ctx, t, "the run", "begun by team")
	lab.Eventually(t, "it arrived", func() bool { return len(g.Deliveries("--state", "delivered")) == 1 })
	show(ctx, t, g.URL+"/ui/events/"+id)
	settled(ctx, t, "Harry's Diner · Publish → Done")
	reads(ctx, t, "the event", "Delivered", "after 3 tries")
}

// What failed is told by cause, and a retry is of one cause: the others stay.
func TestUICauses(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusServiceUnavailable)
	g := startUI(t, &status)
	failed := func(n int) func() bool {
		return func() bool { return len(g.Deliveries("--state", "failed")) == n }
	}
	g.PostJSON("/in/sitejet/0123456789abcdef", []byte(donePayload))
	g.PostJSON("/in/sitejet/0123456789abcdef", []byte(strings.Replace(donePayload, "321654", "321655", 1)))
	lab.Eventually(t, "two failed", failed(2))
	status.Store(http.StatusUnprocessableEntity)
	g.Do("POST", "/f/contact", []byte("name=Ada&message=Hello"), "Content-Type", "application/x-www-form-urlencoded")
	lab.Eventually(t, "three failed", failed(3))
	has(t, "deliveries causes", g.MustCLI("deliveries", "causes"), "503", "worth a retry", "422", "would fail again")
	ctx := browser(t)
	unscripted(ctx, t)
	logIn(ctx, t, g)
	reads(ctx, t, "the overview", "Retry 2…", "Would fail again")
	show(ctx, t, g.URL+"/ui/deliveries")
	settled(ctx, t, "Deliveries")
	reads(ctx, t, "the causes", "503", "422", "Worth a retry:", "Harry's Diner", "All 2 of this cause")
	status.Store(http.StatusOK)
	press(ctx, t, "a.btn.pri")
	settled(ctx, t, "Retry 2 deliveries to billing")
	press(ctx, t, "button.pri")
	reads(ctx, t, "the run", "begun by team")
	lab.Eventually(t, "the others stay", failed(1))
	show(ctx, t, g.URL+"/ui/events?q=delivery%3Afailed+connection%3Abilling")
	settled(ctx, t, "Events")
	reads(ctx, t, "events of which something failed", "Ada", "1 event")
}

// A connection is paused, holds what comes, and goes on; a spam post is released.
func TestUIPauseAndSpam(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusOK)
	g := startUI(t, &status)
	ctx := browser(t)
	logIn(ctx, t, g)
	show(ctx, t, g.URL+"/ui/connections")
	settled(ctx, t, "Connections")
	run(ctx, t, `document.querySelector("#billing details").open = true; document.querySelector("#note-billing").value = "is being moved"; document.querySelector("#note-billing").form.requestSubmit()`)
	reads(ctx, t, "it is paused", "Paused by team")
	reads(ctx, t, "the page", "is being moved")
	g.Do("POST", "/f/contact", []byte("name=seo&message=http%3A%2F%2Fa.example+http%3A%2F%2Fb.example"), "Content-Type", "application/x-www-form-urlencoded")
	show(ctx, t, g.URL+"/ui/forms/contact/spam")
	settled(ctx, t, "Forms")
	reads(ctx, t, "the reason", "2 links, more than 1")
	team := newVisitor(t, g)
	team.logIn("team", "correct horse battery")
	_, _, page := team.do("GET", "/ui/forms/contact/spam", nil, "Accept-Language", "de")
	has(t, "the reason in German", page, "max_links: 2 Links, mehr als 1")
	_, _, page = team.do("POST", "/ui/connections/billing/pause", url.Values{"csrf": {team.csrf()}, "until": {"2026-01-01T10:00"}}, "Accept-Language", "de")
	has(t, "a refusal in German", page, "Das Ende der Pause, 2026-01-01T09:00:00Z, ist schon vorbei.")
	press(ctx, t, ".mails a")
	reads(ctx, t, "what would be sent", "If you say it is not spam", "billing", "lead")
	has(t, "forms notspam --dry-run", g.MustCLI("forms", "notspam", "--dry-run", g.Events("--state", "spam")[0].ID), "→ billing", `{"name":"seo"}`)
	press(ctx, t, `[data-key="n"]`)
	settled(ctx, t, "seo")
	reads(ctx, t, "what the rules made of it", "The post was given to the rules", "Held")
	show(ctx, t, g.URL+"/ui/connections")
	settled(ctx, t, "Connections")
	press(ctx, t, "#billing .note button")
	lab.Eventually(t, "what was held arrived", func() bool { return len(g.Deliveries("--state", "delivered")) == 1 })
}

func pageText(ctx context.Context, t *testing.T) string {
	t.Helper()
	return ask(ctx, t, chromedp.Evaluate[string](`document.body ? document.body.innerText : ""`))
}

// reads waits until the page shows every part. A page that was followed from
// another one may be blank or half loaded for a while.
func reads(ctx context.Context, t *testing.T, what string, parts ...string) {
	t.Helper()
	text := ""
	lacks := func(part string) bool { return !strings.Contains(text, part) }
	if !lab.Within(lab.Patience, func() bool { text = pageText(ctx, t); return !slices.ContainsFunc(parts, lacks) }) {
		has(t, what, text, parts...)
	}
}

// visitor is a browser without a window: it keeps cookies and follows nothing.
type visitor struct {
	t    *testing.T
	base string
	http *http.Client
}

func newVisitor(t *testing.T, g *lab.Gate) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := lab.NewClient()
	client.Jar = jar
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &visitor{t, g.URL, client}
}

// do makes a request and reads the answer.
func (v *visitor) do(method, path string, form url.Values, header ...string) (int, http.Header, string) {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), method, v.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return v.answer(r)
}

// answer makes a request, wherever it goes to, and reads the answer.
func (v *visitor) answer(r *http.Request) (int, http.Header, string) {
	v.t.Helper()
	res, err := v.http.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var body bytes.Buffer
	_, _ = body.ReadFrom(res.Body)
	return res.StatusCode, res.Header, body.String()
}

func (v *visitor) logIn(user, password string) int {
	v.t.Helper()
	code, _, _ := v.do("POST", "/ui/login", url.Values{"user": {user}, "password": {password}})
	return code
}

var csrfField = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

func (v *visitor) csrf() string {
	v.t.Helper()
	_, _, page := v.do("GET", "/ui/start", nil)
	found := csrfField.FindStringSubmatch(page)
	if found == nil {
		v.t.Fatal("the page has no CSRF token")
	}
	return found[1]
}

// Nobody acts who may not: not without a session, not from another site's page,
// not with a token of another session, not as a viewer.
//
// Promise: T13.
func TestUIActs(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusOK)
	g := startUI(t, &status)
	stranger, team, vera := newVisitor(t, g), newVisitor(t, g), newVisitor(t, g)
	if code := team.logIn("team", "correct horse battery"); code != http.StatusSeeOther {
		t.Fatalf("team: %d", code)
	}
	if code := vera.logIn("vera", "only looking around"); code != http.StatusSeeOther {
		t.Fatalf("vera: %d", code)
	}
	good, hers := team.csrf(), vera.csrf()
	acts := []string{
		"/ui/start/address", "/ui/start/sample",
		"/ui/tables/sites/set", "/ui/tables/sites/delete", "/ui/config/reload",
		"/ui/views", "/ui/views/delete", "/ui/events/evt_0000000000000/replay", "/ui/events/replay", "/ui/events/replays/run_0000000000000/step",
		"/ui/deliveries/retry", "/ui/deliveries/cancel", "/ui/digests/dgs_1/send", "/ui/digests/dgs_1/cancel", "/ui/connections/billing/pause", "/ui/connections/billing/resume", "/ui/connections/billing/test",
		"/ui/forms/post/evt_0000000000000/notspam", "/ui/forms/post/evt_0000000000000/unread", "/ui/forms/post/evt_0000000000000/delete", "/ui/forget", "/ui/forget/delete", "/ui/deliveries/runs/run_0000000000000/pause", "/ui/deliveries/runs/run_0000000000000/resume", "/ui/deliveries/runs/run_0000000000000/stop",
	}
	for _, route := range pageRoutes(http.MethodPost) {
		pattern := regexp.MustCompile(`^` + regexp.MustCompile(`:\w+`).ReplaceAllString(route, `[^/]+`) + `$`)
		if !slices.Contains([]string{"/ui/login", "/ui/logout", "/ui/logout/everywhere"}, route) && !slices.ContainsFunc(acts, pattern.MatchString) {
			t.Errorf("nobody tries whether who may not act can post to %s", route)
		}
	}
	for _, path := range acts {
		form := func(csrf string) url.Values { return url.Values{"csrf": {csrf}, "state": {"failed"}} }
		for _, c := range []struct {
			name   string
			who    *visitor
			form   url.Values
			header []string
			want   int
		}{
			{"a stranger", stranger, form(good), nil, http.StatusSeeOther},
			{"without a token", team, form(""), nil, http.StatusForbidden},
			{"with another session's token", team, form(hers), nil, http.StatusForbidden},
			{"from another site", team, form(good), []string{"Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
			{"from another origin", team, form(good), []string{"Origin", "https://evil.example"}, http.StatusForbidden},
			{"a viewer", vera, form(hers), nil, http.StatusForbidden},
		} {
			if code, _, _ := c.who.do("POST", path, c.form, c.header...); code != c.want {
				t.Errorf("%s, %s: %d, want %d", path, c.name, code, c.want)
			}
		}
	}
	if code, _, _ := team.do("POST", "/ui/connections/billing/pause", url.Values{"csrf": {good}, "for": {"4h"}, "note": {"they move house"}}); code != http.StatusSeeOther {
		t.Errorf("an operator: %d", code)
	}
	if _, _, page := vera.do("GET", "/ui/connections", nil); !strings.Contains(page, "“they move house”. <b>It goes on by itself") {
		t.Errorf("the page does not say why and until when it is paused:\n%s", page)
	}
	if got := g.MustCLI("status") + g.MustCLI("connections", "list"); !strings.Contains(got, "they move house") || strings.Count(got, "until ") < 2 {
		t.Errorf("the command line does not say why and until when it is paused:\n%s", got)
	}
	for _, bad := range []url.Values{{"until": {"noon"}}, {"until": {"2026-01-01T00:00"}}, {"for": {"ever"}}, {"for": {"400d"}}, {"for": {"1h"}, "until": {"2126-01-01T00:00"}}} {
		bad.Set("csrf", good)
		if code, _, _ := team.do("POST", "/ui/connections/billing/pause", bad); code != http.StatusBadRequest {
			t.Errorf("an end that is none, %v: %d", bad, code)
		}
	}
	// A viewer may not act by the API either, and may look.
	if code, _, _ := stranger.do("POST", "/api/v1/connections/billing/resume", nil, "Authorization", basicOf("vera", "only looking around")); code != http.StatusForbidden {
		t.Errorf("a viewer by the API: %d", code)
	}
	if code, _, _ := stranger.do("GET", "/api/v1/status", nil, "Authorization", basicOf("vera", "only looking around")); code != http.StatusOK {
		t.Errorf("a viewer looks by the API: %d", code)
	}
}

func basicOf(user, password string) string {
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(user, password)
	return r.Header.Get("Authorization")
}

// A session begins with a secret of its own, ends when it is told to, and
// outlives a restart; a link logs in once; guesses are slowed down.
//
// Promise: T13.
func TestUISessions(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusOK)
	g := startUI(t, &status)

	team := newVisitor(t, g)
	code, header, _ := team.do("GET", "/ui/events?q=state%3Aspam", nil)
	if to := header.Get("Location"); code != http.StatusSeeOther || to != "/ui/login?to="+url.QueryEscape("/ui/events?q=state%3Aspam") {
		t.Fatalf("without a session: %d to %s", code, to)
	}
	code, header, _ = team.do("POST", "/ui/login", url.Values{"user": {"team"}, "password": {"correct horse battery"}, "to": {"/ui/events?q=state%3Aspam"}}, "Cookie", "hookgate=planted-by-somebody-else")
	if code != http.StatusSeeOther || header.Get("Location") != "/ui/events?q=state%3Aspam" {
		t.Errorf("after the login: %d to %s", code, header.Get("Location"))
	}
	cookie := header.Get("Set-Cookie")
	has(t, "the cookie", cookie, "HttpOnly", "SameSite=Lax")
	if strings.Contains(cookie, "planted") {
		t.Error("a planted session is taken over")
	}
	if code, _, _ := newVisitor(t, g).do("GET", "/ui/start", nil, "Cookie", "hookgate=planted-by-somebody-else"); code != http.StatusSeeOther {
		t.Errorf("with the planted session: %d", code)
	}
	for _, to := range []string{"https://evil.example/", "//evil.example/", "/ui/../x", "/in/x", `/ui/\evil.example`} {
		v := newVisitor(t, g)
		if _, h, _ := v.do("POST", "/ui/login", url.Values{"user": {"team"}, "password": {"correct horse battery"}, "to": {to}}); !strings.HasPrefix(h.Get("Location"), "/ui/") || strings.Contains(h.Get("Location"), "evil") {
			t.Errorf("login leads to %s", h.Get("Location"))
		}
	}
	for _, name := range []string{"Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy"} {
		if _, h, _ := team.do("GET", "/ui/", nil); h.Get(name) == "" {
			t.Errorf("no %s", name)
		}
	}
	g.Kill()
	g.Start()
	if code, _, _ := team.do("GET", "/ui/start", nil); code != http.StatusOK {
		t.Errorf("after a restart: %d", code)
	}
	other := newVisitor(t, g)
	other.logIn("team", "correct horse battery")
	if _, _, page := team.do("GET", "/ui/start", nil); !strings.Contains(page, `action="/ui/logout/everywhere"`) {
		t.Error("no page has the log-out everywhere")
	}
	team.do("POST", "/ui/logout/everywhere", url.Values{"csrf": {team.csrf()}})
	if code, _, _ := other.do("GET", "/ui/start", nil); code != http.StatusSeeOther {
		t.Errorf("after a log-out everywhere: %d", code)
	}

	leaked := newVisitor(t, g)
	leaked.logIn("team", "correct horse battery")
	opens := func(when string, want int) {
		t.Helper()
		if code, _, _ := leaked.do("GET", "/ui/start", nil); code != want {
			t.Errorf("a session of the old password, %s: %d, want %d", when, code, want)
		}
	}
	opens("before it is changed", http.StatusOK)
	config, err := os.ReadFile(g.ConfigPath())
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.NewReplacer("correct horse battery", "another horse battery")
	g.WriteConfig(changed.Replace(string(config)))
	g.Extra = changed.Replace(g.Extra) // a start writes it anew
	g.MustCLI("reload")
	opens("after the reload", http.StatusSeeOther)
	g.Kill()
	g.Start()
	opens("after a restart", http.StatusSeeOther)
	_, header, _ = leaked.do("POST", "/ui/config/reload", url.Values{"csrf": {"of a page that was left open"}}, "Referer", g.URL+"/ui/config/change?all=1")
	same(t, "who acts without a session", "/ui/login?to="+url.QueryEscape("/ui/config/change?all=1"), header.Get("Location"))
	_, _, page := leaked.do("GET", header.Get("Location"), nil)
	has(t, "the login", page, `name="to" value="/ui/config/change?all=1"`)

	link := strings.TrimPrefix(strings.TrimSpace(g.MustCLI("login", "--user", "vera")), g.URL)
	first, second := newVisitor(t, g), newVisitor(t, g)
	if code, _, _ := first.do("GET", link, nil); code != http.StatusSeeOther {
		t.Errorf("the link: %d", code)
	}
	if code, h, _ := second.do("GET", link, nil); code != http.StatusGone || strings.Contains(h.Get("Set-Cookie"), "hookgate=") {
		t.Errorf("the link a second time: %d, %s", code, h.Get("Set-Cookie"))
	}
	if _, _, page := first.do("GET", "/ui/start", nil); !strings.Contains(page, "vera") {
		t.Error("the link logs in somebody else")
	}

	guesser := newVisitor(t, g)
	for range 5 {
		guesser.logIn("team", "wrong")
	}
	if code := guesser.logIn("team", "correct horse battery"); code != http.StatusTooManyRequests {
		t.Errorf("after five wrong passwords: %d", code)
	}
}

// What strangers send is text on every page: nothing of it is run or shown as
// anything else.
//
// Promise: T8.
func TestUINaughty(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusOK)
	g := startUI(t, &status)
	const evil = `<img src=x onerror="document.title='run'"><script>document.title='run'</script>"'&{{.}}`
	g.PostJSON("/in/sitejet/0123456789abcdef", []byte(fmt.Sprintf(`{"previousStatus":%q,"website":{"title":%q,"status":%q}}`, evil, evil, evil)))
	id := g.Events()[0].ID
	g.Do("POST", "/f/contact", []byte(url.Values{"name": {evil}, "message": {evil}}.Encode()), "Content-Type", "application/x-www-form-urlencoded")
	ctx := browser(t)
	logIn(ctx, t, g)
	for _, path := range []string{"", "events", "events?q=" + url.QueryEscape(evil), "events/" + id, "events/" + id + "?tab=payload", "events/" + id + "?tab=request", "forms/contact", "deliveries?state=delivered", "deliveries?state=" + url.QueryEscape(evil), "connections", "rules", "routes", "start", "playground", "playground?rule=" + url.QueryEscape(evil) + "&when=" + url.QueryEscape(evil), "playground?when=" + url.QueryEscape(evil)} {
		show(ctx, t, g.URL+"/ui/"+path)
		lab.Eventually(t, path, func() bool { return strings.Contains(pageText(ctx, t), "hookgate") })
		same(t, path+": foreign elements", "0", ask(ctx, t, chromedp.Evaluate[string](`String(document.querySelectorAll("img, iframe, object, main script").length)`)))
		if title := ask(ctx, t, chromedp.Evaluate[string](`document.title`)); !strings.HasSuffix(title, "hookgate") {
			t.Errorf("%s: the title is %q", path, title)
		}
	}
}

// Without an admin there are no pages, and / says no more than what this is, to everybody.
func TestUIWithoutAdmin(t *testing.T) {
	t.Parallel()
	g := lab.Start(t, "sources: { s: { type: webhook, token: 0123456789abcdef } }\n")
	v := newVisitor(t, g)
	code, _, page := v.do("GET", "/", nil)
	if code != http.StatusOK || strings.Contains(page, "login") || strings.Contains(page, "version") {
		t.Errorf("/: %d %s", code, page)
	}
	ctx := browser(t)
	show(ctx, t, g.URL+"/")
	reads(ctx, t, "/", "This server takes in events and form posts.")
	accessible(ctx, t, "/")
	for _, path := range []string{"/ui/", "/ui/login", "/ui/events"} {
		if code, _, _ := v.do("GET", path, nil); code != http.StatusNotFound {
			t.Errorf("%s: %d", path, code)
		}
	}
	if got := g.CLI("login"); got.Code == 0 || !strings.Contains(got.Stderr, "server.admin") {
		t.Errorf("login: %+v", got)
	}
}

// documentText is the page's document as it stands in the browser.
func documentText(ctx context.Context, t *testing.T) string {
	t.Helper()
	return ask(ctx, t, chromedp.Evaluate[string](`document.documentElement ? document.documentElement.outerHTML : ""`))
}
