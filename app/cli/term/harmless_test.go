package term_test

import (
	"encoding/json"
	"strings"
	"testing"

	"hookgate/app/cli/term"
)

func TestHarmless(t *testing.T) {
	t.Parallel()
	const evil = "a\x1b]52;c;ZXZpbA==\x07\u009b31m\u202e\U000e0041 ü\tz\rover\r\n"
	for step := 1; step <= len(evil); step++ { // also where characters are cut
		var b strings.Builder
		h := term.NewHarmless(&b, false)
		for rest := evil; rest != ""; rest = rest[min(step, len(rest)):] {
			if _, err := h.Write([]byte(rest[:min(step, len(rest))])); err != nil {
				t.Fatal(err)
			}
		}
		if want := `a\x1b]52;c;ZXZpbA==\x07\x9b31m\u202e\ue0041 ü` + "\t" + `z\x0dover` + "\r\n"; b.String() != want {
			t.Errorf("by %d: got %q, want %q", step, b.String(), want)
		}
	}
	var b strings.Builder
	h := term.NewHarmless(&b, true)
	if err := json.NewEncoder(h).Encode(evil); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Write([]byte("\x9b")); err != nil {
		t.Fatal(err)
	}
	text, _, _ := strings.Cut(b.String(), "\n")
	var back string
	if err := json.Unmarshal([]byte(text), &back); err != nil || back != evil || strings.ContainsAny(b.String(), "\x1b\u009b\u202e\U000e0041") || !strings.HasSuffix(b.String(), "\n\\x9b") {
		t.Errorf("%q is %q, %v", b.String(), back, err)
	}
}
