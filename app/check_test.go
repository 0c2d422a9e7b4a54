package app_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/app"
	"hookgate/app/config"
	"hookgate/internal/diag"
	"hookgate/internal/schema"
)

var update = flag.Bool("update", false, "write the .golden files anew")

// checkText gives what `check` shows of a config. The survey saw the events.
func checkText(t testing.TB, text string, seen map[string][]string) (string, *config.Report) {
	t.Helper()
	var survey app.Survey
	if seen != nil {
		survey = func(_ context.Context, l *app.Plan) (map[string]schema.Source, bool) {
			origins := l.Origins()
			for name, o := range origins {
				b := schema.NewBuilder()
				for _, e := range seen[name] {
					b.Add([]byte(e))
				}
				if s := b.Payload("website_status_changed"); s.Events > 0 {
					o.Seen = []schema.Payload{s}
				}
				origins[name] = o
			}
			return origins, true
		}
	}
	none := func(string) (string, bool) { return "", false }
	_, report, _ := app.CheckText(t.Context(), "config.yaml", []byte(text), none, survey)
	var out bytes.Buffer
	if err := report.Render(&out, false); err != nil {
		t.Fatal(err)
	}
	return out.String(), report
}

// TestCheck_faults has files with many faults each: all must be reported at
// once, as the golden file beside it has them.
func TestCheck_faults(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/check/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got, report := checkText(t, string(text), nil)
			path := strings.TrimSuffix(file, ".yaml") + ".golden"
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Error(diff)
			}
			codes := map[string]bool{}
			for _, d := range report.List {
				codes[d.Code] = true
			}
			if len(codes) < 10 {
				t.Errorf("it has %d different faults", len(codes))
			}
		})
	}
}

// The faults that the design of the language shows, in the words that it shows
// them in.
func TestCheck_language(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		line int // on which the text begins
		text string
		want string
	}{
		{95, `    filter: data.website.status == "Done"`, `error[unknown-key] config.yaml:95:5: a rule has no key "filter"
  95 |     filter: data.website.status == "Done"
     |     ^^^^^^ did you mean "when"?
`},
		{95, `    when: data.website.status = "Done"`, `error[expr-syntax] config.yaml:95:31: "=" is not an operator
  95 |     when: data.website.status = "Done"
     |                               ^ write == to compare
`},
		{95, `    when: data.website.status == Done`, `error[expr-name] config.yaml:95:34: unknown name "Done"
  95 |     when: data.website.status == Done
     |                                  ^^^^ text needs quotes: "Done"
`},
		{58, `    channel: #leads`, `error[empty-value] config.yaml:58:14: "channel" is empty: " #" starts a YAML comment
  58 |     channel: #leads
     |              ^^^^^^ write "#leads" in quotes
`},
		{97, `      - to: biling`, `error[unknown-connection] config.yaml:97:13: no connection is called "biling"
  97 |       - to: biling
     |             ^^^^^^ did you mean "billing"?
`},
		{57, `    bot_token: ${SLACK_BOT_TOKEN}`, `error[env-missing] config.yaml:57:16: SLACK_BOT_TOKEN is not set
  57 |     bot_token: ${SLACK_BOT_TOKEN}
     |                ^^^^^^^^^^^^^^^^^^ set it in the environment or .env, or set SLACK_BOT_TOKEN_FILE
`},
		{95, `    when: ${{ data.website.status }} == "Done"`, `error[template-in-when] config.yaml:95:11: "when" is already an expression
  95 |     when: ${{ data.website.status }} == "Done"
     |           ^^^^^^^^^^^^^^^^^^^^^^^^^^ drop the ${{ }}
`},
		{95, `    when: data.website.stauts == "Done"`, `warn[unseen-field] config.yaml:95:24: none of the last 412 sitejet events had data.website.stauts
  95 |     when: data.website.stauts == "Done"
     |                        ^^^^^^ did you mean "status"?      (check --strict fails on this)
`},
		{95, `    when: data.website.status == "Vorbereitung"`, `warn[unseen-value] config.yaml:95:34: Sitejet sends "Preparation"; "Vorbereitung" is its German label
  95 |     when: data.website.status == "Vorbereitung"
     |                                  ^^^^^^^^^^^^^^ write "Preparation"
`},
	} {
		t.Run(strings.TrimSpace(tt.text), func(t *testing.T) {
			t.Parallel()
			events := make([]string, 412)
			for i := range events {
				events[i] = `{"event":"website_status_changed","website":{"status":"Done","id":7}}`
			}
			if got, _ := checkText(t, withLine(tt.line, tt.text), map[string][]string{"sitejet": events}); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// withLine is a config without fault but for a line, or in place of it.
func withLine(number int, line string) string {
	slack := "    bot_token: xoxb-0123456789\n    channel: \"#leads\"\n"
	when, to := "", "      - to: billing\n"
	switch {
	case strings.Contains(line, "bot_token"):
		slack = line + "\n    channel: \"#leads\"\n"
	case strings.Contains(line, "channel"):
		slack = "    bot_token: xoxb-0123456789\n" + line + "\n"
	case strings.Contains(line, "to: "):
		to = line + "\n"
	default:
		when = line + "\n"
	}
	text := fmt.Sprintf(`version: 1
sources:
  sitejet: { type: sitejet, token: 0123456789abcdef0123 }
connections:
  billing: { type: webhook, url: https://api.billing.example }
  slack: # hookgate:ignore unused-connection
    type: slack
%srules:
  - name: r
    from: sitejet
%s    then:
%s        json: { id: "${{ data.website.id }}" }
`, slack, when, to)
	at := strings.Count(text[:strings.Index(text, line)], "\n") + 1
	return strings.Repeat("#\n", number-at) + text
}

func TestCheck_seen(t *testing.T) {
	t.Parallel()
	const text = `version: 1
sources:
  shop: { type: webhook, token: 0123456789abcdef0123, event_type: data.type }
connections:
  hook: { type: webhook, url: https://api.billing.example }
rules:
  - name: r
    from: shop
    when: WHEN
    then: [{ to: hook, json: { id: "${{ data.id }}" } }]
`
	var events []string
	for i := range 60 {
		status := []string{"paid", "sent", "returned"}[i%3]
		note := ""
		if i%2 == 0 {
			note = `, "note": "n"`
		}
		events = append(events, fmt.Sprintf(`{"id": %d, "status": %q, "items": [{"sku": "s%d"}], "tags": ["a"]%s}`, i, status, i, note))
	}
	for when, want := range map[string]string{
		`data.status == "paid" and data.note == "x"`:       ``,
		`data.statsu == "paid"`:                            `unseen-field: none of the last 60 shop events had data.statsu (did you mean "status"?      (check --strict fails on this))`,
		`data.customer.name == "x"`:                        `unseen-field: none of the last 60 shop events had data.customer (?. before it, or ?? behind it, says that it may be missing)`,
		`data.customer?.name == "x"`:                       ``,
		`(data.customer ?? "") == "x"`:                     ``,
		`data.customer != nil`:                             ``,
		`any(data.items, .skku == "s1")`:                   `unseen-field: none of the last 60 shop events had data.items[].skku (did you mean "sku"?      (check --strict fails on this))`,
		`data.status == "payd"`:                            `unseen-value: none of the last 60 shop events had "payd" in data.status (did you mean "paid"?)`,
		`data.status in ["paid", "refunded"]`:              `unseen-value: none of the last 60 shop events had "refunded" in data.status (there were "paid", "sent", "returned")`,
		`data.items[0].sku == "other"`:                     ``,
		`data.id == "7"`:                                   `type-mismatch: data.id is a number, and "7" is a text: they are never equal (write 7 without quotes)`,
		`data.tags == "a"`:                                 `type-mismatch: data.tags is a list, and "a" is a text: they are never equal (write "a" in data.tags)`,
		`data.status == 5`:                                 `type-mismatch: data.status is a text, and 5 is a number: they are never equal (write "5")`,
		`data.status > "5"`:                                `type-mismatch: texts are compared letter by letter: "10" comes before "9" (write 5 without quotes)`,
		`data.id > "5"`:                                    `type-mismatch: data.id is a number: > "5" fails (write 5 without quotes)`,
		`event.source == "sohp"`:                           `unseen-value: event.source is never "sohp" in this rule (did you mean "shop"?)`,
		`event.type == "anything" and headers["x"] == "y"`: ``,
	} {
		_, report := checkText(t, strings.Replace(text, "WHEN", when, 1), map[string][]string{"shop": events})
		var got []string
		for _, d := range report.List {
			line := d.Code + ": " + d.Message
			if d.Hint != "" {
				line += " (" + d.Hint + ")"
			}
			got = append(got, line)
		}
		if diff := cmp.Diff(want, strings.Join(got, "\n")); diff != "" {
			t.Errorf("%s\n%s", when, diff)
		}
		if report.List.Count(diag.Error) > 0 {
			t.Errorf("%s: an error", when)
		}
	}
	few := strings.Replace(text, "WHEN", `data.customer == "x" and data.statsu == "y" and data.id == "7"`, 1)
	if got, _ := checkText(t, few, map[string][]string{"shop": events[:1]}); !strings.Contains(got, "the last shop event had no data.statsu\n") || strings.Contains(got, "customer\n") || strings.Contains(got, "mismatch") {
		t.Errorf("of one event too much, or too little, is made:\n%s", got)
	}
}

// Lists that were too long for a rule with for_each are told of, by what the rule makes
// of each item for sure.
func TestCheck_elements(t *testing.T) {
	t.Parallel()
	list := func(n int) string {
		return `{"items":[` + strings.TrimSuffix(strings.Repeat(`{"n":1},`, n), ",") + `]}`
	}
	events := []string{list(3), list(501), list(300), `{"items":null}`}
	for rule, want := range map[string]string{
		`for_each: data.items, then: [{ to: x, json: {} }]`: `for-each-size config.yaml:4:45: 1 of the last 4 shop events had more than 500 items in data.items, up to 501: ` +
			`of such an event nothing is sent, for it makes 500 deliveries at most`,
		`for_each: "data.items ?? []", then: [{ to: x, json: {} }, { to: x, json: { a: 1 } }]`: `for-each-size config.yaml:4:46: 2 of the last 4 shop events had more than 250 items in data.items, up to 501: ` +
			`of such an event nothing is sent, for it makes 500 deliveries at most`,
		`for_each: data.items, branches: [{ name: a, when: item.n > 1, then: [{ to: x, json: {} }] }, { name: b, then: [{ to: x, json: { a: 1 } }] }]`: `for-each-size config.yaml:4:45: ` +
			`1 of the last 4 shop events had more than 500 items in data.items, up to 501: of such an event nothing is sent, for it makes 500 deliveries at most`,
		`for_each: data.items, when: item.n > 3, then: [{ to: x, json: {} }]`:  ``,
		`for_each: "data.items[:400]", then: [{ to: x, json: {} }]`:            ``,
		`for_each: data.items, then: [{ to: x, when: item.n == 2, json: {} }]`: ``,
		`for_each: "filter(data.items, .n > 1)", then: [{ to: x, json: {} }]`:  ``,
	} {
		_, report := checkText(t, `version: 1
sources: { shop: { type: webhook, token: 0123456789abcdef0123 } }
connections: { x: { type: webhook, url: "https://example.com" } }
rules: [{ name: each, from: shop, `+rule+` }]
`, map[string][]string{"shop": events})
		got := ""
		for _, d := range report.List {
			if d.Code == "for-each-size" {
				got = fmt.Sprintf("%s %s: %s", d.Code, d.Position, d.Message)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s\n%s\n%v", rule, diff, report.List)
		}
	}
}

// A file that is only begun has nothing that is not used.
func TestCheck_begun(t *testing.T) {
	t.Parallel()
	got, _ := checkText(t, "version: 1\nsources:\n  s: { type: sitejet, token: 0123456789abcdef0123 }\n", nil)
	if got != "" {
		t.Errorf("got\n%s", got)
	}
}

// A pipeline has no secrets: beside what is not set, check says what it has to
// say of the rules. Break: look at the rules only where there is no error.
func TestCheck_withoutSecrets(t *testing.T) {
	t.Parallel()
	got, report := checkText(t, `version: 1
sources:
  sitejet: { type: sitejet, token: "${SITEJET_TOKEN}" }
connections:
  billing: { type: webhook, url: "${BILLING_URL}" } # hookgate:ignore unused-connection
  chat: { type: slack, webhook_url: "${SLACK_URL}" }
rules:
  - name: r
    from: sitejet
    when: data.website.stauts == "Done" and data.website.status == "Fertig"
    then: [{ to: chat, text: "${{ data.website.title }} is done" }]
`, nil)
	var codes []string
	for _, d := range report.List {
		codes = append(codes, d.Code)
	}
	want := []string{"env-missing", "env-missing", "env-missing", "unseen-field", "unseen-value"}
	if diff := cmp.Diff(want, codes); diff != "" {
		t.Errorf("(-want +got)\n%s\n%s", diff, got)
	}
}
