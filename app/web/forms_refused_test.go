package web_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/app/web"
)

// Who fills in the trap must not be able to tell.
func TestHoneypotLooksLikeSuccess(t *testing.T) {
	t.Parallel()
	f := start(t)
	headers := []string{"Content-Type", urlencoded, "Accept", "text/html", "Origin", diner}
	clean := f.do("POST", "/f/contact", "name=Ada", headers...)
	spam := f.do("POST", "/f/contact", "name=Ada&_gotcha=http%3A%2F%2Fspam.example", headers...)
	empty := f.do("POST", "/f/contact", "_gotcha=x", headers...)
	for _, a := range []answer{clean, spam, empty} {
		a.header.Del("Date")
	}
	if diff := cmp.Diff(clean, spam, cmp.AllowUnexported(answer{})); diff != "" {
		t.Errorf("spam is answered differently:\n%s", diff)
	}
	if diff := cmp.Diff(clean, empty, cmp.AllowUnexported(answer{})); diff != "" {
		t.Errorf("spam without the required fields is answered differently:\n%s", diff)
	}
}

// Promise: T6.
func TestFormOrigins(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *web.Config) { c.Settings.PublicURL = "https://hooks.agency.example/" })
	for _, c := range []struct {
		origin string
		status int
		cors   string
	}{
		{diner, 200, diner},
		{"", 200, ""},
		{"https://hooks.agency.example", 200, ""}, // the page that shows the problems
		{"https://evil.example", 403, ""},
		{"http://harrys-diner.example", 403, ""},
		{diner + ":8443", 403, ""},
		{diner + ".evil.example", 403, ""},
		{"null", 403, ""},
	} {
		headers := []string{"Content-Type", urlencoded, "Accept", "application/json"}
		if c.origin != "" {
			headers = append(headers, "Origin", c.origin)
		}
		got := f.do("POST", "/f/contact", "name=Ada", headers...)
		if got.status != c.status || got.header.Get("Access-Control-Allow-Origin") != c.cors {
			t.Errorf("origin %q: %d, allowed %q", c.origin, got.status, got.header.Get("Access-Control-Allow-Origin"))
		}
	}
	if n := len(f.intake.taken()); n != 3 {
		t.Errorf("%d posts reached the intake", n)
	}
}

func TestFormPreflight(t *testing.T) {
	t.Parallel()
	f := start(t)
	for origin, want := range map[string]string{diner: diner, "https://evil.example": ""} {
		got := f.do("OPTIONS", "/f/contact", "", "Origin", origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "baggage,content-type,sentry-trace")
		if got.status != 204 || got.header.Get("Access-Control-Allow-Origin") != want {
			t.Errorf("%s: %d, allowed %q", origin, got.status, got.header.Get("Access-Control-Allow-Origin"))
		}
		if methods := got.header.Get("Access-Control-Allow-Methods"); (methods != "") != (want != "") {
			t.Errorf("%s: methods %q", origin, methods)
		}
		if headers := got.header.Get("Access-Control-Allow-Headers"); strings.HasSuffix(headers, ", baggage, sentry-trace") != (want != "") {
			t.Errorf("%s: headers %q", origin, headers)
		}
	}
	// The browser says nothing to anybody: the log and the counter do.
	if got := f.refused(); got != "preflight_refused" {
		t.Errorf("counted as %q", got)
	}
	if log := f.log.String(); strings.Count(log, "preflight_refused") != 1 || !strings.Contains(log, "origin=https://evil.example") || !strings.Contains(log, "not among the form's origins") {
		t.Errorf("logged %s", log)
	}
}

// A page that hides its origin is refused, and the log says what it is.
func TestFormNullOrigin(t *testing.T) {
	t.Parallel()
	f := start(t)
	if got := f.do("POST", "/f/contact", "name=Ada", "Content-Type", urlencoded, "Origin", "null"); got.status != 403 {
		t.Errorf("%d", got.status)
	}
	if log := f.log.String(); !strings.Contains(log, "no-referrer") {
		t.Errorf("logged %s", log)
	}
}

// A page whose form lacks enctype posts names of files. Its visitor can do
// nothing about it; its owner reads the log.
func TestFormWithoutEnctype(t *testing.T) {
	t.Parallel()
	f := start(t)
	got := f.do("POST", "/f/apply", "cv=cv.pdf", "Content-Type", urlencoded, "Accept", "application/json")
	if got.status != 422 || !strings.Contains(got.body, "TYPE_FILE") || f.refused() != "invalid" {
		t.Errorf("%d %s, counted as %q", got.status, got.body, f.refused())
	}
	if log := f.log.String(); !strings.Contains(log, "multipart/form-data") || !strings.Contains(log, "field=cv") || !strings.Contains(log, "source=apply") {
		t.Errorf("logged %s", log)
	}
	g := start(t)
	if got := g.do("POST", "/f/contact", "name=", "Content-Type", urlencoded); got.status != 422 || g.log.String() != "" {
		t.Errorf("%d; an empty field is nobody's fault: %s", got.status, g.log.String())
	}
}

func TestFormRefusals(t *testing.T) {
	t.Parallel()
	f := start(t)
	for _, c := range []struct {
		name, method, path, accept string
		status                     int
		contains                   string
	}{
		{"unknown form, page", "POST", "/f/nothing", "text/html", 404, "There is no such form"},
		{"unknown form, JSON", "POST", "/f/nothing", "application/json", 404, `"status":404`},
		{"GET", "GET", "/f/home", "text/html", 405, "Hier gibt es nichts zu sehen"},
		{"PUT", "PUT", "/f/contact", "application/json", 405, `"status":405`},
		{"other case", "POST", "/f/Contact", "text/html", 404, "There is no such form"},
	} {
		got := f.do(c.method, c.path, "name=Ada", "Content-Type", urlencoded, "Accept", c.accept)
		if got.status != c.status || !strings.Contains(got.body, c.contains) {
			t.Errorf("%s: %d %s", c.name, got.status, got.body)
		}
		allow := "POST, OPTIONS"
		if c.path == "/f/contact" {
			allow = "GET, HEAD, " + allow
		}
		if c.status == 405 && got.header.Get("Allow") != allow {
			t.Errorf("%s: Allow %q", c.name, got.header.Get("Allow"))
		}
	}
}

// Promise: T6.
func TestFormRateLimit(t *testing.T) {
	t.Parallel()
	clock := newClock()
	f := start(t, func(c *web.Config) { c.Now = clock.now })
	post := func() answer {
		return f.do("POST", "/f/home", "a=b", "Content-Type", urlencoded, "Accept", "application/json")
	}
	for i := range 3 {
		if got := post(); got.status != 200 {
			t.Fatalf("post %d: %d", i+1, got.status)
		}
	}
	got := post()
	if got.status != 429 || got.header.Get("Retry-After") != "20" {
		t.Fatalf("the fourth post: %d, Retry-After %q", got.status, got.header.Get("Retry-After"))
	}
	if got := f.do("POST", "/f/contact", "name=a", "Content-Type", urlencoded); got.status != 303 {
		t.Errorf("another form: %d", got.status)
	}
	clock.advance(20)
	if got := post(); got.status != 200 {
		t.Errorf("after the wait: %d", got.status)
	}
	if got := post(); got.status != 429 {
		t.Errorf("right after that: %d", got.status)
	}
}
