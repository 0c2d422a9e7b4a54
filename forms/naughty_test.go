package forms_test

import (
	"bytes"
	"strings"
	"testing"

	"hookgate/forms"
)

// naughty are texts that have broken software: each must come out of a form as
// it went in, as JSON and on the page.
var naughty = []string{
	"null", "undefined", "NaN", "true", "false", "nil", "0", "-0", "1e309", "0x7f", "007", "9007199254740993", "1,000.00", "١٢٣",
	`"`, `'`, "`", `\`, `\\`, `\"`, `\u0000`, `"},{"a":"b`, `{"a":1}`, `[1,2]`, "{{.}}", "{{ .Name }}", "${{ data.name }}", "${HOME}", "$(id)", "%s%n%d", "%00", "%2e%2e%2f",
	"<script>alert(1)</script>", `"><script>alert(1)</script>`, `'><img src=x onerror=alert(1)>`, "</textarea><script>alert(1)</script>", "</style><b>", "<!--", "-->", "]]>", "<![CDATA[x]]>",
	"javascript:alert(1)", "&lt;b&gt;", "&amp;amp;", "&#x27;", "' OR '1'='1", "'; DROP TABLE events; --", "=HYPERLINK(\"x\")", "+1+1", "@SUM(A1)", "-2+3",
	"../../etc/passwd", "C:\\CON\\NUL", "a\tb", "a\x0bb", "a\x7fb", "a\x1b[31mb", "a\u0085b", "a\u2028b\u2029c", "\ufeffbom", "a\u200bb", "a\u00adb",
	"\u202egnp.exe", "\u2066left\u2069", "Ü", "U\u0308", "ﬁ", "ǅ", "ß", "İı", "Ὀδυσσεύς", "שָׁלוֹם", "مرحبا", "日本語テスト", "𠜎𠜱", "👩‍👩‍👧‍👦", "🇩🇪", "e\u0301\u0301\u0301\u0301", "\U0010ffff", "\ufffe",
	"line one\nline two\n\nline four", "\n\nleading", "trailing \n ", "   ", "\u3000wide\u3000", "@channel <!here>", "*bold* _it_ ~no~", "\r", "a\rb",
}

func TestSubmit_naughtyStrings(t *testing.T) {
	t.Parallel()
	if len(naughty) < 60 {
		t.Fatalf("only %d", len(naughty))
	}
	declared := mustCompile(t, "fields:\n  text: {}\n  need: { required: true }")
	free := mustCompile(t, "fields: any")
	for _, s := range naughty {
		if got := decode(t, free.Submit(fields("text", s)).Data)["text"]; got != s {
			t.Errorf("%q became %q", s, got)
		}
		r := declared.Submit(fields("text", s, "other", s))
		data := decode(t, r.Data)
		if data["text"] != s || data["extra"].(map[string]any)["other"] != s {
			t.Errorf("%q became %s", s, r.Data)
		}
		// A name may be as odd as a value.
		if name := strings.TrimSuffix(s, "[]"); decode(t, free.Submit(fields(s, "x")).Data)[name] != "x" {
			t.Errorf("the name %q is lost", s)
		}

		var page bytes.Buffer
		if err := declared.RenderProblems(&page, forms.English, "/f/contact", r); err != nil {
			t.Fatal(err)
		}
		p := parse(t, page.Bytes())
		for _, tag := range []string{"script", "img", "b"} {
			if len(p.find(tag, "", "")) > 0 {
				t.Errorf("%q is markup on the page", s)
			}
		}
		want := strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n") // as HTML parsers read it
		for _, name := range []string{"text", "other"} {
			if got := posted(p)[name]; len(got) != 1 || strings.ReplaceAll(got[0], "\r", "\n") != want {
				t.Errorf("%s: %q is %q on the page", name, s, got)
			}
		}
	}
}
