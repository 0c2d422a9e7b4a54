package forms

import (
	"bytes"
	_ "embed" // for the snippets' templates
	"encoding/json"
	"fmt"
	"html/template"
	"strings"
	"sync"
)

//go:embed snippets/form.html
var snippetHTML string

//go:embed snippets/fetch.js
var snippetScript string

var snippetTemplates = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("snippets").Parse(snippetHTML))
})

// SnippetKind is a way to put a form into a website.
type SnippetKind string

// The kinds of snippets.
const (
	PlainSnippet     SnippetKind = "html"      // needs no script
	FetchSnippet     SnippetKind = "fetch"     // stays on the page, by a script
	WordPressSnippet SnippetKind = "wordpress" // a block for the code editor
	CF7Snippet       SnippetKind = "cf7"       // see ContactForm7
)

// snippet is what the snippets' template shows.
type snippet struct {
	formPage
	ID, Form string
	Timed    bool
}

// Snippet is the form's HTML for a page of a website. action is the form's
// whole address. The page is in the language wanted; with "" it is in the
// form's, or English, and visitors are answered in their own. There is no
// snippet with `fields: any`, nor for what a form builder sends (ErrNoSnippet).
func (f *Form) Snippet(kind SnippetKind, wanted Lang, action string) (string, error) {
	if f.Webhook() || kind == CF7Snippet {
		return "", ErrNoSnippet
	}
	lang := f.Language(wanted, "")
	s := &snippet{ID: "hookgate-" + f.Name, Form: f.Name, Timed: f.Timed()}
	s.page = f.page(lang, f.Title())
	s.fill(f, action, Result{all: &entries{}})
	for i := range s.Fields {
		c := &s.Fields[i]
		c.ID = strings.Replace(c.ID, "field", f.Name, 1) // a page may have other forms
		for k := range c.Choices {
			c.Choices[k].ID = strings.Replace(c.Choices[k].ID, "field", f.Name, 1)
		}
	}
	for _, fd := range f.fields {
		if fd.kind == hiddenKind {
			s.Hidden = append(s.Hidden, hiddenInput{Name: fd.name})
		}
	}
	if wanted != "" && f.lang == "" {
		s.Hidden = append(s.Hidden, hiddenInput{"_language", string(wanted)})
	}
	var out bytes.Buffer
	if err := snippetTemplates().ExecuteTemplate(&out, "html", s); err != nil {
		return "", fmt.Errorf("write the snippet of form %s: %w", f.Name, err)
	}
	html := out.String()
	switch kind {
	case FetchSnippet:
		script, err := f.script(lang, s.ID)
		return html + "<script>\n" + script + "</script>\n", err
	case WordPressSnippet:
		return "<!-- wp:html -->\n" + html + "<!-- /wp:html -->\n", nil
	case PlainSnippet, CF7Snippet:
	}
	return html, nil
}

// script is the program of FetchSnippet. Texts stand in it as JSON, which
// escapes what could end the script.
func (f *Form) script(lang Lang, id string) (string, error) {
	texts := make([]string, 0, 4)
	for name, text := range map[string]string{
		"FORM": id, "THANKS": lang.page("received") + " " + lang.page("reference"),
	} {
		literal, err := json.Marshal(text)
		if err != nil {
			return "", fmt.Errorf("write the snippet of form %s: %w", f.Name, err)
		}
		texts = append(texts, name, string(literal))
	}
	return strings.NewReplacer(texts...).Replace(snippetScript), nil
}

// Scripted reports whether a script on another site can read the form's
// answers, as FetchSnippet needs it.
func (f *Form) Scripted() bool { return len(f.origins) > 0 }
