package term_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hookgate/app/cli/term"
)

// Promise: T8.
func TestClean(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, line, block string }{
		{"Café Blau · 日本 🍽️", "Café Blau · 日本 🍽️", "Café Blau · 日本 🍽️"},
		{"a\nb\tc\r\n", `a\nb\tc\x0d\n`, "a\nb\tc\n"},
		{"\x1b[31mred\x1b]0;title\x07", `\x1b[31mred\x1b]0;title\x07`, `\x1b[31mred\x1b]0;title\x07`},
		{"a\u009bb\u007f", `a\x9bb\x7f`, `a\x9bb\x7f`},
		{"pay\u202egnp.exe", `pay\u202egnp.exe`, `pay\u202egnp.exe`},
		{"a\u2028b", `a\u2028b`, `a\u2028b`},
	}
	for _, tt := range tests {
		if got := term.Clean(tt.in); got != tt.line {
			t.Errorf("Clean(%q) = %q, want %q", tt.in, got, tt.line)
		}
		if got := term.CleanBlock(tt.in); got != tt.block {
			t.Errorf("CleanBlock(%q) = %q, want %q", tt.in, got, tt.block)
		}
	}
}

func TestClean_property(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		got := term.Clean(rapid.String().Draw(t, "text"))
		if strings.ContainsFunc(got, func(r rune) bool { return r < 0x20 || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e }) {
			t.Fatalf("%q holds control characters", got)
		}
		if again := term.Clean(got); again != got {
			t.Fatalf("cleaning twice: %q became %q", got, again)
		}
	})
}

func TestWrap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[a-z0-9日 ,/"{}:]{0,200}`).Draw(t, "text")
		width := rapid.IntRange(2, 60).Draw(t, "width")
		lines := term.Wrap(text, width)
		for _, line := range lines {
			if term.Width(line) > width {
				t.Fatalf("%q is wider than %d", line, width)
			}
		}
		squeeze := func(s string) string { return strings.ReplaceAll(s, " ", "") }
		if got := squeeze(strings.Join(lines, "")); got != squeeze(text) {
			t.Fatalf("%q became %q", text, got)
		}
	})
}

func TestTable(t *testing.T) {
	t.Parallel()
	s := term.New(&bytes.Buffer{}, environment(), false)
	got := s.Table([]string{"ID", "NAME", ""}, [][]string{
		{"1", "Café Blau", "x"}, {"1000", "日本", ""},
	})
	want := "\x1b[1mID\x1b[m    \x1b[1mNAME\x1b[m\n1     Café Blau  x\n1000  日本\n"
	plain := func(text string) string {
		var b bytes.Buffer
		term.New(&b, environment(), true).Printf("%s", text)
		var lines []string
		for line := range strings.Lines(b.String()) {
			lines = append(lines, strings.TrimRight(line, " \n"))
		}
		return strings.Join(lines, "\n")
	}
	if diff := cmp.Diff(plain(want), plain(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !strings.Contains(got, "\x1b[1m") {
		t.Error("the header is not bold")
	}
}

// environment gives the lookup of an environment of names and values.
func environment(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1], true
			}
		}
		return "", false
	}
}

func TestScreen_withoutTerminal(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	s := term.New(&b, environment("TERM", "xterm-256color", "COLORTERM", "truecolor"), false)
	s.Println(s.Good.Render("✓"), s.Strong.Render("done"))
	if got := b.String(); got != "✓ done\n" {
		t.Errorf("got %q", got)
	}
	if s.TTY() || s.Color() || s.Width() != term.DefaultWidth {
		t.Errorf("TTY %v, colour %v, width %d", s.TTY(), s.Color(), s.Width())
	}
	forced := term.New(&b, environment("TERM", "xterm-256color", "CLICOLOR_FORCE", "1"), false)
	if !forced.Color() {
		t.Error("CLICOLOR_FORCE=1 gives no colour")
	}
}
