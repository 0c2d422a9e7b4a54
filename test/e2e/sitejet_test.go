package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"hookgate/test/lab"
)

// Interest → Preparation reaches billing and nothing else: signed, JSON typed.
func TestInterestToPreparation(t *testing.T) {
	t.Parallel()
	billing, slack := lab.NewSink(t, nil), lab.NewSink(t, nil)
	g := lab.Start(t, agency(billing.URL, slack.URL))

	id := g.Accepted(g.PostJSON(sitejetPath, lab.Fixture(t, "sitejet/interest_to_preparation.json")))
	ev := g.Settled(id)
	same(t, "deliveries", []string{"create-subscription/billing"}, names(ev))
	if ev.State != "routed" || ev.Type != "website_status_changed" || ev.Source != "sitejet" {
		t.Errorf("the event is shown as %s %s %s", ev.Source, ev.Type, ev.State)
	}
	arrivals := billing.Await(t, 1)
	if len(arrivals) != 1 || slack.Count() != 0 {
		t.Fatalf("billing got %d, Slack %d requests, want 1 and 0", len(arrivals), slack.Count())
	}
	a := arrivals[0]
	same(t, "body", map[string]any{
		"action": "create", "website_id": json.Number("321654"), "customer": "Harry's Diner",
		"sold_by": "mary-sales@agency.com", "reference": "sitejet-321654",
		"live": true, "due": nil, "domains": []any{"example.com"},
	}, value(t, a.Body))
	same(t, "request", []string{http.MethodPost, "/v1/subscriptions", "application/json", "Bearer billing-key"},
		[]string{a.Method, a.Path, strings.Split(a.Header.Get("Content-Type"), ";")[0], a.Header.Get("Authorization")})
	verifySignature(t, a)
	if a.ID != ev.Deliveries[0].ID || a.Header.Get("Idempotency-Key") != a.ID {
		t.Errorf("webhook-id %q, Idempotency-Key %q, delivery %q: want the same",
			a.ID, a.Header.Get("Idempotency-Key"), ev.Deliveries[0].ID)
	}
	has(t, "User-Agent", a.Header.Get("User-Agent"), "hookgate/")
}

func verifySignature(t *testing.T, a lab.Arrival) {
	t.Helper()
	wh, err := standardwebhooks.NewWebhook(signingSecret)
	if err != nil {
		t.Fatal(err)
	}
	if err := wh.Verify(a.Body, a.Header); err != nil {
		t.Errorf("the signature of a delivery: %v", err)
	}
	if err := wh.Verify(append([]byte(" "), a.Body...), a.Header); err == nil {
		t.Error("the check of signatures accepts a tampered body")
	}
}

// Publish → Done reaches billing and Slack, where the title is escaped.
func TestPublishToDone(t *testing.T) {
	t.Parallel()
	billing, slack := lab.NewSink(t, nil), lab.NewSink(t, nil)
	g := lab.Start(t, agency(billing.URL, slack.URL))

	body := bytes.Replace(lab.Fixture(t, "sitejet/website_status_changed.json"),
		[]byte("Harry's Diner"), []byte(`Harry & Sons <!channel> *bold* \"x\"`), 1)
	ev := g.Settled(g.Accepted(g.PostJSON(sitejetPath, body)))
	same(t, "deliveries", []string{"activate-subscription/billing", "announce-status/slack-web"}, names(ev))
	same(t, "billing", map[string]any{"action": "activate", "website_id": json.Number("321654")},
		value(t, billing.Await(t, 1)[0].Body))
	message, ok := value(t, slack.Await(t, 1)[0].Body).(map[string]any)
	if !ok {
		t.Fatal("Slack got no JSON object")
	}
	same(t, "Slack's text", `*Harry &amp; Sons &lt;!channel&gt; *bold* "x"* moved from Publish to *Done*`, message["text"])
}

// Each of the other five events has its own type and no previousStatus.
func TestOtherSitejetEvents(t *testing.T) {
	t.Parallel()
	billing, slack := lab.NewSink(t, nil), lab.NewSink(t, nil)
	g := lab.Start(t, agency(billing.URL, slack.URL))
	for n, typ := range []string{
		"website_created", "log_created", "todo_created", "website_todo_assignee_changed", "domain_created",
	} {
		method := []string{http.MethodPost, http.MethodPut}[n%2]
		r := g.Do(method, sitejetPath, lab.Fixture(t, "sitejet/"+typ+".json"), "Content-Type", "application/json")
		ev := g.Settled(g.Accepted(r))
		same(t, typ, []string{"other-events/billing"}, names(ev))
		same(t, "type", typ, ev.Type)
		arrivals := billing.Await(t, n+1)
		same(t, "body", map[string]any{"type": typ, "previous": nil}, value(t, arrivals[n].Body))
		for _, v := range ev.Rules {
			if v.Result == "error" {
				t.Errorf("%s: rule %s: %s", typ, v.Rule, v.Message)
			}
		}
	}
	if slack.Count() != 0 {
		t.Errorf("Slack got %d messages, want none", slack.Count())
	}
}

// 64-bit ids and other numbers reach the receiver digit for digit.
//
// Promise: T16.
func TestNumbersSurvive(t *testing.T) {
	t.Parallel()
	billing, slack := lab.NewSink(t, nil), lab.NewSink(t, nil)
	g := lab.Start(t, agency(billing.URL, slack.URL))
	for _, number := range []string{"9007199254740993", "9223372036854775807", "1000000", "18446744073709551615", "123456789012345678901234567890"} {
		t.Run(number, func(t *testing.T) {
			body := bytes.Replace(lab.Fixture(t, "sitejet/interest_to_preparation.json"),
				[]byte(`"id": 321654`), []byte(`"id": `+number), 1)
			before := billing.Count()
			ev := g.Settled(g.Accepted(g.PostJSON(sitejetPath, body)))
			same(t, "deliveries", []string{"create-subscription/billing"}, names(ev))
			got, ok := value(t, billing.Await(t, before+1)[before].Body).(map[string]any)
			if !ok {
				t.Fatal("no JSON object arrived")
			}
			same(t, "as a value", any(json.Number(number)), got["website_id"])
			same(t, "in a text", any("sitejet-"+number), got["reference"])
		})
	}
}

// The example as the help page prints it lacks a comma: the answer says where,
// and the request is kept.
func TestPublishedExampleIsRejectedAndKept(t *testing.T) {
	t.Parallel()
	billing, slack := lab.NewSink(t, nil), lab.NewSink(t, nil)
	g := lab.Start(t, agency(billing.URL, slack.URL))
	body := lab.Fixture(t, "sitejet/documented-verbatim.txt")
	r := g.PostJSON(sitejetPath, body)
	if r.Status != http.StatusBadRequest {
		t.Fatalf("status %d, want 400: %s", r.Status, r.Body)
	}
	has(t, "content type", r.Header.Get("Content-Type"), "application/problem+json")
	has(t, "the answer", r.Body, `line 59`, `column 3`, "a comma is missing")
	var problem struct {
		ID           string
		Status       int
		Line, Column int
	}
	if err := json.Unmarshal([]byte(r.Body), &problem); err != nil {
		t.Fatal(err)
	}
	if problem.Line != 59 || problem.Column != 3 || problem.Status != 400 {
		t.Errorf("line %d, column %d, status %d, want 59, 3, 400", problem.Line, problem.Column, problem.Status)
	}
	ev := g.Show(problem.ID)
	same(t, "state", "rejected", ev.State)
	has(t, "cause", ev.Cause, "line 59", "a comma is missing")
	same(t, "the kept body", string(body), ev.Body)
	has(t, "events show", g.MustCLI("events", "show", problem.ID), "line 59", "a comma is missing", "previousStatus")
	has(t, "events list", g.MustCLI("events", "list"), "rejected", "a comma is missing")
	if billing.Count()+slack.Count() != 0 {
		t.Error("a rejected event was delivered")
	}
}

// The secret URL is the key; an unknown source answers as a wrong token does.
func TestTokens(t *testing.T) {
	t.Parallel()
	sink := lab.NewSink(t, nil)
	g := lab.Start(t, agency(sink.URL, sink.URL))
	body := lab.Fixture(t, "sitejet/website_created.json")
	wrong := g.PostJSON("/in/sitejet/wrong", body)
	for _, path := range []string{"/in/sitejet", "/in/nobody", "/in/nobody/" + sitejetToken, "/in/sitejet/" + sitejetToken + "x"} {
		r := g.PostJSON(path, body)
		if r.Status != http.StatusForbidden || r.Body != wrong.Body {
			t.Errorf("%s: status %d %q, want 403 and the same answer as for a wrong token: %q", path, r.Status, r.Body, wrong.Body)
		}
	}
	if r := g.Do(http.MethodDelete, sitejetPath, nil); r.Status != http.StatusMethodNotAllowed || r.Header.Get("Allow") == "" {
		t.Errorf("DELETE: status %d, Allow %q, want 405 with Allow", r.Status, r.Header.Get("Allow"))
	}
	if n := len(g.Events()); n != 0 {
		t.Errorf("%d events were stored", n)
	}
}
