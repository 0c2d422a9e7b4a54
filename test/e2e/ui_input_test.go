package e2e

import (
	"context"
	"encoding/base64"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"

	"hookgate/test/lab"
)

// startInput runs a gateway whose pages have a form of each kind that something is typed into.
func startInput(t *testing.T) *lab.Gate {
	t.Helper()
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(receiver.Close)
	g := lab.New(t, fmt.Sprintf(`
sources: { shop: { type: webhook, token: 0123456789abcdef } }
connections: { billing: { type: webhook, url: %q } }
tables: { leads: { keep: 10d } }
rules:
  - { name: other, from: shop, then: [{ to: billing, json: { n: "${{ data.n }}" } }] }
  - { name: first, from: shop, when: data.n > 1, then: [{ to: billing, json: { n: "${{ data.n }}" } }] }
`, receiver.URL))
	g.Extra = "  admin: { user: team, password: correct horse battery }\n"
	g.Start()
	return g
}

// signedOut ends all sessions of the team, as a colleague does in another browser.
func signedOut(t *testing.T, g *lab.Gate) {
	t.Helper()
	colleague := newVisitor(t, g)
	colleague.logIn("team", "correct horse battery")
	if code, _, _ := colleague.do("POST", "/ui/logout/everywhere", url.Values{"csrf": {colleague.csrf()}}); code != http.StatusSeeOther {
		t.Fatalf("the log-out everywhere: %d", code)
	}
}

// signsIn fills in the login that is shown.
func signsIn(ctx context.Context, t *testing.T) {
	t.Helper()
	settled(ctx, t, "Sign in")
	keys(ctx, t, "user", "team")
	keys(ctx, t, "password", "correct horse battery")
	submit(ctx, t)
}

// valueOf is what a field of the page holds, in which somebody types.
func valueOf(ctx context.Context, t *testing.T, selector string) string {
	t.Helper()
	return ask(ctx, t, chromedp.Evaluate[string](fmt.Sprintf(`document.querySelector(%q)?.value ?? "no such field"`, selector)))
}

// holds waits until a field of the page holds something.
func holds(ctx context.Context, t *testing.T, what, selector, want string) {
	t.Helper()
	if !lab.Within(lab.Patience, func() bool { return valueOf(ctx, t, selector) == want }) {
		same(t, what, want, valueOf(ctx, t, selector))
	}
}

// What somebody has typed is still there after the page, or the configuration, is loaded
// anew, after a login that the server asks for, back on the same page, and after a
// refusal; it is gone once it is done, and once somebody signs out.
//
// Negative control: app.js that does not put back what was typed, and a draft that is kept
// after it was done, or after the sign-out.
func TestUIInput(t *testing.T) {
	t.Parallel()
	g := startInput(t)
	g.Settled(g.Accepted(g.PostJSON("/in/shop/0123456789abcdef", []byte(`{"n":2}`))))
	ctx := browser(t)
	logIn(ctx, t, g)
	desktop(ctx, t)
	for _, c := range []struct{ page, title, opens, form, field, text, done, then string }{
		{"/ui/connections", "Connections", "#billing summary", `form[action="/ui/connections/billing/pause"]`, "note", "they move house", "billing is paused", "they move house"},
		{"/ui/tables/leads?key=ada", "leads", "", `form[action="/ui/tables/leads/set"]`, "fields", "status=Done\nn=7", "The record ada is set", ""},
		{"/ui/events?q=source%3Ashop", "Events", "details.small summary", `form[action="/ui/views"]`, "name", "The shop", "The view The shop is kept", "no such field"},
	} {
		field := c.form + fmt.Sprintf(" [name=%q]", c.field)
		visit := func() {
			t.Helper()
			show(ctx, t, g.URL+c.page)
			settled(ctx, t, c.title)
		}
		send := func() { run(ctx, t, `document.querySelector(%q).requestSubmit()`, c.form) }
		types := func() {
			t.Helper()
			visit()
			if c.opens != "" {
				press(ctx, t, c.opens)
			}
			if err := chromedp.Do(ctx, chromedp.SendKeys(field, c.text)); err != nil {
				t.Fatalf("the browser types into %s: %v", field, err)
			}
		}

		types()
		press(ctx, t, `.side form[action="/ui/logout"] button`)
		signsIn(ctx, t)
		settled(ctx, t, "Overview")
		visit()
		holds(ctx, t, c.page+" after a sign-out", field, "")

		types()
		g.MustCLI("reload")
		visit()
		holds(ctx, t, c.page+" after a reload", field, c.text)
		reads(ctx, t, "the page", "What you had typed is there again.")
		same(t, "it is seen", "true", ask(ctx, t, chromedp.Evaluate[string](fmt.Sprintf(`String(document.querySelector(%q).checkVisibility())`, field))))

		signedOut(t, g)
		send()
		settled(ctx, t, "Sign in")
		reads(ctx, t, "the login", "You were signed out before this was sent: nothing was done.")
		signsIn(ctx, t)
		settled(ctx, t, c.title)
		same(t, "the page after the login", g.URL+c.page, ask(ctx, t, chromedp.Location()))
		holds(ctx, t, c.page+" after the login", field, c.text)

		run(ctx, t, `document.querySelector(%q).elements.csrf.value = "of another session"`, c.form)
		send()
		settled(ctx, t, "Not possible")
		press(ctx, t, "main .note a")
		settled(ctx, t, c.title)
		same(t, "the page after the refusal", g.URL+c.page, ask(ctx, t, chromedp.Location()))
		holds(ctx, t, c.page+" after the refusal", field, c.text)

		send()
		reads(ctx, t, "the page", c.done)
		settled(ctx, t, c.title) // its script has run: it forgets what is done
		visit()
		holds(ctx, t, c.page+" once it is done", field, c.then)
		if strings.Contains(pageText(ctx, t), "is there again") {
			t.Errorf("%s: what is done is put back", c.page)
		}
	}
}

// Of two who change the same thing, each from a page of before, the second is told what
// the first did, and keeps what he typed.
//
// Negative control: the form without seen, a pause that keeps its note where another is
// given, and a view that takes the place of another.
func TestUIInput_twoTabs(t *testing.T) {
	t.Parallel()
	g := startInput(t)
	first := browser(t)
	logIn(first, t, g)
	second, cancel := chromedp.NewContext(first)
	t.Cleanup(cancel)
	const form = `form[action="/ui/connections/billing/pause"]`
	for _, tab := range []context.Context{first, second} {
		show(tab, t, g.URL+"/ui/connections")
		settled(tab, t, "Connections")
		press(tab, t, "#billing summary")
	}
	keys(first, t, "note", "they move house")
	press(first, t, form+" button")
	reads(first, t, "the first", "billing is paused", "“they move house”")
	keys(second, t, "note", "their API has a fault")
	press(second, t, form+" button")
	settled(second, t, "Not possible")
	reads(second, t, "the second", "billing was paused, or goes on, since you loaded this page. Nothing was done")
	press(second, t, "main .note a")
	settled(second, t, "Connections")
	reads(second, t, "what the first did", "“they move house”")
	holds(second, t, "what the second typed", form+" [name=note]", "their API has a fault")
	press(second, t, form+" button")
	reads(second, t, "the second, who knows of the first", "“their API has a fault”")

	team := newVisitor(t, g)
	team.logIn("team", "correct horse battery")
	for _, c := range []struct {
		query string
		want  int
	}{{"source:shop", http.StatusSeeOther}, {"source:shop", http.StatusSeeOther}, {"state:spam", http.StatusBadRequest}} {
		if code, _, page := team.do("POST", "/ui/views", url.Values{"csrf": {team.csrf()}, "name": {"mine"}, "q": {c.query}}); code != c.want {
			t.Errorf("a view of %s: %d, want %d: %.500s", c.query, code, c.want, page)
		}
	}
	has(t, "the view", g.MustCLI("views", "list"), "source:shop")
}

// What was typed on the page that refuses a view outlives a login and a reload, too, with
// what was not changed there; all of it is forgotten once the view is kept.
func TestUIInput_refusedView(t *testing.T) {
	t.Parallel()
	g := startInput(t)
	g.MustCLI("views", "save", "mine", "source:shop")
	ctx := browser(t)
	logIn(ctx, t, g)
	desktop(ctx, t)
	const form, again = `form[action="/ui/views"]`, "What you had typed is there again."
	types := func(selector, text string) {
		t.Helper()
		if err := chromedp.Do(ctx, chromedp.SendKeys(selector, text)); err != nil {
			t.Fatalf("the browser types into %s: %v", selector, err)
		}
	}
	refused := func(query string) {
		t.Helper()
		show(ctx, t, g.URL+"/ui/events?q="+url.QueryEscape(query))
		settled(ctx, t, "Events")
		press(ctx, t, "details.small summary")
		types("#vn", "mine")
		press(ctx, t, form+" button")
		reads(ctx, t, "the refusal", "there is a view mine already")
		settled(ctx, t, "Events")
	}

	refused("state:routed")
	types("#vq", "since:1d ")
	types("#vn", "also ")
	press(ctx, t, form+" button")
	reads(ctx, t, "the page", "The view also mine is kept")
	settled(ctx, t, "Events")
	show(ctx, t, g.URL+"/ui/events?q=state%3Arouted")
	settled(ctx, t, "Events")
	holds(ctx, t, "the name on the first list, once it is done", form+" [name=name]", "")

	refused("type:order")
	types("#vq", "since:1d ")
	signedOut(t, g)
	press(ctx, t, form+" button")
	settled(ctx, t, "Sign in")
	reads(ctx, t, "the login", "You were signed out before this was sent: nothing was done.")
	signsIn(ctx, t)
	settled(ctx, t, "Events")
	same(t, "the page after the login", g.URL+"/ui/views", ask(ctx, t, chromedp.Location()))
	kept := func(what string) {
		t.Helper()
		holds(ctx, t, "the search "+what, "#vq", "since:1d type:order")
		holds(ctx, t, "the name "+what, "#vn", "mine")
	}
	kept("after the login")
	reads(ctx, t, "the page after the login", again)
	accessible(ctx, t, "the page after the login")
	show(ctx, t, g.URL+"/ui/views")
	settled(ctx, t, "Events")
	kept("after a reload")
	press(ctx, t, form+" button")
	reads(ctx, t, "the second refusal", "there is a view mine already")
	settled(ctx, t, "Events")
	kept("after the second refusal")
	if strings.Contains(pageText(ctx, t), again) {
		t.Error("a refusal says that something is there again")
	}
	types("#vn", "not ")
	press(ctx, t, form+" button")
	reads(ctx, t, "the page", "The view not mine is kept")
	settled(ctx, t, "Events")
	show(ctx, t, g.URL+"/ui/views")
	settled(ctx, t, "Events")
	holds(ctx, t, "the name, once it is done", "#vn", "")
	show(ctx, t, g.URL+"/ui/events?q=type%3Aorder")
	settled(ctx, t, "Events")
	holds(ctx, t, "the name on the list where it was typed first, once it is done", form+" [name=name]", "")
}

// Without scripts, too, what was typed is there again after a login that the server asks
// for, and after a refusal, for the one who typed it, until it is done or he signs out.
//
// Break: refusal or session that keeps nothing; fill that opens nothing, or that fills what
// is hidden; done, or signedOut, that forgets nothing; renderPage that asks not for the
// page, and formOf not for the visitor.
func TestUIInput_withoutScripts(t *testing.T) {
	t.Parallel()
	g := startInput(t)
	g.Settled(g.Accepted(g.PostJSON("/in/shop/0123456789abcdef", []byte(`{"n":2}`))))
	ctx := browser(t)
	unscripted(ctx, t)
	logIn(ctx, t, g)
	desktop(ctx, t)
	const again = "What you had typed is there again."
	for _, c := range []struct {
		page, title, opens, form string
		typed                    map[string]string
		choose                   string // of a list, by its field
		done                     string
	}{
		{"/ui/connections", "Connections", "#billing summary", `form[action="/ui/connections/billing/pause"]`, map[string]string{"note": "they <move> \"house\""}, "for", "billing is paused"},
		{"/ui/tables/leads?key=ada", "leads", "", `form[action="/ui/tables/leads/set"]`, map[string]string{"fields": "status=Done\nn=7"}, "", "The record ada is set"},
		{"/ui/events?q=source%3Ashop", "Events", "details.small summary", `form[action="/ui/views"]`, map[string]string{"name": "The shop"}, "", "The view The shop is kept"},
	} {
		field := func(name string) string { return c.form + fmt.Sprintf(" [name=%q]", name) }
		visit := func() {
			t.Helper()
			show(ctx, t, g.URL+c.page)
			settled(ctx, t, c.title)
		}
		types := func() {
			t.Helper()
			visit()
			if c.opens != "" {
				press(ctx, t, c.opens)
			}
			for name, text := range c.typed {
				if err := chromedp.Do(ctx, chromedp.SendKeys(field(name), text)); err != nil {
					t.Fatalf("the browser types into %s: %v", name, err)
				}
			}
			if c.choose != "" {
				run(ctx, t, `document.querySelector(%q).selectedIndex = 2`, field(c.choose))
			}
		}
		chosen := ""
		send := func() { press(ctx, t, c.form+" button") }
		isBack := func(when string) {
			t.Helper()
			settled(ctx, t, c.title)
			same(t, "the page "+when, g.URL+c.page, ask(ctx, t, chromedp.Location()))
			for name, text := range c.typed {
				holds(ctx, t, c.page+" "+when, field(name), text)
				same(t, name+" is seen "+when, "true", ask(ctx, t, chromedp.Evaluate[string](fmt.Sprintf(`String(document.querySelector(%q).checkVisibility())`, field(name)))))
			}
			if c.choose != "" {
				holds(ctx, t, c.page+" "+when, field(c.choose), chosen)
			}
			reads(ctx, t, "the page "+when, again)
		}
		isGone := func(when string) {
			t.Helper()
			visit()
			for name, text := range c.typed {
				if got := valueOf(ctx, t, field(name)); got == text && c.choose == "" { // a pause has its note from then on
					t.Errorf("%s %s: %s is still there", c.page, when, name)
				}
			}
			if strings.Contains(pageText(ctx, t), again) {
				t.Errorf("%s %s: the page says that something is there again", c.page, when)
			}
		}

		types()
		if c.choose != "" {
			chosen = valueOf(ctx, t, field(c.choose))
		}
		signedOut(t, g)
		send()
		settled(ctx, t, "Sign in")
		reads(ctx, t, "the login", "You were signed out before this was sent: nothing was done.")
		signsIn(ctx, t)
		isBack("after the login")
		scripted(ctx, t)
		accessible(ctx, t, c.page+" after the login")
		unscripted(ctx, t)
		desktop(ctx, t)
		same(t, "what has the focus", "true", ask(ctx, t, chromedp.Evaluate[string](fmt.Sprintf(`String(document.querySelector(%q).contains(document.activeElement))`, c.form))))
		show(ctx, t, g.URL+"/ui/events?q=source%3Ashop%20state%3Arouted")
		settled(ctx, t, "Events")
		if strings.Contains(pageText(ctx, t), again) {
			t.Errorf("%s: the form of another page holds what was typed", c.page)
		}
		visit()
		isBack("on a second visit")

		press(ctx, t, `.side form[action="/ui/logout"] button`)
		signsIn(ctx, t)
		settled(ctx, t, "Overview")
		isGone("after a sign-out")

		types()
		run(ctx, t, `document.querySelector(%q).elements.csrf.value = "of another session"`, c.form)
		send()
		settled(ctx, t, "Not possible")
		press(ctx, t, "main .note a")
		isBack("after the refusal")
		send()
		reads(ctx, t, "the page", c.done)
		isGone("once it is done")
	}
}

// What one has typed is not put back for another, nor is more than a browser keeps; what
// is hidden in the form stays as the page has it; and a cookie that says something else
// breaks no page.
func TestUIInput_withoutScriptsOfAnother(t *testing.T) {
	t.Parallel()
	g := startInput(t)
	team := newVisitor(t, g)
	page := func() string {
		t.Helper()
		team.logIn("team", "correct horse battery")
		code, _, page := team.do("GET", "/ui/connections", nil)
		if code != http.StatusOK {
			t.Fatalf("the page: %d", code)
		}
		return page
	}
	refused := func(by, note string) string {
		t.Helper()
		code, header, _ := team.do("POST", "/ui/connections/billing/pause", url.Values{"draft": {by}, "note": {note}, "seen": {"forged"}}, "Referer", g.URL+"/ui/connections")
		if code != http.StatusSeeOther {
			t.Fatalf("a pause by nobody: %d", code)
		}
		return strings.Join(header.Values("Set-Cookie"), "\n")
	}
	has(t, "the cookie", refused("team", "they move house"), "hookgate-typed=", "; path=/ui/", "; HttpOnly", "; SameSite=Lax")
	got := page()
	has(t, "of the same", got, `value="they move house"`)
	if strings.Contains(got, "forged") {
		t.Error("what is hidden in the form is not the page's")
	}
	team = newVisitor(t, g)
	_, header, _ := team.do("POST", "/ui/connections/billing/pause", url.Values{"draft": {"team"}, "note": {"theirs"}}, "Referer", g.URL+"/ui/connections", "Origin", "https://elsewhere.example")
	same(t, "what another site has kept", "[]", fmt.Sprint(header.Values("Set-Cookie")))
	for _, c := range []struct{ by, note string }{{"someone", "they move house"}, {"", "they move house"}, {"team", strings.Repeat("they move house ", 300)}} {
		team = newVisitor(t, g)
		if len(c.note) > 1000 {
			refused(c.by, "they move house, at first") // which is no more what was typed
		}
		refused(c.by, c.note)
		if strings.Contains(page(), "they move house") {
			t.Errorf("%.20s of %q is put back", c.note, c.by)
		}
	}
	for _, value := range []string{"x", "bnVsbA", base64.RawURLEncoding.EncodeToString([]byte(`{"Page":"/ui/connections","By":"team","Form":"/ui/connections/billing/pause","Values":{"note":[]}}`))} {
		if code, _, text := team.do("GET", "/ui/connections", nil, "Cookie", "hookgate-typed="+value); code != http.StatusOK {
			t.Errorf("with the cookie %s: %d: %.300s", value, code, text)
		}
	}
}

// Of several who send the same form at the same moment one has their way, and the others
// are told so, as if they had come later; who resumes what was paused anew is told so, too.
//
// Break: pauseConnection, resumeConnection or keepView that compares nothing.
func TestUIInput_atOnce(t *testing.T) {
	t.Parallel()
	g := startInput(t)
	people := make([]*visitor, 6)
	tokens := make([]string, len(people))
	for i := range people {
		people[i] = newVisitor(t, g)
		people[i].logIn("team", "correct horse battery")
		tokens[i] = people[i].csrf()
	}
	seen := func() string {
		t.Helper()
		_, _, page := people[0].do("GET", "/ui/connections", nil)
		found := regexp.MustCompile(`name="seen" value="([^"]*)"`).FindStringSubmatch(page)
		if found == nil {
			t.Fatalf("the page says nothing of what is seen: %s", page)
		}
		return html.UnescapeString(found[1])
	}
	atOnce := func(what, path string, refusal int, says string, form func(i int) url.Values) {
		t.Helper()
		begin, codes := make(chan struct{}), make([]int, len(people))
		pages := make([]string, len(people))
		var all sync.WaitGroup
		for i, p := range people {
			all.Go(func() {
				values := form(i)
				values.Set("csrf", tokens[i])
				<-begin
				codes[i], _, pages[i] = p.do("POST", path, values)
			})
		}
		close(begin)
		all.Wait()
		done := 0
		for i, code := range codes {
			if code == http.StatusSeeOther {
				done++
			} else if code != refusal || !strings.Contains(pages[i], says) {
				t.Errorf("%s: %d: %.500s", what, code, pages[i])
			}
		}
		if done != 1 {
			t.Errorf("%s: %d of %d have their way, want one", what, done, len(people))
		}
	}
	const changed = "billing was paused, or goes on, since you loaded this page"
	for round := range 5 {
		what := fmt.Sprint("round ", round)
		none := seen()
		atOnce(what+", pauses", "/ui/connections/billing/pause", http.StatusConflict, changed, func(i int) url.Values {
			return url.Values{"note": {fmt.Sprint("note ", i)}, "seen": {none}}
		})
		paused := seen()
		atOnce(what+", other pauses", "/ui/connections/billing/pause", http.StatusConflict, changed, func(i int) url.Values {
			return url.Values{"note": {fmt.Sprint("other ", i)}, "seen": {paused}}
		})
		resume := func(seen string) (int, string) {
			code, _, page := people[0].do("POST", "/ui/connections/billing/resume", url.Values{"csrf": {tokens[0]}, "seen": {seen}})
			return code, page
		}
		if code, page := resume(paused); code != http.StatusConflict || !strings.Contains(page, changed) {
			t.Errorf("%s: the end of a pause that is another now: %d: %.500s", what, code, page)
		}
		now := seen()
		for range 2 { // who wants what is already so is refused nothing
			if code, page := resume(now); code != http.StatusSeeOther {
				t.Errorf("%s: the end of the pause: %d: %.500s", what, code, page)
			}
		}
		atOnce(what+", views", "/ui/views", http.StatusBadRequest, "there is a view", func(i int) url.Values {
			return url.Values{"name": {what}, "q": {fmt.Sprint("source:shop ", i)}}
		})
	}
}

// What is typed into the playground is in its address from then on, also where the server
// does not answer; and where its rule is gone from the configuration, the page says so and
// has the text.
//
// Negative control: a page without findHomeless.
func TestUIInput_playground(t *testing.T) {
	t.Parallel()
	g := startInput(t)
	g.Settled(g.Accepted(g.PostJSON("/in/shop/0123456789abcdef", []byte(`{"n":2}`))))
	ctx := browser(t)
	logIn(ctx, t, g)
	show(ctx, t, g.URL+"/ui/playground?rule=first")
	settled(ctx, t, "Playground")
	signedOut(t, g)
	keys(ctx, t, "when", "data.n < 9 and ")
	lab.Eventually(t, "it is in the address", func() bool {
		return strings.Contains(ask(ctx, t, chromedp.Location()), "data.n+%3C+9+and")
	})
	run(ctx, t, `location.reload()`)
	signsIn(ctx, t)
	settled(ctx, t, "Playground")
	holds(ctx, t, "the condition after the login", "#w", "data.n < 9 and data.n > 1")
	reads(ctx, t, "the page", "changed")

	content, err := os.ReadFile(g.ConfigPath())
	if err != nil {
		t.Fatal(err)
	}
	g.WriteConfig(strings.Replace(string(content), "name: first", "name: renamed", 1))
	g.MustCLI("reload")
	run(ctx, t, `location.reload()`)
	reads(ctx, t, "the page of a rule that is gone", "The configuration has no rule first any more: this is other.", "data.n < 9 and data.n > 1")
	accessible(ctx, t, "the page of a rule that is gone")
}
