package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hookgate/test/fakeslack"
	"hookgate/test/fakevendors"
	"hookgate/test/lab"
)

// billed is the use cases of the Sitejet help page with real billing tools and
// Slack.
func billed(stripe, lexware, slack string) string {
	return `
sources:
  sitejet: { type: sitejet, token: ` + sitejetToken + ` }
connections:
  stripe: { type: stripe, api_key: sk_test_e2e_0001, api_url: "` + stripe + `/v1" }
  lexware: { type: lexware, api_key: lexware-key-0002, api_url: "` + lexware + `/v1" }
  slack: { type: slack, webhook_url: "` + slack + `" }
rules:
  - name: sold
    from: sitejet
    events: [website_status_changed]
    when: data.previousStatus == "Interest" and data.website.status == "Preparation"
    then:
      - to: stripe
        ordering_key: data.website.id
        create_subscription:
          email: ${{ data.website.closed_by.email }}
          name: ${{ data.website.title }}
          price: price_care
          reference: sitejet-${{ data.website.id }}
          trial_days: 365
      - to: lexware
        ordering_key: data.website.id
        create_quotation:
          key: ${{ data.website.id }}
          name: ${{ data.website.title }}
          items: [{ name: "Website care for ${{ data.website.title }}", price: 49, unit: Monat }]
          remark: sitejet-${{ data.website.id }}
  - name: live
    from: sitejet
    events: [website_status_changed]
    when: data.website.status == "Done"
    then:
      - to: stripe
        ordering_key: data.website.id
        activate_subscription: { reference: "sitejet-${{ data.website.id }}" }
      - to: lexware
        ordering_key: data.website.id
        create_order_confirmation: { key: "${{ data.website.id }}", name: "${{ data.website.title }}", items: [{ name: Website care, price: 49 }] }
  - name: announce
    from: sitejet
    events: [website_status_changed]
    when: data.website.status in ["Assign", "Done"]
    then:
      - to: slack
        text: "*${{ data.website.title }}* moved from ${{ data.previousStatus }} to *${{ data.website.status }}*"
`
}

// Interest → Preparation creates a subscription, still without cost, and a
// quotation; Done activates the subscription and confirms the order that the
// quotation has become; Assign and Done are announced in
// Slack.
func TestRecipes_soldAndLive(t *testing.T) {
	t.Parallel()
	stripe, lexware := fakevendors.NewStripe(t, "sk_test_e2e_0001"), fakevendors.NewLexware(t, "lexware-key-0002")
	slack := fakeslack.New(t)
	g := lab.Start(t, billed(stripe.URL, lexware.URL, slack.WebhookURL()))
	sold := g.Settled(g.Accepted(g.PostJSON(sitejetPath, lab.Fixture(t, "sitejet/interest_to_preparation.json"))))
	same(t, "deliveries", []string{"sold/lexware", "sold/stripe"}, names(sold))
	for _, d := range sold.Deliveries {
		if d.State != "delivered" {
			t.Errorf("%s is %s: %s", d.Name, d.State, d.Error)
		}
	}
	subscriptions := stripe.Records("subscription")
	if len(subscriptions) != 1 || len(stripe.Records("customer")) != 1 {
		t.Fatalf("Stripe has %v and %v", stripe.Records("customer"), subscriptions)
	}
	same(t, "subscription", []any{"price_care", "sitejet-321654", "trialing", "send_invoice"}, []any{
		subscriptions[0].Fields["items[0][price]"], subscriptions[0].Fields["metadata[reference]"],
		subscriptions[0].Fields["status"], subscriptions[0].Fields["collection_method"],
	})
	quotations := lexware.Records("quotation")
	if len(quotations) != 1 {
		t.Fatalf("Lexware has %v", quotations)
	}
	same(t, "quotation", []any{"sitejet-321654", map[string]any{"countryCode": "DE", "name": "Harry's Diner"}},
		[]any{quotations[0].Fields["remark"], quotations[0].Fields["address"]})

	moved := func(from, to string) lab.Event {
		t.Helper()
		payload := strings.NewReplacer(`"Interest"`, `"`+from+`"`, `"Preparation"`, `"`+to+`"`).Replace(string(lab.Fixture(t, "sitejet/interest_to_preparation.json")))
		ev := g.Settled(g.Accepted(g.PostJSON(sitejetPath, []byte(payload))))
		for _, d := range ev.Deliveries {
			if d.State != "delivered" {
				t.Errorf("%s is %s: %s", d.Name, d.State, d.Error)
			}
		}
		return ev
	}
	same(t, "deliveries of Assign", []string{"announce/slack"}, names(moved("Preparation", "Assign")))
	same(t, "status before the launch", "trialing", stripe.Records("subscription")[0].Fields["status"])
	same(t, "deliveries of Done", []string{"announce/slack", "live/lexware", "live/stripe"}, names(moved("Publish", "Done")))
	same(t, "status", "active", stripe.Records("subscription")[0].Fields["status"])
	if slices.Contains(stripe.Calls(), "GET /v1/subscriptions/search") {
		t.Error("the subscription was searched for, which Stripe answers late, although it is remembered")
	}
	confirmations := lexware.Records("order confirmation")
	if len(confirmations) != 1 || confirmations[0].Fields["precedingSalesVoucherId"] != quotations[0].ID {
		t.Errorf("Lexware has %v, which is to follow %s", confirmations, quotations[0].ID)
	}
	announced := messages(t, slack, 2)
	same(t, "Slack", []string{"*Harry's Diner* moved from Preparation to *Assign*", "*Harry's Diner* moved from Publish to *Done*"},
		[]string{announced[0].Text, announced[1].Text})
}

// A form subscribes to Campaign Monitor and creates a lead in Salesforce. A
// session that has ended is renewed, once, and the lead is not lost; a refusal
// is shown in the vendor's own words.
func TestRecipes_lead(t *testing.T) {
	t.Parallel()
	newsletter := fakevendors.NewCampaignMonitor(t, "cm-key-0003", "0a1b2c")
	crm := fakevendors.NewSalesforce(t, "app", "sf-secret-0004")
	g := lab.Start(t, `
forms:
  lead:
    fields:
      name: { required: true }
      email: { required: true }
      company: {}
      newsletter: { type: checkbox }
`+generous+`
connections:
  newsletter: { type: campaign_monitor, api_key: cm-key-0003, list_id: 0a1b2c, api_url: "`+newsletter.URL+`/api/v3.3" }
  crm:
    type: salesforce
    login_url: `+crm.URL+`
    oauth: { client_id: app, client_secret: sf-secret-0004 }
rules:
  - name: new-lead
    from: lead
    then:
      - to: crm
        create: Lead
        fields: { LastName: "${{ data.name }}", Company: "${{ data.company ?? data.name }}", Email: "${{ data.email }}" }
      - to: newsletter
        when: data.newsletter == true
        subscribe: { email: "${{ data.email }}", name: "${{ data.name }}", consent_to_track: unchanged }
`)
	post := func(body string) lab.Event {
		t.Helper()
		r := g.Do(http.MethodPost, "/f/lead", []byte(body), "Content-Type", formType, "Accept", "application/json")
		var answer struct{ ID string }
		if err := json.Unmarshal([]byte(r.Body), &answer); err != nil || r.Status != http.StatusOK {
			t.Fatalf("%s: %d %s", body, r.Status, r.Body)
		}
		return g.Settled(answer.ID)
	}
	first := post("name=Ada&email=ada%40example.com&newsletter=on")
	same(t, "deliveries", []string{"new-lead/crm", "new-lead/newsletter"}, names(first))
	crm.Expire()
	second := post("name=Bob&email=bob%40example.com&company=Bob+%26+Sons")
	same(t, "deliveries", []string{"new-lead/crm"}, names(second))
	for _, d := range slices.Concat(first.Deliveries, second.Deliveries) {
		if d.State != "delivered" || d.Attempts != 1 {
			t.Errorf("%s is %s after %d attempts: %s", d.Name, d.State, d.Attempts, d.Error)
		}
	}
	leads := crm.Records("Lead")
	if len(leads) != 2 || leads[0].Fields["LastName"] != "Ada" || leads[1].Fields["LastName"] != "Bob" || leads[1].Fields["Company"] != "Bob & Sons" {
		t.Errorf("Salesforce has %v", leads)
	}
	const login, create = "POST /services/oauth2/token", "POST /services/data/v62.0/sobjects/Lead"
	same(t, "calls", []string{login, create, create, login, create}, crm.Calls())
	if list := newsletter.Records("subscriber"); len(list) != 1 || list[0].ID != "ada@example.com" {
		t.Errorf("Campaign Monitor has %v", list)
	}

	refused := post("name=Eve&email=nonsense&newsletter=yes")
	d := to(t, refused, "newsletter")
	if d.State != "failed" {
		t.Errorf("%s is %s", d.Name, d.State)
	}
	has(t, "the error", d.Error, "400 Bad Request: 1 Invalid Email Address")
	for _, secret := range []string{"cm-key-0003", "sf-secret-0004", "00D-session-"} {
		if strings.Contains(g.Stderr()+g.MustCLI("events", "show", refused.ID, "--json"), secret) {
			t.Errorf("%s shows", secret)
		}
	}
}

// ownRecipe is a connector of the user's own, in 30 lines.
const ownRecipe = `recipe: 1
name: mytool
doc: Adds contacts to MyTool.
rate_limit: 20/s

settings:
  api_key: { secret: true, required: true, doc: The key., example: "${MYTOOL_KEY}" }
  api_url: { type: url, default: https://api.mytool.example/v1, doc: Where it is. }

auth:
  bearer: ${{ settings.api_key }}

actions:
  add_contact:
    doc: Adds a contact.
    inputs:
      email: { required: true, max: 254, doc: The address., example: "${{ data.email }}" }
      tags: { type: list, doc: Tags to set. }
    request:
      path: /contacts
      headers: { Idempotency-Key: "${{ delivery.id }}" }
      json: { email: "${{ lower(input.email) }}", tags: "${{ input.tags }}" }
      success: status == 201 and body.id != nil
    outputs: { id: body.id }

message: ${{ body.error }}
errors:
  - { when: status == 409, is: delivered }
  - { when: body.busy == true, is: transient }
`

// A user's own recipe works, and a wrong one is refused with its place.
func TestRecipes_own(t *testing.T) {
	t.Parallel()
	if lines := strings.Count(ownRecipe, "\n"); lines > 30 {
		t.Errorf("the recipe has %d lines", lines)
	}
	tool := lab.NewSink(t, func(lab.Arrival) lab.Answer { return lab.Answer{Status: 201, Body: `{"id":"c1"}`} })
	config := `
recipes: [./mytool.yaml]
sources: { lead: { type: webhook, token: ` + sitejetToken + ` } }
connections:
  contacts: { type: mytool, api_key: mytool-key-0005, api_url: "` + tool.URL + `/v1" }
rules:
  - { name: keep, from: lead, then: [{ to: contacts, add_contact: { email: "${{ data.email }}", tags: [website] } }] }
`
	g := lab.New(t, config)
	g.Configure(config)
	recipe := filepath.Join(filepath.Dir(g.ConfigPath()), "mytool.yaml")
	write := func(text string) {
		if err := os.WriteFile(recipe, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(strings.Replace(ownRecipe, "status == 201 and", "status = 201 and", 1))
	check := g.CLI("check")
	if check.Code != 3 {
		t.Errorf("check of a wrong recipe: status %d", check.Code)
	}
	has(t, "check", check.Stderr, "mytool.yaml:23:23: \"=\" is not an operator", "write == to compare", "success: status = 201")

	write(ownRecipe)
	g.Start()
	ev := g.Settled(g.Accepted(g.PostJSON("/in/lead/"+sitejetToken, []byte(`{"email":"ADA@example.com"}`))))
	if d := to(t, ev, "contacts"); d.State != "delivered" {
		t.Fatalf("%s is %s: %s", d.Name, d.State, d.Error)
	}
	a := tool.Await(t, 1)[0]
	same(t, "body", map[string]any{"email": "ada@example.com", "tags": []any{"website"}}, value(t, a.Body))
	same(t, "request", []string{"POST", "/v1/contacts", "Bearer mytool-key-0005", ev.Deliveries[0].ID},
		[]string{a.Method, a.Path, a.Header.Get("Authorization"), a.Header.Get("Idempotency-Key")})
	has(t, "connectors list", g.MustCLI("connectors", "list"), "mytool", "(your own recipe)", "add_contact")
}
