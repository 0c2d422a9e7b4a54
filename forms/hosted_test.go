package forms_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hookgate/forms"
	"hookgate/internal/yamlnode"
)

func hosted(t testing.TB, f *forms.Form, lang forms.Lang) (parsed, string) {
	t.Helper()
	var page bytes.Buffer
	if err := f.RenderForm(&page, lang, "contact", ""); err != nil {
		t.Fatal(err)
	}
	return parse(t, page.Bytes()), page.String()
}

func TestForm_RenderForm(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, `
title: Write to us
intro: We answer within a day.
submit: Send it
brand: { name: "Harry's Diner", color: "#ffcc00", logo: "https://cdn.example/logo.svg" }
fields:
  name: { required: true, help: As on your card, placeholder: Ada Lovelace }
  email: { type: email, required: true }
  company: {}
  nick: { autocomplete: nickname }
  message: { rows: 9 }
  day: { type: date, min: 2026-01-01, max: 2026-12-31 }
  plan: { type: select, options: [{ value: s, label: Small }, { value: l, label: Large }] }
  topics: { type: select, multiple: true, options: [Design, Text] }
  items[][qty]: { type: number }
  consent: { type: checkbox, required: true }
  campaign: { type: hidden }
`)
	p, source := hosted(t, f, forms.English)
	checkControls(t, p)
	for _, c := range []struct{ tag, name, attr, want string }{
		{"input", "name", "autocomplete", "name"},
		{"input", "name", "placeholder", "Ada Lovelace"},
		{"input", "name", "aria-describedby", "field-1-help"},
		{"input", "email", "type", "email"},
		{"input", "email", "autocomplete", "email"},
		{"input", "company", "autocomplete", "organization"},
		{"input", "nick", "autocomplete", "nickname"},
		{"textarea", "message", "rows", "9"},
		{"input", "day", "type", "date"},
		{"input", "day", "min", "2026-01-01"},
		{"input", "day", "max", "2026-12-31"},
		{"input", "items[0][qty]", "inputmode", "decimal"},
	} {
		found := p.find(c.tag, "name", c.name)
		if len(found) != 1 || get(found[0], c.attr) != c.want {
			t.Errorf("%s: %d controls, %s is not %q", c.name, len(found), c.attr, c.want)
		}
	}
	if got := text(p.find("h1", "", "")[0]); got != "Write to us" {
		t.Errorf("heading %q", got)
	}
	if got := text(p.find("title", "", "")[0]); got != "Write to us – Harry's Diner" {
		t.Errorf("title %q", got)
	}
	for _, want := range []string{"We answer within a day.", ">Send it</button>", ">Small</option>", `value="s"`, `alt="Harry&#39;s Diner"`, "As on your card"} {
		if !strings.Contains(source, want) {
			t.Errorf("%s is not on the page", want)
		}
	}
	if len(p.find("input", "name", "campaign")) != 0 || len(p.find("", "role", "alert")) != 0 {
		t.Error("a hidden field or an empty summary is shown")
	}
	policy := ""
	for _, h := range forms.PageHeaders(f, forms.English) {
		if h.Name == "Content-Security-Policy" {
			policy = h.Value
		}
	}
	if !strings.Contains(policy, "; img-src https://cdn.example;") {
		t.Errorf("the logo is not allowed: %s", policy)
	}
	if !f.Hosted() || mustCompile(t, "fields: any").Hosted() {
		t.Error("a form without fields has a page, or one with fields has none")
	}
	if got := mustCompile(t, contact).Title(); got != "Contact" {
		t.Errorf("made title %q", got)
	}
}

var colorPair = regexp.MustCompile(`--(brand|on-brand|accent): (#[0-9a-f]{6});`)

// Whatever colour a brand has, its button and its links can be read.
func TestBrand_contrast(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		color := rapid.StringMatching("#[0-9a-f]{6}").Draw(rt, "color")
		_, source := hosted(t, mustCompile(t, "fields: {a: {}}\nbrand: {color: '"+color+"'}"), forms.English)
		style := source[strings.LastIndex(source, ":root { --brand"):]
		all := colorPair.FindAllStringSubmatch(style, -1)
		if len(all) != 4 {
			rt.Fatalf("colours %v", all)
		}
		if all[0][2] != color {
			rt.Errorf("the button is %s, not %s", all[0][2], color)
		}
		for _, c := range []struct {
			what, one, other string
		}{
			{"button", all[0][2], all[1][2]},
			{"link on the card", all[2][2], "#ffffff"},
			{"link on the page", all[2][2], "#f3f5f7"},
			{"dark link on the card", all[3][2], "#1b232b"},
			{"dark link on the page", all[3][2], "#12171c"},
		} {
			if got := forms.Contrast(c.one, c.other); got < 4.5 {
				rt.Errorf("%s: %s on %s is %.2f to 1", c.what, c.one, c.other, got)
			}
		}
	})
}

// Every language says the same things, with the same things to fill in.
func TestLanguages(t *testing.T) {
	t.Parallel()
	if got := forms.Languages(); got[0] != forms.English || !slices.Contains(got, forms.German) {
		t.Fatalf("languages %v", got)
	}
	english := keys(t, "languages/en.yaml")
	files, err := filepath.Glob("languages/*.yaml")
	if err != nil || len(files) != len(forms.Languages()) {
		t.Fatalf("%d files for %v, %v", len(files), forms.Languages(), err)
	}
	for _, file := range files {
		if diff := cmp.Diff(english, keys(t, file)); diff != "" {
			t.Errorf("%s (-en +this):\n%s", file, diff)
		}
	}
}

// keys are the texts that a language must have, with their placeholders. Those
// for one are a matter of the language's grammar.
func keys(t *testing.T, file string) map[string]string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	n, list := yamlnode.Parse(file, content)
	if list.Err() != nil {
		t.Fatal(list.Err())
	}
	found := map[string]string{}
	var walk func(n yamlnode.Node)
	walk = func(n yamlnode.Node) {
		for _, f := range n.Fields() {
			walk(f.Value)
		}
		if n.Kind() != yamlnode.Scalar || strings.HasSuffix(n.Path(), ".1") {
			return
		}
		if n.Text().Value == "" {
			t.Errorf("%s: %s is empty", file, n.Path())
		}
		found[n.Path()] = strings.Join(regexp.MustCompile(`\{[a-z]+\}`).FindAllString(n.Text().Value, -1), " ")
	}
	walk(n)
	return found
}

// A file that lacks texts speaks the language that it is a variant of, and then
// English, but for what is a matter of the other's grammar.
func TestLanguages_incomplete(t *testing.T) {
	t.Parallel()
	english, err := os.ReadFile("languages/en.yaml")
	if err != nil {
		t.Fatal(err)
	}
	say, err := forms.SpeakFrom(fstest.MapFS{
		"languages/en.yaml":    {Data: english},
		"languages/fr.yaml":    {Data: []byte("format: { date: 02/01/2006 }\npage: { send: Envoyer }\nproblem: { TOO_SHORT: \"{limit} au moins\" }\n")},
		"languages/fr-CH.yaml": {Data: []byte("problem: { REQUIRED: Svp }\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ lang, kind, key, want string }{
		{"fr", "page", "send", "Envoyer"},
		{"fr-CH", "page", "send", "Envoyer"},
		{"fr-CH", "problem", "REQUIRED", "Svp"},
		{"fr", "problem", "REQUIRED", "Please fill in this field."},
		{"fr", "problem", "REQUIRED.file", "Please choose a file."},
		{"fr", "problem", "TOO_SHORT", "{limit} au moins"},
		{"fr", "problem", "TOO_SHORT.1", ""},
		{"fr-CH", "status", "404", "There is no such form"},
		{"fr-CH", "format", "date", "02/01/2006"},
		{"fr-CH", "format", "decimal", "."},
	} {
		if got := say(c.lang, c.kind, c.key); got != c.want {
			t.Errorf("%s, %s %s: %q, want %q", c.lang, c.kind, c.key, got, c.want)
		}
	}
}

// Dates and sizes are written as the language does; programs get them as they
// stand in the configuration.
func TestProblem_formats(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, "fields:\n  day: { type: date, min: 2026-06-01 }\n  brief: { type: file, max_size: 1536KB }")
	late := f.Submit(fields("day", "31.05.2026")).Problems
	if len(late) != 1 || late[0].Limit != "2026-06-01" {
		t.Fatalf("problems %v", late)
	}
	large := forms.Problem{Code: forms.FileTooLarge, Limit: "1.5 MB"}
	for lang, want := range map[forms.Lang][]string{
		forms.English: {"Please enter a date on or after 1 June 2026.", "The file is too large: 1.5 MB at most.", "The files together can have 1.5 MB at most."},
		forms.German:  {"Bitte geben Sie ein Datum ab dem 01.06.2026 ein.", "Die Datei ist zu groß: höchstens 1,5 MB sind möglich.", "Die Dateien dürfen zusammen höchstens 1,5 MB groß sein."},
	} {
		if diff := cmp.Diff(want, []string{late[0].Message(lang), large.Message(lang), f.TooLarge(lang, 0)}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", lang, diff)
		}
	}
}
