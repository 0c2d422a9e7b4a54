package e2e

import (
	"context"
	_ "embed" // for axe
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"hookgate/test/fakeslack"
	"hookgate/test/lab"
)

// axe is the accessibility checker axe-core, see testdata/axe/LICENSE.
//
//go:embed testdata/axe/axe.min.js
var axe string

// show goes to an address and waits for the page.
func show(ctx context.Context, t *testing.T, address string) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.Navigate(address)); err != nil {
		t.Fatalf("the browser at %s: %v", address, err)
	}
}

// run has the page do something.
func run(ctx context.Context, t *testing.T, script string, args ...any) {
	t.Helper()
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[string](fmt.Sprintf("(() => { "+script+"; return '' })()", args...))); err != nil {
		t.Fatalf("the browser: %v", err)
	}
}

// settled waits for a page whose heading is another one than before.
func settled(ctx context.Context, t *testing.T, heading string) {
	t.Helper()
	lab.Eventually(t, "the page "+heading, func() bool {
		got, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.readyState === "complete" && document.querySelector("h1") ? document.querySelector("h1").innerText : ""`))
		return err == nil && got == heading
	})
}

// accessible has axe look at the page that is shown, on phones and on a screen, and
// sees that it is no wider than the window. On the screen it looks at both themes. No
// style changes between the two phones, so one is light and the other dark, and in
// German the other way round: of a page that is visited in both languages, every
// theme is looked at in every width, at two thirds of what all of it would cost.
func accessible(ctx context.Context, t *testing.T, name string) {
	t.Helper()
	one, other := "light", "dark"
	if ask(ctx, t, chromedp.Evaluate[string](`document.documentElement.lang`)) == "de" {
		one, other = other, one
	}
	run(ctx, t, "%s", axe)
	await := true
	for _, look := range []struct {
		width  int64
		scheme string
	}{{320, one}, {390, other}, {1440, one}, {1440, other}} {
		media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: look.scheme}}}
		err := chromedp.Do(ctx, chromedp.EmulateViewport(look.width, 800), chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, media)
			return err
		}))
		if err != nil {
			t.Fatalf("the browser: %v", err)
		}
		wide := ask(ctx, t, chromedp.Evaluate[string](fmt.Sprintf(`document.documentElement.scrollWidth <= %[1]d ? "" : [...document.querySelectorAll("body *")]
			.filter(e => e.getBoundingClientRect().right > %[1]d).map(e => e.outerHTML.slice(0, 150)).join("\n") + " "`, look.width)))
		if wide != "" {
			t.Errorf("%s is wider than %d px:\n%s", name, look.width, wide)
		}
		script := `axe.run(document, {resultTypes: ["violations"]}).then(r => r.passes.length + " passed\n" +
			r.violations.map(v => v.id + ": " + v.help + "\n" + v.nodes.map(n => "  " + n.html + " " + n.failureSummary).join("\n")).join("\n"))`
		report := ask(ctx, t, chromedp.Evaluate[string](script, func(p *runtime.EvaluateParams) { p.AwaitPromise = &await }))
		passed, violations, _ := strings.Cut(report, "\n")
		if violations != "" || passed == "0 passed" {
			t.Errorf("%s at %d px, %s (%s):\n%s", name, look.width, look.scheme, passed, violations)
		}
	}
}

// fillIn types into the fields of the page, in order of name and value.
func fillIn(ctx context.Context, t *testing.T, values ...string) {
	t.Helper()
	for i := 0; i < len(values); i += 2 {
		run(ctx, t, `const f = document.getElementsByName(%q)[0]; if (f.type === "checkbox") { f.checked = true } else { f.value = %q }
			f.dispatchEvent(new Event("input", {bubbles: true}))`, values[i], values[i+1])
	}
}

// The form's own page works without a website: with errors, and in German; and
// every page can be used by everybody.
func TestPagesInBrowser(t *testing.T) {
	t.Parallel()
	slack := fakeslack.New(t)
	ctx := browser(t)
	g := lab.Start(t, allFields(slack.APIURL(), "https://harrys-diner.example", ""))

	show(ctx, t, g.URL+"/f/contact")
	settled(ctx, t, "Write to us")
	accessible(ctx, t, "the form")
	same(t, "the text on the button", "rgb(0, 0, 0)", ask(ctx, t, chromedp.Evaluate[string](`getComputedStyle(document.querySelector("button")).color`)))
	same(t, "what the browser says of an empty form", "false", ask(ctx, t, chromedp.Evaluate[string](`String(document.querySelector("form").checkValidity())`)))

	show(ctx, t, g.URL+"/f/contact?lang=de")
	settled(ctx, t, "Write to us")
	fillIn(ctx, t, "name", "Ada Löwe", "email", "keine Adresse", "phone", "040 123456", "message", "Grüße", "topics", "Design")
	run(ctx, t, `document.querySelector("form").noValidate = true; document.querySelector("form").requestSubmit()`)
	settled(ctx, t, "Bitte prüfen Sie Ihre Angaben")
	accessible(ctx, t, "the problems, in German")
	same(t, "language", "de", ask(ctx, t, chromedp.Evaluate[string](`document.documentElement.lang`)))
	has(t, "the summary", ask(ctx, t, chromedp.Evaluate[string](`document.querySelector("[role=alert]").innerText`)), "2 Angaben", "Email: Bitte geben Sie", "I have read the privacy notice: Bitte kreuzen")
	same(t, "what has the focus", "alert", ask(ctx, t, chromedp.Evaluate[string](`document.activeElement.getAttribute("role")`)))
	if err := chromedp.Do(ctx, chromedp.Click("[role=alert] a")); err != nil {
		t.Fatal(err)
	}
	same(t, "where the summary leads", "email", ask(ctx, t, chromedp.Evaluate[string](`document.querySelector(location.hash).name`)))

	fillIn(ctx, t, "email", "ada@example.com", "consent", "yes")
	run(ctx, t, `document.querySelector("form").requestSubmit()`)
	settled(ctx, t, "Vielen Dank")
	accessible(ctx, t, "the thanks")
	same(t, "Slack's text", `Ada Löwe, ada@example.com, Grüße, +4940123456, ["Design"]`, messages(t, slack, 1)[0].Text)
	has(t, "the reference", ask(ctx, t, chromedp.Evaluate[string](`document.body.innerText`)), g.Events()[0].ID)

	show(ctx, t, g.URL+"/f/nothing")
	settled(ctx, t, "There is no such form")
	accessible(ctx, t, "the page for no form")
}

// The snippets work on a website as they are printed: without a script, with
// one, and with one that cannot run.
func TestSnippetsInBrowser(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, "")
	slack, ctx, g, address := w.slack, browser(t), w.gate, w.address
	snippet := func(kind string) string {
		t.Helper()
		text := g.MustCLI("forms", "snippet", "contact", "--"+kind)
		has(t, kind, text, `action="`+g.URL+`/f/contact"`)
		return text
	}
	fill := func(name, email string) {
		t.Helper()
		show(ctx, t, address)
		settled(ctx, t, "Site")
		fillIn(ctx, t, "name", name, "email", email, "message", "Hi", "consent", "yes")
		run(ctx, t, `document.querySelector("form").noValidate = true; document.querySelector("button").click()`)
	}

	pdf := smallPDF(t, "Größe & brief.pdf")
	w.html = snippet("html")
	show(ctx, t, address)
	if err := chromedp.Do(ctx, chromedp.SetUploadFiles(`[name="brief"]`, []string{pdf})); err != nil {
		t.Fatalf("the browser: %v", err)
	}
	fillIn(ctx, t, "name", "Plain", "email", "plain@example.com", "message", "Hi", "consent", "yes")
	run(ctx, t, `document.querySelector("button").click()`)
	settled(ctx, t, "Thank you")
	data, _ := value(t, g.Show(g.Events()[0].ID).Data).(map[string]any)
	brief, _ := data["brief"].(map[string]any)
	same(t, "the file's name", "Größe & brief.pdf", fmt.Sprint(brief["name"]))
	same(t, "the file's type", "application/pdf", fmt.Sprint(brief["type"]))

	w.html = snippet("fetch")
	fill("Script", "nonsense")
	lab.Eventually(t, "the problem is shown at the field", func() bool {
		message, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.getElementsByName("email")[0].validationMessage`))
		return err == nil && strings.HasPrefix(message, "Please enter an e-mail address")
	})
	fillIn(ctx, t, "email", "script@example.com")
	run(ctx, t, `document.querySelector("button").click()`)
	lab.Eventually(t, "the visitor is thanked on the page", func() bool {
		text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.querySelector("[role=status]")?.innerText ?? ""`))
		return err == nil && strings.HasPrefix(text, "We have received your message. Reference: evt_")
	})
	same(t, "where the visitor is", address+"/", ask(ctx, t, chromedp.Location()))

	// A script that cannot reach the server leaves the post to the browser.
	w.html = strings.Replace(snippet("fetch"), "fetch(form.action", `fetch("http://127.0.0.1:1/"`, 1)
	fill("Fallback", "fallback@example.com")
	settled(ctx, t, "Thank you")

	w.html = snippet("wordpress")
	fill("Block", "block@example.com")
	settled(ctx, t, "Thank you")

	var names []string
	for _, m := range messages(t, slack, 4) {
		name, _, _ := strings.Cut(m.Text, ",")
		names = append(names, name)
	}
	same(t, "who wrote", "Plain Script Fallback Block", strings.Join(names, " "))
}

// A snippet of a form with min_time fetches its token on the website's page: a
// post with it is a person's, one without is kept as spam.
func TestTimedSnippetInBrowser(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, "    min_time: 1ms\n")
	slack, ctx, g, address := w.slack, browser(t), w.gate, w.address
	w.html = g.MustCLI("forms", "snippet", "contact", "--html")
	show(ctx, t, address)
	settled(ctx, t, "Site")
	lab.Eventually(t, "the page has its token", func() bool {
		token, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.getElementsByName("_started")[0].value`))
		return err == nil && token != ""
	})
	fillIn(ctx, t, "name", "Ada", "email", "ada@example.com", "message", "Hi", "consent", "yes")
	run(ctx, t, `document.querySelector("button").click()`)
	settled(ctx, t, "Thank you")
	same(t, "with the token", "routed", g.Events()[0].State)

	w.html = strings.Replace(w.html, "<script", "<template", 1)
	show(ctx, t, address)
	fillIn(ctx, t, "name", "Bot", "email", "bot@example.com", "message", "Hi", "consent", "yes")
	run(ctx, t, `document.querySelector("button").click()`)
	settled(ctx, t, "Thank you")
	same(t, "without it", "spam", g.Events()[0].State)
	messages(t, slack, 1)
}
