package forms

import (
	"bytes"
	_ "embed" // for the snippets' templates
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"regexp"
	"slices"
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

// SnippetKinds are all of them.
func SnippetKinds() []SnippetKind {
	return []SnippetKind{PlainSnippet, FetchSnippet, WordPressSnippet, CF7Snippet}
}

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

// ErrNoSnippet reports a form that a builder sends: its page is the builder's
// to make, and its address holds a secret that belongs on no page.
var ErrNoSnippet = errors.New("the form is sent by a form builder, whose page shows it")

// cf7Name is what Contact Form 7 takes for a field's name.
var cf7Name = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_:-]*$`)

// cf7Format is the format of the forms that ContactForm7 is for.
const cf7Format = "cf7"

// ContactForm7 is the form as the template of the WordPress plugin Contact Form
// 7, in its tags (contactform7.com, "How tags work"). It is for forms with
// format: cf7; others are ErrNoSnippet.
func (f *Form) ContactForm7(wanted Lang) (string, error) {
	if f.format == nil || f.format.Name != cf7Format || !f.Hosted() {
		return "", ErrNoSnippet
	}
	lang := f.Language(wanted, "")
	var out strings.Builder
	for _, fd := range f.fields {
		if !cf7Name.MatchString(fd.name) {
			return "", fmt.Errorf("the field %q: Contact Form 7 takes names of letters, digits, - and _ only", fd.name)
		}
		label := string(fd.written)
		switch tag := fd.cf7Tag(); {
		case fd.kind == hiddenKind:
			out.WriteString(tag + "\n\n")
		case fd.kind == checkboxKind && !fd.multi():
			optional := " optional"
			if fd.required {
				optional = ""
			}
			fmt.Fprintf(&out, "[acceptance %s%s] %s [/acceptance]\n\n", fd.name, optional, label)
		case fd.kind == checkboxKind:
			fmt.Fprintf(&out, "<p>%s</p>\n%s\n\n", label, tag)
		default:
			fmt.Fprintf(&out, "<label>%s\n%s</label>\n\n", label, tag)
		}
	}
	submit := f.submit
	if submit == "" {
		submit = lang.page("send")
	}
	out.WriteString("[submit " + cf7Text(submit) + "]\n")
	return out.String(), nil
}

// cf7Tag is the tag of one field.
func (fd *field) cf7Tag() string {
	name := string(fd.kind)
	if fd.kind == integerKind {
		name = "number"
	}
	long := fd.rows > 0 || fd.max != nil && fd.max.number > longText
	if fd.kind == textKind && long {
		name = "textarea"
	}
	if fd.required && fd.kind != hiddenKind {
		name += "*"
	}
	parts := []string{name, fd.name}
	least, most := "min", "max"
	if fd.kind.lengths() {
		least, most = "minlength", "maxlength"
	}
	if !fd.multi() {
		parts = slices.Concat(parts, fd.min.option(least), fd.max.option(most))
	}
	if complete := fd.completion(); complete != "" && fd.kind.lengths() {
		parts = append(parts, "autocomplete:"+complete)
	}
	switch {
	case fd.kind == selectKind && fd.multiple:
		parts = append(parts, "multiple")
	case fd.kind == selectKind:
		parts = append(parts, "include_blank")
	case fd.kind == checkboxKind:
		parts = append(parts, "use_label_element")
	}
	for _, o := range fd.options {
		text := o.value
		if o.label != o.value {
			text = o.label + "|" + o.value // what people read, and what is sent
		}
		parts = append(parts, cf7Text(text))
	}
	if fd.placeholder != "" {
		parts = append(parts, "placeholder", cf7Text(fd.placeholder))
	}
	return "[" + strings.Join(parts, " ") + "]"
}

// option is the bound as an option of a tag.
func (b *bound) option(name string) []string {
	if b == nil {
		return nil
	}
	return []string{name + ":" + b.text}
}

// cf7Text is a text in a tag. There is no way to write both kinds of quotes in
// one, nor the bracket that ends the tag.
func cf7Text(text string) string {
	text = strings.NewReplacer("[", "(", "]", ")", "\n", " ").Replace(text)
	if strings.Contains(text, `"`) {
		return "'" + strings.ReplaceAll(text, "'", "’") + "'"
	}
	return `"` + text + `"`
}
