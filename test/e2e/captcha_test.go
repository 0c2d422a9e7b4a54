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
	case "misconfigured":
		_, _ = w.Write([]byte(`{"success":false,"error-codes":["invalid-input-secret"]}`))
	default:
		w.WriteHeader(http.StatusBadGateway)
		_, _ = w.Write([]byte("<html>bad gateway</html>"))
	}
}

// A robot that fails the captcha sees what a person sees, and lands in spam; a
// vendor that is down, or a wrong secret, costs no lead.
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
