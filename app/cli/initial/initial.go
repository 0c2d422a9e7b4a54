// Package initial writes the first configuration of a new user: one that is
// valid as it stands, and whose tests pass.
package initial

import (
	"crypto/rand"
	_ "embed" // for the template
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"text/template"

	"hookgate/app/ingest/samples"
	"hookgate/internal/event"
)

//go:embed config.yaml.tmpl
var configTemplate string

// FormSender is what a form of one's own website is called among the senders.
const FormSender = "form"

// Options are the answers to the questions.
type Options struct {
	Sender    string // one of Senders
	PublicURL string // "": not yet
	SlackURL  string // of an incoming webhook; "": rules write to the log
	Timezone  string
	Storage   string // the path of the database
}

// Files are what is written.
type Files struct {
	Config, Env string
	// Name is the source or form, Form tells which, and Where the place at the
	// sender where its URL goes.
	Name  string
	Form  bool
	Where string
}

// start is what a configuration begins with for one sender.
type start struct {
	where       string   // the URL goes there
	settings    []string // beside the token
	secret      string   // what the .env says of the secret of its signature; "": it has a token
	name        string   // of the source or form; "": the sender's
	rule, text  string
	events      string
	when        string
	sample      string
	otherName   string // of a second test: what no rule sees
	otherSample string
	otherSet    string
}

// starts are those that are more than what others gives. The order is that of
// the question.
var starts = []struct {
	sender string
	start
}{
	{"sitejet", start{
		where: "Sitejet: Manage Team › Webhooks", settings: []string{"type: sitejet"},
		rule: "announce-status", events: "website_status_changed", when: `data.website.status in ["Assign", "Done"]`,
		text:   "${{ data.website.title }} moved from ${{ data.previousStatus }} to ${{ data.website.status }}",
		sample: "website_status_changed", otherName: "other changes are nobody's business",
		otherSample: "website_status_changed", otherSet: "{ previousStatus: Done, website.status: Publish }",
	}},
	{FormSender, start{
		where: `the form of your website: hookgate forms snippet contact prints it; the address is a page of its own, too`, name: "contact",
		settings: []string{"fields:", "  name:    { required: true, max: 120 }", "  email:   { type: email, required: true }", "  message: { required: true, max: 5000, rows: 6 }"},
		rule:     "new-lead", text: "New lead: ${{ data.name }}, ${{ data.email }}", sample: event.FormSubmitted,
	}},
	{"github", start{
		where: "GitHub: Settings › Webhooks, with the content type application/json and the secret of .env", secret: "choose it at GitHub, too",
		rule: "announce-push", events: "push", when: `data.ref == "refs/heads/main"`,
		text:   `${{ data.pusher.name }} pushed to ${{ data.repository.name }}: ${{ data.head_commit?.message ?? "nothing" }}`,
		sample: "push", otherName: "an issue is nobody's business", otherSample: "issues",
	}},
	{"stripe", start{
		where: "Stripe: Developers › Webhooks", secret: "put the signing secret here that Stripe shows",
		rule: "announce-payment", events: "checkout.session.completed",
		text:   `${{ data.data?.object?.customer_details?.name ?? "Somebody" }} has paid`,
		sample: "checkout.session.completed", otherName: "a failed payment is nobody's business yet", otherSample: "invoice.payment_failed",
	}},
	{"shopify", start{
		where: "Shopify: Settings › Notifications › Webhooks", secret: "put the secret here that Shopify shows",
		rule: "announce-order", events: "orders/paid", text: "Order ${{ data.name }} is paid", sample: "orders/paid",
	}},
}

// Senders are the names that Options.Sender can have, the usual one first.
func Senders() []string {
	var names []string
	for _, s := range starts {
		names = append(names, s.sender)
	}
	for _, s := range samples.All() {
		if s.Sender == event.Own { // it is always there
			continue
		}
		if !slices.Contains(names, s.Sender) {
			names = append(names, s.Sender)
		}
	}
	return names
}

// startOf is what a configuration begins with for a sender.
func startOf(sender string) (start, bool) {
	i := slices.IndexFunc(starts, func(s struct {
		sender string
		start
	},
	) bool {
		return s.sender == sender
	})
	if i >= 0 {
		return starts[i].start, sender == FormSender
	}
	sample := samples.Of(sender)[0]
	s := start{
		where: sender + ", as docs/sources.md says", rule: "tell", sample: sample.Name,
		text: "${{ event.type }} came from ${{ event.source }}",
	}
	switch {
	case sample.Form:
		s.where = sender + ", as docs/forms-builders.md says"
		s.settings = []string{"via: webhook", "format: " + sender, "fields: any"}
	case sender == "webhook":
		s.where, s.settings = "any sender of webhooks", []string{"type: webhook"}
	default:
		s.secret = "put the secret here that " + sender + " shows, or that you choose there"
	}
	return s, sample.Form
}

// data is what the template shows.
type data struct {
	Options
	Form             bool
	Name, Noun       string
	Settings         []string
	Slack            bool
	Connection       string
	Rule, Text       string
	Events, When     string
	TestName, Sample string
	OtherName        string
	OtherSample      string
	OtherSet         string
}

// Make writes the files for opt, with secrets that nobody else has.
func Make(opt Options) (Files, error) {
	s, form := startOf(opt.Sender)
	d := data{
		Options: opt, Form: form, Name: s.name, Noun: "source", Settings: slices.Clone(s.settings), Slack: opt.SlackURL != "", Connection: "log",
		Rule: s.rule, Text: strings.ReplaceAll(s.text, `"`, `\"`), Events: s.events, When: s.when, Sample: s.sample,
		TestName: "the sample is told", OtherName: s.otherName, OtherSample: s.otherSample, OtherSet: s.otherSet,
	}
	if d.Name == "" {
		d.Name = opt.Sender
	}
	if form {
		d.Noun = "form"
	}
	if d.Slack {
		d.Connection = "slack"
	}
	env := []string{
		"# The secrets of config.yaml. Keep this file out of git, and readable by you alone.",
		"HOOKGATE_ADMIN_PASSWORD=" + token(),
	}
	variable := strings.ToUpper(strings.ReplaceAll(d.Name, "-", "_"))
	switch {
	case s.secret != "":
		d.Settings = append(d.Settings, "type: webhook", "verify: { scheme: "+opt.Sender+`, secret: "${`+variable+`_SECRET}" }`)
		env = append(env, "# "+s.secret+".", variable+"_SECRET="+secret())
	case opt.Sender != FormSender:
		d.Settings = append(d.Settings, "token: ${"+variable+"_TOKEN}      # the secret end of the URL")
		env = append(env, variable+"_TOKEN="+token())
	}
	if d.Slack {
		env = append(env, "SLACK_WEBHOOK_URL="+opt.SlackURL)
	}
	t, err := template.New("config.yaml").Parse(configTemplate)
	if err != nil {
		return Files{}, fmt.Errorf("the template of config.yaml: %w", err)
	}
	var config strings.Builder
	if err := t.Execute(&config, d); err != nil {
		return Files{}, fmt.Errorf("the template of config.yaml: %w", err)
	}
	return Files{Config: config.String(), Env: strings.Join(env, "\n") + "\n", Name: d.Name, Form: form, Where: s.where}, nil
}

// token is a secret that may stand in a URL.
func token() string {
	random := make([]byte, 24)
	_, _ = rand.Read(random) // it never fails
	return hex.EncodeToString(random)
}

// secret is one in the form of Standard Webhooks, which suits all others, too.
func secret() string {
	random := make([]byte, 24)
	_, _ = rand.Read(random) // it never fails
	return "whsec_" + base64.StdEncoding.EncodeToString(random)
}
