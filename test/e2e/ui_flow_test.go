package e2e

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"hookgate/app/admin"
	"hookgate/test/lab"
)

const flowConfig = `
sources:
  crm: { type: webhook, token: 0123456789abcdef, event_type: data.type }
  monday: { type: schedule, cron: "0 8 * * mon-fri", timezone: Europe/Berlin }
  by-hand: { type: manual }
calendars:
  office: { days: mon-fri, hours: 09:00-17:30, timezone: Europe/Berlin }
tables:
  sites: { keep: 400d }
connections:
  billing: { type: webhook, url: %q, retry: { delays: [50ms] } }
  letters: { type: webhook, url: %q, retry: { delays: [50ms] } }
rules:
  - name: client
    from: crm
    events: client
    then:
      - { step: contact, to: billing, outputs: { id: body.id }, json: { name: "${{ data.name }}" } }
      - { step: project, to: letters, after: contact, json: { of: "${{ outputs.contact.id }}" } }
      - { to: letters, after: { contact: failed }, json: { text: "${{ errors.contact }}" } }
      - { to: letters, delay: 7d, only_during: office, json: { text: "A week later, ${{ data.name }}" } }
  - name: orders
    from: [crm, by-hand]
    events: order
    for_each: data.items
    when: item.qty > 0
    then: [{ to: billing, json: { sku: "${{ item.sku }}" }, throttle: { key: item.sku, within: 30d } }]
    branches:
      - { name: large, when: item.qty >= 100, then: [{ to: letters, json: { sku: "${{ item.sku }}" } }] }
      - { name: rest, then: [{ to: letters, delay: 1d, json: { sku: "${{ item.sku }}" } }] }
  - name: site
    from: crm
    events: site
    when: lookup("sites", data.id)?.status != data.status
    then: [{ remember: { table: sites, key: data.id, set: { status: "${{ data.status }}" } } }]
  - { name: notes, from: crm, events: note, then: [{ to: letters, only_during: office, digest: { wait: 1d, key: data.client }, json: { count: "${{ len(items) }}" } }] }
  - { name: ticket, from: crm, events: ticket, then: [{ to: letters, ordering_key: "data.id", json: { n: "${{ data.n }}" } }] }
  - { name: week, from: monday, then: [{ to: billing, json: { text: Good morning } }] }
`

// startFlow runs a gateway with pages whose rules do more than send.
func startFlow(t *testing.T) *lab.Gate {
	t.Helper()
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id":"c-17"}`)
	}))
	t.Cleanup(receiver.Close)
	g := lab.New(t, fmt.Sprintf(flowConfig, receiver.URL, receiver.URL))
	g.Extra = fmt.Sprintf("  timezone: Europe/Berlin\n  admin:\n    user: team\n    password: correct horse battery\n    users: [{ name: vera, role: viewer, password_hash: %q }]\n", viewerHashOf(t))
	g.Start()
	for _, post := range []string{
		`{"type":"client","name":"Ada"}`, `{"type":"client","name":"Bert"}`,
		`{"type":"order","items":[{"sku":"a","qty":5},{"sku":"b","qty":120}]}`, `{"type":"site","id":"s1","status":"Done"}`,
		`{"type":"note","client":"Acme","name":"Eins"}`, `{"type":"note","client":"Acme","name":"Zwei"}`, `{"type":"note","client":"Beta","name":"Drei"}`,
	} {
		g.Accepted(g.PostJSON("/in/crm/0123456789abcdef", []byte(post)))
	}
	lab.Eventually(t, "what goes at once is delivered", func() bool { return len(g.Deliveries("--state", "delivered")) == 7 })
	return g
}

// The pages draw what rules do beside sending, in both languages, and everybody can
// use them.
func TestUIFlow(t *testing.T) {
	t.Parallel()
	g := startFlow(t)
	ctx := browser(t)
	logIn(ctx, t, g)
	for _, c := range []struct{ lang, path, title, says string }{
		{"en", "rules", "Rules", "after contact|if contact fails|7d later|only while office is open|for each element of|1 in 30 d at most for each|gathered: one message, 1 d after the first event, 100 at most, for each|data.client|large|where no other branch is taken|looks up|writes the record|Monday to Friday at 08:00"},
		{"de", "rules", "Regeln", "nach contact|falls contact fehlschlägt|7d später|nur, wenn office offen ist|für jedes Element von|schlägt nach in|gesammelt: eine Nachricht, 1 d nach dem ersten Ereignis, höchstens 100, für jedes|data.client|schreibt den Datensatz|montags bis freitags um 08:00"},
		{"en", "routes", "Routes", "after contact|a table|by hand|2 branches|later, gathered|gathered: one message, 1 d after the first event"},
		{"de", "routes", "Wege", "nach contact|eine Tabelle|von Hand|2 Zweige|gesammelt: eine Nachricht"},
		{"en", "scheduled", "Scheduled", "Ada|Bert|7d later, then office|1d later|Send 3 now…|3 of 3"},
		{"de", "scheduled", "Geplant", "7d später, dann office|3 jetzt senden…|3 von 3"},
		{"en", "digests", "Digests", "notes|Acme|Beta|1 d after the first event, then when office is open|2 digests are open|Send now"},
		{"de", "digests", "Sammlungen", "1 d nach dem ersten Ereignis, dann, wenn office offen ist|2 Sammlungen sind offen"},
		{"en", "tables", "Tables", "sites|400d after the last change"},
		{"de", "tables", "Tabellen", "sites|400d nach der letzten Änderung"},
		{"en", "tables/sites", "sites", "s1|{\"status\":\"Done\"}|by an event|used by site"},
		{"de", "tables/sites", "sites", "von einem Ereignis|benutzt von"},
		{"en", "playground?rule=orders", "Playground", "Element 2|large|Taken|Not taken|throttle: one in 30 d|1d later"},
		{"en", "playground?rule=notes", "Playground", "only while office is open|gathered: one message, 1 d after the first event"},
		{"de", "playground?rule=site", "Ausprobieren", "s1|Er war|und ist dann"},
	} {
		show(ctx, t, g.URL+"/ui/lang/"+c.lang)
		show(ctx, t, g.URL+"/ui/"+c.path)
		settled(ctx, t, c.title)
		has(t, c.lang+" "+c.path, pageText(ctx, t), strings.Split(c.says, "|")...)
		accessible(ctx, t, c.lang+" /ui/"+c.path)
	}
	run(ctx, t, `location.href = "/ui/digests"`)
	settled(ctx, t, "Sammlungen")
	press(ctx, t, "a[data-row]")
	settled(ctx, t, "notes/letters")
	accessible(ctx, t, "de /ui/digests/…")
}

// The playground has the clock and the answers that explain has, without scripts;
// the test that comes of it passes.
func TestUIPlaygroundClock(t *testing.T) {
	t.Parallel()
	g := startFlow(t)
	ctx := browser(t)
	unscripted(ctx, t)
	logIn(ctx, t, g)
	page := g.URL + "/ui/playground?rule=client&of=client"
	at, failed := url.QueryEscape("2026-12-24T16:50"), url.QueryEscape("contact=failed:no such field")
	show(ctx, t, page+"&at="+at+"&answers="+failed)
	settled(ctx, t, "Playground")
	has(t, "a chain whose first step fails", pageText(ctx, t), "Not sent: contact failed", "no such field", "7d later, then office")
	has(t, "when the letter goes", documentText(ctx, t), `datetime="2026-12-31T15:50:00Z"`)
	same(t, "what was typed", "2026-12-24T16:50", ask(ctx, t, chromedp.Evaluate[string](`document.querySelector("#at").value`)))
	show(ctx, t, page+"&answers="+url.QueryEscape(`contact={"id":"c-1"}`))
	settled(ctx, t, "Playground")
	has(t, "a chain whose first step is delivered", pageText(ctx, t), "Not sent: contact was delivered", `"of": "c-1"`)
	for _, c := range []struct{ query, says string }{{"&at=soon", "soon is no time. Write it like 2026-03-27T16:50."}, {"&answers=contact", "contact is no step with its answer."}} {
		show(ctx, t, page+c.query)
		settled(ctx, t, "Playground")
		has(t, c.query, pageText(ctx, t), c.says)
	}

	team := newVisitor(t, g)
	team.logIn("team", "correct horse battery")
	config, err := os.ReadFile(g.ConfigPath())
	if err != nil {
		t.Fatal(err)
	}
	config = append(config, "\ntests:\n"...)
	for i, query := range []string{"&at=" + at + "&answers=" + failed, ""} {
		_, _, text := team.do("GET", "/ui/playground?rule=client&of=client"+query, nil)
		for _, m := range regexp.MustCompile(`data-copy="(- name:[^"]*)"`).FindAllStringSubmatch(text, -1) {
			config = append(config, regexp.MustCompile(`^- name: .*`).ReplaceAllString(html.UnescapeString(m[1]), fmt.Sprintf("- name: copy %d", i))...)
		}
	}
	if err := os.WriteFile(g.ConfigPath(), config, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := g.CLI("test"); got.Code != 0 || !strings.Contains(got.Stdout+got.Stderr, "2 passed") {
		t.Errorf("hookgate test: %+v\n%s", got, config)
	}
}

// What is scheduled is listed with the next first, by the page as by the command
// line; it is sent now, or cancelled, without scripts.
func TestUIScheduled(t *testing.T) {
	t.Parallel()
	g := startFlow(t)
	var list admin.Page[admin.Delivery]
	next := func(args ...string) admin.Page[admin.Delivery] {
		var page admin.Page[admin.Delivery]
		if err := json.Unmarshal([]byte(g.MustCLI(append([]string{"deliveries", "list", "--next", "--json"}, args...)...)), &page); err != nil {
			t.Fatal(err)
		}
		return page
	}
	list = next("--limit", "1")
	same(t, "the next to go", []any{1, "orders"}, []any{len(list.Items), list.Items[0].Rule})
	rest := next("--after", list.Next)
	same(t, "those after it", []any{2, "client", "client"}, []any{len(rest.Items), rest.Items[0].Rule, rest.Items[1].Rule})
	if got := g.CLI("deliveries", "list", "--after", "nonsense"); got.Code == 0 || !strings.Contains(got.Stderr, "no place among scheduled deliveries") {
		t.Errorf("a place that is none: %+v", got)
	}

	ctx := browser(t)
	unscripted(ctx, t)
	logIn(ctx, t, g)
	show(ctx, t, g.URL+"/ui/events/"+list.Items[0].Event.String())
	reads(ctx, t, "its event", "Scheduled")
	lab.Eventually(t, "its moment in the picture", func() bool {
		return strings.Contains(ask(ctx, t, chromedp.Evaluate[string](`[...document.querySelectorAll("svg circle.f-next + text")].map(e => e.textContent).join()`)), ":")
	})
	// Two days are many times on a phone: no text of the axis stands in another's way.
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(390, 800)); err != nil {
		t.Fatal(err)
	}
	same(t, "texts that touch", "", ask(ctx, t, chromedp.Evaluate[string](`(() => {
		const boxes = [...document.querySelectorAll(".life svg text")].filter(e => e.textContent).map(e => [e.textContent, e.getBoundingClientRect()]);
		return boxes.flatMap(([a, p], i) => boxes.slice(i + 1).filter(([, q]) => p.left < q.right && q.left < p.right && p.top < q.bottom && q.top < p.bottom).map(([b]) => a + "/" + b)).join();
	})()`)))
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1440, 900)); err != nil {
		t.Fatal(err)
	}
	show(ctx, t, g.URL+"/ui/scheduled?rule=client")
	settled(ctx, t, "Scheduled")
	run(ctx, t, `document.querySelector('form[action="/ui/deliveries/retry"] button').click()`)
	lab.Eventually(t, "the first is sent", func() bool { return len(g.Deliveries("--state", "delivered")) == 8 })
	show(ctx, t, g.URL+"/ui/scheduled?rule=client")
	settled(ctx, t, "Scheduled")
	has(t, "the rest", pageText(ctx, t), "1 of 1")
	run(ctx, t, `document.querySelector('tbody form[action="/ui/deliveries/cancel"] button').click()`)
	lab.Eventually(t, "the other is cancelled", func() bool {
		return len(g.Deliveries("--state", "cancelled", "--rule", "client", "--cause", "by-hand")) == 1
	})
	show(ctx, t, g.URL+"/ui/scheduled")
	settled(ctx, t, "Scheduled")
	has(t, "all that is left", pageText(ctx, t), "1 of 1", "orders")
	press(ctx, t, `a.btn[href*="deliveries/retry"]`)
	settled(ctx, t, "Send 1 delivery now")
	press(ctx, t, "button.pri")
	lab.Eventually(t, "all of the list is sent", func() bool { return len(g.Deliveries("--state", "delivered")) == 9 })

	vera := newVisitor(t, g)
	vera.logIn("vera", "only looking around")
	code, _, page := vera.do("GET", "/ui/scheduled", nil)
	if code != http.StatusOK || strings.Contains(page, "/ui/deliveries/cancel") {
		t.Errorf("a viewer: %d, and has buttons", code)
	}
	for path, want := range map[string]int{"/ui/scheduled?after=x": http.StatusNotFound, "/ui/scheduled?rule=none": http.StatusNotFound} {
		if code, _, _ := vera.do("GET", path, nil); code != want {
			t.Errorf("%s: %d, want %d", path, code, want)
		}
	}
}

// An event tells which came before and after it of the same thing, by its ordering
// key, and leads to all of them.
func TestUISameKey(t *testing.T) {
	t.Parallel()
	g := startFlow(t)
	var ids []string
	for i := range 9 {
		ids = append(ids, g.Accepted(g.PostJSON("/in/crm/0123456789abcdef", fmt.Appendf(nil, `{"type":"ticket","id":"site 7","name":"Ticket %d","n":%d}`, i, i))))
		g.Accepted(g.PostJSON("/in/crm/0123456789abcdef", fmt.Appendf(nil, `{"type":"ticket","id":"site 8","name":"Other %d","n":%d}`, i, i)))
	}
	var detail admin.EventDetail
	if err := json.Unmarshal([]byte(g.MustCLI("events", "show", ids[6], "--json")), &detail); err != nil {
		t.Fatal(err)
	}
	names := func(list []admin.Event) (all []string) {
		for i := range list {
			all = append(all, list[i].Summary)
		}
		return all
	}
	if len(detail.SameKey) != 1 {
		t.Fatalf("same key: %+v", detail.SameKey)
	}
	same(t, "earlier", []string{"Ticket 5", "Ticket 4", "Ticket 3", "Ticket 2", "Ticket 1"}, names(detail.SameKey[0].Earlier))
	same(t, "later", []string{"Ticket 7", "Ticket 8"}, names(detail.SameKey[0].Later))
	same(t, "more", true, detail.SameKey[0].More)
	has(t, "events show", g.MustCLI("events", "show", ids[6]), "Same key", "Ticket 5", "Ticket 8")
	if got := g.MustCLI("events", "list", "--key", "site 7"); strings.Count(got, "Ticket") != 9 || strings.Contains(got, "Other") {
		t.Errorf("events list --key:\n%s", got)
	}

	ctx := browser(t)
	logIn(ctx, t, g)
	show(ctx, t, g.URL+"/ui/events/"+ids[6])
	settled(ctx, t, "Ticket 6")
	has(t, "the event", pageText(ctx, t), "Of the same thing", "site 7", "Ticket 7", "Ticket 1", "Further back")
	accessible(ctx, t, "an event with others of its key")
	press(ctx, t, `a[href^="/ui/events?q=key"]`)
	settled(ctx, t, "Events")
	has(t, "all of the key", pageText(ctx, t), "site 7", "9 events", "Ticket 0")
}

// A digest is looked into, sent before its time, and given up, without scripts; a
// viewer sees it and has no buttons.
func TestUIDigests(t *testing.T) {
	t.Parallel()
	g := startFlow(t)
	open := func() (page admin.Page[admin.Digest]) {
		if err := json.Unmarshal([]byte(g.MustCLI("digests", "list", "--json")), &page); err != nil {
			t.Fatal(err)
		}
		return page
	}
	list := open()
	same(t, "what is open", []any{2, "Acme", "notes", "letters", "office"},
		[]any{len(list.Items), list.Items[0].Key, list.Items[0].Rule, list.Items[0].Connection, list.Items[0].OnlyDuring})
	has(t, "digests show", g.MustCLI("digests", "show", list.Items[0].ID.String()), "and goes while office is open")

	ctx := browser(t)
	unscripted(ctx, t)
	logIn(ctx, t, g)
	show(ctx, t, g.URL+"/ui/digests")
	settled(ctx, t, "Digests")
	press(ctx, t, "a[data-row]")
	settled(ctx, t, "notes/letters")
	has(t, "a digest", pageText(ctx, t), "Acme", "2 events", "Eins", "Zwei", "One delivery to letters is made of all that is in it.")
	vera := newVisitor(t, g)
	vera.logIn("vera", "only looking around")
	for path, want := range map[string]int{"/ui/digests": http.StatusOK, "/ui/digests/" + list.Items[0].ID.String(): http.StatusOK, "/ui/digests/dgs_1": http.StatusNotFound, "/ui/digests/x": http.StatusNotFound} {
		if code, _, page := vera.do("GET", path, nil); code != want || strings.Contains(page, "/send\"") || strings.Contains(page, "/cancel\"") {
			t.Errorf("a viewer at %s: %d, or has buttons", path, code)
		}
	}

	press(ctx, t, `form[action$="/send"] button`)
	settled(ctx, t, "Digests")
	has(t, "after sending", pageText(ctx, t), "The digest of 2 events closes now: letters gets it.")
	lab.Eventually(t, "it has closed", func() bool { return len(open().Items) == 1 })
	show(ctx, t, g.URL+"/ui/digests")
	settled(ctx, t, "Digests")
	run(ctx, t, `document.querySelector('form[action$="/cancel"] button').click()`)
	lab.Eventually(t, "the other is given up", func() bool { return len(open().Items) == 0 })
	show(ctx, t, g.URL+"/ui/digests")
	settled(ctx, t, "Digests")
	has(t, "the empty page", pageText(ctx, t), "No digest is open")
	has(t, "the log", g.Stderr()+g.Stdout(), "digest sent", "digest cancelled", "team")
	if n := len(g.Deliveries("--rule", "notes")); n != 1 {
		t.Errorf("%d deliveries were made of digests, want 1", n)
	}
}

// A record is set, looked up, exported and deleted on its page as by hand on the
// command line.
func TestUITables(t *testing.T) {
	t.Parallel()
	g := startFlow(t)
	team, vera := newVisitor(t, g), newVisitor(t, g)
	team.logIn("team", "correct horse battery")
	vera.logIn("vera", "only looking around")
	csrf := team.csrf()
	if code, _, page := team.do("POST", "/ui/tables/sites/set", url.Values{"csrf": {csrf}, "key": {"s2"}, "fields": {"status=Publish\r\nn=7\r\n"}}); code != http.StatusSeeOther {
		t.Fatalf("set: %d %s", code, page)
	}
	has(t, "the record", g.MustCLI("tables", "get", "sites", "s2"), `{"n":7,"status":"Publish"}`)
	_, _, page := team.do("GET", "/ui/tables/sites?key=s2", nil)
	has(t, "the record's page", page, "Publish", "by hand")
	_, header, lines := vera.do("GET", "/ui/tables/sites/export", nil)
	same(t, "the export", g.MustCLI("tables", "export", "sites"), lines)
	has(t, "its name", header.Get("Content-Disposition"), "sites.jsonl")
	for path, want := range map[string]int{
		"/ui/tables/none": http.StatusNotFound, "/ui/tables/none/export": http.StatusNotFound, "/ui/tables/sites?key=none": http.StatusOK,
	} {
		if code, _, _ := vera.do("GET", path, nil); code != want {
			t.Errorf("%s: %d, want %d", path, code, want)
		}
	}
	for fields, want := range map[string]int{"nothing": http.StatusBadRequest, "": http.StatusBadRequest} {
		if code, _, _ := team.do("POST", "/ui/tables/sites/set", url.Values{"csrf": {csrf}, "key": {"s3"}, "fields": {fields}}); code != want {
			t.Errorf("set %q: %d, want %d", fields, code, want)
		}
	}
	if code, _, _ := vera.do("POST", "/ui/tables/sites/delete", url.Values{"csrf": {vera.csrf()}, "key": {"s2"}}); code != http.StatusForbidden {
		t.Errorf("a viewer deletes: %d", code)
	}
	if code, _, _ := team.do("POST", "/ui/tables/sites/delete", url.Values{"csrf": {csrf}, "key": {"s2"}}); code != http.StatusSeeOther {
		t.Errorf("delete: %d", code)
	}
	if got := g.CLI("tables", "get", "sites", "s2"); got.Code == 0 {
		t.Errorf("the record is still there: %+v", got)
	}
	has(t, "who did it", g.Stderr()+g.Stdout(), `"audit":"record set"`, `"audit":"record deleted"`, `"by":"team"`)
}
