package forms_test

import (
	"encoding/json"
	"testing"

	"hookgate/forms"
	"hookgate/internal/event"
)

func TestAnswers_JSON(t *testing.T) {
	t.Parallel()
	id := event.ID(1 << 40)
	f := mustCompile(t, "fields: {email: {type: email, required: true}}")
	for want, answer := range map[string]any{
		`{"ok":true,"id":"` + id.String() + `"}`: forms.Accepted{OK: true, ID: id},
		`{"type":"about:blank","title":"Bitte prüfen Sie Ihre Angaben","status":422,"errors":[{"field":"email","code":"REQUIRED","message":"Bitte füllen Sie dieses Feld aus."}]}`: forms.ProblemAnswer(forms.German, f.Submit(nil).Problems),
		`{"type":"about:blank","title":"Please wait a moment","status":429,"detail":"5 posts a minute"}`:                                                                           forms.ErrorAnswer(forms.English, 429, "5 posts a minute"),
		`{"type":"about:blank","title":"Something went wrong","status":502}`:                                                                                                       forms.ErrorAnswer(forms.English, 502, ""),
		`{"type":"about:blank","title":"The form could not be read","status":418}`:                                                                                                 forms.ErrorAnswer(forms.English, 418, ""),
	} {
		got, err := json.Marshal(answer)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestWantsJSON(t *testing.T) {
	t.Parallel()
	const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
	for _, c := range []struct {
		accept, contentType string
		want                bool
	}{
		{"application/json", "application/x-www-form-urlencoded", true},
		{"application/problem+json, application/json", "multipart/form-data; boundary=x", true},
		{"application/json, text/plain, */*", "application/x-www-form-urlencoded", true},
		{"APPLICATION/JSON;q=0.5", "", true},
		{browser, "application/x-www-form-urlencoded", false},
		{browser, "application/json", false},
		{"*/*", "application/json; charset=utf-8", true},
		{"", "application/json", true},
		{"*/*", "application/x-www-form-urlencoded", false},
		{"", "", false},
		{"text/plain", "application/json", false},
		{"text/html, application/json", "", false},
		{";;,", "application/json", false},
	} {
		header := map[string]string{"Accept": c.accept, "Content-Type": c.contentType}
		if got := forms.WantsJSON(func(name string) string { return header[name] }); got != c.want {
			t.Errorf("Accept %q, Content-Type %q: %v, want %v", c.accept, c.contentType, got, c.want)
		}
	}
}

// A script that says nothing of what it accepts can read no page.
func TestWantsJSON_scripts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		accept, mode, dest, with string
		want                     bool
	}{
		{"*/*", "cors", "empty", "", true},
		{"", "same-origin", "empty", "", true},
		{"*/*", "no-cors", "", "", true},
		{"*/*", "", "empty", "", true},
		{"*/*", "navigate", "document", "", false},
		{"*/*", "navigate", "iframe", "", false},
		{"", "navigate", "", "", false},
		{"text/html, */*;q=0.8", "cors", "empty", "XMLHttpRequest", false}, // it says what it wants
		{"text/vnd.turbo-stream.html, text/html, application/xhtml+xml", "cors", "empty", "", false},
		{"text/plain", "cors", "empty", "", false},
		{"*/*", "", "", "XMLHttpRequest", true},
		{"*/*", "", "", "org.example.webview", false}, // what Android's browser inside of an app says
		{"*/*", "navigate", "document", "XMLHttpRequest", false},
	} {
		header := map[string]string{
			"Accept": c.accept, "Content-Type": "application/x-www-form-urlencoded",
			"Sec-Fetch-Mode": c.mode, "Sec-Fetch-Dest": c.dest, "X-Requested-With": c.with,
		}
		if got := forms.WantsJSON(func(name string) string { return header[name] }); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestForm_Language(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		config string
		wanted forms.Lang
		header string
		want   forms.Lang
	}{
		{"fields: any", "", "de-AT,de;q=0.9,en;q=0.5", "de"},
		{"fields: any", "", "en-GB,de;q=0.9", "en"},
		{"fields: any", "", "fr, de;q=0.2", "de"},
		{"fields: any", "", "fr", "en"},
		{"fields: any", "", "", "en"},
		{"fields: any", "", "%%%", "en"},
		{"fields: any", "de", "en", "de"},
		{"fields: any\nlang: de", "en", "en", "de"},
		{"fields: any\nlang: en", "", "de", "en"},
	} {
		f := mustCompile(t, c.config)
		if got := f.Language(c.wanted, c.header); got != c.want {
			t.Errorf("%q, %q, %q: %q, want %q", c.config, c.wanted, c.header, got, c.want)
		}
	}
	f := mustCompile(t, "fields: any")
	for posted, want := range map[string]forms.Lang{"de": "de", "de-DE": "de", "en": "en", "xx": "", "": "", "\x00": ""} {
		if got := f.Submit(fields("_language", posted)).Language; got != want {
			t.Errorf("_language %q: %q, want %q", posted, got, want)
		}
	}
}
