package slack_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"hookgate/connectors"
	"hookgate/test/connectortest"
	"hookgate/test/fakeslack"
)

func TestTester(t *testing.T) {
	t.Parallel()
	answer, path := "", ""
	base := connectortest.MustServe(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		path = r.URL.Path + " " + string(body)
		_, _ = io.WriteString(w, answer)
	})
	bot := connectortest.MustTester(t, "slack", "bot_token: xoxb-canary-0010\nchannel: '#leads'\napi_url: "+base+"/api")
	if bot.TestInfo().Message {
		t.Errorf("got %+v", bot.TestInfo())
	}
	answer = `{"ok":true,"user":"xoxb-canary-0010","team":"Agency"}`
	tried, err := bot.Test(t.Context(), 4711)
	if err != nil || tried.Said != "the token is that of [redacted] in Agency" || !strings.HasPrefix(path, "/api/auth.test") {
		t.Errorf("got %+v, %v by %s", tried, err, path)
	}
	answer = `{"ok":false,"error":"invalid_auth"}`
	if tried, err = bot.Test(t.Context(), 4711); connectortest.Outcome(err) != "permanent" || err.Error() != "Slack says invalid_auth" || tried.Said != "" {
		t.Errorf("got %+v, %v", tried, err)
	}
	hook := connectortest.MustTester(t, "slack", "webhook_url: "+base+"/services/T0CANARY1/B0CANARY2/canaryKey0009")
	if !hook.TestInfo().Message {
		t.Errorf("got %+v", hook.TestInfo())
	}
	answer = "ok"
	if tried, err := hook.Test(t.Context(), 4711); err != nil || tried.Status != 200 || !strings.Contains(path, "This is a test") {
		t.Errorf("got %+v, %v by %s", tried, err, path)
	}
}

// ways are settings for both ways to post to a fake.
func ways(s *fakeslack.Server) map[string]string {
	return map[string]string{
		"webhook": "webhook_url: " + s.WebhookURL(),
		"bot":     "bot_token: " + fakeslack.Token + "\nchannel: '#leads'\napi_url: " + s.APIURL(),
	}
}

func TestSlack_message(t *testing.T) {
	t.Parallel()
	const output = `{"text":"*Harry&amp;s* &lt;!channel&gt;","blocks":[{"type":"future","n":9007199254740993},` +
		`{"type":"actions","elements":[{"type":"button","text":{"type":"plain_text","text":"A &amp; B"},"url":"https://h.example/?a=1&amp;b=2"}]}],` +
		`"thread_ts":"1.2","username":"Gate","icon_emoji":":tada:"}`
	for way, via := range map[string]string{"webhook": "webhook", "bot": "api"} {
		s := fakeslack.New(t)
		c := connectortest.MustConnector(t, "slack", ways(s)[way], connectortest.Deps(t))
		receipt, err := c.Deliver(t.Context(), connectortest.Delivery(output))
		if err != nil || receipt.Status != http.StatusOK {
			t.Errorf("%s: got %d, %v", way, receipt.Status, err)
		}
		if id := receipt.Outputs["id"]; (id != "") != (way == "bot") { // a webhook's answer does not tell
			t.Errorf("%s: the outputs are %v", way, receipt.Outputs)
		}
		want := fakeslack.Message{
			Via: via, Channel: map[string]string{"webhook": fakeslack.WebhookChannel, "bot": "#leads"}[way],
			Text: "*Harry&amp;s* &lt;!channel&gt;", ThreadTS: "1.2", Username: "Gate", IconEmoji: ":tada:", Posted: true,
		}
		if err := json.Unmarshal([]byte(`[{"type":"future","n":9007199254740993},{"type":"actions","elements":[{"type":"button",`+
			`"text":{"type":"plain_text","text":"A &amp; B"},"url":"https://h.example/?a=1&b=2"}]}]`), &want.Blocks); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]fakeslack.Message{want}, s.Messages(), cmpopts.IgnoreFields(fakeslack.Message{}, "Header", "At", "TS")); diff != "" {
			t.Errorf("%s: %s", way, diff)
		}
		if agent := s.Messages()[0].Header.Get("User-Agent"); agent != "hookgate/1.2.3" {
			t.Errorf("%s: the user agent is %q", way, agent)
		}
	}
}

func TestSlack_defaults(t *testing.T) {
	t.Parallel()
	s := fakeslack.New(t)
	c := connectortest.MustConnector(t, "slack", ways(s)["bot"]+"\nusername: Own\nicon_emoji: ':x:'", connectortest.Deps(t))
	for _, output := range []string{`{"text":"a"}`, `{"text":"b","channel":"C2","username":"Other","icon_emoji":":y:"}`} {
		if _, err := c.Deliver(t.Context(), connectortest.Delivery(output)); err != nil {
			t.Error(err)
		}
	}
	var got []string
	for _, m := range s.Messages() {
		got = append(got, strings.Join([]string{m.Text, m.Channel, m.Username, m.IconEmoji}, " "))
	}
	if diff := cmp.Diff([]string{"a #leads Own :x:", "b C2 Other :y:"}, got); diff != "" {
		t.Error(diff)
	}
}

// An incoming webhook says what is wrong by status and one word.
func TestSlack_webhookErrors(t *testing.T) {
	t.Parallel()
	s := fakeslack.New(t)
	c := connectortest.MustConnector(t, "slack", ways(s)["webhook"], connectortest.Deps(t))
	for word, status := range map[string]int{
		"invalid_payload": 400, "no_text": 400, "posting_to_general_channel_denied": 400, "action_prohibited": 403,
		"invalid_token": 403, "channel_not_found": 404, "no_service": 404, "channel_is_archived": 410,
	} {
		s.Script(fakeslack.Answer{Status: status, Body: word})
		_, err := c.Deliver(t.Context(), connectortest.Delivery(`{"text":"x"}`))
		want := fmt.Sprintf("%d %s: %s", status, http.StatusText(status), word)
		if !connectors.IsPermanent(err) || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	s.Script(fakeslack.Answer{Status: 429, Header: http.Header{"Retry-After": {"30"}}}, fakeslack.Answer{Reset: true})
	if _, err := c.Deliver(t.Context(), connectortest.Delivery(`{"text":"x"}`)); connectortest.Outcome(err) != "transient" || connectortest.WaitOf(err) != 30*time.Second {
		t.Errorf("got %v", err)
	}
	if _, err := c.Deliver(t.Context(), connectortest.Delivery(`{"text":"x"}`)); connectortest.Outcome(err) != "transient" {
		t.Errorf("got %v", err)
	}
	gone := connectortest.MustConnector(t, "slack", "webhook_url: "+s.URL()+"/services/T1/B1/removed", connectortest.Deps(t))
	if _, err := gone.Deliver(t.Context(), connectortest.Delivery(`{"text":"x"}`)); err == nil || err.Error() != "404 Not Found: no_service" {
		t.Errorf("got %v", err)
	}
	if n := len(s.Messages()); n != 0 {
		t.Errorf("%d messages were posted", n)
	}
}

// A success is what Slack says, not what its status says: in between there are
// proxies, and old webhooks answer 200 with the word for an error.
func TestSlack_webhookSuccess(t *testing.T) {
	t.Parallel()
	s := fakeslack.New(t)
	c := connectortest.MustConnector(t, "slack", ways(s)["webhook"], connectortest.Deps(t))
	for body, want := range map[string]string{
		"ok": "delivered", " ok\n": "delivered", "\ufeffok": "delivered", `{"success":true}`: "delivered", `{"ok":true}`: "delivered",
		"<html><title>Sign in to the guest network</title></html>": "transient", `{"success":false}`: "transient", "null": "transient",
		"no_service": "permanent", "channel_is_archived": "permanent",
	} {
		s.Script(fakeslack.Answer{Status: 200, Body: body})
		if receipt, err := c.Deliver(t.Context(), connectortest.Delivery(`{"text":"x"}`)); connectortest.Outcome(err) != want || receipt.Status != 200 {
			t.Errorf("%q: got %s (%v) with status %d, want %s", body, connectortest.Outcome(err), err, receipt.Status, want)
		}
	}
}

// The Web API says what is wrong in an answer with status 200.
func TestSlack_apiErrors(t *testing.T) {
	t.Parallel()
	s := fakeslack.New(t)
	c := connectortest.MustConnector(t, "slack", ways(s)["bot"], connectortest.Deps(t))
	for _, tc := range []struct {
		body, retryAfter string
		outcome, message string
		after            time.Duration
	}{
		{`{"ok":false,"error":"channel_not_found"}`, "", "permanent", "Slack says channel_not_found", 0},
		{`{"ok":false,"error":"invalid_auth"}`, "", "permanent", "Slack says invalid_auth", 0},
		{`{"ok":false,"error":"not_authed"}`, "", "permanent", "Slack says not_authed", 0},
		{`{"ok":false,"error":"account_inactive"}`, "", "permanent", "Slack says account_inactive", 0},
		{`{"ok":false,"error":"not_in_channel"}`, "", "permanent", "Slack says not_in_channel", 0},
		{`{"ok":false,"error":"is_archived"}`, "", "permanent", "Slack says is_archived", 0},
		{`{"ok":false,"error":"msg_too_long"}`, "", "permanent", "Slack says msg_too_long", 0},
		{`{"ok":false,"error":"restricted_action"}`, "", "permanent", "Slack says restricted_action", 0},
		{`{"ok":false,"error":"something_new"}`, "", "permanent", "Slack says something_new", 0},
		{`{"ok":false,"error":"missing_scope","needed":"chat:write","provided":"x"}`, "", "permanent", "Slack says missing_scope (the bot needs the scope chat:write)", 0},
		{`{"ok":false,"error":"invalid_blocks","response_metadata":{"messages":["[ERROR] must be\nless than 3001 characters"]}}`, "", "permanent", "Slack says invalid_blocks: [ERROR] must be less than 3001 characters", 0},
		{`{"ok":false,"error":"ratelimited"}`, "9", "transient", "Slack says ratelimited", 9 * time.Second},
		{`{"ok":false,"error":"rate_limited"}`, "", "transient", "Slack says rate_limited", 0},
		{`{"ok":false,"error":"service_unavailable"}`, "", "transient", "Slack says service_unavailable", 0},
		{`{"ok":false,"error":"request_timeout"}`, "", "transient", "Slack says request_timeout", 0},
		{`{"ok":false,"error":"internal_error"}`, "", "transient", "Slack says internal_error", 0},
		{`{"ok":false,"error":"fatal_error"}`, "", "transient", "Slack says fatal_error", 0},
		{`<html>sign in to the wifi`, "", "transient", "the answer is not Slack's: 200 OK: <html>sign in to the wifi", 0},
		{``, "", "transient", "the answer is not Slack's: 200 OK", 0},
	} {
		header := http.Header{"Content-Type": {"application/json"}}
		if tc.retryAfter != "" {
			header.Set("Retry-After", tc.retryAfter)
		}
		s.Script(fakeslack.Answer{Header: header, Body: tc.body})
		_, err := c.Deliver(t.Context(), connectortest.Delivery(`{"text":"x"}`))
		if connectortest.Outcome(err) != tc.outcome || err.Error() != tc.message || connectortest.WaitOf(err) != tc.after {
			t.Errorf("%s: got %s: %v after %s, want %s: %s", tc.body, connectortest.Outcome(err), err, connectortest.WaitOf(err), tc.outcome, tc.message)
		}
	}
	wrong := connectortest.MustConnector(t, "slack", "bot_token: xoxb-wrong\nchannel: C1\napi_url: "+s.APIURL(), connectortest.Deps(t))
	if _, err := wrong.Deliver(t.Context(), connectortest.Delivery(`{"text":"x"}`)); err == nil || err.Error() != "Slack says invalid_auth" {
		t.Errorf("got %v", err)
	}
}

// What Slack would refuse or cut is not sent at all.
func TestSlack_limits(t *testing.T) {
	t.Parallel()
	s := fakeslack.New(t)
	bot := connectortest.MustConnector(t, "slack", "bot_token: "+fakeslack.Token+"\napi_url: "+s.APIURL(), connectortest.Deps(t))
	object := func(length int) string { return `{"type":"mrkdwn","text":"` + strings.Repeat("ü", length) + `"}` }
	section := func(rest string) string { return `{"channel":"C1","blocks":[{"type":"section",` + rest + `}]}` }
	posted := 0
	for output, want := range map[string]string{
		`{"channel":"C1","text":"` + strings.Repeat("ü", 40000) + `"}`:                                    "",
		`{"channel":"C1","text":"` + strings.Repeat("ü", 40001) + `"}`:                                    "the text has 40001 characters, Slack takes 40000",
		section(`"text":` + object(3000)):                                                                 "",
		section(`"text":` + object(3001)):                                                                 "block 1: the section has 3001 characters, Slack takes 3000",
		section(`"text":{"text":"` + strings.Repeat("&amp;", 3000) + `"}`):                                "",
		section(`"fields":[` + strings.Repeat(object(1)+",", 9) + object(2000) + `]`):                     "",
		section(`"fields":[` + strings.Repeat(object(1)+",", 10) + object(1) + `]`):                       "block 1: the section has 11 fields, Slack takes 10",
		section(`"fields":[` + object(2001) + `]`):                                                        "block 1: a field of the section has 2001 characters, Slack takes 2000",
		`{"channel":"C1","blocks":[{"type":"header","text":` + object(151) + `}]}`:                        "block 1: the header has 151 characters, Slack takes 150",
		`{"channel":"C1","blocks":[` + strings.Repeat(`{"type":"divider"},`, 50) + `{"type":"divider"}]}`: "there are 51 blocks, Slack takes 50",
		`{"channel":"C1","blocks":[{"type":"divider"},{"text":"x"}]}`:                                     "block 2: it has no type",
		`{"channel":"C1","blocks":[null]}`:                                                                "block 1: it has no type",
		`{"channel":"C1","blocks":{"type":"divider"}}`:                                                    "blocks is not a list of mappings",
		`{"channel":"C1","text":" \n","blocks":[]}`:                                                       "the text is empty and there are no blocks",
		`{"channel":"C1","text":"","blocks":null}`:                                                        "the text is empty and there are no blocks",
		`{"text":"x"}`:              "the channel is empty, and the connection has none",
		`{"text":"x","channel":""}`: "the channel is empty, and the connection has none",
	} {
		_, err := bot.Deliver(t.Context(), connectortest.Delivery(output))
		if want == "" {
			posted++
			if err != nil {
				t.Errorf("%.80s: %v", output, err)
			}
			continue
		}
		if !connectors.IsPermanent(err) || err.Error() != want {
			t.Errorf("%.80s: got %v, want %s", output, err, want)
		}
	}
	hook := connectortest.MustConnector(t, "slack", ways(s)["webhook"], connectortest.Deps(t))
	_, err := hook.Deliver(t.Context(), connectortest.Delivery(`{"text":"x","channel":"C1"}`))
	if want := "an incoming webhook posts to its own channel only: leave channel out of the action"; !connectors.IsPermanent(err) || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if n := len(s.Requests()); n != posted {
		t.Errorf("%d requests were made, want %d", n, posted)
	}
}

func TestSlack_settings(t *testing.T) {
	t.Parallel()
	for settings, want := range map[string]string{
		"type: slack":                                                 `error[missing-key] config.yaml:1:1: a slack connection needs "webhook_url" or "bot_token" (webhook_url posts to one channel, bot_token to any)`,
		"webhook_url: canary":                                         `error[bad-url] config.yaml:1:14: "webhook_url" is no usable URL: it has no scheme (write https:// before the host)`,
		"bot_token: ''":                                               `error[bad-value] config.yaml:1:12: "bot_token" is empty or holds a line break`,
		"bot_token: \"can\\nary\"":                                    `error[bad-value] config.yaml:1:12: "bot_token" is empty or holds a line break`,
		"bot_token: x\napi_url: slack":                                `error[bad-url] config.yaml:2:10: "api_url" is no usable URL: it has no scheme (write https:// before the host)`,
		"bot_token: x\nchanel: x":                                     `error[unknown-key] config.yaml:2:1: a slack connection has no key "chanel" (did you mean "channel"?)`,
		"bot_token: x\nwebhook_url: https://canary.example":           `error[conflict] config.yaml:1:12: a slack connection has either webhook_url or bot_token, not both (keep one of them)`,
		"webhook_url: https://h.example/canary\nchannel: C1":          `error[conflict] config.yaml:2:10: an incoming webhook posts to its own channel only (use bot_token to choose a channel)`,
		"webhook_url: https://h.example/canary\napi_url: https://a.b": `error[conflict] config.yaml:2:10: "api_url" goes with bot_token (webhook_url is the whole address)`,
		"bot_token: x\nchannel: #leads":                               `error[empty-value] config.yaml:2:10: "channel" is empty: " #" starts a YAML comment (write "#leads" in quotes)`,
	} {
		got := connectortest.Faults(t, "slack", settings, connectortest.Deps(t))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s\n%s", settings, diff)
		}
		if strings.Contains(got, "canary") {
			t.Errorf("a secret shows in %s", got)
		}
	}
}
