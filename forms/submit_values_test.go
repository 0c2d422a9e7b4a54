package forms_test

import (
	"encoding/json"
	"strings"
	"testing"

	"hookgate/forms"
	"hookgate/internal/body"
)

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
		{"{type: email}", values{"\u200bada@example.com\ufeff"}, `"ada@example.com"`, ""},
		{"{type: email}", values{"ada@exa\u00admple.com"}, `"ada@example.com"`, ""},
		{"{type: email, required: true}", values{"\u200b"}, `""`, forms.Required},
		{"{type: email}", values{"ada@example.com", "\u200bada@example.com"}, `"ada@example.com"`, ""},
		{"{type: date}", values{"\u200e2026-01-02\u200f"}, `"2026-01-02"`, ""},
		{"{type: number}", values{"\u202d12.5\u202c"}, `12.5`, ""},
		{"{type: url}", values{"\u2060https://a.example/x\u200b"}, `"https://a.example/x"`, ""},
		{"{type: url}", values{"https://fa.example/می\u200cخواهم"}, `"https://fa.example/می` + "\u200c" + `خواهم"`, ""}, // it belongs to the word
		{"{type: tel}", values{"\u202d040 123456\u202c"}, `"040 123456"`, ""},
		{"{type: tel, region: DE}", values{"\u202d040 123456\u202c"}, `"+4940123456"`, ""},
		{"{required: true}", values{"\u200b\u2060 \ufe0f"}, "\"\u200b\u2060 \ufe0f\"", forms.Required},
		{"{}", values{"a\u200bb\u202e"}, "\"a\u200bb\u202e\"", ""},                                                              // a text stays as it was typed
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
		{"{type: number}", values{"1,5"}, `1.5`, ""},
		{"{type: number}", values{"1.000.000"}, `1000000`, ""},
		{"{type: number}", values{"1.250"}, `1.250`, ""},
		{"{type: number}", values{"1,250"}, `"1,250"`, forms.AmbiguousNumber},
		{"{type: number}", values{"1,250.50"}, `1250.50`, ""},
		{"{type: integer}", values{"12"}, `12`, ""},
		{"{type: integer}", values{" -12 "}, `-12`, ""},
		{"{type: integer}", values{"12.0"}, `12`, ""},
		{"{type: integer}", values{"1e3"}, `1000`, ""},
		{"{type: integer}", values{json.Number("7")}, `7`, ""},
		{"{type: integer}", values{""}, ``, ""},
		{"{type: integer}", values{"12.5"}, `"12.5"`, forms.TypeNumber},
		{"{type: integer}", values{"twelve"}, `"twelve"`, forms.TypeNumber},
		{"{type: integer}", values{"99999999999999999999"}, `"99999999999999999999"`, forms.TypeNumber},
		{"{type: integer, min: 1}", values{"0"}, `0`, forms.TooSmall},
		{"{type: integer, max: 5}", values{"6"}, `6`, forms.TooLarge},
		{"{type: number}", values{"5."}, `"5."`, forms.TypeNumber},
		{"{type: number}", values{"+5"}, `5`, ""},
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
		{"{type: checkbox}", values{"true", "false"}, `true`, ""}, // ASP.NET puts the hidden one behind the box
		{"{type: checkbox}", values{values{true, false}}, `true`, ""},
		{"{type: checkbox}", values{"false", "false"}, `false`, ""},
		{"{type: checkbox, required: true}", values{"on", "off"}, `true`, ""},
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
		{"{type: tel, region: DE}", values{"110"}, `"110"`, forms.TypeTel},
		{"{type: tel, region: DE}", values{"112"}, `"112"`, forms.TypeTel},
		{"{type: tel, region: DE}", values{"040-1"}, `"040-1"`, forms.TypeTel},
		{"{type: tel, region: DE}", values{"+49 110"}, `"+49 110"`, forms.TypeTel},
		{"{type: tel, region: GB}", values{"999"}, `"999"`, forms.TypeTel},
		{"{type: tel, region: US}", values{"555-2671"}, `"555-2671"`, forms.TypeTel}, // within a town alone
		{"{type: tel, region: DE}", values{"040 12345"}, `"+494012345"`, ""},
		{"{type: tel, region: DE}", values{"0170 1234567"}, `"+491701234567"`, ""},
		{"{type: tel, region: AT}", values{"01 5128"}, `"+4315128"`, ""},
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

// A German form reads numbers as Germans write them, and asks where one could
// be either of two; what a program posts as a number is what it is.
func TestSubmit_german(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, "lang: de\nfields:\n  f: { type: number, max: 2000 }\n  n: { type: integer }")
	for _, c := range []struct {
		f       any
		data    string
		message string
	}{
		{"1.250,50", "1250.50", ""},
		{"12,50", "12.50", ""},
		{"12,50 €", "12.50", ""},
		{"12.5", "12.5", ""},
		{"1250.50", "1250.50", ""},
		{"1.250", `"1.250"`, "Diese Zahl kann zweierlei heißen. Bitte schreiben Sie sie ohne Tausenderpunkt, zum Beispiel 1250 oder 1,25."},
		{json.Number("1.250"), "1.250", ""},
		{"zwölf", `"zwölf"`, "Bitte geben Sie eine Zahl ein, zum Beispiel 1250 oder 12,50."},
		{"2.000,01", "2000.01", "Bitte geben Sie eine Zahl von höchstens 2000 ein."},
	} {
		r := f.Submit([]body.Field{{Name: "f", Value: c.f}})
		message := ""
		if len(r.Problems) > 0 {
			message = r.Problems[0].Message(forms.German)
		}
		if string(r.Data) != `{"f":`+c.data+`}` || message != c.message {
			t.Errorf("%v: got %s, %q, want %s, %q", c.f, r.Data, message, c.data, c.message)
		}
	}
	r := f.Submit([]body.Field{{Name: "n", Value: "1,5"}})
	if len(r.Problems) != 1 || r.Problems[0].Message(forms.German) != "Bitte geben Sie eine ganze Zahl ein, zum Beispiel 12." {
		t.Errorf("got %+v", r.Problems)
	}
}
