package forms_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/forms"
)

func TestForm_AllowsOrigin(t *testing.T) {
	t.Parallel()
	const listed = "fields: any\norigins: ['https://Harrys-Diner.example/', 'http://localhost:8000', 'https://bücher.example:443', 'http://[::1]:8080']"
	const own = "https://hooks.agency.example/some/path"
	for _, c := range []struct {
		config, origin, own string
		want                bool
	}{
		{listed, "https://harrys-diner.example", own, true},
		{listed, "HTTPS://HARRYS-DINER.EXAMPLE", own, true},
		{listed, "http://localhost:8000", own, true},
		{listed, "https://xn--bcher-kva.example", own, true},
		{listed, "http://[::1]:8080", own, true},
		{listed, "", own, true},
		{listed, "https://hooks.agency.example", own, true},
		{listed, "https://hooks.agency.example", "", false},
		{listed, "null", own, false},
		{listed, "null", "", false},
		{listed, "http://harrys-diner.example", own, false},
		{listed, "https://harrys-diner.example:8443", own, false},
		{listed, "https://www.harrys-diner.example", own, false},
		{listed, "https://harrys-diner.example.evil.example", own, false},
		{listed, "https://evil-harrys-diner.example", own, false},
		{listed, "https://harrys-diner.example@evil.example", own, false},
		{listed, "https://harrys-diner.example, https://evil.example", own, false},
		{listed, "http://localhost", own, false},
		{listed, "http://localhost:80000000", own, false},
		{listed, "file://", own, false},
		{listed, "chrome-extension://abc", own, false},
		{listed, "%", own, false},
		{"fields: any", "https://anywhere.example", own, true},
		{"fields: any", "null", own, true},
		{"fields: any\norigins: ['null']", "null", own, true},
		{"fields: any\norigins: ['null']", "https://a.example", own, false},
	} {
		if got := mustCompile(t, c.config).AllowsOrigin(c.origin, c.own); got != c.want {
			t.Errorf("origin %q: %v, want %v", c.origin, got, c.want)
		}
	}
}

func TestForm_CORS(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, contact)
	const diner = "https://harrys-diner.example"
	vary := forms.Header{Name: "Vary", Value: "Origin"}
	allow := forms.Header{Name: "Access-Control-Allow-Origin", Value: diner}
	for origin, want := range map[string][]forms.Header{
		diner: {vary, allow}, "https://evil.example": {vary}, "null": {vary}, "": {vary},
	} {
		if diff := cmp.Diff(want, f.CORS(origin)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", origin, diff)
		}
	}
}

// A listed origin may set any header, for tracing scripts do it for the page's.
func TestForm_Preflight(t *testing.T) {
	t.Parallel()
	f, open := mustCompile(t, contact), mustCompile(t, "fields: any")
	const diner = "https://harrys-diner.example"
	many := strings.Repeat("x,", 200) + strings.Repeat("y1,y2,y3,y4,y5,y6,y7,", 40)
	for _, c := range []struct {
		form                  *forms.Form
		origin, method, asked string
		allowed, refused      string // a part of why
	}{
		{f, diner, "POST", "", "Accept, Content-Type, X-Requested-With", ""},
		{f, diner, "POST", "baggage,content-type,sentry-trace", "Accept, Content-Type, X-Requested-With, baggage, sentry-trace", ""},
		{f, diner, "POST", "traceparent, traceparent, bad header, a:b, ,\"", "Accept, Content-Type, X-Requested-With, traceparent", ""},
		{f, diner, "POST", many, "Accept, Content-Type, X-Requested-With, x, y1, y2, y3, y4, y5, y6, y7", ""},
		{f, diner, "PUT", "", "Accept, Content-Type, X-Requested-With", "POST"},
		{f, "https://evil.example", "POST", "baggage", "", "not among"},
		{f, "null", "POST", "", "", "no-referrer"},
		{f, "", "POST", "", "", ""},
		{f, "https://evil.example", "", "", "", ""},
		{open, diner, "POST", "content-type", "", "no origins"},
	} {
		headers, refused := c.form.Preflight(c.origin, c.method, c.asked)
		got := map[string]string{}
		for _, h := range headers {
			got[h.Name] = h.Value
		}
		if got["Access-Control-Allow-Headers"] != c.allowed || (refused == "") != (c.refused == "") || !strings.Contains(refused, c.refused) {
			t.Errorf("%q, %s, asks for %.60q: %v, refused %q", c.origin, c.method, c.asked, got, refused)
		}
		if want := c.allowed != ""; (got["Access-Control-Allow-Methods"] == "POST, OPTIONS") != want || (got["Access-Control-Allow-Origin"] != "") != want || got["Vary"] != "Origin" {
			t.Errorf("%q, %s: %v", c.origin, c.method, got)
		}
	}
}

func TestForm_Location(t *testing.T) {
	t.Parallel()
	const (
		site   = "https://a.example"
		two    = "fields: any\norigins: [https://a.example, https://b.example]\n"
		path   = two + "redirect: /danke\n"
		away   = two + "redirect: https://c.example/x?y=z#ä\n"
		open   = "fields: any\nredirect: /danke\n"
		plain  = "fields: any\n"
		hidden = "fields: any\norigins: ['null']\nredirect: /danke"
	)
	for _, c := range []struct{ config, next, origin, referer, want string }{
		{plain, "", "", "", ""},
		{two, "", site, "", ""},
		{path, "", "https://b.example", "https://a.example/x", "https://b.example/danke"},
		{path, "", "", "https://b.example/contact?x", "https://b.example/danke"},
		{path, "", "", "", "https://a.example/danke"},
		{path, "", "null", "https://evil.example/", "https://a.example/danke"},
		{open, "", "https://any.example", "", "https://any.example/danke"},
		{open, "", "", "https://any.example/contact?x", "https://any.example/danke"},
		{open, "", "any.example\r\n", "file:///x", "/danke"},
		{open, "https://evil.example/x", "https://any.example", "", "https://any.example/danke"},
		{plain, "/mine", "https://any.example", "", "https://any.example/mine"},
		{hidden, "", "null", "", "/danke"},
		{away, "", site, "", "https://c.example/x?y=z#%C3%A4"},
		{away, "/mine", "", "", "https://c.example/mine"},
		{away, "https://c.example/other", site, "", "https://c.example/other"},
		{path, "/mine?a=b", site, "", "https://a.example/mine?a=b"},
		{path, "https://b.example", site, "", "https://b.example/"},
		{path, "https://b.example?x", site, "", "https://b.example/?x"},
		{path, "HTTPS://B.example/Y", site, "", "https://b.example/Y"},
		{path, "https://b.example//evil.example", site, "", "https://b.example//evil.example"},
		{two, "/mine", "", "", "https://a.example/mine"},
		{plain, "/mine", "", "", "/mine"},
		// What is not allowed is ignored.
		{path, "https://evil.example/", site, "", "https://a.example/danke"},
		{path, "//evil.example", site, "", "https://a.example/danke"},
		{path, "/\\evil.example", site, "", "https://a.example/danke"},
		{path, "\\\\evil.example", site, "", "https://a.example/danke"},
		{path, "/\t/evil.example", site, "", "https://a.example/danke"},
		{path, "/x\r\nSet-Cookie: a=b", site, "", "https://a.example/danke"},
		{path, "https:evil.example", site, "", "https://a.example/danke"},
		{path, "https:///evil.example", site, "", "https://a.example/danke"},
		{path, "https://a.example@evil.example/", site, "", "https://a.example/danke"},
		{path, "https://a.example\\@evil.example/", site, "", "https://a.example/danke"},
		{path, "javascript:alert(1)", site, "", "https://a.example/danke"},
		{path, "data:text/html,x", site, "", "https://a.example/danke"},
		{path, "mine.html", site, "", "https://a.example/danke"},
		{path, "http://a.example/x", site, "", "https://a.example/danke"},
		{plain, "https://anywhere.example/", "", "", ""},
	} {
		f := mustCompile(t, c.config)
		for _, name := range []string{"_next", "_redirect", "redirect"} {
			r := f.Submit(fields(name, c.next))
			if got := f.Location(r, c.origin, c.referer); got != c.want {
				t.Errorf("%s %q, origin %q, referer %q: %q, want %q", name, c.next, c.origin, c.referer, got, c.want)
			}
		}
	}
}
