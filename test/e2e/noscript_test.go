package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"hookgate/test/fakeslack"
	"hookgate/test/lab"
)

// unscripted switches off what pages bring along to run, and scripted on again. What the
// test itself asks of the page runs in any case, unless it waits for something.
func unscripted(ctx context.Context, t *testing.T) {
	t.Helper()
	setScripts(ctx, t, false)
}

func scripted(ctx context.Context, t *testing.T) {
	t.Helper()
	setScripts(ctx, t, true)
}

func setScripts(ctx context.Context, t *testing.T, on bool) {
	t.Helper()
	off := emulation.SetScriptExecutionDisabledParams{Value: !on}
	err := chromedp.Do(ctx, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, off)
		return err
	}))
	if err != nil {
		t.Fatalf("the browser: %v", err)
	}
}

// keys types into a field as a person does.
func keys(ctx context.Context, t *testing.T, name, text string) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.SendKeys(fmt.Sprintf("[name=%q]", name), text)); err != nil {
		t.Fatalf("the browser types into %s: %v", name, err)
	}
}

// press clicks, with the mouse.
func press(ctx context.Context, t *testing.T, selector string) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.Click(selector)); err != nil {
		t.Fatalf("the browser clicks on %s: %v", selector, err)
	}
}

// submit presses the page's button.
func submit(ctx context.Context, t *testing.T) {
	t.Helper()
	run(ctx, t, `document.querySelector("button").click()`)
}

// A visitor whose browser runs no scripts fills in the snippet that has one, in
// German, with a file and a mistake; mends it on the page that says so; and is
// thanked. It fails where anything on that way needs a script.
func TestFormWithoutScripts(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, "")
	slack, ctx, g, address := w.slack, browser(t), w.gate, w.address
	w.html = g.MustCLI("forms", "snippet", "contact", "--fetch", "--lang", "de") + `<script>document.title = "scripts run"</script>`
	pdf := smallPDF(t, "brief.pdf")
	unscripted(ctx, t)
	show(ctx, t, address)
	settled(ctx, t, "Site")
	same(t, "the page's title", "Site", ask(ctx, t, chromedp.Title()))

	keys(ctx, t, "name", "Zoë Löwe")
	keys(ctx, t, "email", "zoe@localhost") // an address for browsers, and none that mail reaches
	keys(ctx, t, "message", "Grüße\nvon hier")
	press(ctx, t, "[name=consent]")
	press(ctx, t, "[name=topics][value=Text]")
	if err := chromedp.Do(ctx, chromedp.SetUploadFiles(`[name="brief"]`, []string{pdf})); err != nil {
		t.Fatalf("the browser: %v", err)
	}
	submit(ctx, t)
	settled(ctx, t, "Bitte prüfen Sie Ihre Angaben")
	has(t, "the page", ask(ctx, t, chromedp.Evaluate[string]("document.body.innerText")),
		"Eine Angabe braucht eine Korrektur", "Email: Bitte geben Sie eine E-Mail-Adresse ein", "Bitte wählen Sie Ihre Datei noch einmal aus")
	same(t, "what was typed", "Zoë Löwe|zoe@localhost|Grüße\nvon hier|true|true", ask(ctx, t, chromedp.Evaluate[string](
		`["name", "email", "message"].map(n => document.getElementsByName(n)[0].value).join("|") + "|" + document.getElementsByName("consent")[0].checked + "|" + document.querySelector("[value=Text]").checked`)))
	press(ctx, t, "[role=alert] a")
	same(t, "where the summary leads", "email", ask(ctx, t, chromedp.Evaluate[string](`document.querySelector(":target").name`)))

	run(ctx, t, `document.querySelector(":target").select()`)
	keys(ctx, t, "email", "zoe@localhost.example")
	if err := chromedp.Do(ctx, chromedp.SetUploadFiles(`[name="brief"]`, []string{pdf})); err != nil {
		t.Fatalf("the browser: %v", err)
	}
	submit(ctx, t)
	settled(ctx, t, "Vielen Dank")
	e := g.Events()[0]
	has(t, "the reference", ask(ctx, t, chromedp.Evaluate[string](`document.body.innerText`)), e.ID)
	has(t, "data", string(g.Show(e.ID).Data), `"Zoë Löwe"`, `"zoe@localhost.example"`, `"Grüße\nvon hier"`, `"brief.pdf"`)
	same(t, "Slack's text", "Zoë Löwe, zoe@localhost.example, Grüße\nvon hier, , [\"Text\"]", messages(t, slack, 1)[0].Text)

	// The form's own page needs none either.
	show(ctx, t, g.URL+"/f/contact?lang=de")
	settled(ctx, t, "Write to us")
	keys(ctx, t, "name", "Own")
	keys(ctx, t, "email", "own@example.com")
	keys(ctx, t, "message", "Hi")
	press(ctx, t, "[name=consent]")
	submit(ctx, t)
	settled(ctx, t, "Vielen Dank")
	messages(t, slack, 2)
}

// The pages of a form with reCAPTCHA v3 ask it when they are sent, and send what
// it gives; where it cannot be asked, they are sent all the same. The policy of
// the form's own page lets its program run, and no other. The vendor's script is
// not reached here: what the page calls stands in for it.
func TestScoreInBrowser(t *testing.T) {
	t.Parallel()
	slack := fakeslack.New(t)
	ctx := browser(t)
	google := &httptest.Server{Listener: lab.Listen(t), Config: &http.Server{Handler: &vendor{}, ReadHeaderTimeout: time.Minute}}
	google.Start()
	t.Cleanup(google.Close)
	g := lab.New(t, "")
	var html string
	address := site(t, func() string { return html })
	g.Configure(contact(slack.APIURL(), address, generous+`    captcha: { type: recaptcha, secret: the-secret-key, sitekey: public, min_score: 0.5, verify_url: "`+google.URL+`/verify" }
`))
	g.Start()
	html = strings.Replace(g.MustCLI("forms", "snippet", "contact", "--fetch"), "https://www.google.com", "http://127.0.0.1:1", 1)
	send := func(page, heading, grecaptcha string) lab.Event {
		t.Helper()
		before := len(g.Events())
		show(ctx, t, page)
		settled(ctx, t, heading)
		run(ctx, t, "%s", grecaptcha)
		fillIn(ctx, t, "name", fmt.Sprint("Ada ", before), "email", "ada@example.com")
		submit(ctx, t)
		lab.Eventually(t, "the thanks", func() bool {
			text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.readyState === "complete" ? document.body.innerText : ""`))
			return err == nil && strings.Contains(text, "Reference: evt_")
		})
		if n := len(g.Events()); n != before+1 {
			t.Fatalf("%d posts", n-before)
		}
		return g.Events()[0]
	}
	scored := func(score string) string {
		return `window.grecaptcha = { ready: f => f(), execute: (key, o) => key === "public" && o.action === "form" ? Promise.resolve("` + score + `") : Promise.reject() }`
	}
	for name, page := range map[string][2]string{"its own page": {g.URL + "/f/contact", "Contact"}, "a snippet": {address, "Site"}} {
		e := send(page[0], page[1], scored("0.9"))
		same(t, name+", a person", "routed ", e.State+" "+e.Cause)
		e = send(page[0], page[1], scored("0.1"))
		same(t, name+", a robot", "spam captcha: the answer was refused (score 0.1, less than 0.5)", e.State+" "+e.Cause)
		e = send(page[0], page[1], "")
		same(t, name+", nobody to ask", "spam captcha: no answer was sent", e.State+" "+e.Cause)
		e = send(page[0], page[1], `window.grecaptcha = { ready: f => f(), execute: () => Promise.reject() }`)
		same(t, name+", no answer", "spam captcha: no answer was sent", e.State+" "+e.Cause)
	}
	messages(t, slack, 2)
}
