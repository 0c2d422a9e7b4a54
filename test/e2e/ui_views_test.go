package e2e

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

// A list of events has a name for everybody, until an operator deletes it; whoever may
// only look uses it and changes nothing. What a name or a query holds is text.
func TestUIViews(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusOK)
	g := startUI(t, &status)
	team, vera := newVisitor(t, g), newVisitor(t, g)
	team.logIn("team", "correct horse battery")
	vera.logIn("vera", "only looking around")
	const name, query = `Diner <b>&"`, `source:sitejet "Harry's <i>"`
	keep := func(v *visitor, name, query string) int {
		code, _, _ := v.do("POST", "/ui/views", url.Values{"csrf": {v.csrf()}, "name": {name}, "q": {query}})
		return code
	}
	same(t, "a viewer", "403", fmt.Sprint(keep(vera, name, query)))
	same(t, "without a name", "400", fmt.Sprint(keep(team, " ", query)))
	_, _, page := team.do("GET", "/ui/events?q="+url.QueryEscape(query), nil)
	has(t, "a list without a name", page, "Save as a view…")
	same(t, "an operator", "303", fmt.Sprint(keep(team, name, query)))
	_, _, page = vera.do("GET", "/ui/events?q="+url.QueryEscape(query), nil)
	has(t, "the tab", page, `aria-current="page">Diner &lt;b&gt;&amp;&#34;</a>`)
	if strings.Contains(page, "/ui/views") || strings.Contains(page, "<b>&") {
		t.Error("a viewer is offered to change it, or its name is markup")
	}
	has(t, "the API", g.Do("GET", "/api/v1/views", nil, "Authorization", "Basic dGVhbTpjb3JyZWN0IGhvcnNlIGJhdHRlcnk=").Body, `"by":"team"`)
	has(t, "the log", g.Stderr(), `"audit":"view kept"`)
	code, _, _ := vera.do("POST", "/ui/views/delete", url.Values{"csrf": {vera.csrf()}, "name": {name}})
	same(t, "a viewer deletes it", "403", fmt.Sprint(code))
	code, _, _ = team.do("POST", "/ui/views/delete", url.Values{"csrf": {team.csrf()}, "name": {name}})
	same(t, "an operator deletes it", "303", fmt.Sprint(code))
	code, _, _ = team.do("POST", "/ui/views/delete", url.Values{"csrf": {team.csrf()}, "name": {name}})
	same(t, "again", "404", fmt.Sprint(code))

	if got := g.CLI("views", "list"); got.Code != 0 || !strings.Contains(got.Stderr, "no view is kept") {
		t.Errorf("views list of none: %+v", got)
	}
	has(t, "views save", g.MustCLI("views", "save", name, query), "is kept")
	has(t, "views list", g.MustCLI("views", "list"), "VIEW", name, query, "local")
	_, _, page = vera.do("GET", "/ui/events", nil)
	has(t, "the tab of it", page, `>Diner &lt;b&gt;&amp;&#34;</a>`)
	has(t, "views delete", g.MustCLI("views", "delete", name), "is deleted")
	if got := g.CLI("views", "delete", name); got.Code == 0 || !strings.Contains(got.Stderr, "there is no view") {
		t.Errorf("views delete of none: %+v", got)
	}
}

// A view whose search would fail is not kept: the pages, the API and the command refuse it
// by the sentence of the search, and the page keeps what was typed.
//
// Break: SetView without checkQuery.
func TestUIViews_faulty(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusOK)
	g := startUI(t, &status)
	team := newVisitor(t, g)
	team.logIn("team", "correct horse battery")
	keep := func(name, query string) (int, string) {
		code, _, page := team.do("POST", "/ui/views", url.Values{"csrf": {team.csrf()}, "name": {name}, "q": {query}})
		return code, page
	}
	for query, says := range map[string]string{
		`where:data.website ==`:             "the expression ends too early",
		`Diner state:nope`:                  `there is no state &#34;nope&#34;; there are routed, no_match`,
		`delivery:nope`:                     `there is no state &#34;nope&#34;; there are waiting`,
		`since:yesterday`:                   `since: &#34;yesterday&#34; is no time: write 30d, 12h, or 2026-11-24`,
		`source:sitejett where:data.a == 1`: `no source or form in force is called &#34;sitejett&#34;`,
	} {
		_, _, list := team.do("GET", "/ui/events?q="+url.QueryEscape(query), nil)
		has(t, "the search "+query, list, says)
		code, page := keep("Mine <1>", query)
		if code != http.StatusBadRequest && code != http.StatusNotFound {
			t.Errorf("%s: %d", query, code)
		}
		typed := html.EscapeString(query)
		has(t, "the view "+query, page, says, `<details class="small" open>`, `name="q" spellcheck="false" autocomplete="off" value="`+typed+`"`, `value="Mine &lt;1&gt;"`)
		if strings.Count(page, says) != 1 {
			t.Errorf("%s: it is said %d times", query, strings.Count(page, says))
		}
		got := g.CLI("views", "save", "mine", query)
		if said := html.UnescapeString(says); got.Code == 0 || !strings.Contains(got.Stderr, said) {
			t.Errorf("views save %s: %+v, want %s", query, got, said)
		}
	}
	code, page := keep(strings.Repeat("x", 41), "source:sitejet")
	same(t, "a name that is too long", "400", fmt.Sprint(code))
	has(t, "a name that is too long", page, "a view needs a name of at most 40 characters", `aria-describedby="ve"`, `value="source:sitejet"`, strings.Repeat("x", 41))
	if got := g.CLI("views", "list"); got.Code != 0 || !strings.Contains(got.Stderr, "no view is kept") {
		t.Errorf("something was kept: %+v", got)
	}
	ctx := browser(t)
	logIn(ctx, t, g)
	show(ctx, t, g.URL+"/ui/events?q=source:sitejet")
	settled(ctx, t, "Events")
	press(ctx, t, "details.small summary")
	fillIn(ctx, t, "name", " ")
	press(ctx, t, "details.small button")
	reads(ctx, t, "a name that is none, in the browser", "a view needs a name")
	accessible(ctx, t, "a view without a name")
	run(ctx, t, `document.getElementById("vq").value = "state:nope"; document.getElementById("vn").value = "Mine"`)
	press(ctx, t, "details.small button")
	reads(ctx, t, "a query that is none, in the browser", "there is no state")
	accessible(ctx, t, "a view of a query that is none")

	code, _ = keep("mine", "source:sitejet where:data.website.nope == 1")
	same(t, "a search that finds nothing", "303", fmt.Sprint(code))
}
