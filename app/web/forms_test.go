package web_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/app/web"
	"hookgate/forms"
	"hookgate/internal/body"
	"hookgate/internal/event"
)

const (
	urlencoded = "application/x-www-form-urlencoded"
	diner      = "https://harrys-diner.example"
)

func TestFormPage(t *testing.T) {
	t.Parallel()
	f := start(t)
	got := f.do("POST", "/f/contact", "name=Ada&email=ada%40example.com", "Content-Type", urlencoded,
		"Origin", diner, "Referer", diner+"/contact", "Accept", "text/html", "Cookie", "a=b", "User-Agent", "Firefox")
	if want := "contact/thanks?lang=en&ref=" + firstID.String(); got.status != 303 || got.header.Get("Location") != want {
		t.Fatalf("got %d to %q, want 303 to %s", got.status, got.header.Get("Location"), want)
	}
	if allowed := got.header.Get("Access-Control-Allow-Origin"); allowed != diner || got.header.Get("Vary") != "Origin" {
		t.Errorf("%q may read the answer", allowed)
	}
	kept := f.intake.taken()[0].Headers
	want := map[string]string{"content-type": urlencoded, "user-agent": "Firefox", "origin": diner, "referer": diner + "/contact"}
	if diff := cmp.Diff(want, kept); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}

	got = f.do("GET", "/f/"+got.header.Get("Location"), "", "Referer", diner+"/contact")
	if got.status != 200 || !strings.Contains(got.body, firstID.String()) || !strings.Contains(got.body, diner+"/contact") {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	for name, want := range map[string]string{
		"Content-Type": "text/html; charset=utf-8", "X-Content-Type-Options": "nosniff",
		"Cache-Control": "no-store",
	} {
		if got := got.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if policy := got.header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("policy %q", policy)
	}
	for _, address := range []string{"/f/contact/thanks", "/f/contact/thanks?ref=%3Cscript%3E"} {
		if got := f.do("GET", address, "", "Accept-Language", "de"); got.status != 200 || !strings.Contains(got.body, "Vielen Dank") || strings.Contains(got.body, "script") {
			t.Errorf("%s: got %d %s", address, got.status, got.body)
		}
	}
	if got := f.do("GET", "/f/nothing/thanks", ""); got.status != 404 {
		t.Errorf("thanks for no form: %d", got.status)
	}
}

// A form has a page of its own, unless it takes any fields.
func TestFormHosted(t *testing.T) {
	t.Parallel()
	f := start(t)
	got := f.do("GET", "/f/contact?lang=de", "", "Accept-Language", "en")
	if got.status != 200 || !strings.Contains(got.body, `action="contact"`) || !strings.Contains(got.body, `lang="de"`) || strings.Contains(got.body, "novalidate") {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if head := f.do("HEAD", "/f/contact", ""); head.status != 200 || head.body != "" {
		t.Errorf("HEAD: %d %q", head.status, head.body)
	}
}

// A form that wants to know how long a visitor took gives its pages a token:
// its own page, the websites' by a script, and programs by JSON.
func TestFormStarted(t *testing.T) {
	t.Parallel()
	clock := newClock()
	f := start(t, func(c *web.Config) { c.Now, c.FormKey = clock.now, []byte("key") })
	script := f.do("GET", "/f/timed/started.js", "")
	if script.status != 200 || !strings.Contains(script.body, `[data-form=\"timed\"]`) || script.header.Get("Content-Type") != "text/javascript; charset=utf-8" ||
		script.header.Get("Cross-Origin-Resource-Policy") != "cross-origin" || script.header.Get("Cache-Control") != "no-store" {
		t.Errorf("script: %d %v %s", script.status, script.header, script.body)
	}
	token := f.do("GET", "/f/timed/started", "", "Origin", diner)
	var got map[string]string
	if err := json.Unmarshal([]byte(token.body), &got); err != nil || token.header.Get("Access-Control-Allow-Origin") != diner || !strings.Contains(script.body, got["_started"]) {
		t.Errorf("token: %v %s", err, token.body)
	}
	page := f.do("GET", "/f/timed", "")
	problems := f.do("POST", "/f/timed", "name=", "Content-Type", urlencoded, "Accept", "text/html")
	for _, a := range []answer{page, problems} {
		if !strings.Contains(a.body, `name="_started" value="`+got["_started"]+`"`) {
			t.Errorf("%d: the page has no token: %s", a.status, a.body)
		}
	}
	// A page that had one keeps it: the time runs from the first sight.
	clock.advance(5)
	again := f.do("POST", "/f/timed", "name=&_started="+got["_started"], "Content-Type", urlencoded, "Accept", "text/html")
	if strings.Count(again.body, "_started") != 1 || !strings.Contains(again.body, got["_started"]) {
		t.Errorf("the token is not kept: %s", again.body)
	}
	for _, path := range []string{"/f/contact/started", "/f/contact/started.js", "/f/nothing/started"} {
		if got := f.do("GET", path, ""); got.status != 404 {
			t.Errorf("%s: %d", path, got.status)
		}
	}
}

func TestFormRedirect(t *testing.T) {
	t.Parallel()
	f := start(t)
	got := f.do("POST", "/f/home", "name=Ada", "Content-Type", urlencoded, "Origin", diner)
	if got.status != 303 || got.header.Get("Location") != diner+"/thanks" {
		t.Errorf("got %d, Location %q", got.status, got.header.Get("Location"))
	}
	got = f.do("POST", "/f/home", "_next=https%3A%2F%2Fevil.example%2F", "Content-Type", urlencoded, "Origin", diner)
	if got.header.Get("Location") != diner+"/thanks" {
		t.Errorf("a post can lead to %q", got.header.Get("Location"))
	}
}

func TestFormJSON(t *testing.T) {
	t.Parallel()
	f := start(t)
	got := f.do("POST", "/f/contact", `{"name":"Ada"}`, "Content-Type", "application/json", "Origin", diner)
	if got.status != 200 || got.body != `{"ok":true,"id":"`+firstID.String()+`"}` || got.header.Get("Content-Type") != "application/json" {
		t.Errorf("got %d %s", got.status, got.body)
	}
	got = f.do("POST", "/f/contact", "email=x", "Content-Type", urlencoded, "Accept", "application/json", "Origin", diner)
	var a forms.Answer
	if err := json.Unmarshal([]byte(got.body), &a); err != nil || got.status != 422 || got.header.Get("Content-Type") != "application/problem+json" {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	var fields []string
	for _, e := range a.Errors {
		fields = append(fields, e.Field)
	}
	if diff := cmp.Diff([]string{"name", "email"}, fields); diff != "" || a.Status != 422 {
		t.Errorf("problems of %v, status %d", fields, a.Status)
	}
}

// A script that names no type in Accept can read no page, and no redirect.
func TestFormScript(t *testing.T) {
	t.Parallel()
	f := start(t)
	script := []string{"Content-Type", urlencoded, "Origin", diner, "Accept", "*/*", "Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty"}
	for post, want := range map[string]int{"name=Ada": 200, "name=": 422} {
		got := f.do("POST", "/f/contact", post, script...)
		if got.status != want || !strings.HasSuffix(got.header.Get("Content-Type"), "json") || got.header.Get("Access-Control-Allow-Origin") != diner {
			t.Errorf("%s: %d %v", post, got.status, got.header)
		}
	}
	browser := []string{"Content-Type", urlencoded, "Origin", diner, "Accept", "text/html,*/*;q=0.8", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}
	if got := f.do("POST", "/f/contact", "name=", browser...); got.status != 422 || !strings.HasPrefix(got.header.Get("Content-Type"), "text/html") {
		t.Errorf("a browser: %d %v", got.status, got.header)
	}
}

func TestFormProblemsKeepValues(t *testing.T) {
	t.Parallel()
	f := start(t)
	got := f.do("POST", "/f/contact", `email=%22%3E%3Cscript%3E`, "Content-Type", urlencoded, "Accept", "text/html", "Accept-Language", "de-AT")
	if got.status != 422 || !strings.Contains(got.body, `action="contact"`) || !strings.Contains(got.body, `lang="de"`) {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if !strings.Contains(got.body, "&#34;&gt;&lt;script&gt;") || strings.Contains(got.body, "<script") {
		t.Errorf("the value is not kept, or not escaped: %s", got.body)
	}
}

func TestFormAnswersForTheIntake(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err    error
		status int
		retry  string
		detail string
	}{
		{&body.Error{Status: 415, Message: "this Content-Type is not read"}, 415, "", "this Content-Type is not read"},
		{&body.Error{Status: 413, Message: "too large"}, 413, "", "At most 1 MB can be sent."},
		{&body.Error{Status: 413, Message: "too many", Limit: 1000, Counted: true}, 413, "", "The form has more than 1000 fields."},
		{event.ErrUnavailable, 503, "5", ""},
		{errors.New("SELECT secret"), 500, "", ""},
	} {
		f := start(t)
		f.intake.answer(f.intake.ack, c.err)
		for _, accept := range []string{"application/json", "text/html"} {
			got := f.do("POST", "/f/contact", "name=Ada", "Content-Type", urlencoded, "Accept", accept)
			if got.status != c.status || got.header.Get("Retry-After") != c.retry || !strings.Contains(got.body, c.detail) || strings.Contains(got.body, "SELECT") {
				t.Errorf("%v, %s: %d, Retry-After %q: %s", c.err, accept, got.status, got.header.Get("Retry-After"), got.body)
			}
		}
	}
}
