package forms_test

import (
	"bytes"
	"strings"
	"testing"

	"hookgate/forms"
)

// Everything that visitors see is valid HTML, whatever the form has and
// whatever was posted.
func TestPages_valid(t *testing.T) {
	t.Parallel()
	const all = `
title: "A < B & C"
intro: "One > two\n\n- [a](https://a.example/?b=1&c=2)\n- **b** *c*"
thanks: "[Back](https://a.example)"
footer: "1. a\n2. <b>"
brand: { name: "Harry's <Diner>", color: "#8a1538", logo: "https://cdn.example/l.svg?a=b&c=d", imprint: "https://a.example/?a=b&c=d", privacy: https://a.example/p }
origins: [https://a.example]
min_time: 3s
fields:
  name: { required: true, help: As on your card, placeholder: 'Ada "L"' }
  'a<b"c': { type: email, help: Odd }
  phone: { type: tel, region: DE }
  site: { type: url, required: true }
  budget: { type: number, min: 0, placeholder: "12.5" }
  day: { type: date, min: 2026-06-01, help: In summer }
  consent: { type: checkbox, required: true, help: "Read [it](mailto:a@a.example)", label: "I accept the [privacy **notice**](https://a.example/p)." }
  guests: { type: integer, min: 1 }
  plan: { type: select, required: true, options: [{ value: s, label: Small }, l], help: Choose }
  topics[]: { type: checkbox, options: [Design, Text], help: Several, required: true }
  tags: { type: select, multiple: true, options: [a, b] }
  items[][qty]: { type: number, required: true, help: Pieces }
  address[city]: {}
  brief: { type: file, accept: [pdf, image/*], required: true, help: One }
  photos: { type: file, multiple: true }
  message: { max: 5000, required: true, help: More }
  campaign: { type: hidden }
`
	captchas := []string{"", "captcha: { type: turnstile, secret: s, sitekey: 'a\"b' }\n", "captcha: { type: recaptcha, secret: s, sitekey: k, min_score: 0.5 }\n"}
	posts := [][]string{nil, {"items[0][qty]", "x", "items[7][qty]", "", "day", "soon", "consent", "no", "message", "a\nb", "campaign", "c", "_next", "/x"}}
	for _, text := range naughty(t) {
		posts = append(posts, []string{"name", text, "message", text, "other", text, text, "v", "plan", text})
	}
	for _, captcha := range captchas {
		f := mustCompile(t, strings.Replace(all, "fields:", captcha+"fields:", 1))
		check := func(what, page string, whole bool) {
			t.Helper()
			if faults := invalid(page, whole); len(faults) > 0 {
				t.Errorf("%s: %s\n%s", what, strings.Join(faults, "\n\t"), page)
			}
		}
		for _, lang := range forms.Languages() {
			_, page := hosted(t, f, lang)
			check("hosted", page, true)
			for _, kind := range []forms.SnippetKind{forms.PlainSnippet, forms.FetchSnippet, forms.WordPressSnippet} {
				snippet, err := f.Snippet(kind, lang, "https://hooks.example/f/contact?a=b&c=d")
				if err != nil {
					t.Fatal(err)
				}
				check(string(kind), snippet, false)
			}
			var out bytes.Buffer
			if err := f.RenderThanks(&out, lang, 7, "https://a.example/x?y=z&q=\"<"); err != nil {
				t.Fatal(err)
			}
			check("thanks", out.String(), true)
			out.Reset()
			if err := f.RenderError(&out, lang, 413, f.TooLarge(lang, 0)); err != nil {
				t.Fatal(err)
			}
			check("error", out.String(), true)
		}
		for _, post := range posts {
			var out bytes.Buffer
			if err := f.RenderProblems(&out, forms.English, "contact", f.Submit(fields(post...))); err != nil {
				t.Fatal(err)
			}
			check("problems", out.String(), true)
		}
	}
}

// The check finds what it is for.
func TestInvalid(t *testing.T) {
	t.Parallel()
	for _, page := range []string{
		"<p><p></p></p>", "<div>", "</div>", "<p><div></div></p>", `<div id="a"></div><div id="a"></div>`, `<label for="x">a</label>`,
		`<input type="text" name="a">`, `<label><input type="color" name="a"></label>`, `<label><input type="text"></label>`,
		`<div foo="x"></div>`, `<img src="x">`, `<ul>x</ul>`, `<fieldset><p></p><legend></legend></fieldset>`, `<font></font>`, `<form><form></form></form>`,
	} {
		if len(invalid(page, false)) == 0 {
			t.Errorf("nothing wrong with %s", page)
		}
	}
	if len(invalid("<h2>a</h2>", true)) == 0 || len(invalid(`<fieldset><legend>a</legend><label>b <input type="text" name="c"></label></fieldset>`, false)) != 0 {
		t.Error("a page without a title, or a part of one")
	}
}
