package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"hookgate/test/lab"
)

// naughty are texts that run, hide or break something where they are taken for more
// than text; each would set ran.
var naughty = []string{
	`<script>window.ran=1</script>`, `"><img src=x onerror=window.ran=1>`, `' onfocus=window.ran=1 autofocus x='`,
	`</textarea></title><svg onload=window.ran=1>`, `javascript:window.ran=1`, `{{constructor.constructor("window.ran=1")()}}`,
	"${window.ran=1}`;window.ran=1//", `<a href="javascript:window.ran=1" hx-get="/ui/start" hx-trigger="load">x</a>`,
	"\u202eright to left\u2066\u2028\u2029", "\x01\x1b[31mcontrols\x7f\u0085", "<!--", `{{.CSRF}}`, strings.Repeat("W", 4000), strings.Repeat("̷", 300),
}

// Whatever is sent by a webhook, through a form, or typed into a field of the pages is
// text on all pages: nothing of it is run, and the browser refuses nothing. Break: take
// the title of an event for template.HTML.
func TestUINothingRuns(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusUnprocessableEntity)
	g := startUI(t, &status)
	var event, post string
	team := newVisitor(t, g)
	team.logIn("team", "correct horse battery")
	for i, text := range naughty {
		body, err := json.Marshal(map[string]any{"previousStatus": "Publish", text: text, "website": map[string]any{"id": text, "title": text, "status": "Done", "number": i}})
		if err != nil {
			t.Fatal(err)
		}
		event = g.Accepted(g.PostJSON("/in/sitejet/0123456789abcdef", body))
		post = written(t, g, "name", text, "message", text)
		team.do("POST", "/ui/views", url.Values{"csrf": {team.csrf()}, "name": {text}, "q": {"source:sitejet " + text}})
	}
	ctx := browser(t)
	watched(ctx, t)
	logIn(ctx, t, g)
	desktop(ctx, t)
	paths := []string{"", "events", "events/" + event, "events/" + event + "?tab=payload", "events/" + event + "?tab=request", "deliveries", "deliveries?state=failed", "forms/contact?post=" + post, "forms/contact/fields", "rules", "connections", "start"}
	for _, text := range naughty[:len(naughty)-4] {
		typed := url.QueryEscape(text)
		paths = append(paths, "events?q="+typed, "forms/contact?q="+typed, "playground?rule=activate&when="+typed+"&at="+typed, "scheduled?rule="+typed)
	}
	for _, path := range paths {
		show(ctx, t, g.URL+"/ui/"+path)
		nothingRan(ctx, t, path)
	}
	show(ctx, t, g.URL+"/ui/events?q="+url.QueryEscape("source:sitejet Diner"))
	settled(ctx, t, "Events")
	accessible(ctx, t, "a list of events that can be kept as a view")
	same(t, "events", fmt.Sprint(len(naughty)*2), fmt.Sprint(len(g.Events("--limit", "100"))))
}

// Nor is anything run that is typed where somebody acts: as the note of a pause, into a
// record of a table, as the address of a person, as the name of a view; in German, too.
// Break: take the note of a pause for template.HTML.
func TestUINothingRuns_acting(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusOK)
	g := startUI(t, &status)
	team := newVisitor(t, g)
	team.logIn("team", "correct horse battery")
	file, err := os.ReadFile(g.ConfigPath())
	if err != nil {
		t.Fatal(err)
	}
	g.WriteConfig(string(file) + "tables: { notes: { keep: 400d } }\n")
	lab.Eventually(t, "the table is there", func() bool { code, _, _ := team.do("GET", "/ui/tables/notes", nil); return code == http.StatusOK })
	ctx := browser(t)
	watched(ctx, t)
	logIn(ctx, t, g)
	desktop(ctx, t)
	show(ctx, t, g.URL+"/ui/lang/de")
	for _, text := range naughty {
		csrf := url.Values{"csrf": {team.csrf()}}
		acted := func(path string, pairs ...string) {
			t.Helper()
			form := maps.Clone(csrf)
			for i := 0; i < len(pairs); i += 2 {
				form.Set(pairs[i], pairs[i+1])
			}
			if code, _, _ := team.do("POST", path, form); code >= http.StatusInternalServerError {
				t.Errorf("%s with %.40q: %d", path, text, code)
			}
		}
		acted("/ui/connections/billing/pause", "note", text, "for", "2h")
		acted("/ui/tables/notes/set", "key", text, "fields", "note="+text)
		acted("/ui/views", "name", text, "q", text)
		typed := url.QueryEscape(text[:min(len(text), 300)])
		for _, path := range []string{"", "connections", "tables/notes", "tables/notes?key=" + typed, "events", "deliveries?connection=" + typed + "&rule=" + typed, "forms/contact/snippet?kind=" + typed + "&lang=" + typed} {
			show(ctx, t, g.URL+"/ui/"+path)
			nothingRan(ctx, t, path)
		}
		show(ctx, t, g.URL+"/ui/forget")
		nothingRan(ctx, t, "forget")
		said, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		run(ctx, t, `const f = document.querySelector('form[action="/ui/forget"]'); f.address.type = "text"; f.address.value = `+string(said)+`; f.noValidate = true; f.submit()`)
		nothingRan(ctx, t, "the address of a person")
	}
}

// nothingRan waits for a page, and fails the test where anything of it ran.
func nothingRan(ctx context.Context, t *testing.T, page string) {
	t.Helper()
	lab.Eventually(t, "the page "+page, func() bool {
		got, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.readyState === "complete" && document.querySelector("h1") ? "there" : ""`))
		return err == nil && got == "there"
	})
	if got := ask(ctx, t, chromedp.Evaluate[string](`(window.ran ? "it ran " : "") + window.seen.join(" ")`)); got != "" {
		t.Errorf("/ui/%s: %s", page, got)
	}
}

// watched has each page note what its policy refuses, and dialogs.
func watched(ctx context.Context, t *testing.T) {
	t.Helper()
	beforehand(ctx, t, `window.seen = [];
		document.addEventListener("securitypolicyviolation", e => seen.push("CSP " + e.violatedDirective + " " + e.blockedURI));
		for (const name of ["alert", "confirm", "prompt"]) window[name] = () => { seen.push(name) };`)
}

// beforehand runs a script in each page before its own.
func beforehand(ctx context.Context, t *testing.T, script string) {
	t.Helper()
	source := cdpage.AddScriptToEvaluateOnNewDocumentParams{Source: script}
	err := chromedp.Do(ctx, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, cdpage.AddScriptToEvaluateOnNewDocument, source)
		return err
	}))
	if err != nil {
		t.Fatalf("the browser: %v", err)
	}
}
