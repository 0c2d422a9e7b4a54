package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"hookgate/test/fakeslack"
	"hookgate/test/lab"
)

// page is a plain HTML form on a site of its own: no JavaScript.
func page(action string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(`<!doctype html><html lang="en"><title>Harry's Diner</title>
<form method="post" action="` + action + `">
<label>Name <input id="name" name="name"></label>
<label>E-mail <input id="email" name="email"></label>
<label>Budget <input id="budget" name="budget"></label>
<label>Message <textarea id="message" name="message"></textarea></label>
<input id="trap" name="_gotcha" style="position:absolute;left:-9999px" tabindex="-1" autocomplete="off">
<button id="send">Send</button></form></html>`))
	})
}

func browser(t *testing.T) context.Context {
	t.Helper()
	path := lab.Need(t, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "headless-shell")
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.WSURLReadTimeout(time.Minute))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 5*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// ask runs an action that reads something from the page: once more where the page was
// left meanwhile for the one that it leads to.
func ask(ctx context.Context, t *testing.T, action chromedp.Action[string]) string {
	t.Helper()
	var got string
	var err error
	left := func() bool { return err != nil && strings.Contains(err.Error(), "navigated or closed") }
	if lab.Within(lab.Patience, func() bool { got, err = chromedp.Run(ctx, action); return !left() }); err != nil {
		t.Fatalf("the browser: %v", err)
	}
	return got
}

// A post from a real browser, from a page on another origin, arrives in Slack;
// a honeypot hit sees the same page and nothing is delivered.
func TestFormInBrowser(t *testing.T) {
	t.Parallel()
	slack := fakeslack.New(t)
	ctx := browser(t)
	g := lab.New(t, "")
	site := &httptest.Server{
		Listener: lab.Listen(t),
		Config:   &http.Server{Handler: page(g.URL + "/f/contact"), ReadHeaderTimeout: time.Minute},
	}
	site.Start()
	t.Cleanup(site.Close)
	g.Configure(contact(slack.APIURL(), site.URL, generous))
	g.Start()

	submit := func(name, email, message, trap string) (title, text, at string) {
		t.Helper()
		err := chromedp.Do(ctx,
			chromedp.Navigate(site.URL),
			chromedp.SendKeys("#name", name), chromedp.SendKeys("#email", email),
			chromedp.SendKeys("#message", message),
		)
		if err != nil {
			t.Fatalf("the browser: %v", err)
		}
		ask(ctx, t, chromedp.Evaluate[string](fmt.Sprintf("document.getElementById('trap').value = %q", trap))) // as a robot does
		if err := chromedp.Do(ctx, chromedp.Click("#send")); err != nil {
			t.Fatalf("the browser: %v", err)
		}
		// The site's own page has no h1: it is the answer that is waited for.
		lab.Eventually(t, "the answer is shown", func() bool {
			there, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.readyState === "complete" && document.querySelector("h1") !== null`))
			return err == nil && there
		})
		return ask(ctx, t, chromedp.Title()), ask(ctx, t, chromedp.Evaluate[string]("document.body.innerText")), ask(ctx, t, chromedp.Location())
	}

	title, text, at := submit("Ada Löwe <b>", "ada@example.com", "Grüße & more", "")
	if !strings.HasPrefix(at, g.URL+"/f/contact") {
		t.Errorf("the browser is at %s", at)
	}
	has(t, "the page", strings.ToLower(text), "thank you")
	lead := messages(t, slack, 1)[0]
	same(t, "Slack's text", "New lead from contact: Ada Löwe &lt;b&gt;, ada@example.com, Grüße &amp; more", lead.Text)
	same(t, "channel", "#leads", lead.Channel)
	first := g.Events()[0]

	spamTitle, spamText, _ := submit("Bot", "bot@example.com", "Buy", "http://spam.example")
	spam := g.Events()[0]
	same(t, "state", "spam", spam.State)
	same(t, "the title a robot sees", title, spamTitle)
	same(t, "the page a robot sees", strings.ReplaceAll(text, first.ID, "REF"), strings.ReplaceAll(spamText, spam.ID, "REF"))

	_, text, _ = submit("", "nonsense", "Keep me", "")
	has(t, "the page with errors", text, "e-mail")
	same(t, "a value after an error", "Keep me", ask(ctx, t, chromedp.Evaluate[string](`document.getElementsByName("message")[0].value`)))
	if n := len(slack.Requests()); n != 1 {
		t.Errorf("Slack got %d messages, want 1", n)
	}
}
