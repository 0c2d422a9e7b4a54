package slack_test

import (
	"strings"
	"testing"

	"hookgate/connectors/slack"
)

// No escaped value holds a character that Slack gives a meaning, and Slack
// shows it as it was.
func FuzzSlackEscape(f *testing.F) {
	for _, seed := range []string{"", "a & b", "<!channel>", "<@U1|x>", "&lt;!here&gt;", "&amp;lt;", "\xff<", "<https://x|y>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		escaped := slack.Escape(text)
		if strings.ContainsAny(escaped, "<>") {
			t.Errorf("%q became %q", text, escaped)
		}
		if rest := strings.NewReplacer("&amp;", "", "&lt;", "", "&gt;", "").Replace(escaped); strings.Contains(rest, "&") {
			t.Errorf("%q became %q", text, escaped)
		}
		if back := slack.Unescape(escaped); back != text {
			t.Errorf("%q is shown as %q", text, back)
		}
	})
}
