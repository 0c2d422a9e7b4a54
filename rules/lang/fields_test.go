package lang_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/internal/jsondoc"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

func render(t *testing.T, yaml, data string) string {
	t.Helper()
	tpl, list := lang.NewCompiler().Template(value(t, "v: "+yaml), lang.Input{Name: "v", Kind: lang.TextInput, Escape: upper})
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	out, _, err := tpl.AppendJSON(nil, newScope(t, data))
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsondoc.Parse(out)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Release()
	text, _ := v.Value().(string)
	return text
}

// All that arrived, in its order, without what is empty.
func TestFields(t *testing.T) {
	t.Parallel()
	const data = `{"name":"Ada <b>","first_name":"","budget":5000.5,"message":"Hello,\r\nI am Ada.","consent":true,"newsletter":false,
		"topics":["a","b"],"brief":{"name":"b.pdf","size":2048,"type":"application/pdf","sha256":"x","id":"f1"},
		"extra":{"utm-source":"x & y","deep":{"z":1,"a":null}},"items":[{"qty":2},{"qty":3}],"a_field_with_quite_a_long_name":"x"}`
	const want = `Name:               Ada <b>
Budget:             5000.5
Message:
    Hello,
    I am Ada.
Consent:            yes
Newsletter:         no
Topics:             a, b
Brief:              b.pdf (2 KB)
Extra / Utm source: x & y
Extra / Deep / Z:   1
Items / 1 / Qty:    2
Items / 2 / Qty:    3
A field with quite a long name: x`
	if diff := cmp.Diff(want, render(t, "${{ raw(fields(data)) }}", data)); diff != "" {
		t.Error(diff)
	}
	const page = `<table style="border-collapse:collapse;font-family:sans-serif"><tr><th style="text-align:left;vertical-align:top;padding:4px 16px 4px 0">Name</th><td style="padding:4px 0">Ada &lt;b&gt;<br>Byron</td></tr></table>`
	if diff := cmp.Diff(page, render(t, `'${{ raw(fields(data, "html")) }}'`, `{"name":"Ada <b>\nByron"}`)); diff != "" {
		t.Error(diff)
	}
	for data, want := range map[string]string{
		`null`: "", `[]`: "", `{}`: "", `"x"`: "x", `[1,2]`: "1, 2", `[{"b":1,"a":2}]`: "1 / A: 2\n1 / B: 1", `{"<":"\u0000"}`: "<: \x00",
	} {
		if diff := cmp.Diff(want, render(t, "${{ raw(fields(data)) }}", data)); diff != "" {
			t.Errorf("%s: %s", data, diff)
		}
	}
	// A part of the body is sorted; the whole escapes like any other value.
	if got := render(t, "${{ fields(data.x) }}", `{"x":{"b":1,"a":"q"}}`); got != "A: Q\nB: 1" {
		t.Errorf("got %q", got)
	}
}

func TestFields_faults(t *testing.T) {
	t.Parallel()
	scope := newScope(t, sample)
	for code, want := range map[string]string{
		`fields()`:            `fields(): one value is needed, and "html" if it should be a table`,
		`fields(1, 2, 3)`:     `fields(1, 2, 3): one value is needed, and "html" if it should be a table`,
		`fields(data, "csv")`: `fields(data, "csv"): the form is "text" or "html"`,
	} {
		tpl, list := lang.NewCompiler().Template(value(t, "v: ${{ "+code+" }}"), lang.Input{Name: "v"})
		if err := list.Err(); err != nil {
			t.Fatal(err)
		}
		if _, _, err := tpl.AppendJSON(nil, scope); err == nil || err.Error() != "${{ "+code+" }}: "+want {
			t.Errorf("%s: got %v", code, err)
		}
	}
}

// The fields of a form are called as people read them on its page, wherever
// they stand, and an event is called in the form's language.
func TestFields_words(t *testing.T) {
	t.Parallel()
	c := lang.NewCompiler()
	c.SetWords(map[string]lang.Words{"sitejet": {
		Labels: map[string]string{"name": "Ihr Name", "address.city": "Ort", "items..qty": "Anzahl", "extra": "Weitere Angaben"}, Message: "Neue Nachricht", Yes: "ja", No: "nein",
	}})
	const data = `{"name":"Ada","consent":true,"news":false,"address":{"city":"Berlin","zip":"1"},"items":[{"qty":2}],"extra":{"utm":"x","name":"y"}}`
	for code, want := range map[string]string{
		`fields(data)`:               "Ihr Name:               Ada\nConsent:                ja\nNews:                   nein\nAddress / Ort:          Berlin\nAddress / Zip:          1\nItems / 1 / Anzahl:     2\nWeitere Angaben / Utm:  x\nWeitere Angaben / Name: y",
		`fields(only(data, "name"))`: "Ihr Name: Ada",
		`headline({"type": "form_submitted", "source": "sitejet"})`: "Neue Nachricht (sitejet)",
		`headline({"type": "form_submitted", "source": "other"})`:   "New message (other)",
		`headline(event)`: "website_status_changed (sitejet)",
	} {
		e, list := c.Expression(yamlnode.Plain(code))
		if err := list.Err(); err != nil {
			t.Fatal(err)
		}
		got, err := e.Text(newScope(t, data))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", code, err, diff)
		}
	}
}
