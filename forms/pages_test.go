package forms_test

import (
	"bytes"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"hookgate/forms"
	"hookgate/internal/event"
)

const everything = `
origins: [https://a.example, 'null']
redirect: https://c.example/thanks
fields:
  name: { required: true, max: 50, label: Your name }
  message: { max: 5000 }
  email: { type: email, required: true }
  tel: { type: tel }
  site: { type: url }
  budget: { type: number, min: 100 }
  day: { type: date }
  plan: { type: select, options: [Small, Large], required: true }
  topics: { type: checkbox, options: [Design, Text] }
  consent: { type: checkbox, required: true }
  campaign: { type: hidden, pattern: "[a-z]*" }
`

func TestForm_RenderProblems(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, everything)
	p := problems(t, f, forms.English, fields(
		"name", "Ada", "message", "one\r\ntwo", "email", "nope", "budget", "12,5", "day", "soon", "plan", "Huge",
		"topics", "Text", "campaign", "X1", "utm[]", "a", "utm[]", "b", "_next", "/ok", "_gotcha", "", "h-captcha-response", "once"))

	if lang := get(p.find("html", "", "")[0], "lang"); lang != "en" {
		t.Errorf("lang %q", lang)
	}
	if h := p.find("h1", "", ""); len(h) != 1 || text(h[0]) != "Please check your entries" {
		t.Errorf("headings %v", h)
	}
	if got := text(p.find("h2", "", "")[0]); got != "There are 6 things to correct" {
		t.Errorf("summary: %s", got)
	}
	form := p.find("form", "", "")[0]
	if get(form, "action") != "/f/contact" || get(form, "method") != "post" {
		t.Errorf("form %v", form.Attr)
	}

	// Every link of the summary leads to a control that says what is wrong.
	links := p.find("a", "", "")
	var linked []string
	for _, a := range links {
		id := strings.TrimPrefix(get(a, "href"), "#")
		control := p.find("", "id", id)
		if len(control) != 1 {
			t.Errorf("%q leads to %d elements", text(a), len(control))
			continue
		}
		linked = append(linked, get(control[0], "name"))
		message := p.find("p", "id", get(control[0], "aria-describedby"))
		if len(message) != 1 || !strings.HasSuffix(text(a), text(message[0])) || get(control[0], "aria-invalid") != "true" {
			t.Errorf("%q: the control %v does not say so", text(a), control[0].Attr)
		}
	}
	if got := strings.Join(linked, " "); got != "email budget day plan consent" {
		t.Errorf("the summary links to %s", got)
	}
	if got := text(p.find("ul", "", "")[0]); !strings.Contains(got, "Campaign: Please check the format") {
		t.Errorf("the hidden field's problem is not in the summary: %s", got)
	}
	checkControls(t, p)
	checkRequired(t, p)

	// What the visitor typed goes back when the form is sent again.
	if diff := posted(p); diff.Encode() != (url.Values{
		"name": {"Ada"}, "message": {"one\ntwo"}, "email": {"nope"}, "tel": {""}, "site": {""}, "budget": {"12,5"}, "day": {"soon"},
		"plan": {""}, "topics": {"Text"}, "campaign": {"X1"}, "utm[]": {"a", "b"}, "_next": {"/ok"}, "_gotcha": {""},
	}).Encode() {
		t.Errorf("the page posts %v", diff)
	}
}

// checkControls checks that every visible control has a label and its own id.
func checkControls(t *testing.T, p parsed) {
	t.Helper()
	seen := map[string]bool{}
	for _, tag := range []string{"input", "select", "textarea"} {
		for _, n := range p.find(tag, "", "") {
			id := get(n, "id")
			if get(n, "type") == "hidden" || get(n, "name") == "_gotcha" {
				continue
			}
			labelled := n.Parent.Data == "label" || len(p.find("label", "for", id)) == 1
			if id == "" || seen[id] || !labelled {
				t.Errorf("control %v: id twice or no label", n.Attr)
			}
			seen[id] = true
		}
	}
}

func checkRequired(t *testing.T, p parsed) {
	t.Helper()
	for name, required := range map[string]bool{"name": true, "consent": true, "tel": false} {
		if has(p.find("input", "name", name)[0], "required") != required {
			t.Errorf("%s: required is not %v", name, required)
		}
	}
}

// posted is what a browser would send of the page's form.
func posted(p parsed) url.Values {
	v := url.Values{}
	for _, n := range p.find("input", "", "") {
		if get(n, "type") != "checkbox" || has(n, "checked") {
			v.Add(get(n, "name"), get(n, "value"))
		}
	}
	for _, n := range p.find("textarea", "", "") {
		v.Add(get(n, "name"), rawText(n))
	}
	for _, n := range p.find("select", "", "") {
		chosen := ""
		for o := range n.Descendants() {
			if o.Data == "option" && has(o, "selected") {
				chosen = get(o, "value")
			}
		}
		v.Add(get(n, "name"), chosen)
	}
	return v
}

// TestForm_RenderProblems_again posts what the page would: the same problems
// and the same data come out, so nothing is lost on the way round.
func TestForm_RenderProblems_again(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, everything)
	first := f.Submit(fields("name", "Ada", "name", "Bea", "plan", "Large", "topics", "Design", "topics", "Text", "day", "2026-01-02",
		"message", "\n\nsome <b>text</b> \"&quot;\n", "budget", "1e3", "campaign", "a", "page", "1", "page", "2"))
	var page bytes.Buffer
	if err := f.RenderProblems(&page, forms.German, "https://hooks.example/f/contact?x=1&y", first); err != nil {
		t.Fatal(err)
	}
	var again []string
	for name, values := range posted(parse(t, page.Bytes())) {
		for _, v := range values {
			again = append(again, name, v)
		}
	}
	second := f.Submit(fields(again...))
	// The order of undeclared fields and empty optional ones may differ.
	want := strings.Replace(string(first.Data), `"day"`, `"email":"","tel":"","site":"","day"`, 1)
	got := string(second.Data)
	for _, part := range regexp.MustCompile(`"[a-z]+":(\[[^\]]*\]|"[^"]*"|[^,}]*)`).FindAllString(want, -1) {
		if part == `"extra":{"name":["Ada"]` {
			continue // the page showed the value that counts, and the visitor has sent that
		}
		if !strings.Contains(got, part) {
			t.Errorf("%s is lost: %s", part, got)
		}
	}
	if len(second.Problems) != len(first.Problems) {
		t.Errorf("problems %v, then %v", first.Problems, second.Problems)
	}
}

func TestForm_RenderProblems_any(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, "fields: any")
	p := problems(t, f, forms.German, fields("a", strings.Repeat("x", 100<<10+1)))
	if len(p.find("form", "", "")) != 0 {
		t.Error("there is a form with no fields")
	}
	if got := text(p.find("main", "", "")[0]); !strings.Contains(got, "Bitte gehen Sie zurück") || !strings.Contains(got, "a: Bitte geben Sie höchstens") {
		t.Errorf("the page says %s", got)
	}
}

func TestForm_RenderThanks(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, everything)
	id := event.ID(1 << 41)
	for _, c := range []struct {
		ref     event.ID
		referer string
		link    string
	}{
		{id, "https://a.example/contact?x=1#y", "https://a.example/contact?x=1#y"},
		{id, "https://evil.example/", ""},
		{id, "https://c.example/", ""}, // the redirect's site is no origin of the form
		{id, "https://a.example@evil.example/", ""},
		{id, "https://user@a.example/", ""},
		{id, "javascript:alert(1)", ""},
		{0, "", ""},
	} {
		var page bytes.Buffer
		if err := f.RenderThanks(&page, forms.German, c.ref, c.referer); err != nil {
			t.Fatal(err)
		}
		p := parse(t, page.Bytes())
		link := ""
		if a := p.find("a", "", ""); len(a) == 1 {
			link = get(a[0], "href")
		}
		if link != c.link {
			t.Errorf("referer %q: link %q, want %q", c.referer, link, c.link)
		}
		if got := text(p.find("h1", "", "")[0]); got != "Vielen Dank" {
			t.Errorf("heading %s", got)
		}
		if got := strings.Contains(page.String(), id.String()); got != (c.ref != 0) {
			t.Errorf("reference %v: shown is %v", c.ref, got)
		}
	}
}

func TestRenderError(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 403, 404, 405, 413, 415, 429, 500, 503, 599, 410} {
		titles := map[string]bool{}
		for _, lang := range []forms.Lang{forms.English, forms.German} {
			var page bytes.Buffer
			if err := (*forms.Form)(nil).RenderError(&page, lang, status, "<b>why</b>"); err != nil {
				t.Fatal(err)
			}
			p := parse(t, page.Bytes())
			if get(p.find("html", "", "")[0], "lang") != string(lang) || text(p.find("h1", "", "")[0]) != text(p.find("title", "", "")[0]) {
				t.Errorf("%d %s: language or title", status, lang)
			}
			if len(p.find("b", "", "")) > 0 || !strings.Contains(text(p.find("main", "", "")[0]), "<b>why</b>") {
				t.Errorf("%d %s: the detail is not escaped", status, lang)
			}
			titles[text(p.find("title", "", "")[0])] = true
		}
		if len(titles) != 2 {
			t.Errorf("%d: not in two languages: %v", status, titles)
		}
	}
}
