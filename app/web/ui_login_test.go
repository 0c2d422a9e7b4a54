package web_test

import (
	"net/url"
	"strings"
	"testing"
)

// Who acts on a page without a session logs in and is back on that page, as far as it
// is one of ours: what a Referer says leads nowhere else. Break: take the Referer's
// path from whatever host, or leave the ".." in localPath.
//
// Promise: T13.
func TestPages_backAfterLogin(t *testing.T) {
	t.Parallel()
	f := start(t, withAdmin)
	here := "http://" + f.addr
	for _, c := range []struct{ method, referer, to string }{
		{"POST", here + "/ui/connections", "/ui/connections"},
		{"POST", here + "/ui/events?q=state%3Aspam&x=%2F#part", "/ui/events?q=state%3Aspam&x=%2F"},
		{"POST", here + "/ui/tables/a%20b", "/ui/tables/a%20b"},
		{"POST", "", "/ui/"},
		{"POST", here, "/ui/"},
		{"POST", here + "/ui/login/secret", "/ui/"},
		{"POST", here + "/in/open/fedcba9876543210", "/ui/"},
		{"POST", here + "/uix/", "/ui/"},
		{"POST", here + "/ui/../in/open/x", "/ui/"},
		{"POST", here + "/ui/%2e%2e/in/open/x", "/ui/"},
		{"POST", here + "/ui/x/.%2E/../in/open/x", "/ui/"},
		{"POST", here + "//evil.example/ui/", "/ui/"},
		{"POST", here + "@evil.example/ui/connections", "/ui/"},
		{"POST", here + ".evil.example/ui/connections", "/ui/"},
		{"POST", "https://evil.example/ui/connections", "/ui/"},
		{"POST", "//evil.example/ui/connections", "/ui/"},
		{"POST", "/ui/connections", "/ui/"},
		{"POST", `\\evil.example/ui/connections`, "/ui/"},
		{"POST", "javascript:alert(1)//" + f.addr + "/ui/", "/ui/"},
		{"POST", "http://%zz/ui/", "/ui/"},
		{"GET", here + "/ui/connections", "/ui/deliveries/retry?cause=1"},
	} {
		got := f.do(c.method, "/ui/deliveries/retry?cause=1", "", "Referer", c.referer)
		if want := "/ui/login?to=" + url.QueryEscape(c.to); got.status != 303 || got.header.Get("Location") != want {
			t.Errorf("%s from %q: %d to %q, want %q", c.method, c.referer, got.status, got.header.Get("Location"), want)
		}
	}
	for _, to := range []string{"https://evil.example/", "//evil.example/ui/", "/ui//../..//evil.example", `/ui/\evil.example`, "/ui/%2e%2e/in/x", "/ui/../login", "/ui/login"} {
		got := f.do("GET", "/ui/login?to="+url.QueryEscape(to), "")
		if want := `name="to" value="/ui/"`; got.status != 200 || !strings.Contains(got.body, want) {
			t.Errorf("to %q: %d, the page lacks %s", to, got.status, want)
		}
	}
}
