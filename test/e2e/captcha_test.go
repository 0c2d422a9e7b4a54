package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"hookgate/test/fakeslack"
	"hookgate/test/lab"
)

// vendor is a captcha's vendor: it answers as the visitor's answer says.
type vendor struct {
	mu    sync.Mutex
	asked []string
}

func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	v.mu.Lock()
	v.asked = append(v.asked, r.PostForm.Encode())
	v.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	switch r.PostForm.Get("response") {
	case "person":
		_, _ = w.Write([]byte(`{"success":true,"challenge_ts":"2026-03-10T09:00:00Z","hostname":"harrys-diner.example"}`))
	case "robot":
		_, _ = w.Write([]byte(`{"success":false,"error-codes":["invalid-input-response"]}`))
	case "0.1", "0.5", "0.9":
		_, _ = fmt.Fprintf(w, `{"success":true,"score":%s,"action":"form"}`, r.PostForm.Get("response"))
	case "misconfigured":
		_, _ = w.Write([]byte(`{"success":false,"error-codes":["invalid-input-secret"]}`))
	default:
		w.WriteHeader(http.StatusBadGateway)
		_, _ = w.Write([]byte("<html>bad gateway</html>"))
	}
}

// A robot that fails the captcha sees what a person sees, and lands in spam; a
// vendor that is down, or a wrong secret, costs no lead.
//
// Promise: T6.
func TestCaptcha(t *testing.T) {
	t.Parallel()
	slack := fakeslack.New(t)
	v := &vendor{}
	server := &httptest.Server{Listener: lab.Listen(t), Config: &http.Server{Handler: v, ReadHeaderTimeout: time.Minute}}
	server.Start()
	t.Cleanup(server.Close)
	g := lab.Start(t, contact(slack.APIURL(), origin, generous+`    captcha: { type: turnstile, secret: the-secret-key, verify_url: "`+server.URL+`/verify" }
`))
	for i, c := range []struct{ answer, state, cause string }{
		{"person", "routed", ""},
		{"robot", "spam", "captcha: the answer was refused (invalid-input-response)"},
		{"misconfigured", "routed", `captcha not checked: the vendor says "invalid-input-secret"`},
		{"down", "routed", "captcha not checked: the vendor answered 502 with something else than a verdict"},
		{"", "spam", "captcha: no answer was sent"},
	} {
		r := g.Do(http.MethodPost, "/f/contact", fmt.Appendf(nil, "name=N%d&email=n%d%%40example.com&cf-turnstile-response=%s", i, i, c.answer), "Content-Type", formType, "Accept", "application/json")
		if r.Status != http.StatusOK {
			t.Errorf("%q: %d %s", c.answer, r.Status, r.Body)
		}
		e := g.Events()[0]
		same(t, "state of "+c.answer, c.state, e.State)
		same(t, "cause of "+c.answer, c.cause, e.Cause)
	}
	messages(t, slack, 3)
	v.mu.Lock()
	same(t, "what the vendor was asked first", "remoteip=127.0.0.1&response=person&secret=the-secret-key", v.asked[0])
	v.mu.Unlock()
	if strings.Contains(g.Stderr(), "the-secret-key") {
		t.Error("the secret is in the log")
	}
	spam := g.Events("--state", "spam")
	if len(spam) != 2 {
		t.Fatalf("%d spam", len(spam))
	}
	has(t, "notspam", g.MustCLI("forms", "notspam", spam[1].ID), spam[1].ID+" routed")
	messages(t, slack, 4)
	has(t, "what is said of a released one", g.MustCLI("events", "show", spam[1].ID), "released by hand; it was kept for: captcha: the answer was refused")
	if again := g.CLI("forms", "notspam", spam[1].ID); again.Code != 1 || !strings.Contains(again.Stderr, "nothing to release") {
		t.Errorf("released again: %+v", again)
	}
	has(t, "the list", g.MustCLI("forms", "list"), "contact", "POSTS", "SPAM")
}

// reCAPTCHA v3 refuses nobody: it gives a score, and the form decides. Without
// min_score that of a v3 key counts too, a v2 key has none.
func TestCaptcha_score(t *testing.T) {
	t.Parallel()
	slack := fakeslack.New(t)
	server := &httptest.Server{Listener: lab.Listen(t), Config: &http.Server{Handler: &vendor{}, ReadHeaderTimeout: time.Minute}}
	server.Start()
	t.Cleanup(server.Close)
	for settings, want := range map[string]map[string]string{
		"min_score: 0.6, ": {"0.9": "", "0.5": "captcha: the answer was refused (score 0.5, less than 0.6)", "person": "captcha not checked: the vendor gave no score: min_score needs keys of reCAPTCHA v3"},
		"":                 {"0.5": "", "0.1": "captcha: the answer was refused (score 0.1, less than 0.5)", "person": ""},
	} {
		g := lab.Start(t, contact(slack.APIURL(), origin, generous+`    captcha: { type: recaptcha, secret: the-secret-key, `+settings+`verify_url: "`+server.URL+`/verify" }
`))
		for answer, cause := range want {
			r := g.Do(http.MethodPost, "/f/contact", []byte("name=N"+answer+"&email=n%40example.com&g-recaptcha-response="+answer), "Content-Type", formType, "Accept", "application/json")
			if r.Status != http.StatusOK {
				t.Errorf("%q: %d %s", answer, r.Status, r.Body)
			}
			state := "routed"
			if strings.Contains(cause, "refused") {
				state = "spam"
			}
			e := g.Events()[0]
			same(t, settings+answer, state+" "+cause, e.State+" "+e.Cause)
		}
	}
}
