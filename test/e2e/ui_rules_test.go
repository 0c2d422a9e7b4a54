package e2e

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"

	"hookgate/app/admin"
	"hookgate/internal/event"
	"hookgate/test/lab"
)

// The page of rules says how often each matched, which events missed it by one
// condition with the value, and what its tests came to; the API says the same.
func TestUIRules(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusOK)
	g := startUI(t, &status)
	for _, to := range []string{"Done", "Fertig", "Fertig"} {
		g.Accepted(g.PostJSON("/in/sitejet/0123456789abcdef", []byte(strings.Replace(donePayload, `"Done"`, `"`+to+`"`, 1)+strings.Repeat(" ", len(g.Events())))))
	}
	ctx := browser(t)
	unscripted(ctx, t)
	logIn(ctx, t, g)
	lab.Eventually(t, "the rules", func() bool {
		show(ctx, t, g.URL+"/ui/rules")
		settled(ctx, t, "Rules")
		return strings.Contains(pageText(ctx, t), "judged by the rules in force: 3 events")
	})
	reads(ctx, t, "the page", "activate", "1 match", "2 events missed it by one condition", `data.website.status == "Done"`, `it is "Fertig"`, "every event", "no test")
	show(ctx, t, g.URL+"/ui/lang/de")
	show(ctx, t, g.URL+"/ui/rules")
	settled(ctx, t, "Regeln")
	reads(ctx, t, "the page in German", `es ist "Fertig"`)
	show(ctx, t, g.URL+"/ui/lang/en")
	show(ctx, t, g.URL+"/ui/routes")
	settled(ctx, t, "Routes")
	reads(ctx, t, "the ways", "sitejet", "activate", "billing", "contact", "lead")
	same(t, "ways in the picture", "6", ask(ctx, t, chromedp.Evaluate[string](`String(document.querySelectorAll(".graph .ed").length)`)))
	show(ctx, t, g.URL+"/ui/rules")
	settled(ctx, t, "Rules")
	press(ctx, t, `a[href="/ui/rules?view=silent"]`)
	lab.Eventually(t, "the rules that matched nothing, without the one that did", func() bool {
		text := pageText(ctx, t)
		return strings.Contains(text, "lead") && strings.Contains(text, "none in 30 days") && !strings.Contains(text, "activate")
	})

	_, _, body := newVisitor(t, g).do("GET", "/api/v1/rules", nil, "Authorization", basicOf("vera", "only looking around"))
	var list admin.RuleList
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		t.Fatal(err)
	}
	rule := list.Items[0]
	same(t, "the rule", []any{"activate", 1, 2, 1, 3}, []any{rule.Name, rule.Matches, rule.Near, rule.Days[len(rule.Days)-1], list.Looked})
	same(t, "what would match them too", `data.previousStatus == "Publish" and data.website.status in ["Done", "Fertig"]`, rule.NearMisses[0].When)
	same(t, "what it matched and sent", []map[string]int{{"sitejet": 1}, {"billing": 1}}, []map[string]int{rule.Origins, rule.Sent})
	has(t, "its text", rule.Text, "- name: activate", "when: data.previousStatus")
}

// An event that missed a rule by one condition tells how many others missed it in the
// same place: on its own page where there are scripts, by a link where there are none.
//
// Negative control: the misses of a survey by part alone, without the note.
func TestUIAlike(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusOK)
	g := startUI(t, &status)
	var ids []string
	for i, value := range []string{"Fast", "Fertig", "Fertig"} {
		ids = append(ids, g.Accepted(g.PostJSON("/in/sitejet/0123456789abcdef", []byte(strings.Replace(donePayload, `"Done"`, strconv.Quote(value), 1)+strings.Repeat(" ", i)))))
	}
	const counted = "2 of 3 events that missed this rule by one condition since"
	ctx := browser(t)
	logIn(ctx, t, g)
	show(ctx, t, g.URL+"/ui/events/"+ids[2])
	reads(ctx, t, "the event", "One condition decided.", counted, "Try a change for them")
	accessible(ctx, t, "an event with those that missed alike")
	show(ctx, t, g.URL+"/ui/rules/alike?rule=activate&part=x")
	reads(ctx, t, "the page of a part that nobody missed", "Near misses in the same place")
	accessible(ctx, t, "those that missed alike")
	unscripted(ctx, t)
	show(ctx, t, g.URL+"/ui/events/"+ids[2])
	press(ctx, t, `a[href^="/ui/rules/alike"]`)
	reads(ctx, t, "the page behind the link", "Near misses in the same place", `it is "Fertig"`, counted, "The newest")
	press(ctx, t, ".alike a")
	settled(ctx, t, "Playground")
	reads(ctx, t, "the change", "+2\nmore")

	team := newVisitor(t, g)
	team.logIn("team", "correct horse battery")
	if code, _, page := team.do("GET", "/ui/rules/alike?rule=activat&part=x", nil); code != http.StatusNotFound && code != http.StatusBadRequest || !strings.Contains(page, "activate") {
		t.Errorf("a rule that there is not: %d\n%s", code, page)
	}
	_, _, page := team.do("GET", "/ui/events/"+ids[0], nil)
	link := regexp.MustCompile(`href="(/ui/rules/alike[^"]+)"`).FindStringSubmatch(page)
	if link == nil {
		t.Fatalf("no link to those that missed alike:\n%s", page)
	}
	_, _, page = team.do("GET", html.UnescapeString(link[1]), nil)
	has(t, "what only one event has missed", page, "A single event has missed this rule here, with this value, since")
	_, _, page = team.do("GET", "/ui/rules/alike?rule=activate&part=x", nil, "Accept-Language", "de")
	has(t, "a part that nobody missed", page, "Nach den heutigen Regeln hat kein angesehenes Ereignis diese Regel hier verfehlt seit", "(Stand ")
}

// Where not all of the time is looked through, or not all near misses are told apart, it
// is said from when on they are counted, and of how many.
//
// Break: Alike that says found.since, or use.near.
func TestUIAlike_many(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusOK)
	g := startUI(t, &status)
	copies := func(id string, n int) {
		t.Helper()
		g.Stop()
		defer g.Start()
		conn, err := sql.Open("sqlite3", "file:"+g.Storage)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		of, err := event.ParseID(id)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.ExecContext(t.Context(), `WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?2)
			INSERT INTO events (id, source, form, type, received, state, cause, duplicate_of, plan, verdicts, errors, deliveries, first, content)
			SELECT e.id - n, source, form, type, received, state, cause, duplicate_of, plan, verdicts, errors, 0, 0, content FROM events e, n WHERE e.id = ?1`, int64(of), n); err != nil {
			t.Fatal(err)
		}
	}
	near := strings.Replace(donePayload, `"Done"`, `"Fertig"`, 1)
	alike := func(id string) string {
		t.Helper()
		team := newVisitor(t, g)
		team.logIn("team", "correct horse battery")
		_, _, page := team.do("GET", "/ui/events/"+id, nil)
		link := regexp.MustCompile(`href="(/ui/rules/alike[^"]+)"`).FindStringSubmatch(page)
		if link == nil {
			t.Fatalf("no link to those that missed alike:\n%s", page)
		}
		_, _, page = team.do("GET", html.UnescapeString(link[1]), nil)
		return page
	}
	other := g.Accepted(g.PostJSON("/in/sitejet/0123456789abcdef", []byte(`{"previousStatus":"x","website":{"id":1,"title":"Other","status":"y"}}`)))
	copies(other, 20_100)
	missed := g.Accepted(g.PostJSON("/in/sitejet/0123456789abcdef", []byte(near)))
	has(t, "of the newest events", alike(missed), "A single event has missed this rule here, with this value, since", `data-as="full"`, "(as of ")
	copies(missed, 600)
	has(t, "of the newest that missed it", alike(missed), "500 of 500 events that missed this rule by one condition since", `data-as="full"`)
}

// A near miss is tried in the playground, without scripts; the patch that comes
// of it is put into config.yaml, is in force, and the next such event matches.
func TestUIPlayground(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusOK)
	g := startUI(t, &status)
	finished := strings.Replace(donePayload, `"Done"`, `"Fertig"`, 1)
	g.Accepted(g.PostJSON("/in/sitejet/0123456789abcdef", []byte(finished)))
	g.Accepted(g.PostJSON("/in/sitejet/0123456789abcdef", []byte(donePayload)))
	ctx := browser(t)
	unscripted(ctx, t)
	logIn(ctx, t, g)
	show(ctx, t, g.URL+"/ui/rules")
	settled(ctx, t, "Rules")
	run(ctx, t, `document.querySelector('#activate p a[href*="when="]').click()`)
	settled(ctx, t, "Playground")
	reads(ctx, t, "the trial", "1\nmatch now", "2\nafter the edit", "+1\nmore", "activate/billing", "It would match", `it is "Fertig"`, "2 events")

	// The address of the patch is on the page.
	address := ask(ctx, t, chromedp.Evaluate[string](`document.querySelector("a[download]").getAttribute("href")`))
	team := newVisitor(t, g)
	team.logIn("team", "correct horse battery")
	_, header, patch := team.do("GET", address, nil)
	has(t, "how it is sent", header.Get("Content-Disposition"), "activate.patch")
	file, err := os.ReadFile(g.ConfigPath())
	if err != nil {
		t.Fatal(err)
	}
	g.WriteConfig(applied(t, string(file), patch))
	lab.Eventually(t, "the change is in force", func() bool {
		_, _, page := team.do("GET", "/ui/rules", nil)
		return strings.Contains(page, "Fertig&#34;</span>]")
	})
	g.Accepted(g.PostJSON("/in/sitejet/0123456789abcdef", []byte(finished+" ")))
	lab.Eventually(t, "both arrived", func() bool { return len(g.Deliveries("--state", "delivered")) == 2 })

	// What is wrong is told in its place.
	show(ctx, t, g.URL+"/ui/playground?rule=activate&when="+url.QueryEscape(`data.website.status = "Done"`))
	settled(ctx, t, "Playground")
	reads(ctx, t, "the fault", `"=" is not an operator`, "write == to compare", "Mend the condition first")

	// A value that was seen takes the place of the one that is asked for.
	show(ctx, t, g.URL+"/ui/playground?rule=activate&when="+url.QueryEscape(`data.website.status == "Done"`))
	settled(ctx, t, "Playground")
	run(ctx, t, `[...document.querySelectorAll("#values a")].find(a => a.textContent == "Fertig").click()`)
	lab.Eventually(t, "it is asked for", func() bool {
		return ask(ctx, t, chromedp.Evaluate[string](`document.querySelector("#w")?.value ?? ""`)) == `data.website.status == "Fertig"`
	})

	// A message is edited, too, and what is copied is the rule with both changes.
	const letter = "  - name: letter\n    from: sitejet\n    when: data.x == 1 # never\n    then: [{ to: billing, body: \"Hello ${{ data.website.id }}\" }]\n"
	g.WriteConfig(strings.Replace(string(file), "rules:\n", "rules:\n"+letter, 1))
	lab.Eventually(t, "the rule is in force", func() bool {
		_, _, page := team.do("GET", "/ui/playground?rule=letter", nil)
		return strings.Contains(page, "body → billing")
	})
	show(ctx, t, g.URL+"/ui/playground?rule=letter&when="+url.QueryEscape(`data.website.status == "Done"`))
	settled(ctx, t, "Playground")
	run(ctx, t, `document.querySelector("[name^=text-]").value = 'Hi "${{ data.website.id }}"'`)
	press(ctx, t, "form[data-try] button")
	lab.Eventually(t, "it is tried", func() bool { return strings.Contains(ask(ctx, t, chromedp.Location()), "text-billing") })
	settled(ctx, t, "Playground")
	copied := ask(ctx, t, chromedp.Evaluate[string](`document.querySelector("#copies .pri").dataset.copy`))
	same(t, "what is copied", strings.NewReplacer(`data.x == 1`, `data.website.status == "Done"`, `Hello ${{ data.website.id }}`, `Hi \"${{ data.website.id }}\"`).Replace(letter), copied)
	has(t, "what is offered", pageText(ctx, t), "YAML", "Download as patch")
	g.WriteConfig(strings.Replace(string(file), "rules:\n", "rules:\n"+copied, 1))
	g.MustCLI("check")
	lab.Eventually(t, "it is in force", func() bool {
		_, _, page := team.do("GET", "/ui/playground?rule=letter", nil)
		return strings.Contains(page, "Hi &#34;${{")
	})

	// What stands in the file for several is said to be copied by hand.
	g.WriteConfig(strings.Replace(string(file), "rules:\n", "rules:\n"+strings.Replace(letter, "body: ", "body: &hello ", 1), 1))
	lab.Eventually(t, "it is said", func() bool {
		_, _, page := team.do("GET", "/ui/playground?rule=letter&text-billing-1-body=x", nil)
		return strings.Contains(page, "Copy by hand: body → billing.") && !strings.Contains(page, "Copy YAML")
	})
}

// With scripts what is typed is tried at once, and stands in the address.
func TestUIPlaygroundTyping(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusOK)
	g := startUI(t, &status)
	g.Accepted(g.PostJSON("/in/sitejet/0123456789abcdef", []byte(donePayload)))
	ctx := browser(t)
	logIn(ctx, t, g)
	show(ctx, t, g.URL+"/ui/playground?rule=near")
	settled(ctx, t, "Playground")
	reads(ctx, t, "the rule as it is", "0\nmatch now", "It would not match")
	run(ctx, t, `const w = document.querySelector("#w"); w.value = 'data.website.status == "Done"'; w.dispatchEvent(new Event("input", { bubbles: true }))`)
	reads(ctx, t, "the trial", "+1\nmore")
	lab.Eventually(t, "the address", func() bool { return strings.Contains(ask(ctx, t, chromedp.Location()), "data.website.status") })
	accessible(ctx, t, "the playground")
	show(ctx, t, g.URL+"/ui/playground?rule=near&when=data.website.status+%3D+1")
	settled(ctx, t, "Playground")
	accessible(ctx, t, "a fault in the playground")
}

// applied is a file with a unified diff of one hunk put into it.
func applied(t *testing.T, file, patch string) string {
	t.Helper()
	lines, hunk := strings.SplitAfter(file, "\n"), strings.SplitAfter(patch, "\n")
	var at, length, to, fresh int
	if _, err := fmt.Sscanf(hunk[2], "@@ -%d,%d +%d,%d @@", &at, &length, &to, &fresh); err != nil {
		t.Fatalf("%v in %q", err, patch)
	}
	out := slices.Clone(lines[:at-1])
	for _, l := range hunk[3 : len(hunk)-1] {
		if l[0] != '+' {
			if lines[at-1] != l[1:] {
				t.Fatalf("line %d is %q, the patch has %q", at, lines[at-1], l)
			}
			at++
		}
		if l[0] != '-' {
			out = append(out, l[1:])
		}
	}
	return strings.Join(append(out, lines[at-1:]...), "")
}
