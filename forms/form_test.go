package forms_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/forms"
	"hookgate/internal/body"
	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

// compile reads text as the value of forms.contact.
func compile(t testing.TB, text string) (*forms.Form, diag.List) {
	t.Helper()
	n, list := yamlnode.Parse("config.yaml", []byte(text))
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	return forms.Compile(yamlnode.Plain("contact"), n)
}

func mustCompile(t testing.TB, text string) *forms.Form {
	t.Helper()
	f, list := compile(t, text)
	if err := list.Err(); err != nil {
		t.Fatalf("%s\n%s", err, text)
	}
	return f
}

// contact is the example of the documentation, with what this version has.
const contact = `
origins: [https://harrys-diner.example]
fields:
  name:       { type: text, required: true, max: 120 }
  email:      { type: email, required: true }
  budget:     { type: number, min: 0 }
  message:    { type: text, required: true, max: 5000 }
  newsletter: { type: checkbox }
  consent:    { type: checkbox, required: true, error: Please accept the privacy notice. }
honeypot: _gotcha
redirect: https://harrys-diner.example/thanks
`

// fields makes posted fields of alternating names and texts.
func fields(pairs ...string) []body.Field {
	var list []body.Field
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, body.Field{Name: pairs[i], Value: pairs[i+1]})
	}
	return list
}

func TestCompile(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, contact)
	if f.Name != "contact" {
		t.Errorf("name %q", f.Name)
	}
	if diff := cmp.Diff([]string{"name", "email", "budget", "message", "newsletter", "consent"}, f.FieldNames()); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	if got, want := f.RateLimit(), (yamlnode.Rate{Count: 5, Per: time.Minute}); got != want {
		t.Errorf("rate %v, want %v", got, want)
	}
	if got := f.Limits().Size; got != 1<<20 || f.MaxBody() != got {
		t.Errorf("limits %d, %d bytes, want 1 MB", got, f.MaxBody())
	}
	f = mustCompile(t, "fields: any\nmax_body: 64KB\nrate_limit: 2/s\norigins: https://a.example\n")
	if f.MaxBody() != 64<<10 || f.RateLimit().Count != 2 || f.FieldNames() != nil {
		t.Errorf("max_body %d, rate %v, fields %v", f.MaxBody(), f.RateLimit(), f.FieldNames())
	}
	if f.AllowsOrigin("https://b.example", "") {
		t.Error("a single origin is not read")
	}
}

func TestCompile_faults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		yaml string
		want string // code line:column message | hint, as parts that must be there
	}{
		"unknown key":             {"fields: any\nconfetti: x", `unknown-key 2:1 a form has no key "confetti"`},
		"notification":            {"fields: any\nnotify: x", `unknown-key 2:1 write a rule from the form to a connection of type email`},
		"autoreply without text":  {"fields: any\nautoreply: { to: mail, recipient: x, subject: y }", `missing-key 2:1 an autoreply needs text or html`},
		"autoreply, unknown key":  {"fields: any\nautoreply: { to: mail, recipient: x, subject: y, body: z }", `unknown-key 2:50 an autoreply has no key "body" | did you mean "text"?`},
		"unknown key, hint":       {"fields: any\nredirct: /x", `unknown-key 2:1 did you mean "redirect"?`},
		"other services' key":     {"fields: any\n_next: /x", `unknown-key 2:1 write "redirect"`},
		"no fields":               {"redirect: /x", `missing-key a form needs "fields"`},
		"empty fields":            {"fields: {}", `wrong-type 1:1 "fields" must name the form's fields | write "fields: any"`},
		"null fields":             {"fields:\nlang: en", `wrong-type "fields" must name the form's fields`},
		"list of fields":          {"fields: [name]", `wrong-type "fields" must name the form's fields`},
		"other word":              {"fields: all", `wrong-type "fields" must name the form's fields`},
		"unknown type":            {"fields:\n  a: { type: emial }", `unknown-type 2:14 a field has no type "emial" | did you mean "email"?`},
		"type of HTML":            {"fields:\n  a: { type: textarea }", `unknown-type write "text"`},
		"unknown file type":       {"fields:\n  a: { type: file, accept: [pdff] }", `unknown-type 2:29 "pdff" is no type of file that can be told by its content | did you mean "pdf"?`},
		"file type of HTML":       {"fields:\n  a: { type: file, accept: [application/pdf] }", `unknown-type write pdf`},
		"file size":               {"fields:\n  a: { type: file, max_size: big }", `bad-value "max_size": a size is written like`},
		"many files of one":       {"fields:\n  a: { type: file, max_files: 3 }", `bad-value add multiple: true`},
		"too many files":          {"fields:\n  a: { type: file, multiple: true, max_files: 500 }", `bad-value must be from 1 to 100`},
		"accept of a text":        {"fields:\n  a: { type: text, accept: [pdf] }", `bad-value a text field has no "accept" | write "type: file"`},
		"pattern of a file":       {"fields:\n  a: { type: file, pattern: x }", `bad-value a file field has no "pattern"`},
		"upload without files":    {"fields: any\nmax_upload: 1MB", `bad-value and the form has no field for them`},
		"upload too small":        {"fields:\n  a: { type: file }\nmax_upload: 1MB", `bad-value is less than the "max_size" of a field`},
		"unknown field key":       {"fields:\n  a: { type: text, requird: true }", `unknown-key 2:20 a field has no key "requird" | did you mean "required"?`},
		"HTML's name of key":      {"fields:\n  a: { maxlength: 3 }", `unknown-key write "max"`},
		"field null":              {"fields:\n  a:", `empty-value "a" is empty`},
		"required no bool":        {"fields:\n  a: { required: maybe }", `wrong-type "required" must be true or false`},
		"bad pattern":             {"fields:\n  a: { pattern: '[a-' }", `bad-pattern 2:17 the pattern is no regular expression: missing closing ]`},
		"pattern of a number":     {"fields:\n  a: { type: number, pattern: '[0-9]' }", `bad-value a number field has no "pattern"`},
		"min over max":            {"fields:\n  a: { min: 5, max: 4 }", `bad-value 2:13 "min" (5) is more than "max" (4)`},
		"min over max, number":    {"fields:\n  a: { type: number, min: 0.5, max: -1e3 }", `bad-value "min" (0.5) is more than "max" (-1e3)`},
		"min over max, date":      {"fields:\n  a: { type: date, min: 2026-02-01, max: 2026-01-31 }", `bad-value "min" (2026-02-01) is more than "max" (2026-01-31)`},
		"min no number":           {"fields:\n  a: { min: few }", `bad-value 2:13 "min" of a text field must be a whole number of characters, not "few"`},
		"min negative":            {"fields:\n  a: { min: -1 }", `bad-value must be a whole number`},
		"max infinite":            {"fields:\n  a: { type: number, max: inf }", `bad-value "max" of a number field must be a number, not "inf"`},
		"min no date":             {"fields:\n  a: { type: date, min: 1.2.2026 }", `bad-value must be a date like 2026-12-31`},
		"min of a checkbox":       {"fields:\n  a: { type: checkbox, min: 1 }", `bad-value a checkbox field has no "min"`},
		"select, no options":      {"fields:\n  a: { type: select }", `missing-key a select field needs "options"`},
		"options of a text":       {"fields:\n  a: { options: [x] }", `bad-value a text field has no "options" | write "type: select"`},
		"option twice":            {"fields:\n  a: { type: select, options: [x, y, x] }", `bad-value 2:38 "x" stands twice`},
		"empty option":            {"fields:\n  a: { type: select, options: ['', y] }", `bad-value an option cannot be empty`},
		"extra":                   {"fields:\n  extra: {}", `bad-name 2:3 data.extra holds`},
		"empty name":              {"fields:\n  '': {}", `bad-name`},
		"options of neither kind": {"fields:\n  a: { type: select, options: [[x]] }", `wrong-type an option is a text, or a value with a label`},
		"option without value":    {"fields:\n  a: { type: select, options: [{ label: X }] }", `missing-key an option needs "value"`},
		"option's unknown key":    {"fields:\n  a: { type: select, options: [{ value: x, lable: X }] }", `unknown-key 2:44 an option has no key "lable"`},
		"option object twice":     {"fields:\n  a: { type: select, options: [x, { value: x, label: X }] }", `bad-value "x" stands twice`},
		"multi-select":            {"fields:\n  a: { type: multiselect, options: [x] }", `unknown-type write "type: select" with "multiple: true"`},
		"multiple of a text":      {"fields:\n  a: { multiple: true }", `bad-value 2:18 a text field has no "multiple"`},
		"multiple no bool":        {"fields:\n  a: { type: select, options: [x], multiple: [] }", `wrong-type "multiple" must be true or false`},
		"multiple boxes":          {"fields:\n  a: { type: checkbox, options: [x], multiple: true }", `bad-value a group of boxes already`},
		"min of a choice":         {"fields:\n  a: { type: select, options: [x, y], min: 1 }", `bad-value a select field has no "min"`},
		"min of choices":          {"fields:\n  a: { type: select, options: [x, y], multiple: true, min: few }", `bad-value must be a whole number of choices, not "few"`},
		"region of a text":        {"fields:\n  a: { region: DE }", `bad-value 2:16 a text field has no "region"`},
		"no such region":          {"fields:\n  a: { type: tel, region: Germany }", `bad-value 2:27 "Germany" is no country's code of two letters | such as DE`},
		"placeholder of a date":   {"fields:\n  a: { type: date, placeholder: x }", `bad-value a date field shows no "placeholder" | write "help"`},
		"rows of a number":        {"fields:\n  a: { type: number, rows: 3 }", `bad-value a number field has no "rows"`},
		"rows":                    {"fields:\n  a: { rows: many }", `wrong-type "rows" must be a whole number, not "many" | such as 6`},
		"unknown":                 {"fields: { a: {} }\nunknown: drop", `bad-value 2:10 "unknown" must be keep or refuse, not "drop"`},
		"unknown of any":          {"fields: any\nunknown: refuse", `conflict 2:10 with "fields: any" no field is unknown`},
		"extra's part":            {"fields:\n  extra[a]: {}", `bad-name 2:3 data.extra holds`},
		"a field of parts":        {"fields:\n  a: {}\n  a[b]: {}", `bad-name 2:3 "a" has parts (a[…]) and cannot be a field itself`},
		"one field twice":         {"fields:\n  a: {}\n  a[]: {}", `bad-name 3:3 "a" and "a[]" are one field: both are data.a`},
		"brand no colour":         {"fields: any\nbrand: { color: blue }", `bad-value 2:17 "blue" is no colour of six hexadecimal digits | such as "#0b5cad"`},
		"brand's colour":          {"fields: any\nbrand: { colour: blue }", `unknown-key 2:10 brand has no key "colour" | write "color"`},
		"brand's logo":            {"fields: any\nbrand: { logo: logo.png }", `bad-url 2:16 "logo" must be the address of an image`},
		"no such language":        {"fields: any\nlang: tlh", `bad-value 2:7 "lang" must be en or de, not "tlh"`},
		"no such captcha":         {"fields: any\ncaptcha: { type: turnstyle, secret: s }", `unknown-type 2:18 there is no captcha "turnstyle" | did you mean "turnstile"?`},
		"captcha without secret":  {"fields: any\ncaptcha: { type: hcaptcha }", `missing-key captcha needs "secret"`},
		"captcha's verify_url":    {"fields: any\ncaptcha: { type: hcaptcha, secret: s, verify_url: /x }", `bad-url "verify_url" must be http:// or https:// and a host`},
		"score of another":        {"fields: any\ncaptcha: { type: hcaptcha, secret: s, min_score: 0.5 }", `conflict "min_score" is for reCAPTCHA v3`},
		"score of 50":             {"fields: any\ncaptcha: { type: recaptcha, secret: s, sitekey: k, min_score: 50 }", `bad-value "min_score" must be from 0 to 1 | 0.5 is what`},
		"score of NaN":            {"fields: any\ncaptcha: { type: recaptcha, secret: s, sitekey: k, min_score: NaN }", `wrong-type "min_score" must be a number, not "NaN" | such as 0.5`},
		"vendor as a key":         {"fields: any\nturnstile: { secret: s }", `unknown-key 2:1 write "captcha: { type: turnstile, secret: … }"`},
		"links":                   {"fields: any\nmax_links: few", `wrong-type 2:12 "max_links" must be a whole number, not "few" | such as 2`},
		"blocked word":            {"fields: any\nblocklist: { words: ['*'] }", `bad-value 2:22 "*" would block every post`},
		"blocked domain":          {"fields: any\nblocklist: { domains: ['https://a.example'] }", `bad-value "https://a.example" is no domain`},
		"min_time":                {"fields: any\nmin_time: soon", `bad-value a duration is written like`},
		"honeypot is a field":     {"honeypot: a\nfields:\n  a: {}", `bad-value 1:11 the honeypot "a" is a field of the form`},
		"origin with path":        {"fields: any\norigins: [https://a.example/x]", `bad-origin 2:11 it is only scheme, host and port | write https://a.example`},
		"origin bare":             {"fields: any\norigins: [a.example]", `bad-origin write https://a.example`},
		"origin wildcard":         {"fields: any\norigins: ['https://*.a.example']", `bad-origin without * | list each origin`},
		"origin star":             {"fields: any\norigins: ['*']", `bad-origin leave out "origins"`},
		"origin empty":            {"fields: any\norigins: ['']", `bad-origin it must start with https://`},
		"origin other scheme":     {"fields: any\norigins: ['ftp://a.example']", `bad-origin it must start with https://`},
		"redirect other":          {"fields: any\nredirect: javascript:alert(1)", `bad-redirect 2:11`},
		"redirect no path":        {"fields: any\nredirect: thanks.html", `bad-redirect`},
		"redirect //":             {"fields: any\nredirect: //a.example/x", `bad-redirect`},
		"redirect backslash":      {"fields: any\nredirect: '/\\a.example'", `bad-redirect`},
		"lang":                    {"fields: any\nlang: fr", `bad-value 2:7 "lang" must be en or de, not "fr"`},
		"rate":                    {"fields: any\nrate_limit: many", `bad-value a rate is written like`},
		"size":                    {"fields: any\nmax_body: big", `bad-value 2:11 a size is written like`},
		"size 0":                  {"fields: any\nmax_body: 0", `bad-value must be more than 0`},
		"quota":                   {"fields: any\nquota: none", `bad-value 2:8 a size is written like`},
		"max_upload":              {"fields: { a: { type: file } }\nmax_upload: { of: 1MB }", `wrong-type "max_upload" must be a size, not a mapping | such as 20MB`},
		"quota of nothing":        {"fields: { a: { type: file } }\nquota: 0", `bad-value 2:8 "quota" must be more than 0`},
		"size list":               {"fields: any\nmax_body: [1]", `wrong-type "max_body" must be a size, not a list | such as 1MB`},
		"no mapping":              {"just text", `wrong-type`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, list := compile(t, c.yaml)
			if f != nil || list.Err() == nil {
				t.Fatalf("compiled")
			}
			if len(list) != 1 {
				t.Errorf("%d faults, want 1:\n%s", len(list), list)
			}
			code, rest, _ := strings.Cut(c.want, " ")
			got := fmt.Sprintf("%d:%d %s | %s", list[0].Line, list[0].Column, list[0].Message, list[0].Hint)
			if list[0].Code != code {
				t.Errorf("code %s, want %s", list[0].Code, code)
			}
			place, message, _ := strings.Cut(rest, " ")
			if strings.Contains(place, ":") && place[0] >= '1' && place[0] <= '9' {
				if !strings.HasPrefix(got, place+" ") {
					t.Errorf("got %s, want it at %s", got, place)
				}
				rest = message
			}
			for part := range strings.SplitSeq(rest, " | ") {
				if !strings.Contains(got, part) {
					t.Errorf("got  %s\nwant %s", got, part)
				}
			}
		})
	}
}

// Who has a form answer by mail hears that programs can have it write to anyone.
func TestCompile_openAutoreply(t *testing.T) {
	t.Parallel()
	const reply = "fields: any\nautoreply: { to: mail, recipient: x, subject: y, text: z }\n"
	for config, want := range map[string]int{
		reply: 1, reply + "min_time: 3s": 0, reply + "captcha: { type: turnstile, secret: s, sitekey: k }": 0, "fields: any": 0,
		reply + "via: webhook\ntoken: 0123456789abcdef": 0,
	} {
		n, _ := yamlnode.Parse("config.yaml", []byte(config))
		_, list := forms.Compile(yamlnode.Plain("contact"), n)
		if list.Err() != nil || len(list) != want || want > 0 && list[0].Code != "open-autoreply" {
			t.Errorf("%s: %v", config, list)
		}
	}
}

func TestCompile_allAtOnce(t *testing.T) {
	t.Parallel()
	_, list := compile(t, `
origins: [a.example, "*"]
redirect: nowhere
lang: xx
fields:
  a: { type: numbr }
  b: { min: 3, max: 2, pattern: "(" }
  c: { type: select }
unknown: 1
`)
	if got := list.Count(diag.Error); got != 9 {
		t.Errorf("%d faults, want 9:\n%s", got, list)
	}
}
