// Package e2e holds the acceptance tests of hookgate: the real binary, driven
// from outside by HTTP and by its command line.
package e2e

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/test/lab"
	"hookgate/test/pgtest"
)

func TestMain(m *testing.M) { os.Exit(runAll(m)) }

func runAll(m *testing.M) int {
	defer pgtest.Stop()
	return lab.Main(m)
}

const (
	sitejetToken  = "e2e-sitejet-token-0123456789"
	signingSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
)

// agency is the configuration of the Sitejet help page's use cases: a sink
// stands for billing, another for Slack's incoming webhook.
func agency(billing, slack string) string {
	return `
sources:
  sitejet: { type: sitejet, token: ` + sitejetToken + ` }
connections:
  billing:
    type: webhook
    url: ` + billing + `/v1/subscriptions
    headers: { Authorization: "Bearer billing-key" }
    signing_secret: ` + signingSecret + `
    retry: { delays: [100ms, 200ms] }
  slack-web: { type: slack, webhook_url: "` + slack + `", retry: { delays: [100ms, 200ms] } }
rules:
  - name: create-subscription
    from: sitejet
    events: [website_status_changed]
    when: data.previousStatus == "Interest" and data.website.status == "Preparation"
    then:
      - to: billing
        ordering_key: data.website.id
        json:
          action: create
          website_id: ${{ data.website.id }}
          customer: ${{ data.website.title }}
          sold_by: ${{ data.website.closed_by?.email }}
          reference: sitejet-${{ data.website.id }}
          live: ${{ data.website.published_status }}
          due: ${{ data.website.due_date }}
          domains: ${{ data.website.domains }}
  - name: activate-subscription
    from: sitejet
    events: [website_status_changed]
    when: data.website.status == "Done"
    then:
      - { to: billing, ordering_key: data.website.id, json: { action: activate, website_id: "${{ data.website.id }}" } }
  - name: announce-status
    from: sitejet
    events: [website_status_changed]
    when: data.website.status in ["Assign", "Done"]
    then:
      - to: slack-web
        text: "*${{ data.website.title }}* moved from ${{ data.previousStatus }} to *${{ data.website.status }}*"
  - name: other-events
    from: sitejet
    events: [website_created, log_created, todo_created, website_todo_assignee_changed, domain_created]
    then:
      - { to: billing, json: { type: "${{ event.type }}", previous: "${{ data.previousStatus }}" } }
`
}

const sitejetPath = "/in/sitejet/" + sitejetToken

// names lists the deliveries of an event as rule/connection, sorted.
func names(ev lab.Event) []string {
	var list []string
	for _, d := range ev.Deliveries {
		list = append(list, d.Name)
	}
	slices.Sort(list)
	return list
}

// to is the event's delivery to a connection.
func to(tb testing.TB, ev lab.Event, connection string) lab.Delivery {
	tb.Helper()
	for _, d := range ev.Deliveries {
		if d.Connection == connection {
			return d
		}
	}
	tb.Fatalf("%s has no delivery to %s: %v", ev.ID, connection, names(ev))
	return lab.Delivery{}
}

// same fails the test where got differs from want.
func same(tb testing.TB, what string, want, got any) {
	tb.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		tb.Errorf("%s: (-want +got)\n%s", what, diff)
	}
}

// has fails the test where text lacks a part.
func has(tb testing.TB, what, text string, parts ...string) {
	tb.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			tb.Errorf("%s lacks %q:\n%s", what, part, text)
		}
	}
}

// lacks is an error where the text has the part.
func lacks(tb testing.TB, what, text, part string) {
	tb.Helper()
	if strings.Contains(text, part) {
		tb.Errorf("%s has %q:\n%s", what, part, text)
	}
}

// value decodes JSON to plain values, with numbers as they are written.
func value(tb testing.TB, text []byte) any {
	tb.Helper()
	dec := json.NewDecoder(strings.NewReader(string(text)))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		tb.Fatalf("%v in %q", err, text)
	}
	return v
}
