package forms_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"hookgate/forms"
	"hookgate/internal/body"
)

// naughty are texts that have broken software: each must come out of a form as
// it went in, as JSON and on the page.
func naughty(t testing.TB) []string {
	t.Helper()
	text, err := os.ReadFile("testdata/naughty.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	if len(list) < 200 {
		t.Fatalf("only %d", len(list))
	}
	return list
}

// seen is a text as HTML parsers read it: without distinction of line ends, and
// without the characters that they cannot show.
func seen(text string) string {
	return strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "\uFFFD").Replace(text)
}

// Whatever the encoding and the kind of field, a text is in data as it was
// sent; and on the page that shows a problem it is a text, never mark-up.
func TestSubmit_naughtyStrings(t *testing.T) {
	t.Parallel()
	declared := mustCompile(t, "fields:\n  text: {}\n  long: { max: 100000 }\n  hidden: { type: hidden }\n  need: { required: true }")
	free := mustCompile(t, "fields: any")
	for _, s := range naughty(t) {
		pairs := []pair{{"text", s}, {"long", s}, {"hidden", s}, {"other", s}, {"deep[a][0]", s}}
		for encoding, in := range map[string]body.Input{"form-encoded": urlencoded(pairs), "multipart": multiparted(t, pairs), "JSON": jsoned(t, pairs)} {
			data := decode(t, submit(t, declared, in).Data)
			extra := data["extra"].(map[string]any)
			deep := extra["deep"].(map[string]any)["a"].([]any)
			for where, got := range map[string]any{"text": data["text"], "long": data["long"], "hidden": data["hidden"], "other": extra["other"], "deep": deep[0]} {
				if got != s {
					t.Errorf("%s, %s: %.80q became %.80q", encoding, where, s, got)
				}
			}
		}
		// A name may be as odd as a value.
		if len(s) <= 200 && !strings.HasSuffix(s, "]") {
			if decode(t, free.Submit(fields(s, "x")).Data)[s] != "x" {
				t.Errorf("the name %q is lost", s)
			}
		}
		naughtyPage(t, declared, s)
	}
}

// naughtyPage looks for the text on the page that shows the problems.
func naughtyPage(t *testing.T, f *forms.Form, s string) {
	t.Helper()
	r := f.Submit(fields("text", s, "long", s, "other", s))
	var page bytes.Buffer
	if err := f.RenderProblems(&page, forms.English, "/f/contact", r); err != nil {
		t.Fatal(err)
	}
	p := parse(t, page.Bytes())
	for _, tag := range []string{"script", "img", "b", "svg", "iframe", "base", "math"} {
		if len(p.find(tag, "", "")) > 0 {
			t.Errorf("%q is markup on the page", s)
		}
	}
	if n := len(p.find("form", "", "")); n != 1 {
		t.Errorf("%q: %d forms on the page", s, n)
	}
	for _, name := range []string{"text", "long", "other"} {
		if got := posted(p)[name]; len(got) != 1 || seen(got[0]) != seen(s) {
			t.Errorf("%s: %.80q is %.80q on the page", name, s, got)
		}
	}
}

// A text that is no UTF-8, such as half of a surrogate pair, has the
// replacement character for what cannot be kept, and nothing else changes.
func TestSubmit_brokenText(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, "fields: { text: {} }")
	for sent, want := range map[string]string{
		`{"text":"a\ud800b"}`:       "a\uFFFDb",
		`{"text":"\udc00\ud800"}`:   "\uFFFD\uFFFD",
		`{"text":"a\ud83d\ude00b"}`: "a😀b",
	} {
		r := submit(t, f, body.Input{ContentType: "application/json", Raw: []byte(sent)})
		if got := decode(t, r.Data)["text"]; got != want {
			t.Errorf("%s became %q, want %q", sent, got, want)
		}
	}
	for _, sent := range []string{"%ED%A0%80", "%FF", "%C0%AF", "%F8%88%80%80%80"} {
		r := submit(t, f, body.Input{ContentType: "application/x-www-form-urlencoded; charset=utf-8", Raw: []byte("text=a" + sent + "b")})
		got := fmt.Sprint(decode(t, r.Data)["text"])
		if !strings.HasPrefix(got, "a") || !strings.HasSuffix(got, "b") || len(got) < 3 {
			t.Errorf("%s became %q", sent, got)
		}
	}
}
