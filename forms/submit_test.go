package forms_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/forms"
	"hookgate/internal/body"
)

func TestSubmit_data(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, contact)
	r := f.Submit(append(fields(
		"utm", "x", "message", "Hi\r\nthere\n", "email", " ada@example.com ", "name", " Ada ", "budget", "5000",
		"consent", "on", "_subject", "s", "_replyto", "r", "form-name", "contact", "g-recaptcha-response", "t",
		"topic[]", "a", "page", "1", "page", "2", "_gotcha", "", "_next", "/ok",
	), body.Field{Name: "brief", File: true, Value: "brief.pdf"}, body.Field{Name: "cv", File: true, Value: ""}))
	want := `{"name":" Ada ","email":"ada@example.com","budget":5000,"message":"Hi\nthere\n","newsletter":false,"consent":true,` +
		`"extra":{"utm":"x","topic":["a"],"page":["1","2"],"brief":{"name":"brief.pdf","stored":false}}}`
	if diff := cmp.Diff(want, string(r.Data)); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
	if len(r.Problems) > 0 || r.Spam != "" || len(r.Unstored) != 1 {
		t.Errorf("problems %v, spam %q, files %q", r.Problems, r.Spam, r.Unstored)
	}
}

func TestSubmit_any(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, "fields: any")
	r := f.Submit([]body.Field{
		{Name: "Ihre Größe", Value: "ä"},
		{Name: "1.3", Value: "My"},
		{Name: "field:email_9a1b", Value: "a@b"},
		{Name: "id", Value: json.Number("9007199254740993")},
		{Name: "deep", Value: map[string]any{"a": []any{true, nil, 1.5}}},
		{Name: "list", Value: []any{}},
		{Name: "gone", Value: nil},
		{Name: "extra", Value: "kept"},
		{Name: "empty", Value: ""},
		{Name: "redirect", Value: "/x"},
		{Name: "bad", Value: "a\xffb"},
	})
	want := `{"Ihre Größe":"ä","1.3":"My","field:email_9a1b":"a@b","id":9007199254740993,"deep":{"a":[true,null,1.5]},"list":[],"extra":"kept","empty":"","bad":"a` + "\uFFFD" + `b"}`
	if diff := cmp.Diff(want, string(r.Data)); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
	if got := string(f.Submit(nil).Data); got != "{}" {
		t.Errorf("no fields give %s", got)
	}
}

func TestSubmit_brackets(t *testing.T) {
	t.Parallel()
	posted := fields("topic[]", "a", "f[x]", "1")
	for config, want := range map[string]string{
		"topic: {}":     `{"topic":"a","extra":{"f":{"x":"1"}}}`,
		"'topic[]': {}": `{"topic":["a"],"extra":{"f":{"x":"1"}}}`,
		"'f[x]': {}":    `{"f":{"x":"1"},"extra":{"topic":["a"]}}`,
	} {
		f := mustCompile(t, "fields:\n  "+config)
		if got := string(f.Submit(posted).Data); got != want {
			t.Errorf("%s: got %s, want %s", config, got, want)
		}
	}
}

func TestSubmit_limits(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, "fields: any")
	many := make([]string, 0, 2002)
	for range 1001 {
		many = append(many, "a", "b")
	}
	for name, c := range map[string]struct {
		posted []body.Field
		code   forms.Code
	}{
		"many fields": {fields(many...), forms.TooMany},
		"long name":   {fields(strings.Repeat("n", 257), "x"), forms.NameTooLong},
		"long value":  {fields("a", strings.Repeat("n", 100<<10+1)), forms.TooLong},
		"long JSON":   {[]body.Field{{Name: "a", Value: map[string]any{"b": strings.Repeat("n", 100<<10)}}}, forms.TooLong},
	} {
		r := f.Submit(c.posted)
		if len(r.Problems) != 1 || r.Problems[0].Code != c.code {
			t.Errorf("%s: problems %v, want %s", name, r.Problems, c.code)
		}
	}
	if r := f.Submit(fields("a", strings.Repeat("n", 100<<10))); len(r.Problems) > 0 {
		t.Errorf("a field of 100 KB is refused: %v", r.Problems)
	}
}

func TestSubmit_pure(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, contact)
	posted := []body.Field{{Name: "name", Value: "a\r\nb"}, {Name: "x", Value: []any{"a\r\nb"}}}
	first := f.Submit(posted)
	second := f.Submit(posted)
	if string(first.Data) != string(second.Data) {
		t.Errorf("%s, then %s", first.Data, second.Data)
	}
	if diff := cmp.Diff([]body.Field{{Name: "name", Value: "a\r\nb"}, {Name: "x", Value: []any{"a\r\nb"}}}, posted); diff != "" {
		t.Errorf("Submit changed its input:\n%s", diff)
	}
}

// Promise: T6.
func TestSubmit_honeypot(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		config string
		posted []body.Field
		spam   string
	}{
		"filled":           {contact, fields("_gotcha", "http://x"), `honeypot _gotcha = "http://x"`},
		"empty":            {contact, fields("_gotcha", ""), ""},
		"blank is filled":  {contact, fields("_gotcha", " "), `honeypot _gotcha = " "`},
		"default":          {"fields: any", fields("_gotcha", "x"), `honeypot _gotcha = "x"`},
		"other services'":  {"fields: any", fields("bot-field", "x"), `honeypot bot-field = "x"`},
		"box unchecked":    {"fields: any", []body.Field{{Name: "botcheck", Value: false}}, ""},
		"box checked":      {"fields: any", []body.Field{{Name: "botcheck", Value: true}}, `honeypot botcheck = "true"`},
		"own name":         {"fields: any\nhoneypot: fax", fields("fax", "x"), `honeypot fax = "x"`},
		"switched off":     {"fields: any\nhoneypot: ''", fields("_gotcha", "x", "botcheck", "x"), ""},
		"declared as data": {"fields: {botcheck: {}}", fields("botcheck", "x"), ""},
		"default declared": {"fields: {_gotcha: {}}", fields("_gotcha", "x"), ""},
		"others still on":  {"fields: {_gotcha: {}}", fields("_honey", "x"), `honeypot _honey = "x"`},
		"long":             {"fields: any", fields("_honey", strings.Repeat("ä", 100)), `honeypot _honey = "` + strings.Repeat("ä", 60) + `…"`},
		"control codes":    {"fields: any", fields("_honey", "\x1b[2J"), `honeypot _honey = "\x1b[2J"`},
	} {
		r := mustCompile(t, c.config).Submit(c.posted)
		if r.Spam != c.spam {
			t.Errorf("%s: spam %q, want %q", name, r.Spam, c.spam)
		}
		if r.Spam != "" && r.Problems != nil {
			t.Errorf("%s: a bot is told of problems: %v", name, r.Problems)
		}
		if strings.Contains(string(r.Data), "http") {
			t.Errorf("%s: the honeypot is in the data: %s", name, r.Data)
		}
	}
	r := mustCompile(t, contact).Submit(fields("_gotcha", "x", "name", "Ada", "email", "bad", "message", "m"))
	if want := `{"name":"Ada","email":"bad","message":"m","newsletter":false,"consent":false}`; string(r.Data) != want {
		t.Errorf("spam is not kept whole: %s, want %s", r.Data, want)
	}
}

func TestSubmit_messages(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, contact)
	r := f.Submit(fields("email", "x", "budget", "-1", "name", strings.Repeat("x", 121), "_language", "de"))
	if r.Language != forms.German {
		t.Errorf("language %q", r.Language)
	}
	got := forms.ProblemAnswer(forms.English, r.Problems)
	want := forms.Answer{Type: "about:blank", Title: "Please check your entries", Status: 422, Errors: []forms.FieldError{
		{Field: "name", Code: "TOO_LONG", Message: "Please enter no more than 120 characters."},
		{Field: "email", Code: "TYPE_EMAIL", Message: "Please enter an e-mail address, such as name@example.com."},
		{Field: "budget", Code: "TOO_SMALL", Message: "Please enter a number of at least 0."},
		{Field: "message", Code: "REQUIRED", Message: "Please fill in this field."},
		{Field: "consent", Code: "REQUIRED", Message: "Please accept the privacy notice."},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := r.Problems[1].Message(forms.German); got != "Bitte geben Sie eine E-Mail-Adresse ein, zum Beispiel name@example.com." {
		t.Errorf("German: %s", got)
	}
}

func TestProblem_typesOfFiles(t *testing.T) {
	t.Parallel()
	p := forms.Problem{Code: forms.FileType, Limit: "image/*, pdf"}
	if got, want := p.Message(forms.German), "Diese Art von Datei wird nicht angenommen. Möglich sind: Bilder, pdf."; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestForm_Render_sentenceAsLabel(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, "fields: { ok: { type: checkbox, required: true, label: I have read it., error: Please agree. } }")
	if got := text(problems(t, f, forms.English, nil).find("ul", "", "")[0]); !strings.Contains(got, "I have read it: Please agree.") {
		t.Errorf("summary: %s", got)
	}
}

func TestProblem_everyCodeHasWords(t *testing.T) {
	t.Parallel()
	for _, code := range []forms.Code{
		forms.Required, forms.TypeText, forms.TypeEmail, forms.TypeTel, forms.TypeURL, forms.TypeNumber, forms.TypeDate, forms.TooShort,
		forms.TooLong, forms.TooSmall, forms.TooLarge, forms.TooEarly, forms.TooLate, forms.Pattern, forms.NoOption, forms.TooMany, forms.NameTooLong,
	} {
		en := forms.Problem{Code: code, Limit: "7"}.Message(forms.English)
		de := forms.Problem{Code: code, Limit: "7"}.Message(forms.German)
		if en == "" || de == "" || en == de || strings.Contains(en+de, "{") {
			t.Errorf("%s: %q, %q", code, en, de)
		}
	}
}
