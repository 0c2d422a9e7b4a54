package e2e

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"

	"hookgate/test/lab"
)

// hit strikes a single key where the focus is, and says on what the focus is then.
func hit(ctx context.Context, t *testing.T, key string) string {
	t.Helper()
	run(ctx, t, `document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: %q, bubbles: true, cancelable: true}))`, key)
	return ask(ctx, t, chromedp.Evaluate[string](`document.activeElement.closest("dialog")?.id ?? document.activeElement.localName`))
}

// closeKeys closes the list of keys: a click is done some time after it was made.
func closeKeys(ctx context.Context, t *testing.T) {
	t.Helper()
	press(ctx, t, "[data-close]")
	lab.Eventually(t, "the keys are closed", func() bool {
		return ask(ctx, t, chromedp.Evaluate[string](`String(document.querySelector("dialog[open]"))`)) == "null"
	})
}

// Single keys move on the pages until somebody switches them off, which holds for the
// other pages too: none acts then, and the list of them is still there to be opened.
//
// Negative control: keydown without #single.
func TestUIKeys(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusOK)
	g := startUI(t, &status)
	g.Settled(g.Accepted(g.PostJSON("/in/sitejet/0123456789abcdef", []byte(donePayload))))
	ctx := browser(t)
	logIn(ctx, t, g)
	desktop(ctx, t)
	events := func() {
		t.Helper()
		show(ctx, t, g.URL+"/ui/events")
		settled(ctx, t, "Events")
	}
	events()
	same(t, "where j leads", "a", hit(ctx, t, "j"))
	same(t, "where / leads", "input", hit(ctx, t, "/"))
	run(ctx, t, `document.activeElement.blur()`)
	same(t, "what ? opens", "keys", hit(ctx, t, "?"))
	accessible(ctx, t, "the keys")
	desktop(ctx, t)
	press(ctx, t, "#single")
	closeKeys(ctx, t)
	for range 2 {
		for _, key := range []string{"j", "/", "?", "g", "d"} {
			same(t, "where "+key+" leads, switched off", "body", hit(ctx, t, key))
		}
		same(t, "the page", g.URL+"/ui/events", ask(ctx, t, chromedp.Location()))
		events()
	}
	press(ctx, t, ".side [data-open]")
	press(ctx, t, "#single")
	closeKeys(ctx, t)
	events()
	same(t, "where j leads again", "a", hit(ctx, t, "j"))
}

// The button goes from the system's colours to the others, to the system's own name for
// them, and back; the choice is kept.
//
// Negative control: turn without keep, its two orders the other way round, and say without
// the system's own name.
func TestUITheme(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusOK)
	g := startUI(t, &status)
	ctx := browser(t)
	show(ctx, t, g.URL+"/ui/login")
	settled(ctx, t, "Sign in")
	theme := chromedp.Evaluate[string](`document.documentElement.dataset.theme ?? "system"`)
	for _, want := range []string{"dark", "light", "system"} {
		press(ctx, t, "[data-theme-toggle]")
		same(t, "the theme", want, ask(ctx, t, theme))
		lab.Eventually(t, "it is said", func() bool {
			return ask(ctx, t, chromedp.Evaluate[string](`document.querySelector("#say").textContent`)) == map[string]string{"dark": "Dark", "light": "Light", "system": "As the system has it"}[want]
		})
		show(ctx, t, g.URL+"/ui/login")
		settled(ctx, t, "Sign in")
		same(t, "the theme of another page", want, ask(ctx, t, theme))
	}
}
