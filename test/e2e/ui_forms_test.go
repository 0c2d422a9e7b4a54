package e2e

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
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

// What was written stands beside who wrote it, and is searched; what forms got, and what
// their fields hold, have pages of their own.
func TestUIFormTabs(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusOK)
	g := startUI(t, &status)
	written(t, g, "name", "Ada", "message", "The second site")
	written(t, g, "name", "Bob", "message", "An apple tree")
	ctx := browser(t)
	logIn(ctx, t, g)
	show(ctx, t, g.URL+"/ui/forms/contact?q=apple")
	settled(ctx, t, "Forms")
	same(t, "found", "Bob", newPosts(ctx, t))
	show(ctx, t, g.URL+"/ui/forms/contact?q=pear")
	settled(ctx, t, "Forms")
	reads(ctx, t, "nothing found", "Nothing matches in this form", "2 posts were looked through")
	accessible(ctx, t, "an inbox in which nothing was found")
	show(ctx, t, g.URL+"/ui/forms/contact/fields")
	settled(ctx, t, "Forms")
	reads(ctx, t, "the fields", "message", "An apple tree", "2 were looked at")
	accessible(ctx, t, "the fields of a form")
	show(ctx, t, g.URL+"/ui/forms/contact/all")
	settled(ctx, t, "Forms")
	reads(ctx, t, "all forms", "contact", "/f/contact", "2 new")
	accessible(ctx, t, "all forms")
}

// What visitors sent along is listed with its post, and downloaded; the form's HTML is
// that of the command, in the language that was asked for, without a script too.
func TestUIFormFiles(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusOK)
	g := startUI(t, &status)
	ctx := browser(t)
	unscripted(ctx, t)
	logIn(ctx, t, g)
	show(ctx, t, g.URL+"/ui/forms/contact/files")
	settled(ctx, t, "Forms")
	reads(ctx, t, "no files", "No files")
	post := attached(t, g, "Ada")
	show(ctx, t, g.URL+"/ui/forms/contact/files")
	settled(ctx, t, "Forms")
	reads(ctx, t, "the files", "Größe b.pdf", "Kept until")
	same(t, "how many", "1", ask(ctx, t, chromedp.Evaluate[string](`document.querySelector("nav.tabs a[href$='/files'] .n").textContent`)))
	link := ask(ctx, t, chromedp.Evaluate[string](`document.querySelector("main td a[download]").getAttribute("href")`))
	same(t, "its post", "/ui/forms/contact?post="+post+"#read", ask(ctx, t, chromedp.Evaluate[string](`document.querySelector("main td.c1 a").getAttribute("href")`)))
	has(t, "forms files", g.MustCLI("forms", "files", "contact"), "Größe b.pdf", "application/pdf", post, strings.TrimPrefix(link, "/ui/files/"))
	show(ctx, t, g.URL+"/ui/forms/contact/snippet?kind=fetch&lang=de")
	settled(ctx, t, "Forms")
	code := ask(ctx, t, chromedp.Evaluate[string](`document.querySelector("main pre").textContent`))
	same(t, "the snippet", g.MustCLI("forms", "snippet", "contact", "--fetch", "--lang", "de"), code)
	show(ctx, t, g.URL+"/ui/forms/contact/snippet?kind=cf7")
	settled(ctx, t, "Forms")
	reads(ctx, t, "of another builder", "form builder")
	show(ctx, t, g.URL+"/ui/forms/contact/snippet?kind=none&lang=tlh")
	settled(ctx, t, "Forms")
	reads(ctx, t, "no such language", "there is no language")
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
	reads(ctx, t, "the excerpts", "Hello", "Hi")
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

// attached posts the contact form with a file, and gives the number of the post.
func attached(t *testing.T, g *lab.Gate, name string) string {
	t.Helper()
	body := "--B\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\n" + name + "\r\n" +
		"--B\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\n" + name + "@example.com\r\n" +
		"--B\r\nContent-Disposition: form-data; name=\"brief\"; filename=\"Größe <b>.pdf\"\r\n\r\n%PDF-1.7 of " + name + "\r\n--B--\r\n"
	r := g.Do("POST", "/f/contact", []byte(body), "Content-Type", "multipart/form-data; boundary=B", "Accept", "application/json")
	if r.Status != http.StatusOK {
		t.Fatalf("the post: %d %s", r.Status, r.Body)
	}
	answer, _ := value(t, []byte(r.Body)).(map[string]any)
	id, _ := answer["id"].(string)
	return id
}

// The files of a post are saved and never shown; what a form got is downloaded as
// the command line writes it, for the days that are asked for.
//
// Promise: T7.
func TestUIFilesAndExport(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusOK)
	g := startUI(t, &status)
	id := attached(t, g, "ada")
	written(t, g, "name", "=1+1", "message", "Hi; there")
	vera := newVisitor(t, g)
	vera.logIn("vera", "only looking around")
	_, _, page := vera.do("GET", "/ui/forms/contact?post="+id, nil)
	link := regexp.MustCompile(`href="(/ui/files/fil_[^"]+)"`).FindStringSubmatch(page)
	has(t, "the post", page, "Größe", "PDF, 15 B")
	if link == nil {
		t.Fatal("the post has no link to its file")
	}
	code, header, content := vera.do("GET", link[1], nil)
	same(t, "the file", "%PDF-1.7 of ada", content)
	has(t, "how it comes", header.Get("Content-Disposition"), "attachment")
	if code != http.StatusOK || header.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("the file: %d %v", code, header)
	}
	if code, _, _ := newVisitor(t, g).do("GET", link[1], nil); code != http.StatusSeeOther {
		t.Errorf("the file, without a session: %d", code)
	}
	if code, _, _ := vera.do("GET", "/ui/files/fil_nothing", nil); code != http.StatusNotFound {
		t.Errorf("no file: %d", code)
	}

	_, _, page = vera.do("GET", "/ui/forms/contact/export", nil)
	has(t, "the export's page", page, "There are posts", "Europe/Berlin")
	for _, c := range []struct{ query, arguments, name string }{
		{"format=csv", "", "contact.csv"},
		{"format=csv%3B", "--delimiter=;", "contact.csv"},
		{"format=xlsx", "--format=xlsx", "contact.xlsx"},
	} {
		_, header, got := vera.do("GET", "/ui/forms/contact/export/file?since=&until=&"+c.query, nil)
		has(t, c.query, header.Get("Content-Disposition"), `attachment; filename="`+c.name+`"`)
		arguments := append([]string{"forms", "export", "contact"}, strings.Fields(c.arguments)...)
		if want := g.MustCLI(arguments...); got != want {
			t.Errorf("%s: the page has %.300q, the command line %.300q", c.query, got, want)
		}
	}
	_, header, got := vera.do("GET", "/ui/forms/contact/export/file?format=csv&since=2020-01-01&until=2020-12-31", nil)
	has(t, "the name of a part", header.Get("Content-Disposition"), "contact-2020-01-01-2020-12-31.csv")
	if strings.Count(got, "\n") != 1 {
		t.Errorf("a year without posts: %q", got)
	}
	for path, want := range map[string]int{
		"contact/export/file?since=yesterday": http.StatusBadRequest, "contact/export/file?format=exe": http.StatusBadRequest,
		"nothing/export/file": http.StatusNotFound, "nothing/export": http.StatusNotFound,
	} {
		if code, _, _ := vera.do("GET", "/ui/forms/"+path, nil); code != want {
			t.Errorf("%s: %d, want %d", path, code, want)
		}
	}
}

// An operator deletes a post after a page that asks, and all of a person after one
// that counts; both have their number in the list. The address is in no URL.
func TestUIForget(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusOK)
	g := startUI(t, &status)
	bob := written(t, g, "name", "Bob", "email", "bob@example.com")
	attached(t, g, "ada")
	ada := written(t, g, "name", "Ada", "email", "ada@example.com", "message", "Hello")
	lab.Eventually(t, "all were delivered", func() bool { return len(g.Deliveries("--state", "delivered")) == 3 })
	ctx := browser(t)
	logIn(ctx, t, g)
	show(ctx, t, g.URL+"/ui/forms/contact?post="+bob+"#read")
	settled(ctx, t, "Forms")
	press(ctx, t, `a[href$="/delete"]`)
	settled(ctx, t, "Delete this post")
	reads(ctx, t, "what goes", "Bob", bob, "1 delivery", "0 files")
	press(ctx, t, "button.pri")
	reads(ctx, t, "what was done", "The post is deleted. This deletion has the number aud_")
	if got := g.CLI("events", "show", bob); got.Code != 5 {
		t.Errorf("the post is still there: %+v", got)
	}

	show(ctx, t, g.URL+"/ui/forms/contact?post="+ada+"#read")
	settled(ctx, t, "Forms")
	press(ctx, t, `form[action="/ui/forget"] button`)
	settled(ctx, t, "Delete a person")
	reads(ctx, t, "what would go", "What would go", "ada@example.com", "contact: 2")
	same(t, "the address of the page", g.URL+"/ui/forget", ask(ctx, t, chromedp.Location()))
	if n := len(g.Events()); n != 2 {
		t.Errorf("looking leaves %d posts", n)
	}
	accessible(ctx, t, "what would go")
	press(ctx, t, "button.pri")
	reads(ctx, t, "what was done", "Deleted: 2 events, 2 deliveries, 1 file, 0 records.", "one post", "a person", "team")
	if n := len(g.Events()); n != 0 {
		t.Errorf("%d posts are left", n)
	}
	accessible(ctx, t, "the deletions")
	has(t, "forms forgotten", g.MustCLI("forms", "forgotten"), "one post", "team")

	// Nobody is asked about, or has no address.
	team := newVisitor(t, g)
	team.logIn("team", "correct horse battery")
	if code, _, page := team.do("POST", "/ui/forget", url.Values{"csrf": {team.csrf()}, "address": {"nobody"}}); code != http.StatusBadRequest || !strings.Contains(page, "address") {
		t.Errorf("no address: %d", code)
	}
	if _, _, page := team.do("POST", "/ui/forget", url.Values{"csrf": {team.csrf()}, "address": {"eve@example.com"}}); !strings.Contains(page, "Nothing is stored under this address.") {
		t.Error("of a stranger something is stored")
	}
	first := g.MustCLI("forms", "forgotten", "--limit", "1")
	if strings.Count(first, "aud_") != 1 {
		t.Errorf("one deletion: %s", first)
	}
	_, _, list := team.do("GET", "/api/v1/forget?limit=1", nil, "Authorization", basicOf("team", "correct horse battery"))
	next := regexp.MustCompile(`"next":"(aud_[^"]+)"`).FindStringSubmatch(list)
	if next == nil {
		t.Fatalf("the list does not go on: %s", list)
	}
	if _, _, page := team.do("GET", "/ui/forget?before="+next[1], nil); !strings.Contains(page, "one post") || strings.Contains(page, "a person</td>") {
		t.Error("the next page of the list is another one")
	}
	if code, _, _ := team.do("GET", "/ui/forget?before=%21", nil); code != http.StatusNotFound {
		t.Errorf("no page: %d", code)
	}
}
