package e2e

import (
	"fmt"
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
