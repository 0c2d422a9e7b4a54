package all_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"hookgate/test/connectortest"
)

func utf16Units(text string) int { return len(utf16.Encode([]rune(text))) }

func jsonBytes(text string) int {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text)
	return len(strings.TrimSuffix(b.String(), "\n")) - 2
}

// mustSend delivers an output and gives the body that arrived.
func mustSend(t *testing.T, kind, settings string, output map[string]any, answer http.HandlerFunc) string {
	t.Helper()
	sent := ""
	base := connectortest.MustServe(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sent = string(body)
		answer(w, r)
	})
	raw, err := json.Marshal(output)
	if err != nil {
		t.Fatal(err)
	}
	c := connectortest.MustConnector(t, kind, strings.ReplaceAll(settings, "BASE", base), connectortest.Deps(t))
	if _, err := c.Deliver(t.Context(), connectortest.Delivery(string(raw))); err != nil {
		t.Errorf("%s: %v", kind, err)
	}
	return sent
}

// answerOf answers a status and a body.
func answerOf(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// Each receiver counts in a unit of its own: what is cut stays within it, whole
// in its characters, and fills it; what fits is not touched.
func TestLengths_cut(t *testing.T) {
	t.Parallel()
	field := func(name string) func(string) string {
		return func(body string) string {
			var fields map[string]any
			_ = json.Unmarshal([]byte(body), &fields)
			text, _ := fields[name].(string)
			return text
		}
	}
	for _, tc := range []struct {
		kind, settings, input string
		status                int
		answer                string
		limit                 int
		count                 func(string) int
		text                  func(body string) string
	}{
		{"notion", "token: canary-notion-1\ndatabase: d\napi_url: BASE", "title", 200, `{"object":"page"}`, 2000, utf16Units, func(body string) string {
			var page struct {
				Properties struct {
					Name struct {
						Title []struct{ Text struct{ Content string } }
					}
				}
			}
			_ = json.Unmarshal([]byte(body), &page)
			return page.Properties.Name.Title[0].Text.Content
		}},
		{"ntfy", "topic: canary-topic-1\nserver: BASE", "message", 200, `{"id":"1"}`, 4096, func(text string) int { return len(text) }, field("message")},
		{"pushover", "token: canary-token-1\nuser: canary-user-1\napi_url: BASE", "message", 200, `{"status":1}`, 1024, utf8.RuneCountInString, nil},
		{"discord", "webhook_url: BASE/x", "text", 200, `{"id":"1"}`, 2000, utf8.RuneCountInString, field("content")},
		{"twilio", "account_sid: AC1\nauth_token: canary-token-1\nfrom: '+49'\napi_url: BASE", "text", 201, `{"sid":"1"}`, 1600, utf16Units, func(body string) string {
			form, _ := url.ParseQuery(body)
			return form.Get("Body")
		}},
		{"trello", "api_key: canary-key-1\ntoken: canary-token-1\nlist: l\napi_url: BASE", "name", 200, `{"id":"1"}`, 16384, utf16Units, field("name")},
		{"teams", "webhook_url: BASE/x", "text", 202, "", 20000, jsonBytes, func(body string) string {
			var message struct {
				Attachments []struct {
					Content struct{ Body []struct{ Text string } }
				}
			}
			_ = json.Unmarshal([]byte(body), &message)
			return message.Attachments[0].Content.Body[0].Text
		}},
	} {
		if tc.text == nil {
			tc.text = func(body string) string {
				form, _ := url.ParseQuery(body)
				if form.Has(tc.input) {
					return form.Get(tc.input)
				}
				return field(tc.input)(body)
			}
		}
		for _, piece := range []string{"x", "ä", "😀", "a😀", `\"`, "\n\"", "👩‍🚀"} {
			long := strings.Repeat(piece, tc.limit+7)
			output := map[string]any{tc.input: long}
			if tc.kind == "twilio" {
				output["phone"] = "+49"
			}
			got := tc.text(mustSend(t, tc.kind, tc.settings, output, answerOf(tc.status, tc.answer)))
			if n := tc.count(got); n > tc.limit || n < tc.limit-4 {
				t.Errorf("%s, %q: %d of %d were sent", tc.kind, piece, n, tc.limit)
			}
			if begin, cut := strings.CutSuffix(got, "…"); !cut || !strings.HasPrefix(long, begin) || strings.Contains(got, "\ufffd") {
				t.Errorf("%s, %q: it became %.40q", tc.kind, piece, got)
			}
			fits := strings.Repeat(piece, tc.limit/tc.count(piece))
			output[tc.input] = fits
			if got := tc.text(mustSend(t, tc.kind, tc.settings, output, answerOf(tc.status, tc.answer))); strings.TrimSpace(got) != strings.TrimSpace(fits) {
				t.Errorf("%s, %q: what fits became %.40q", tc.kind, piece, got)
			}
		}
	}
}

// Telegram counts a message when its mark-up is parsed, in characters.
func TestLengths_telegram(t *testing.T) {
	t.Parallel()
	const settings = "bot_token: 7:canary-token-1\nchat: '1'\napi_url: BASE"
	fits := "<b>Ada</b>: " + strings.Repeat("&lt;😀", 2045) + "&amp;"
	if body := mustSend(t, "telegram", settings, map[string]any{"text": fits}, answerOf(200, `{"ok":true,"result":{"message_id":5}}`)); !strings.Contains(body, "parse_mode") {
		t.Errorf("got %.100s", body)
	}
	c := connectortest.MustConnector(t, "telegram", strings.ReplaceAll(settings, "BASE", "http://127.0.0.1:1"), connectortest.Deps(t))
	_, err := c.Deliver(t.Context(), connectortest.Delivery(`{"text":"`+fits+`x"}`))
	if want := "text has 4097 characters without its mark-up, telegram takes 4096"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

// Notion takes 2,000 UTF-16 units in one text object: a longer text becomes
// several, with all of its characters whole, up to twenty.
func TestNotion_longTexts(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"": 1, "ä": 1, strings.Repeat("ä", 2000): 1, strings.Repeat("ä", 2001): 2, strings.Repeat("äb", 3000): 3, strings.Repeat("x", 40_000): 20,
		strings.Repeat("x", 41_000): 20, strings.Repeat("😀", 1000): 1, "x" + strings.Repeat("😀", 2000): 3, strings.Repeat("x", 1999) + "😀y": 2,
	} {
		var got struct {
			Properties map[string]struct {
				Texts []struct{ Text struct{ Content string } } `json:"rich_text"`
			}
		}
		output := map[string]any{"title": "Ada", "texts": map[string]any{"Message": text, "Number": 7}}
		body := mustSend(t, "notion", "token: canary-notion-1\ndatabase: d1\napi_url: BASE", output, answerOf(200, `{"object":"page","id":"p1"}`))
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatal(err)
		}
		sent := ""
		for _, part := range got.Properties["Message"].Texts {
			if utf16Units(part.Text.Content) > 2000 {
				t.Errorf("a piece of %d units", utf16Units(part.Text.Content))
			}
			sent += part.Text.Content
		}
		if parts := len(got.Properties["Message"].Texts); parts != want {
			t.Errorf("%d units became %d parts, want %d", utf16Units(text), parts, want)
		}
		if utf16Units(text) > 40_000 {
			if sent != text[:39_999]+"…" {
				t.Errorf("what is left of a longer one has %d units and ends with %q", utf16Units(sent), sent[len(sent)-10:])
			}
		} else if sent != text {
			t.Errorf("%.20q became %.20q", text, sent)
		}
		if numbers := got.Properties["Number"].Texts; len(numbers) != 1 || numbers[0].Text.Content != "7" {
			t.Errorf("a number became %v", numbers)
		}
	}
}
