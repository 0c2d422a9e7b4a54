package connectors_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"hookgate/connectors"
	"hookgate/test/connectortest"
)

// No header makes a delivery wait longer than a day, or less than not at all.
func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"", "0", "7", "-1", "1e9", "99999999999999999999", "Tue, 10 Mar 2026 09:43:37 GMT", "Sat, 10 Mar 2099 09:43:37 GMT", "Sun, 10 Mar 1996 09:43:37 GMT", " 5 ", "٣", "0x10"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		d := connectors.ParseRetryAfter(value, connectortest.Clock)
		if d < 0 || d > 24*time.Hour {
			t.Errorf("%q gave %s", value, d)
		}
		if later := connectors.ParseRetryAfter(value, connectortest.Clock.Add(time.Hour)); later > d {
			t.Errorf("%q gave %s, and %s an hour later", value, d, later)
		}
	})
}

// What an error quotes is one short line, whatever was answered.
func FuzzExcerpt(f *testing.F) {
	f.Add("upstream unavailable")
	f.Add("a\r\n\x1b[31mb\x00\u202e\u2028c\xff")
	f.Add(strings.Repeat("ü ", 300))
	f.Fuzz(func(t *testing.T, text string) {
		got := connectors.Excerpt(text)
		if !utf8.ValidString(got) || utf8.RuneCountInString(got) > 202 || strings.ContainsAny(got, "\r\n\t\x1b\x00\u202e\u2028") {
			t.Errorf("%q became %q", text, got)
		}
	})
}

// No escaped value holds a character that Slack gives a meaning, and Slack
// shows it as it was.
func FuzzEscapeAngles(f *testing.F) {
	for _, seed := range []string{"", "a & b", "<!channel>", "<@U1|x>", "&lt;!here&gt;", "&amp;lt;", "\xff<", "<https://x|y>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		escaped := connectors.EscapeAngles(text)
		if strings.ContainsAny(escaped, "<>") {
			t.Errorf("%q became %q", text, escaped)
		}
		if rest := strings.NewReplacer("&amp;", "", "&lt;", "", "&gt;", "").Replace(escaped); strings.Contains(rest, "&") {
			t.Errorf("%q became %q", text, escaped)
		}
		if back := connectors.UnescapeAngles(escaped); back != text {
			t.Errorf("%q is shown as %q", text, back)
		}
	})
}
