package forms_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"hookgate/forms"
)

// void are the elements without an end tag.
var void = []string{"meta", "input", "br", "img", "link", "circle", "path"}

// globals may stand on any element; attributes lists the others, by element.
// What is not listed here the pages do not use.
var (
	globals    = []string{"id", "class", "lang", "role", "tabindex", "autofocus", "style", "title"}
	attributes = map[string]string{
		"html": "", "head": "", "title": "", "style": "", "body": "", "main": "", "header": "", "h1": "", "h2": "", "p": "", "ul": "", "li": "",
		"div": "data-sitekey", "span": "", "small": "", "code": "", "br": "", "noscript": "", "fieldset": "", "legend": "",
		"meta": "charset name content", "a": "href", "img": "src alt", "label": "for", "button": "type", "script": "src async defer",
		"form":     "method action accept-charset enctype novalidate",
		"input":    "type name value checked required placeholder autocomplete inputmode min max accept multiple data-form data-sitekey",
		"select":   "name required",
		"option":   "value selected",
		"textarea": "name rows required placeholder autocomplete",
		"svg":      "viewbox fill stroke stroke-width stroke-linecap stroke-linejoin", "circle": "cx cy r", "path": "d",
	}
	// holds is what an element may have in it, where that is not everything.
	phrasing = strings.Fields("a span small code br img input label select textarea button svg circle path option")
	holds    = map[string][]string{
		"p": phrasing, "h1": phrasing, "h2": phrasing, "span": phrasing, "small": phrasing, "legend": phrasing, "code": phrasing,
		"label": phrasing, "button": {"span"}, "a": {"span", "code"}, "ul": {"li"}, "select": {"option"}, "option": {}, "title": {}, "textarea": {}, "style": {}, "script": {},
		"head": {"meta", "title", "style"}, "html": {"head", "body"},
	}
	inputTypes = strings.Fields("text email tel url date checkbox file hidden")
)

// invalid lists what a strict validator would say of a page: tags that do not
// pair up, elements and attributes where they do not belong, ids that stand
// twice or are missing, controls without a name for people. A whole page has a
// doctype and a title; a snippet is a part of one.
func invalid(page string, whole bool) []string {
	v := &validator{ids: map[string]int{}}
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if !errors.Is(z.Err(), io.EOF) {
				v.say("%v", z.Err())
			}
			v.end(whole)
			return v.faults
		case html.DoctypeToken:
			v.doctype = true
		case html.StartTagToken, html.SelfClosingTagToken:
			v.open(z.Token())
		case html.EndTagToken:
			v.close(z.Token().Data)
		case html.TextToken:
			v.text(string(z.Text()))
		case html.CommentToken:
		}
	}
}

type validator struct {
	faults, stack, needed []string
	ids                   map[string]int
	labels                map[string]bool // ids of controls that a label is for
	controls              []html.Token
	inLabel               []bool // of the controls
	doctype               bool
	title                 string
	headings              []string
	begun                 string // the element that was just opened
}

func (v *validator) say(format string, args ...any) {
	v.faults = append(v.faults, fmt.Sprintf(format, args...))
}

func attr(t html.Token, key string) (string, bool) {
	for _, a := range t.Attr {
		if a.Key == key {
			return a.Val, true
		}
	}
	return "", false
}

func (v *validator) open(t html.Token) {
	allowed, known := attributes[t.Data]
	if !known {
		v.say("<%s> is not an element of these pages", t.Data)
	}
	for _, a := range t.Attr {
		if !slices.Contains(globals, a.Key) && !slices.Contains(strings.Fields(allowed), a.Key) && !strings.HasPrefix(a.Key, "aria-") {
			v.say("<%s> has no attribute %s", t.Data, a.Key)
		}
		switch a.Key {
		case "id":
			v.ids[a.Val]++
			if a.Val == "" || strings.ContainsAny(a.Val, " \t\n") {
				v.say("the id %q", a.Val)
			}
		case "for", "aria-describedby", "aria-labelledby":
			v.needed = append(v.needed, strings.Fields(a.Val)...)
			if len(strings.Fields(a.Val)) == 0 {
				v.say("<%s %s> names nothing", t.Data, a.Key)
			}
		}
	}
	if n := len(v.stack); n > 0 {
		parent := v.stack[n-1]
		if inner, limited := holds[parent]; limited && !slices.Contains(inner, t.Data) {
			v.say("<%s> in <%s>", t.Data, parent)
		}
	}
	for _, alone := range []string{"form", "a", "button", "label"} {
		if t.Data == alone && slices.Contains(v.stack, alone) {
			v.say("<%s> in another", alone)
		}
	}
	v.special(t)
	if !slices.Contains(void, t.Data) {
		v.stack = append(v.stack, t.Data)
	}
	v.begun = t.Data
}

// special are the rules of single elements.
func (v *validator) special(t html.Token) {
	kind, _ := attr(t, "type")
	switch t.Data {
	case "img":
		if _, ok := attr(t, "alt"); !ok {
			v.say("<img> without alt")
		}
	case "html":
		if lang, _ := attr(t, "lang"); lang == "" {
			v.say("<html> without lang")
		}
	case "legend":
		if v.begun != "fieldset" {
			v.say("<legend> is not the first of its <fieldset>")
		}
	case "h1", "h2":
		v.headings = append(v.headings, t.Data)
	case "label":
		if id, ok := attr(t, "for"); ok {
			if v.labels == nil {
				v.labels = map[string]bool{}
			}
			v.labels[id] = true
		}
	case "input", "select", "textarea":
		if t.Data == "input" && !slices.Contains(inputTypes, kind) {
			v.say("<input type=%q>", kind)
		}
		if name, _ := attr(t, "name"); name == "" {
			v.say("<%s> without a name", t.Data)
		}
		if _, ok := attr(t, "required"); ok && kind == "hidden" {
			v.say("a hidden field that is required")
		}
		if kind != "hidden" {
			v.controls = append(v.controls, t)
			v.inLabel = append(v.inLabel, slices.Contains(v.stack, "label"))
		}
	}
}

func (v *validator) close(name string) {
	if n := len(v.stack); n == 0 || v.stack[n-1] != name {
		v.say("</%s> where %v is open", name, v.stack)
		return
	}
	v.stack = v.stack[:len(v.stack)-1]
	v.begun = ""
}

func (v *validator) text(text string) {
	if strings.TrimSpace(text) == "" || len(v.stack) == 0 {
		return
	}
	in := v.stack[len(v.stack)-1]
	if in == "title" {
		v.title += text
	}
	if slices.Contains([]string{"ul", "select", "html", "head"}, in) {
		v.say("text in <%s>", in)
	}
	v.begun = ""
}

func (v *validator) end(whole bool) {
	if len(v.stack) > 0 {
		v.say("%v is never closed", v.stack)
	}
	for id, n := range v.ids {
		if n > 1 {
			v.say("the id %q stands %d times", id, n)
		}
	}
	for _, id := range v.needed {
		if v.ids[id] == 0 {
			v.say("nothing has the id %q", id)
		}
	}
	for i, c := range v.controls {
		if id, _ := attr(c, "id"); !v.inLabel[i] && !v.labels[id] {
			v.say("%s has no label", c)
		}
	}
	if whole && (!v.doctype || strings.TrimSpace(v.title) == "" || len(v.headings) == 0 || v.headings[0] != "h1" || slices.Contains(v.headings[1:], "h1")) {
		v.say("doctype %v, title %q, headings %v", v.doctype, v.title, v.headings)
	}
}

// Everything that visitors see is valid HTML, whatever the form has and
// whatever was posted.
func TestPages_valid(t *testing.T) {
	t.Parallel()
	const all = `
title: "A < B & C"
intro: "One > two"
brand: { name: "Harry's <Diner>", color: "#8a1538", logo: "https://cdn.example/l.svg?a=b&c=d" }
origins: [https://a.example]
min_time: 3s
fields:
  name: { required: true, help: As on your card, placeholder: 'Ada "L"' }
  'a<b"c': { type: email, help: Odd }
  phone: { type: tel, region: DE }
  site: { type: url, required: true }
  budget: { type: number, min: 0, placeholder: "12.5" }
  day: { type: date, min: 2026-06-01, help: In summer }
  consent: { type: checkbox, required: true, help: Read it }
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
