package e2e

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"

	"hookgate/test/lab"
)

// written posts the contact form and gives the number of the post.
func written(t *testing.T, g *lab.Gate, values ...string) string {
	t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(values); i += 2 {
		form.Set(values[i], values[i+1])
	}
	r := g.Do("POST", "/f/contact", []byte(form.Encode()), "Content-Type", "application/x-www-form-urlencoded", "Accept", "application/json")
	if r.Status != http.StatusOK {
		t.Fatalf("the post: %d %s", r.Status, r.Body)
	}
	answer, _ := value(t, []byte(r.Body)).(map[string]any)
	id, _ := answer["id"].(string)
	return id
}

// newPosts are the names in the inbox that are shown as new.
func newPosts(ctx context.Context, t *testing.T) string {
	t.Helper()
	return ask(ctx, t, chromedp.Evaluate[string](`[...document.querySelectorAll(".mails .new + b")].map(e => e.firstChild.data).join(", ")`))
}

// A post is new until somebody opens it, a viewer too; looking at the list, or a
// browser that fetches a page ahead, leaves it new. An operator has it be new again.
func TestUIInbox(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusOK)
	g := startUI(t, &status)
	ada, bob := written(t, g, "name", "Ada", "message", "Hello"), written(t, g, "name", "Bob", "message", "Hi")
	ctx := browser(t)
	unscripted(ctx, t)
	logIn(ctx, t, g)
	inbox := func() {
		t.Helper()
		show(ctx, t, g.URL+"/ui/forms/contact")
		settled(ctx, t, "Forms")
	}
	inbox()
	reads(ctx, t, "the tab", "2 new")
	same(t, "new", "Bob, Ada", newPosts(ctx, t))

	vera := newVisitor(t, g)
	vera.logIn("vera", "only looking around")
	if code, _, _ := vera.do("GET", "/ui/forms/contact?post="+ada, nil, "Sec-Purpose", "prefetch"); code != http.StatusOK {
		t.Errorf("fetched ahead: %d", code)
	}
	inbox()
	same(t, "after it was fetched ahead", "Bob, Ada", newPosts(ctx, t))
	if _, _, page := vera.do("GET", "/ui/forms/contact?post="+ada, nil); strings.Contains(page, "Mark as new") {
		t.Error("a viewer is offered to act")
	}
	inbox()
	same(t, "after a viewer read it", "Bob", newPosts(ctx, t))
	press(ctx, t, ".mails a")
	reads(ctx, t, "it is read", "Mark as new")
	same(t, "after it was opened", "", newPosts(ctx, t))
	press(ctx, t, `[data-key="u"]`)
	reads(ctx, t, "what was done", "The post is new again.", "1 new")
	same(t, "after it was marked", "Bob", newPosts(ctx, t))

	has(t, "forms posts", g.MustCLI("forms", "posts", "contact"), "● ", "Bob")
	same(t, "forms read", ada+" new\n", g.MustCLI("forms", "read", "--undo", ada))
	same(t, "forms read", bob+" read\n", g.MustCLI("forms", "read", bob))
	has(t, "forms list", g.MustCLI("forms", "list"), "NEW")
	inbox()
	same(t, "after the command line", "Ada", newPosts(ctx, t))
	if got := g.CLI("forms", "read", g.Accepted(g.PostJSON("/in/sitejet/0123456789abcdef", []byte(donePayload)))); got.Code == 0 || !strings.Contains(got.Stderr, "is no form post") {
		t.Errorf("of no post: %+v", got)
	}
	if code, _, _ := vera.do("GET", "/ui/forms/contact?post=evt_0000000000000", nil); code != http.StatusNotFound {
		t.Errorf("of no post: %d", code)
	}
}
