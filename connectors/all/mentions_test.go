package all_test

import (
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"hookgate/rules/lang"
	"hookgate/test/connectortest"
)

// attacks are what a visitor may write, by what it would be.
func attacks() map[string][]string {
	return map[string][]string{
		"mention everybody": {"@all", "@everyone", "@channel", "(@here)", "<!channel>", "<!here|x>", "<!subteam^S1>", "<users/all>", "@@all", "-@all", ".@channel", "a.@here", "_@all", "https://video.example/@all"},
		"mention one":       {"<@U123>", "<@!123>", "<users/123>", "@octocat", "ü@octocat", "<at>Ada</at>", "@ada_lovelace", "#12", "<#C123>", "agency/website#12"},
		"masked link":       {"[click](https://evil.example)", `\[click\](https://evil.example)`, "[click][1]\n\n[1]: https://evil.example", "<https://evil.example|Click>", `<a href="https://evil.example">click</a>`, "[a]:https://evil.example"},
		"image":             {"![x](https://evil.example/x.png)", `<img src="https://evil.example/x.png">`, "![x][1]"},
		"command":           {"/start", "(/start@bot)", "</deploy:1>", "`/start`"},
	}
}

// What makes them live, by the mark-up that a receiver reads.
var (
	angle      = regexp.MustCompile(`(^|[^\\])(\\\\)*<[\pL@#!/]`)
	atName     = regexp.MustCompile(`(^|[^A-Za-z0-9_])_*@[\pL\pN]`)
	bracket    = regexp.MustCompile(`(^|[^\\])(\\\\)*\][(\[:]`)
	reference  = regexp.MustCompile(`#\d`)
	botCommand = regexp.MustCompile(`(^|[^\pL\pN_/<>])/[A-Za-z0-9_]`)
)

// chat is a kind of which people read a text with mark-up.
type chat struct {
	settings string
	author   string // what a rule's author wrote, which keeps its mark-up
	action   string // TEXT stands for the author's text and a value
	live     []*regexp.Regexp
}

func chats() map[string]chat {
	markdown := []*regexp.Regexp{angle, atName, bracket, reference}
	author := "**New** [open](https://ok.example) @channel <@U1> #1"
	return map[string]chat{
		"slack webhook":                {"webhook_url: BASE/hooks/x", "<!channel> *New* <https://ok.example|open>", "text: TEXT", []*regexp.Regexp{angle}},
		"slack bot":                    {"{ bot_token: xoxb-1, channel: '#leads', api_url: BASE/api }", "<!channel> *New*", "text: TEXT", []*regexp.Regexp{angle}},
		"slack section":                {"webhook_url: BASE/hooks/x", "<!channel> *New*", "blocks: [{ type: section, text: { type: mrkdwn, text: TEXT } }]", []*regexp.Regexp{angle, bracket}},
		"slack markdown block":         {"webhook_url: BASE/hooks/x", "[open](https://ok.example)", "blocks: [{ type: markdown, text: TEXT }]", []*regexp.Regexp{angle, bracket}},
		"slack block of the event's":   {"webhook_url: BASE/hooks/x", "", "blocks: '${{ [{\"type\": \"markdown\", \"text\": data.a}] }}'", []*regexp.Regexp{angle, bracket}},
		"telegram":                     {"{ bot_token: '1:x', chat: '1', api_url: BASE }", "<b>New</b> @team /help", "text: TEXT", []*regexp.Regexp{angle, atName, botCommand}},
		"google_chat":                  {"webhook_url: BASE/x", "<users/all> *New* <https://ok.example|open>", "text: TEXT", []*regexp.Regexp{angle, atName}},
		"google_chat card":             {"webhook_url: BASE/x", `<a href="https://ok.example">New</a>`, "cards: [{ cardId: a, card: { sections: [{ widgets: [{ textParagraph: { text: TEXT } }] }] } }]", []*regexp.Regexp{angle, atName, bracket}},
		"mattermost":                   {"webhook_url: BASE/hooks/x", author, "text: TEXT", markdown},
		"mattermost attachment":        {"webhook_url: BASE/hooks/x", author, "{ text: x, attachments: [{ pretext: TEXT }] }", markdown},
		"mattermost attachment's list": {"webhook_url: BASE/hooks/x", "", `{ text: x, attachments: '${{ [{"pretext": data.a}] }}' }`, markdown},
		"discord":                      {"webhook_url: BASE/hooks/x", author, "text: TEXT", markdown},
		"discord embed":                {"webhook_url: BASE/hooks/x", author, "embeds: [{ description: TEXT }]", markdown},
		"teams":                        {"webhook_url: BASE/hooks/x", author, "text: TEXT", markdown},
		"teams title":                  {"webhook_url: BASE/hooks/x", author, "{ text: x, title: TEXT }", markdown},
		"teams card":                   {"webhook_url: BASE/hooks/x", author, "card: { type: AdaptiveCard, body: [{ type: TextBlock, text: TEXT }] }", markdown},
		"ntfy":                         {"{ topic: t, server: BASE }", author, "{ message: TEXT, markdown: true }", []*regexp.Regexp{angle, bracket}},
		"github":                       {"{ token: t, repository: a/b, api_url: BASE }", author, "create_issue: { title: x, body: TEXT }", markdown},
		"trello":                       {"{ api_key: k, token: t, list: l, api_url: BASE }", author, "create_card: { name: x, description: TEXT }", markdown},
	}
}

// withoutMarkup are the other kinds, and why nothing in a value of theirs can
// mention or link.
func withoutMarkup() map[string]string {
	plain, data := "its texts are shown as they are", "it takes data, not a text with mark-up"
	return map[string]string{
		"activecampaign": data, "airtable": data, "amqp": data, "asana": "notes are plain text; html_notes are not sent", "brevo": data, "campaign_monitor": data,
		"email": "html is escaped by its own test", "google_sheets": "values are RAW", "hubspot": data, "kafka": data, "lexware": data, "log": "the log writes texts as JSON", "mailchimp": data,
		"make": data, "n8n": data, "nats": data, "notion": "texts are rich_text objects without links", "pagerduty": plain, "pipedrive": data,
		"pushover": "html=1 is not sent", "salesforce": data, "salesforce_web_to_lead": data, "sevdesk": data, "stripe": data, "twilio": plain, "webhook": data, "zapier": data,
	}
}

// What a visitor writes mentions nobody in a chat, hides no link behind other
// words, is no image and no command; what the rule's author wrote keeps its
// mark-up, and addresses stay what they are. Fails where a text of a recipe
// loses its `escape`, and where a new kind is in neither list.
func TestConformance_mentions(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for name, c := range chats() {
		kind, _, _ := strings.Cut(name, " ")
		known[kind] = true
		for column, values := range attacks() {
			for _, value := range values {
				sent := sentText(t, kind, c, value+" ")
				own, visitors := c.author, sent
				if own != "" {
					var found bool
					if _, visitors, found = strings.Cut(sent, own); !found {
						t.Fatalf("%s: the author's %s became %s", name, own, sent)
					}
				}
				for _, live := range c.live {
					seen := strings.TrimPrefix(visitors, ": ")
					if live == botCommand {
						seen = html.UnescapeString(seen) // Telegram looks for them after HTML was read
					}
					if live.MatchString(seen) {
						t.Errorf("%s, %s: %q is live in %q (%s)", name, column, value, visitors, live)
					}
				}
			}
		}
		kept := "ada_@example.com https://shop.example/a_b/?c=~d"
		if sent := sentText(t, kind, c, kept); !strings.HasSuffix(strings.ReplaceAll(sent, `\_`, "_"), kept) || !strings.Contains(sent, "/a_b/") {
			t.Errorf("%s: addresses changed: %s", name, sent)
		}
	}
	for _, kind := range connectortest.Kinds() {
		if known[kind.Name] == (withoutMarkup()[kind.Name] != "") {
			t.Errorf("%s belongs in one of the two lists of this test", kind.Name)
		}
	}
}

// An address in a block, a card or an attachment is not escaped, a text beside
// it is.
func TestConformance_addressesInBlocks(t *testing.T) {
	t.Parallel()
	address := "https://x.example/?a=1&b=[c](d)&longer=than-a-content-type"
	for name, c := range map[string]chat{
		"slack":       {settings: "webhook_url: BASE/x", action: "blocks: [{ type: image, alt_text: x, image_url: '${{ data.a }}' }]"},
		"slack list":  {settings: "webhook_url: BASE/x", action: "blocks: '${{ [{\"type\": \"image\", \"image_url\": data.a}] }}'"},
		"google_chat": {settings: "webhook_url: BASE/x", action: "cards: [{ card: { header: { title: x, imageUrl: '${{ data.a }}' } } }]"},
		"mattermost":  {settings: "webhook_url: BASE/x", action: "{ text: x, attachments: [{ title: x, title_link: '${{ data.a }}' }] }"},
		"discord":     {settings: "webhook_url: BASE/x", action: "embeds: [{ title: x, url: '${{ data.a }}' }]"},
		"teams":       {settings: "webhook_url: BASE/x", action: "card: { body: [{ type: Image, url: '${{ data.a }}' }] }"},
	} {
		kind, _, _ := strings.Cut(name, " ")
		if sent := sentText(t, kind, c, address); sent != address {
			t.Errorf("%s: got %s", name, sent)
		}
	}
}

// sentText is the longest text that the kind sends for an action in which a is
// the event's value.
func sentText(t *testing.T, kind string, c chat, a string) string {
	t.Helper()
	var sent any
	base := connectortest.MustServe(t, func(_ http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); sent == nil {
			if json.Unmarshal(body, &sent) != nil { // Slack's API takes forms
				form, _ := url.ParseQuery(string(body))
				sent = form.Get("text")
			}
		}
	})
	data, _ := json.Marshal(map[string]string{"a": a})
	scope, inputs := connectortest.MustInputs(t, kind, string(data))
	written, _ := json.Marshal(c.author + ": ${{ data.a }}")
	output := renderAction(t, scope, inputs, strings.ReplaceAll(c.action, "TEXT", string(written)))
	connector := connectortest.MustConnector(t, kind, strings.ReplaceAll(c.settings, "BASE", base), connectortest.Deps(t))
	_, _ = connector.Deliver(t.Context(), connectortest.Delivery(output)) // what is answered does not matter
	return longest(sent)
}

func longest(sent any) string {
	found := ""
	keep := func(text string) {
		if len(text) > len(found) {
			found = text
		}
	}
	switch x := sent.(type) {
	case string:
		keep(x)
	case []any:
		for _, inner := range x {
			keep(longest(inner))
		}
	case map[string]any:
		for key, inner := range x {
			if key != "$schema" {
				keep(longest(inner))
			}
		}
	}
	return found
}

// renderAction is an action, written in YAML, as it is stored for the event.
func renderAction(t *testing.T, scope *lang.Scope, inputs map[string]lang.Input, text string) string {
	t.Helper()
	out := map[string]json.RawMessage{}
	for _, f := range connectortest.MustParse(t, text).Fields() {
		template, list := lang.NewCompiler().Template(f.Value, inputs[f.Key.Value])
		if err := list.Err(); err != nil {
			t.Fatal(err)
		}
		value, _, err := template.AppendJSON(nil, scope)
		if err != nil {
			t.Fatal(err)
		}
		out[f.Key.Value] = value
	}
	whole, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	return string(whole)
}
