package e2e

import (
	"context"
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"hookgate/test/lab"
)

// tap touches what is shown, in its middle, as a thumb does. It fails where that is
// not to be seen, or something else lies on it.
func tap(ctx context.Context, t *testing.T, selector string) {
	t.Helper()
	at, err := chromedp.Run(ctx, chromedp.Evaluate[[]float64](fmt.Sprintf(`(() => {
		const e = [...document.querySelectorAll(%q)].find(e => e.checkVisibility());
		if (!e) return [];
		e.scrollIntoView({block: "nearest", behavior: "instant"});
		const r = e.getBoundingClientRect(), x = r.x + r.width / 2, y = r.y + r.height / 2;
		return e.contains(document.elementFromPoint(x, y)) ? [x, y] : [];
	})()`, selector)))
	if err != nil || len(at) != 2 {
		t.Fatalf("nothing can be touched at %s: %v", selector, err)
	}
	err = chromedp.Do(ctx, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		for _, touch := range []input.DispatchTouchEventParams{
			{Type: input.DispatchTouchEventTypeTouchStart, TouchPoints: []*input.TouchPoint{{X: at[0], Y: at[1]}}},
			{Type: input.DispatchTouchEventTypeTouchEnd, TouchPoints: []*input.TouchPoint{}},
		} {
			if _, err := cdp.Call(ctx, target, input.DispatchTouchEvent, touch); err != nil {
				return err
			}
		}
		return nil
	}))
	if err != nil {
		t.Fatalf("the browser touches %s: %v", selector, err)
	}
}

// A post is read and answered on a phone: from the tabs to the list, into the post,
// to an e-mail to who wrote it, and back. Nothing scrolls sideways on that way.
func TestUIPhone(t *testing.T) {
	t.Parallel()
	sink := lab.NewSink(t, nil)
	g := lab.New(t, fmt.Sprintf(`
forms:
  contact:
    title: Fragen & Wünsche
    fields: { name: { type: text, required: true }, email: { type: email }, message: { type: text } }
connections:
  crm: { type: webhook, url: %q }
rules:
  - { name: lead, from: contact, then: [{ to: crm, json: { name: "${{ data.name }}" } }] }
`, sink.URL))
	g.Extra = "  admin: { user: team, password: correct horse battery }\n"
	g.Start()
	const said = "Our bakery needs a new website.\n\nThe old one, https://www.bakery-of-the-extraordinarily-long-domain.example/pages/about-us.html, is from 2009."
	written(t, g, "name", "Bert", "email", "bert@example.com", "message", "Hello")
	ada := written(t, g, "name", "Ada Löwe-Wolkenstein", "email", "ada.loewe-wolkenstein@bakery.example", "message", said)
	ctx := browser(t)
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulateScale(2))); err != nil {
		t.Fatal(err)
	}
	// fits: a page that is too wide is scrolled, or shown smaller to have room.
	fits := func(what string) {
		t.Helper()
		same(t, what+": width", "390 390", ask(ctx, t, chromedp.Evaluate[string](`document.documentElement.scrollWidth + " " + innerWidth`)))
	}
	visible := func(selector string) bool {
		t.Helper()
		return ask(ctx, t, chromedp.Evaluate[string](fmt.Sprintf(`String([...document.querySelectorAll(%q)].some(e => e.checkVisibility()))`, selector))) == "true"
	}
	logIn(ctx, t, g)
	fits("the overview")

	tap(ctx, t, `.tabbar a[href="/ui/forms"]`)
	settled(ctx, t, "Forms")
	reads(ctx, t, "the list", "Ada Löwe-Wolkenstein", "Our bakery", "Bert", "2 new")
	same(t, "new", "Ada Löwe-Wolkenstein, Bert", newPosts(ctx, t))
	if visible(".read") {
		t.Error("a post that nobody opened takes room from the list")
	}
	fits("the list")

	tap(ctx, t, `.mails a[href*="`+ada+`"]`)
	lab.Eventually(t, "the post is open", func() bool { return visible(".read") })
	reads(ctx, t, "the post", "Ada Löwe-Wolkenstein", "ada.loewe-wolkenstein@bakery.example", said, "Mark as new")
	if visible(".mails") || visible(".tabs") || visible(`[href="/ui/forget"]`) {
		t.Error("the list, or what one can do with the form, takes room from the post")
	}
	fits("the post")
	same(t, "Reply", "mailto:ada.loewe-wolkenstein@bakery.example?subject=Re%3A%20Fragen%20%26%20W%c3%bcnsche",
		ask(ctx, t, chromedp.Evaluate[string](`document.querySelector("[data-key=m]").href`)))
	same(t, "its height", "true", ask(ctx, t, chromedp.Evaluate[string](`String(document.querySelector("[data-key=m]").offsetHeight >= 40)`)))

	tap(ctx, t, `.read a[href="#main"]`)
	lab.Eventually(t, "the list is back", func() bool { return visible(".mails") && !visible(".read") })
	same(t, "new, after one was read", "Bert", newPosts(ctx, t))
	fits("the list after it")
	show(ctx, t, g.URL+"/ui/forms/contact")
	settled(ctx, t, "Forms")
	same(t, "new, later", "Bert", newPosts(ctx, t))
}
