package forms_test

import (
	"strings"
	"testing"

	"hookgate/forms"
)

const told = `
lang: de
title: Anfrage
intro: "Wir antworten **heute**.\n\n- [Preise](https://a.example/preise)\n- Termine"
thanks: "Danke! Wir rufen Sie [heute](https://a.example/heute) an."
footer: "Harrys Diner & Co"
brand: { name: Harrys Diner, imprint: https://a.example/impressum, privacy: https://a.example/datenschutz }
fields:
  name: { max: 80, label: "Ihr *Name*", help: "Wie auf der <Karte>" }
  guests: { type: integer, min: 1 }
  message: { max: 5000 }
  consent: { type: checkbox, required: true, label: "Ich akzeptiere die [Datenschutzerklärung](https://a.example/datenschutz)." }
`

// What a configuration tells visitors may have links, emphasis and lists; the
// imprint and the privacy notice are on every page.
func TestTold(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, told)
	var form, thanks, problems, failed strings.Builder
	for _, err := range []error{
		f.RenderForm(&form, forms.German, "/f/a", ""), f.RenderThanks(&thanks, forms.German, 0, ""),
		f.RenderProblems(&problems, forms.German, "/f/a", f.Submit(nil)), f.RenderError(&failed, forms.German, 429, ""),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{
		`<p>Wir antworten <strong>heute</strong>.</p>`, `<li><a href="https://a.example/preise" target="_blank" rel="noopener">Preise</a></li>`,
		`Ihr <em>Name</em>`, `Wie auf der &lt;Karte&gt;`, `>Ich akzeptiere die <a href="https://a.example/datenschutz" target="_blank" rel="noopener">Datenschutzerklärung</a>.`,
		`name="name" value="" maxlength="80"`, `rows="6" maxlength="5000"`, `inputmode="numeric"`,
	} {
		if !strings.Contains(form.String(), want) {
			t.Errorf("the form has no %s in\n%s", want, form.String())
		}
	}
	if !strings.Contains(thanks.String(), `<p>Danke! Wir rufen Sie <a href="https://a.example/heute"`) || strings.Contains(thanks.String(), "Wir haben Ihre Nachricht erhalten") {
		t.Errorf("got\n%s", thanks.String())
	}
	if !strings.Contains(problems.String(), `>Ich akzeptiere die Datenschutzerklärung: Bitte kreuzen Sie dieses Feld an.</a>`) {
		t.Errorf("got\n%s", problems.String())
	}
	for _, page := range []string{form.String(), thanks.String(), problems.String(), failed.String()} {
		for _, want := range []string{`<a href="https://a.example/impressum" target="_blank" rel="noopener">Impressum</a>`, `>Datenschutz</a>`, `<p>Harrys Diner &amp; Co</p>`} {
			if !strings.Contains(page, want) {
				t.Errorf("no %s in\n%s", want, page)
			}
		}
	}
}

func TestTold_faults(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"intro: '[a](javascript:alert)'\nfields: any":              `bad-url "javascript:alert" is no whole address to link to`,
		"fields:\n  a: { label: '[a](/privacy)' }":                 `bad-url "/privacy" is no whole address to link to`,
		"brand: { imprint: /imprint }\nfields: any":                `bad-url "/imprint" is no whole address to link to`,
		"footer: '" + strings.Repeat("[", 2000) + "'\nfields: any": `bad-value this cannot be shown: the Markdown is too long, or nested too deep`,
		"fields:\n  a: { type: integer, min: 1.5 }":                `bad-value "min" of an integer field must be a whole number, not "1.5"`,
	} {
		_, list := compile(t, text)
		if len(list) == 0 || list[0].Code+" "+list[0].Message != want {
			t.Errorf("%.60s: got %v, want %s", text, list, want)
		}
	}
}
