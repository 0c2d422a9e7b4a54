package e2e

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"hookgate/test/lab"
)

// The first page of a new gateway says where to send, waits, and shows what came
// of the first event that a sender posts, by itself.
func TestUIStart(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusOK)
	g := startUI(t, &status)
	ctx := browser(t)
	logIn(ctx, t, g)
	settled(ctx, t, "Welcome")
	reads(ctx, t, "the page", "Manage Team", "/in/sitejet/••••", "Waiting for the first event", "contact")
	accessible(ctx, t, "/ui/start")
	if text := pageText(ctx, t); strings.Contains(text, "0123456789abcdef") {
		t.Error("the token is shown to who has not asked")
	}
	press(ctx, t, ".url button")
	lab.Eventually(t, "the whole address", func() bool {
		return strings.Contains(pageText(ctx, t), "/in/sitejet/0123456789abcdef")
	})
	g.Accepted(g.PostJSON("/in/sitejet/0123456789abcdef", []byte(donePayload)))
	show(ctx, t, g.URL+"/ui/start")
	settled(ctx, t, "Welcome")
	reads(ctx, t, "what came of it", "billing had it after")
	reads(ctx, t, "the page", "Harry's Diner · Publish → Done", "1 of 3 rules matched", "Matched", "Near miss", "Events come in")
	accessible(ctx, t, "/ui/start with an event")
}

// A page that waits shows by itself what came in while it was open.
func TestUIStartWaits(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusOK)
	g := startUI(t, &status)
	ctx := browser(t)
	logIn(ctx, t, g)
	settled(ctx, t, "Welcome")
	reads(ctx, t, "the page", "Waiting for the first event")
	g.Accepted(g.PostJSON("/in/sitejet/0123456789abcdef", []byte(donePayload)))
	reads(ctx, t, "the event", "billing had it after")
}

// Without scripts a sample is sent through the real intake, and the page asks
// for itself again until it is delivered.
func TestUIStartWithoutScripts(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusOK)
	g := startUI(t, &status)
	ctx := browser(t)
	unscripted(ctx, t)
	logIn(ctx, t, g)
	settled(ctx, t, "Welcome")
	if !strings.Contains(documentText(ctx, t), `http-equiv="refresh"`) {
		t.Error("the page does not ask for itself again")
	}
	run(ctx, t, `document.querySelector('form[action="/ui/start/sample"] button').click()`)
	reads(ctx, t, "what came of the sample", "billing had it after")
	e := g.Events()[0]
	same(t, "the event's source", "sitejet", e.Source)
	if strings.Contains(documentText(ctx, t), `http-equiv="refresh"`) {
		t.Error("the page asks for itself again with nothing to wait for")
	}
}

// A viewer sees where senders post to, and neither the secret nor a button.
func TestUIStartViewer(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusOK)
	g := startUI(t, &status)
	vera := newVisitor(t, g)
	vera.logIn("vera", "only looking around")
	code, _, page := vera.do("GET", "/ui/start", nil)
	if code != http.StatusOK || !strings.Contains(page, "/in/sitejet/••••") {
		t.Fatalf("a viewer: %d", code)
	}
	for _, hidden := range []string{"0123456789abcdef", "/ui/start/sample", "Test</"} {
		if strings.Contains(page, hidden) {
			t.Errorf("a viewer sees %s", hidden)
		}
	}
	for who, want := range map[string]int{basicOf("vera", "only looking around"): http.StatusForbidden, basicOf("team", "correct horse battery"): http.StatusOK} {
		if code, _, body := vera.do("POST", "/api/v1/sources/sitejet/url", nil, "Authorization", who); code != want {
			t.Errorf("the address by the API: %d, want %d: %s", code, want, body)
		}
	}
	_, _, body := vera.do("GET", "/api/v1/sources", nil, "Authorization", basicOf("vera", "only looking around"))
	has(t, "the sources", body, `"name":"sitejet"`, `"name":"contact"`, `"secret":true`)
}
