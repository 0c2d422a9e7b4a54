package diag_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hookgate/internal/diag"
)

func render(t *testing.T, list diag.List, file string, color bool) string {
	t.Helper()
	var b strings.Builder
	if err := diag.Render(&b, list, map[string][]byte{"c.yaml": []byte(file)}, color); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func at(line, column, width int) diag.Diagnostic {
	return diag.Diagnostic{
		Severity: diag.Error, Code: "code", Message: "message", Hint: "hint",
		Position: diag.Position{File: "c.yaml", Line: line, Column: column, Width: width},
	}
}

func TestRender(t *testing.T) {
	t.Parallel()
	noHint, nowhere, otherFile := at(1, 1, 1), at(0, 0, 0), at(1, 1, 1)
	noHint.Hint, otherFile.File = "", "other.yaml"
	long := strings.Repeat("x", 150)
	for name, c := range map[string]struct {
		file string
		d    diag.Diagnostic
		want []string
	}{
		"plain":          {"a: 1\n  bc: 2\n", at(2, 3, 2), []string{"error[code] c.yaml:2:3: message", "   2 |   bc: 2", "     |   ^^ hint"}},
		"no hint":        {"abc", noHint, []string{"error[code] c.yaml:1:1: message", "   1 | abc", "     | ^"}},
		"no place":       {"abc", nowhere, []string{"error[code] c.yaml: message", "  hint"}},
		"unknown file":   {"abc", otherFile, []string{"error[code] other.yaml:1:1: message", "  hint"}},
		"after the end":  {"abc", at(1, 4, 1), []string{"error[code] c.yaml:1:4: message", "   1 | abc", "     |    ^ hint"}},
		"too wide":       {"abc", at(1, 2, 90), []string{"error[code] c.yaml:1:2: message", "   1 | abc", "     |  ^^ hint"}},
		"beyond the end": {"abc", at(1, 44, 9), []string{"error[code] c.yaml:1:44: message", "   1 | abc", "     |    ^ hint"}},
		"windows":        {"a\r\nbc\r\n", at(2, 2, 1), []string{"error[code] c.yaml:2:2: message", "   2 | bc", "     |  ^ hint"}},
		"tab":            {"a\tb\tcd", at(1, 5, 2), []string{"error[code] c.yaml:1:5: message", "   1 | a\tb\tcd", "     |  \t \t^^ hint"}},
		"wide":           {"日本: 語x", at(1, 5, 1), []string{"error[code] c.yaml:1:5: message", "   1 | 日本: 語x", "     |       ^^ hint"}},
		"emoji":          {"👩‍👩‍👧 x", at(1, 7, 1), []string{"error[code] c.yaml:1:7: message", "   1 | 👩‍👩‍👧 x", "     |    ^ hint"}},
		"umlaut":         {"ä: ö", at(1, 4, 1), []string{"error[code] c.yaml:1:4: message", "   1 | ä: ö", "     |    ^ hint"}},
		"escape":         {"a\x1b[2Jb", at(1, 6, 1), []string{"error[code] c.yaml:1:6: message", "   1 | a␦[2Jb", "     |      ^ hint"}},
		"long, left": {"ab" + long, at(1, 1, 2), []string{
			"error[code] c.yaml:1:1: message",
			"   1 | ab" + strings.Repeat("x", 97) + "…", "     | ^^ hint",
		}},
		"long, right": {long + "ab", at(1, 151, 2), []string{
			"error[code] c.yaml:1:151: message",
			"   1 | …" + strings.Repeat("x", 97) + "ab", "     | " + strings.Repeat(" ", 98) + "^^ hint",
		}},
		"long, middle": {long + "ab" + long, at(1, 151, 2), []string{
			"error[code] c.yaml:1:151: message",
			"   1 | …" + strings.Repeat("x", 32) + "ab" + strings.Repeat("x", 64) + "…", "     | " + strings.Repeat(" ", 33) + "^^ hint",
		}},
		"long mark": {long, at(1, 1, 150), []string{
			"error[code] c.yaml:1:1: message",
			"   1 | " + strings.Repeat("x", 66) + "…", "     | " + strings.Repeat("^", 66) + " hint",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := strings.Join(c.want, "\n") + "\n"
			if got := render(t, diag.List{c.d}, c.file, false); got != want {
				t.Error(cmp.Diff(want, got))
			}
		})
	}
}

func TestRender_color(t *testing.T) {
	t.Parallel()
	d := at(1, 1, 1)
	d.Severity = diag.Warning
	want := "\x1b[1;33mwarn[code]\x1b[0m c.yaml:1:1: \x1b[1mmessage\x1b[0m\n\x1b[2m   1 |\x1b[0m a\n\x1b[2m     |\x1b[0m \x1b[1;33m^\x1b[0m hint\n"
	if got := render(t, diag.List{d}, "a", true); got != want {
		t.Error(cmp.Diff(want, got))
	}
}

func TestRender_messageCannotMoveTheCursor(t *testing.T) {
	t.Parallel()
	d := at(0, 0, 0)
	d.Message, d.Hint, d.File, d.Code = "a\x1b[2J\nb", "c\rd", "e\x07", "f\x00"
	if got := render(t, diag.List{d}, "", false); got != "error[f␦] e␦: a␦[2J␦b\n  c␦d\n" {
		t.Errorf("got %q", got)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errBroken }

var errBroken = errors.New("broken pipe")

func TestRender_writeError(t *testing.T) {
	t.Parallel()
	if err := diag.Render(broken{}, diag.List{at(0, 0, 0)}, nil, false); !errors.Is(err, errBroken) {
		t.Errorf("got %v", err)
	}
}

// Whatever the line, what is shown stays within its bounds and the underline
// stands under the marked text.
func TestRender_anyLine(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		line := rapid.StringOfN(rapid.RuneFrom([]rune("ab \té日👩‍e\u0301\x1b\u202e")), 0, 300, -1).Draw(t, "line")
		n := utf8.RuneCountInString(line)
		column := rapid.IntRange(-1, n+3).Draw(t, "column")
		d := at(1, column, rapid.IntRange(-1, n+3).Draw(t, "width"))
		var b strings.Builder
		if err := diag.Render(&b, diag.List{d}, map[string][]byte{"c.yaml": []byte(line)}, false); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(b.String(), "\n")
		if len(lines) != 4 || !strings.Contains(lines[2], "^ hint") {
			t.Fatalf("got %q", lines)
		}
		if shown := utf8.RuneCountInString(lines[1]); shown > 300 {
			t.Fatalf("%d characters are shown: %q", shown, lines[1])
		}
		if strings.ContainsAny(b.String(), "\x1b\u202e") {
			t.Fatalf("a control character is left: %q", b.String())
		}
	})
}

func TestList_json(t *testing.T) {
	t.Parallel()
	d := at(2, 3, 4)
	d.Path = "rules[0].when"
	got, err := json.Marshal(diag.List{d})
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"severity":"error","code":"code","path":"rules[0].when","file":"c.yaml","line":2,"column":3,"width":4,"message":"message","hint":"hint"}]`
	if string(got) != want {
		t.Error(cmp.Diff(want, string(got)))
	}
}

// Every sign that ends a line for the YAML reader ends one for an excerpt.
func TestRender_lineEnds(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"\n", "\r\n", "\r", "\u0085", "\u2028", "\u2029"} {
		if got := render(t, diag.List{at(2, 1, 3)}, "a: 1"+end+"bad: x"+end, false); !strings.Contains(got, "\n   2 | bad: x\n") {
			t.Errorf("lines that end with %q:\n%s", end, got)
		}
	}
}
