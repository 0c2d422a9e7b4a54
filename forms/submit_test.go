package forms_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/app/body"
	"hookgate/forms"
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
		`"extra":{"utm":"x","topic":["a"],"page":["1","2"]}}`
	if diff := cmp.Diff(want, string(r.Data)); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
	if len(r.Problems) > 0 || r.Spam != "" || r.Files != 1 {
		t.Errorf("problems %v, spam %q, %d files", r.Problems, r.Spam, r.Files)
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

// TestSubmit_values posts one value, or none where post is nil, to one field.
func TestSubmit_values(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 100<<10+1)
	type values = []any
	for _, c := range []struct {
		field string // of the configuration
		post  values
		data  string // JSON of data.f, "" for absent
		code  forms.Code
	}{
		{"{}", values{"a"}, `"a"`, ""},
		{"{}", nil, ``, ""},
		{"{}", values{""}, `""`, ""},
		{"{}", values{" \r\n "}, `" \n "`, ""},
		{"{}", values{"a", "b"}, `"b","extra":{"f":["a"]}`, ""},
		{"{}", values{"a", "a", " "}, `"a"`, ""},
		{"{}", values{"a", "b", "a"}, `"a","extra":{"f":["b"]}`, ""},
		{"{}", values{values{"a"}}, `"a"`, ""},
		{"{}", values{values{}}, ``, ""},
		{"{}", values{json.Number("5")}, `"5"`, ""},
		{"{}", values{true}, `"true"`, ""},
		{"{}", values{nil}, ``, ""},
		{"{}", values{map[string]any{"a": "b"}}, `{"a":"b"}`, forms.TypeText},
		{"{}", values{values{values{"a"}}}, `["a"]`, forms.TypeText},
		{"{}", values{long}, `"` + long + `"`, forms.TooLong},
		{"{required: true}", nil, ``, forms.Required},
		{"{required: true}", values{""}, `""`, forms.Required},
		{"{required: true}", values{" \t\u00a0\n"}, `" \t` + "\u00a0" + `\n"`, forms.Required},
		{"{required: true}", values{"", ""}, `""`, forms.Required},
		{"{required: true}", values{"", "b"}, `"b"`, ""},
		{"{required: true}", values{"b", ""}, `"b"`, ""},
		{"{required: true}", values{nil}, ``, forms.Required},
		{"{min: 2}", values{"ä"}, `"ä"`, forms.TooShort},
		{"{min: 2}", values{"äö"}, `"äö"`, ""},
		{"{min: 2}", values{""}, `""`, ""},
		{"{max: 3}", values{"äöü"}, `"äöü"`, ""},
		{"{max: 3}", values{"a\r\nb"}, `"a\nb"`, ""},
		{"{max: 3}", values{"😀😀😀😀"}, `"😀😀😀😀"`, forms.TooLong},
		{"{max: 1}", values{"a", "bc"}, `"bc","extra":{"f":["a"]}`, forms.TooLong},
		{"{pattern: 'a|bc'}", values{"bc"}, `"bc"`, ""},
		{"{pattern: 'a|bc'}", values{"abc"}, `"abc"`, forms.Pattern},
		{"{pattern: 'a'}", values{"a\n"}, `"a\n"`, forms.Pattern},
		{"{pattern: 'a'}", values{""}, `""`, ""},

		{"{type: email}", values{"ada@example.com"}, `"ada@example.com"`, ""},
		{"{type: email}", values{" Ada.L+x@sub.example.co "}, `"Ada.L+x@sub.example.co"`, ""},
		{"{type: email}", values{"info@bücher.example"}, `"info@bücher.example"`, ""},
		{"{type: email}", values{"o'neil@example.com"}, `"o'neil@example.com"`, ""},
		{"{type: email}", values{"  "}, `""`, ""},
		{"{type: email}", values{"a@x.example", "b@x.example"}, `"b@x.example","extra":{"f":["a@x.example"]}`, forms.TypeEmail}, // anyone's, to be mailed
		{"{type: email}", values{values{"a@x.example", "b@x.example"}}, `"b@x.example","extra":{"f":["a@x.example"]}`, forms.TypeEmail},
		{"{type: email}", values{"a@x.example", "", "a@x.example"}, `"a@x.example"`, ""},
		{"{type: email}", values{values{"a@x.example"}}, `"a@x.example"`, ""},
		{"{type: email, required: true}", values{"", ""}, `""`, forms.Required},
		{"{type: email}", values{"ada@localhost"}, `"ada@localhost"`, forms.TypeEmail},
		{"{type: email}", values{"ada@-x.example"}, `"ada@-x.example"`, forms.TypeEmail},
		{"{type: email}", values{"ada@example..com"}, `"ada@example..com"`, forms.TypeEmail},
		{"{type: email}", values{"ada@example.com."}, `"ada@example.com."`, forms.TypeEmail},
		{"{type: email}", values{"ada example@example.com"}, `"ada example@example.com"`, forms.TypeEmail},
		{"{type: email}", values{"a@b@example.com"}, `"a@b@example.com"`, forms.TypeEmail},
		{"{type: email}", values{"a@example.com\r\nBcc: x@y.example"}, `"a@example.com\nBcc: x@y.example"`, forms.TypeEmail},
		{"{type: email}", values{"Ada <ada@example.com>"}, `"Ada <ada@example.com>"`, forms.TypeEmail},
		{"{type: email, max: 10}", values{"ada@example.com"}, `"ada@example.com"`, forms.TooLong},

		{"{type: tel}", values{"+49 (0)40 / 123-456"}, `"+49 (0)40 / 123-456"`, ""},
		{"{type: tel}", values{"555 1234 ext. 9"}, `"555 1234 ext. 9"`, ""},
		{"{type: tel}", values{"12"}, `"12"`, forms.TypeTel},
		{"{type: tel}", values{"call me"}, `"call me"`, forms.TypeTel},
		{"{type: tel}", values{"123\n456"}, `"123\n456"`, forms.TypeTel},
		{"{type: tel}", values{"<123456>"}, `"<123456>"`, forms.TypeTel},

		{"{type: url}", values{"https://a.example/x?y#z"}, `"https://a.example/x?y#z"`, ""},
		{"{type: url}", values{"HTTP://a.example"}, `"HTTP://a.example"`, ""},
		{"{type: url}", values{"a.example"}, `"a.example"`, forms.TypeURL},
		{"{type: url}", values{"javascript:alert(1)"}, `"javascript:alert(1)"`, forms.TypeURL},
		{"{type: url}", values{"https://"}, `"https://"`, forms.TypeURL},
		{"{type: url}", values{"https://a b.example"}, `"https://a b.example"`, forms.TypeURL},
		{"{type: url}", values{"https://a.example/x y"}, `"https://a.example/x y"`, forms.TypeURL},

		{"{type: number}", values{"5000"}, `5000`, ""},
		{"{type: number}", values{" 12.50 "}, `12.50`, ""},
		{"{type: number}", values{"-0.5"}, `-0.5`, ""},
		{"{type: number}", values{".5"}, `0.5`, ""},
		{"{type: number}", values{"007"}, `7`, ""},
		{"{type: number}", values{"000"}, `0`, ""},
		{"{type: number}", values{"1e3"}, `1e3`, ""},
		{"{type: number}", values{"9007199254740993"}, `9007199254740993`, ""},
		{"{type: number}", values{json.Number("12")}, `12`, ""},
		{"{type: number}", values{float64(0.25)}, `0.25`, ""},
		{"{type: number}", values{12}, `12`, ""},
		{"{type: number}", values{""}, ``, ""},
		{"{type: number}", values{"1", "2"}, `2,"extra":{"f":["1"]}`, ""},
		{"{type: number}", values{"", "2"}, `2`, ""},
		{"{type: number, required: true}", values{" "}, ``, forms.Required},
		{"{type: number}", values{"1,5"}, `"1,5"`, forms.TypeNumber},
		{"{type: number}", values{"1.000.000"}, `"1.000.000"`, forms.TypeNumber},
		{"{type: number}", values{"5."}, `"5."`, forms.TypeNumber},
		{"{type: number}", values{"+5"}, `"+5"`, forms.TypeNumber},
		{"{type: number}", values{"0x10"}, `"0x10"`, forms.TypeNumber},
		{"{type: number}", values{"1_000"}, `"1_000"`, forms.TypeNumber},
		{"{type: number}", values{"NaN"}, `"NaN"`, forms.TypeNumber},
		{"{type: number}", values{"Infinity"}, `"Infinity"`, forms.TypeNumber},
		{"{type: number}", values{"1e999"}, `"1e999"`, forms.TypeNumber},
		{"{type: number}", values{"-"}, `"-"`, forms.TypeNumber},
		{"{type: number}", values{"e5"}, `"e5"`, forms.TypeNumber},
		{"{type: number}", values{"٣"}, `"٣"`, forms.TypeNumber},
		{"{type: number, min: 0}", values{"-0.01"}, `-0.01`, forms.TooSmall},
		{"{type: number, max: 10.5}", values{"10.5"}, `10.5`, ""},
		{"{type: number, max: 10.5}", values{"10.51"}, `10.51`, forms.TooLarge},

		{"{type: date}", values{"2028-02-29"}, `"2028-02-29"`, ""},
		{"{type: date}", values{"2026-02-29"}, `"2026-02-29"`, forms.TypeDate},
		{"{type: date}", values{"01.02.2026"}, `"2026-02-01"`, ""},
		{"{type: date}", values{"1.2.2026"}, `"2026-02-01"`, ""},
		{"{type: date}", values{"31.02.2026"}, `"31.02.2026"`, forms.TypeDate},
		{"{type: date}", values{"1.2.26"}, `"1.2.26"`, forms.TypeDate},
		{"{type: date}", values{"01/02/2026"}, `"01/02/2026"`, forms.TypeDate}, // the first or the second?
		{"{type: date}", values{"2026-2-1"}, `"2026-2-1"`, forms.TypeDate},
		{"{type: date}", values{"0000-01-01"}, `"0000-01-01"`, forms.TypeDate},
		{"{type: date}", values{""}, `""`, ""},
		{"{type: date, min: 2026-01-01}", values{"2025-12-31"}, `"2025-12-31"`, forms.TooEarly},
		{"{type: date, max: 2026-01-01}", values{"2026-01-01"}, `"2026-01-01"`, ""},
		{"{type: date, max: 2026-01-01}", values{"2026-01-02"}, `"2026-01-02"`, forms.TooLate},

		{"{type: checkbox}", nil, `false`, ""},
		{"{type: checkbox}", values{"on"}, `true`, ""},
		{"{type: checkbox}", values{"ja"}, `true`, ""},
		{"{type: checkbox}", values{"I agree"}, `true`, ""},
		{"{type: checkbox}", values{"OFF"}, `false`, ""},
		{"{type: checkbox}", values{"0"}, `false`, ""},
		{"{type: checkbox}", values{"nein"}, `false`, ""},
		{"{type: checkbox}", values{"0", "1"}, `true`, ""},
		{"{type: checkbox}", values{true}, `true`, ""},
		{"{type: checkbox}", values{false}, `false`, ""},
		{"{type: checkbox}", values{nil}, `false`, ""},
		{"{type: checkbox, required: true}", nil, `false`, forms.Required},
		{"{type: checkbox, required: true}", values{"no"}, `false`, forms.Required},
		{"{type: checkbox, options: [a, b]}", nil, `[]`, ""},
		{"{type: checkbox, options: [a, b]}", values{"b"}, `["b"]`, ""},
		{"{type: checkbox, options: [a, b]}", values{"b", "a"}, `["b","a"]`, ""},
		{"{type: checkbox, options: [a, b]}", values{"c"}, `["c"]`, forms.NoOption},
		{"{type: checkbox, options: [a, b], required: true}", values{""}, `[]`, forms.Required},

		{"{type: checkbox, options: [a, b, c], min: 2}", values{"b"}, `["b"]`, forms.TooFew},
		{"{type: checkbox, options: [a, b, c], min: 2}", nil, `[]`, ""},
		{"{type: select, options: [a, b, c], multiple: true, max: 2}", values{"a", "b", "c"}, `["a","b","c"]`, forms.TooMuch},
		{"{type: select, options: [a, b, c], multiple: true, max: 2}", values{"c", "a"}, `["c","a"]`, ""},
		{"{type: select, options: [a, b], multiple: true}", values{"a"}, `["a"]`, ""},
		{"{type: select, options: [a, b], multiple: true}", nil, `[]`, ""},
		{"{type: select, options: [a, b], multiple: true}", values{"x"}, `["x"]`, forms.NoOption},
		{"{type: select, options: [a, b], multiple: true, required: true}", nil, `[]`, forms.Required},
		{"{type: select, options: [{value: s, label: Small}, m]}", values{"s"}, `"s"`, ""},
		{"{type: select, options: [{value: s, label: Small}, m]}", values{"Small"}, `"Small"`, forms.NoOption},

		{"{type: tel, region: DE}", values{"040 123456"}, `"+4940123456"`, ""},
		{"{type: tel, region: de}", values{"+1 (415) 555-2671 ext. 9"}, `"+14155552671;ext=9"`, ""},
		{"{type: tel, region: DE}", values{"0043 1 5128"}, `"+4315128"`, ""},
		{"{type: tel, region: DE}", values{" "}, `""`, ""},
		{"{type: tel, region: DE}", values{"12"}, `"12"`, forms.TypeTel},
		{"{type: tel, region: DE}", values{"call me"}, `"call me"`, forms.TypeTel},
		{"{type: tel, region: US}", values{"(415) 555-2671"}, `"+14155552671"`, ""},

		{"{type: select, options: [S, 'L XL', 3]}", values{"L XL"}, `"L XL"`, ""},
		{"{type: select, options: [S, 'L XL', 3]}", values{"3"}, `"3"`, ""},
		{"{type: select, options: [S, 'L XL', 3]}", values{json.Number("3")}, `"3"`, ""},
		{"{type: select, options: [S]}", values{""}, `""`, ""},
		{"{type: select, options: [S], required: true}", values{""}, `""`, forms.Required},
		{"{type: select, options: [S]}", values{"s"}, `"s"`, forms.NoOption},
		{"{type: select, options: [S, M]}", values{"S", "M"}, `"M","extra":{"f":["S"]}`, ""},

		{"{type: hidden, pattern: '[a-z]+'}", values{"abc"}, `"abc"`, ""},
		{"{type: hidden, pattern: '[a-z]+'}", values{"ab1"}, `"ab1"`, forms.Pattern},
	} {
		f := mustCompile(t, "fields:\n  f: "+c.field)
		var posted []body.Field
		for _, v := range c.post {
			posted = append(posted, body.Field{Name: "f", Value: v})
		}
		r := f.Submit(posted)
		want := "{}"
		if c.data != "" {
			want = `{"f":` + c.data + `}`
		}
		if string(r.Data) != want {
			t.Errorf("%s with %.60q: data %.200s, want %.200s", c.field, c.post, r.Data, want)
		}
		var code forms.Code
		if len(r.Problems) > 0 {
			code = r.Problems[0].Code
		}
		if code != c.code || len(r.Problems) > 1 {
			t.Errorf("%s with %.60q: problems %v, want %q", c.field, c.post, r.Problems, c.code)
		}
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
