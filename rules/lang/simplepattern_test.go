package lang_test

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"hookgate/rules/lang"
)

// What is taken for simple, and what must not be: after ^ or before $ a dot
// that stops at line ends says something.
func TestSimplePattern_which(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]bool{
		"abc": true, "^abc": true, "abc$": true, "^abc$": true, `.*@other\.com$`: true, ".*?abc.*": true, `\Aabc\z`: true, "(?s).*abc$": true, "a": true, "ä": true,
		"^.*abc": false, "abc.*$": false, "(?i)abc": false, "(?m)^abc": false, "(?m)abc$": false, "ab?c": false, "a|b": false, "[ab]c": false, ".+abc": false,
		"": false, "^$": false, ".*": false, "(abc)": false, "\ufffd": false, "^^abc": false,
	} {
		if _, simple := lang.MatchSimply(source, nil); simple != want {
			t.Errorf("%s: simple is %t", source, simple)
		}
	}
}

// A simple pattern matches what the regular expression matches.
func TestSimplePattern_isTheExpression(t *testing.T) {
	t.Parallel()
	piece := rapid.SampledFrom([]string{"a", "b", "ab", `\.`, ".", ".*", ".*?", "(?s:.*)", "^", "$", `\A`, `\z`, "ä", "\n", `\n`, "(?i)", "(?m)", "+", "(a)", "[a]", "a{2}", "a?"})
	text := rapid.SampledFrom([]string{"a", "b", ".", "ä", "\n", "A", "\xff", "\xc3", "\u00c4", "\ufffd"})
	simple := 0
	rapid.Check(t, func(t *rapid.T) {
		source := strings.Join(rapid.SliceOfN(piece, 1, 5).Draw(t, "pattern"), "")
		re, err := regexp.Compile(source)
		if err != nil {
			return // no pattern that check would let through
		}
		subject := []byte(strings.Join(rapid.SliceOfN(text, 0, 6).Draw(t, "text"), ""))
		got, is := lang.MatchSimply(source, subject)
		if !is {
			return
		}
		simple++
		if want := re.Match(subject); got != want {
			t.Errorf("%q on %q: got %t, want %t", source, subject, got, want)
		}
	})
	if simple < 10 {
		t.Errorf("only %d patterns were simple", simple)
	}
}
