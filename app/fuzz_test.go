package app_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"hookgate/app"
	"hookgate/internal/diag"
	"hookgate/internal/schema"
)

// mustStand checks a config and holds the result to what every config, however
// broken, must give: no panic, and faults that have a place in the file.
func mustStand(t interface{ Fatalf(string, ...any) }, text []byte) {
	anything := func(name string) (string, bool) {
		return "0123456789abcdef0123", !strings.HasSuffix(name, "_FILE")
	}
	survey := func(_ context.Context, l *app.Plan) (map[string]schema.Source, bool) {
		origins := l.Origins()
		for name, o := range origins {
			b := schema.NewBuilder()
			b.Add([]byte(`{"event": "x", "website": {"status": "Done", "tags": ["a"]}, "previousStatus": null, "items": [{"n": 1}]}`))
			o.Seen = []schema.Payload{b.Payload("website_status_changed")}
			origins[name] = o
		}
		return origins, true
	}
	loaded, report, err := app.CheckText(context.Background(), "config.yaml", text, anything, survey)
	if (loaded == nil) != (err != nil) || (err != nil) != (report.List.Count(diag.Error) > 0) {
		t.Fatalf("loaded %t, error %v, list %v", loaded != nil, err, report.List)
	}
	lines := len(diag.Lines(text))
	for _, d := range report.List {
		if d.Code == "" || d.Message == "" || d.Line > lines || d.Line < 0 {
			t.Fatalf("a fault without a code or place: %+v", d)
		}
	}
	var out bytes.Buffer
	if err := report.Render(&out, false); err != nil {
		t.Fatalf("render: %v", err)
	}
}

func examples(t testing.TB) [][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/check/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var texts [][]byte
	for _, file := range append(files, "../config.yaml") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, text)
	}
	return texts
}

// FuzzCheck checks whatever comes.
func FuzzCheck(f *testing.F) {
	for _, text := range examples(f) {
		f.Add(text)
	}
	for _, end := range []string{"\r", "\r\n", "\u0085", "\u2028", "\u2029"} { // what YAML counts as the end of a line
		f.Add([]byte("version: 1" + end + "bad: x" + end))
	}
	f.Add([]byte("---")) // has a value behind its last line
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) < 64<<10 {
			mustStand(t, text)
		}
	})
}

// Configs made from the example by accidents, as people have them with lines
// and words, never crash check.
func TestCheck_mutated(t *testing.T) {
	t.Parallel()
	texts := examples(t)
	words := []string{
		"data", "data.website", "data.website.status", "==", "!=", "in", "and", "or", "not", `"Done"`, "5", "nil", "true", "[", "]", "{", "}", "(", ")",
		"${{", "}}", "?.", "??", "?", ":", "#", "'", `"`, "|", "-", "any(data.items, .n > 1)", "let x = data;", "# hookgate:ignore unseen-field", "&a", "*a", "<<", "\t",
	}
	rapid.Check(t, func(t *rapid.T) {
		lines := strings.Split(string(rapid.SampledFrom(texts).Draw(t, "text")), "\n")
		for range rapid.IntRange(1, 5).Draw(t, "mutations") {
			at := rapid.IntRange(0, len(lines)-1).Draw(t, "line")
			switch rapid.IntRange(0, 5).Draw(t, "kind") {
			case 0:
				lines = append(lines[:at:at], lines[at+1:]...)
			case 1:
				lines = append(lines[:at+1:at+1], lines[at:]...)
			case 2:
				other := rapid.IntRange(0, len(lines)-1).Draw(t, "other")
				lines[at], lines[other] = lines[other], lines[at]
			case 3:
				lines[at] = "  " + lines[at]
			default:
				parts := strings.Split(lines[at], " ")
				part := rapid.IntRange(0, len(parts)-1).Draw(t, "part")
				parts[part] = rapid.SampledFrom(words).Draw(t, "word")
				lines[at] = strings.Join(parts, " ")
			}
			if len(lines) == 0 {
				lines = []string{""}
			}
		}
		mustStand(t, []byte(strings.Join(lines, "\n")))
	})
}
