package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
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
		lab.Eventually(t, "the page "+path, func() bool {
			got, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.readyState === "complete" && document.querySelector("h1") ? "there" : ""`))
			return err == nil && got == "there"
		})
		if got := ask(ctx, t, chromedp.Evaluate[string](`(window.ran ? "it ran " : "") + window.seen.join(" ")`)); got != "" {
			t.Errorf("/ui/%s: %s", path, got)
		}
	}
	show(ctx, t, g.URL+"/ui/events?q="+url.QueryEscape("source:sitejet Diner"))
	settled(ctx, t, "Events")
	accessible(ctx, t, "a list of events that can be kept as a view")
	same(t, "events", fmt.Sprint(len(naughty)*2), fmt.Sprint(len(g.Events("--limit", "100"))))
}

// watched has each page note what its policy refuses, and dialogs.
func watched(ctx context.Context, t *testing.T) {
	t.Helper()
	source := cdpage.AddScriptToEvaluateOnNewDocumentParams{Source: `window.seen = [];
		document.addEventListener("securitypolicyviolation", e => seen.push("CSP " + e.violatedDirective + " " + e.blockedURI));
		for (const name of ["alert", "confirm", "prompt"]) window[name] = () => { seen.push(name) };`}
	err := chromedp.Do(ctx, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, cdpage.AddScriptToEvaluateOnNewDocument, source)
		return err
	}))
	if err != nil {
		t.Fatalf("the browser: %v", err)
	}
}
