package forms_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"hookgate/forms"
)

// The snippets post what the fields ask for, to the form's address, whatever
// is in a label.
func TestForm_Snippet(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, `
submit: Send & go
fields:
  name: { required: true, label: "Your <name>", help: As you like }
  message: { max: 5000 }
  plan: { type: select, options: [{ value: s, label: Small }] }
  topics[]: { type: checkbox, options: [a, b] }
  budget: { type: number }
  consent: { type: checkbox, required: true }
  campaign: { type: hidden }
`)
	const action = "https://hooks.example/f/contact"
	for kind, marks := range map[forms.SnippetKind][2]string{
		forms.PlainSnippet:     {"<form", "</form>\n"},
		forms.FetchSnippet:     {"<form", "</script>\n"},
		forms.WordPressSnippet: {"<!-- wp:html -->\n", "<!-- /wp:html -->\n"},
	} {
		text, err := f.Snippet(kind, forms.German, action)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(text, marks[0]) || !strings.HasSuffix(text, marks[1]) {
			t.Errorf("%s: begins or ends with other than %q", kind, marks)
		}
		p := parse(t, []byte(text))
		if got := get(p.find("form", "", "")[0], "action"); got != action {
			t.Errorf("%s: posts to %q", kind, got)
		}
		checkControls(t, p)
		if diff := posted(p).Encode(); diff != (url.Values{
			"name": {""}, "message": {""}, "plan": {""}, "budget": {""}, "campaign": {""}, "_gotcha": {""}, "_language": {"de"},
		}).Encode() {
			t.Errorf("%s: posts %s", kind, diff)
		}
		for _, want := range []string{"Your &lt;name&gt;", ">Send &amp; go</button>", "Bitte leer lassen", `rows="6"`, `id="contact-1"`, `aria-describedby="contact-1-help"`} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %s is missing in\n%s", kind, want, text)
			}
		}
		scripts := p.find("script", "", "")
		if (len(scripts) == 1) != (kind == forms.FetchSnippet) {
			t.Errorf("%s: %d scripts", kind, len(scripts))
		}
	}
}

// Texts in the script cannot end it, and it is a program.
func TestForm_Snippet_script(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, "fields: {name: {}}\norigins: https://a.example")
	text, err := f.Snippet(forms.FetchSnippet, forms.English, "https://hooks.example/f/contact")
	if err != nil {
		t.Fatal(err)
	}
	script := parse(t, []byte(text)).find("script", "", "")[0].FirstChild
	if script.Type != html.TextNode || !strings.Contains(script.Data, `getElementById("hookgate-contact")`) || !strings.Contains(script.Data, `"We have received your message. Reference:"`) {
		t.Errorf("script\n%s", script.Data)
	}
	if !f.Scripted() || mustCompile(t, "fields: {a: {}}").Scripted() {
		t.Error("a script can read the answers of a form without origins, or not of one with them")
	}
}

// The template for Contact Form 7 asks for the same fields under the same names.
func TestForm_ContactForm7(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, `
via: webhook
token: abcdefghijklmnopqrst
format: cf7
fields:
  your-name: { required: true, max: 120, label: "Your <name>", placeholder: 'Say "hi" [or not]' }
  your-email: { type: email, required: true }
  message: { max: 5000 }
  budget: { type: number, min: 0, max: 10 }
  day: { type: date, min: 2026-06-01 }
  plan: { type: select, required: true, options: [{ value: s, label: Small }, L] }
  tags: { type: select, multiple: true, options: [a, b] }
  topics: { type: checkbox, options: [Design, Text], min: 1 }
  consent: { type: checkbox, required: true, label: I agree }
  news: { type: checkbox }
  campaign: { type: hidden }
`)
	got, err := f.ContactForm7(forms.German)
	want := `<label>Your &lt;name&gt;
[text* your-name maxlength:120 placeholder 'Say "hi" (or not)']</label>

<label>Your email
[email* your-email autocomplete:email]</label>

<label>Message
[textarea message maxlength:5000]</label>

<label>Budget
[number budget min:0 max:10]</label>

<label>Day
[date day min:2026-06-01]</label>

<label>Plan
[select* plan include_blank "Small|s" "L"]</label>

<label>Tags
[select tags multiple "a" "b"]</label>

<p>Topics</p>
[checkbox topics use_label_element "Design" "Text"]

[acceptance consent] I agree [/acceptance]

[acceptance news optional] News [/acceptance]

[hidden campaign]

[submit "Senden"]
`
	want = strings.Replace(want, "maxlength:120 ", "maxlength:120 autocomplete:name ", 1)
	if err != nil || got != want {
		t.Errorf("%v\n%s", err, cmp.Diff(want, got))
	}
	if _, err := f.Snippet(forms.PlainSnippet, "", "https://hooks.example/f/contact/secret"); !errors.Is(err, forms.ErrNoSnippet) {
		t.Errorf("HTML with the secret address: %v", err)
	}
	for _, other := range []string{"fields: { name: {} }", "via: webhook\ntoken: abcdefghijklmnopqrst\nformat: tally\nfields: { name: {} }", "via: webhook\ntoken: abcdefghijklmnopqrst\nformat: cf7\nfields: any"} {
		if _, err := mustCompile(t, other).ContactForm7(""); !errors.Is(err, forms.ErrNoSnippet) {
			t.Errorf("%s: %v", other, err)
		}
	}
	if _, err := mustCompile(t, "via: webhook\ntoken: abcdefghijklmnopqrst\nformat: cf7\nfields: { 'a b': {} }").ContactForm7(""); err == nil || !strings.Contains(err.Error(), `"a b"`) {
		t.Errorf("a name with a blank: %v", err)
	}
}
