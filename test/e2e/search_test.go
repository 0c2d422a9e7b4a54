package e2e

import (
	"database/sql"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"

	"hookgate/test/lab"
)

// A search that one request does not finish goes on by itself where there are
// scripts, and by a link where there are none, until it finds the oldest event.
func TestUISearchGoesOn(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusOK)
	g := startUI(t, &status)
	g.Settled(g.Accepted(g.PostJSON("/in/sitejet/0123456789abcdef", []byte(donePayload))))
	g.Accepted(g.PostJSON("/in/sitejet/0123456789abcdef", []byte(`{"previousStatus":"x","website":{"id":1,"title":"Other","status":"y"}}`)))
	g.Stop()
	conn, err := sql.Open("sqlite3", "file:"+g.Storage)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(t.Context(), `WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 41000)
		INSERT INTO events (id, source, form, type, received, state, cause, duplicate_of, plan, verdicts, errors, deliveries, first, content)
		SELECT e.id + n, source, form, type, received, state, cause, duplicate_of, plan, verdicts, errors, 0, 0, content
		FROM events e, n WHERE e.id = (SELECT max(id) FROM events)`); err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	g.Start()
	if got := g.CLI("events", "list", "--text", "harry"); got.Code != 0 || !strings.Contains(got.Stdout, "Harry's Diner") {
		t.Errorf("events list: %+v", got)
	}
	// So does a list of what is rare and has no index, in parts, each of which ends soon.
	if got := g.CLI("events", "list", "--rule", "activate", "--json"); got.Code != 0 || strings.Count(got.Stdout, `"id": "evt_`) != 1 || !strings.Contains(got.Stdout, "routed") {
		t.Errorf("events list --rule: %+v", got)
	}
	team := newVisitor(t, g)
	team.logIn("team", "correct horse battery")
	for query, want := range map[string]string{"": "<b>10,000+</b> events are kept", "source:sitejet": "<b>10,000+</b> events match", "until:1h": "Nothing matches"} {
		_, _, page := team.do("GET", "/ui/events?q="+query, nil)
		has(t, "the events counted: "+query, page, want)
	}
	ctx := browser(t)
	logIn(ctx, t, g)
	show(ctx, t, g.URL+"/ui/events?q=rule:activate")
	reads(ctx, t, "the list went on to the oldest", "Harry's Diner")
	show(ctx, t, g.URL+"/ui/events?q=harry")
	reads(ctx, t, "the search went on to the oldest", "Harry's Diner")
	reads(ctx, t, "the page", "looked through 41,002")
	accessible(ctx, t, "a search that went on")
	stoppedSearch(t, g)
	unscripted(ctx, t)
	show(ctx, t, g.URL+"/ui/events?q=harry")
	settled(ctx, t, "Events")
	reads(ctx, t, "without scripts", "20,000 events were looked through.", "Look further back")
	press(ctx, t, "#more a")
	reads(ctx, t, "the second part", "40,000 events were looked through.")
	press(ctx, t, "#more a")
	reads(ctx, t, "the last part", "Harry's Diner")
}

// stoppedSearch stops a search while its second part is under way: what it found stays,
// nothing more is asked for, and it goes on from there to the oldest.
func stoppedSearch(t *testing.T, g *lab.Gate) {
	t.Helper()
	g.Accepted(g.PostJSON("/in/sitejet/0123456789abcdef", []byte(strings.Replace(donePayload, "Harry", "Young Harry", 1))))
	ctx := browser(t)
	logIn(ctx, t, g)
	beforehand(ctx, t, `window.asked = window.brokenOff = 0;
		addEventListener("htmx:sendAbort", () => brokenOff++);
		addEventListener("htmx:beforeSend", () => { asked++; if (asked === 1) setTimeout(() => document.querySelector("#more a").click()); });`)
	show(ctx, t, g.URL+"/ui/events?q=harry")
	reads(ctx, t, "the search that was stopped", "Young Harry", "20,000 events were looked through.", "Look further back")
	lab.Eventually(t, "the request is broken off", func() bool { return ask(ctx, t, chromedp.Evaluate[string](`String(window.brokenOff)`)) == "1" })
	accessible(ctx, t, "a search that was stopped") // which takes longer than the parts that would follow
	same(t, "what it asked for", "1", ask(ctx, t, chromedp.Evaluate[string]("String(asked)")))
	text := pageText(ctx, t)
	has(t, "what stays", text, "Young Harry", "Look further back")
	if strings.Contains(text, "Stop here") || strings.Contains(text, "40,000") {
		t.Errorf("it went on: %s", text)
	}
	press(ctx, t, "#more a")
	reads(ctx, t, "the search that went on", "Young Harry", "looked through 41,003")
	same(t, "the oldest is there once, as is the newest", "2", ask(ctx, t, chromedp.Evaluate[string](`String(document.querySelectorAll(".found tr a[data-row]").length)`)))
	show(ctx, t, g.URL+"/ui/events?q=young")
	reads(ctx, t, "another that was stopped", "Look further back")
	press(ctx, t, "#more a")
	reads(ctx, t, "a search that found nothing more", "Young Harry", "Nothing further back matches")
}

// The list of events says how many match, and its tabs how many stand out.
func TestUIEventCounts(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusOK)
	g := startUI(t, &status)
	g.Settled(g.Accepted(g.PostJSON("/in/sitejet/0123456789abcdef", []byte(donePayload))))
	if reply := g.PostJSON("/in/sitejet/0123456789abcdef", []byte(`{bad`)); reply.Status != http.StatusBadRequest {
		t.Fatal(reply)
	}
	team := newVisitor(t, g)
	team.logIn("team", "correct horse battery")
	for query, want := range map[string]string{"": "<b>2</b> events are kept", "state:rejected": "<b>1</b> event matches"} {
		_, _, page := team.do("GET", "/ui/events?q="+query, nil)
		has(t, "the events counted: "+query, page, want, `>Rejected<span class="n">1</span>`, ">Failed</a>")
	}
}
