package e2e

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
)

var assetLink = regexp.MustCompile(`(?:href|src)="(/ui/static/[^"]+)"`)

// A page weighs at most 120 kB over the wire with all that it needs, and 30 kB once the
// browser has that. Break: send pages as they are.
func TestUIWeight(t *testing.T) {
	t.Parallel()
	const first, later = 120_000, 30_000 // bytes
	var status atomic.Int32
	status.Store(http.StatusUnprocessableEntity)
	g := startUI(t, &status)
	id := ""
	for i := range 60 {
		id = g.Accepted(g.PostJSON("/in/sitejet/0123456789abcdef", fmt.Appendf(nil, `{"previousStatus":"Publish","website":{"id":%d,"title":"Harry's Diner %d","status":"Done","text":%q}}`, i, i, strings.Repeat("some words of a site, ", 50))))
	}
	g.Settled(id)
	post := ""
	for i := range 60 {
		post = written(t, g, "name", fmt.Sprintf("Ada %d", i), "message", strings.Repeat("We need a new site. ", 20))
	}
	team := newVisitor(t, g)
	team.logIn("team", "correct horse battery")
	fetch := func(path string) (int, string) { // what goes over the wire
		_, header, body := team.do("GET", path, nil, "Accept-Encoding", "gzip")
		if size := len(body); header.Get("Content-Encoding") == "gzip" || size < 1024 {
			return size, header.Get("Cache-Control")
		}
		t.Errorf("%s is not compressed", path)
		return len(body), header.Get("Cache-Control")
	}
	for _, path := range []string{
		"", "start", "events", "events/" + id, "events/" + id + "?tab=payload", "deliveries", "deliveries?state=failed", "scheduled", "digests", "tables",
		"forms/contact", "forms/contact?post=" + post, "forms/contact/spam", "forms/contact/fields", "forms/contact/all", "forget", "connections", "rules", "routes", "playground", "config", "config/change", "config/versions",
	} {
		page, _ := fetch("/ui/" + path)
		whole := page
		_, _, text := team.do("GET", "/ui/"+path, nil)
		for _, link := range assetLink.FindAllStringSubmatch(text, -1) {
			size, cache := fetch(link[1])
			if !strings.Contains(cache, "immutable") {
				t.Errorf("%s is asked for each time: %q", link[1], cache)
			}
			whole += size
		}
		t.Logf("%-40s %6d %6d", path, whole, page)
		if whole > first || page > later || whole-page < 10_000 {
			t.Errorf("/ui/%s weighs %d bytes at first, and %d later", path, whole, page)
		}
	}
}
