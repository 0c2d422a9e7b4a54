package e2e

import (
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"

	"hookgate/test/lab"
)

// What a button copies is copied also where the page came by plain http and has no
// clipboard, and it is said for all to see. Without scripts there is no such button, nor
// one for the theme, and what it would copy stands on the page.
//
// Negative control: toClipboard with its first line alone.
func TestUICopy(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusOK)
	g := startUI(t, &status)
	id := g.Settled(g.Accepted(g.PostJSON("/in/sitejet/0123456789abcdef", []byte(donePayload)))).ID
	ctx := browser(t)
	logIn(ctx, t, g)
	desktop(ctx, t)
	request := g.URL + "/ui/events/" + id + "?tab=request"
	show(ctx, t, request)
	reads(ctx, t, "the request", "Copy as cURL")
	run(ctx, t, `Object.defineProperty(navigator, "clipboard", { value: undefined });
		document.addEventListener("copy", () => { window.copied = document.activeElement.value })`)
	press(ctx, t, ".btn[data-copy]")
	lab.Eventually(t, "it is said", func() bool {
		return ask(ctx, t, chromedp.Evaluate[string](`(s => s.className + " " + s.textContent + " " + s.checkVisibility({opacityProperty: true}))(document.querySelector("#say"))`)) == "toast Copied true"
	})
	same(t, "what was copied", "true", ask(ctx, t, chromedp.Evaluate[string](`String(window.copied === document.querySelector(".btn[data-copy]").dataset.copy && copied.startsWith("curl "))`)))
	same(t, "where the focus is", "true", ask(ctx, t, chromedp.Evaluate[string](`String(document.activeElement.matches("[data-copy]"))`)))

	unscripted(ctx, t)
	for path, want := range map[string]string{"events/" + id + "?tab=request": "As cURL", "events/" + id + "?tab=payload": "As test", "playground?rule=near&of=near&when=true": "YAML"} {
		show(ctx, t, g.URL+"/ui/"+path)
		reads(ctx, t, path, want)
		same(t, path+": buttons that need scripts", "0", ask(ctx, t, chromedp.Evaluate[string](`String([...document.querySelectorAll(".btn[data-copy], [data-theme-toggle], [data-open]")].filter(b => b.checkVisibility()).length)`)))
	}
}
