package ui

import (
	"encoding/json"
	"html/template"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
	"hookgate/forms"
	"hookgate/internal/event"
	"hookgate/internal/schema"
)

// formTab is a page of a form beside its inbox: its files, its fields, what puts it into
// a website, or all forms.
type formTab struct {
	Form   *admin.FormCount
	Forms  []admin.FormCount
	Looked int // at how many posts
	Fields []formField
	Files  []formFile
	Older  string // the address of the files before those; "" at the end
	// Snippet is the form for a website, of the Kind and in the Lang that were asked
	// for; Refused says why there is none.
	Snippet    admin.Snippet
	Kind, Lang string
	Kinds      []snippetKind
	Langs      []string
	Refused    template.HTML
}

// formFile is a file with what people call its type.
type formFile struct {
	admin.FormFile
	Kind string
}

// snippetKind is a way to put a form into a website.
type snippetKind struct{ Kind, Word string }

// formField is a field with what was written into it.
type formField struct {
	Name, Kind string
	Seen       int
	Values     []string // of which not all may be there: More
	More       bool
}

// formFields shows what the fields of a form hold.
func (u *UI) formFields(c *fiber.Ctx) error {
	data, err := u.formTab(c)
	if err != nil || data == nil {
		return err
	}
	known, err := u.cfg.Service.Fields(c.UserContext(), data.Form.Name, true)
	if err != nil {
		return u.fail(c, err)
	}
	for _, p := range known.Seen {
		data.Looked += p.Events
		for i := range p.Fields {
			data.Fields = append(data.Fields, fieldOf(&p.Fields[i]))
		}
	}
	return u.renderPage(c, "form-fields", "forms", languageOf(c).text("Forms"), data)
}

// formFiles lists the files that a form got.
func (u *UI) formFiles(c *fiber.Ctx) error {
	data, err := u.formTab(c)
	if err != nil || data == nil {
		return err
	}
	var before event.ID
	if err := readCursor(c.Query("before"), &before); err != nil {
		return u.notFound(c, err.Error())
	}
	page, err := u.cfg.Service.FormFiles(c.UserContext(), data.Form.Name, before, eventsPerPage)
	if err != nil {
		return u.fail(c, err)
	}
	for _, f := range page.Items {
		data.Files = append(data.Files, formFile{FormFile: f, Kind: fileKind(f.Type)})
	}
	if page.Next != "" {
		data.Older = prefix + "/forms/" + url.PathEscape(data.Form.Name) + "/files" + query("before", page.Next)
	}
	return u.renderPage(c, "form-files", "forms", languageOf(c).text("Forms"), data)
}

// formSnippet shows what puts a form into a website.
func (u *UI) formSnippet(c *fiber.Ctx) error {
	data, err := u.formTab(c)
	if err != nil || data == nil {
		return err
	}
	l := languageOf(c)
	data.Kinds = []snippetKind{
		{string(forms.PlainSnippet), l.text("Plain HTML")},
		{string(forms.FetchSnippet), l.text("Without leaving the page")},
		{string(forms.WordPressSnippet), "WordPress"},
		{string(forms.CF7Snippet), "Contact Form 7"},
	}
	for _, lang := range forms.Languages() {
		data.Langs = append(data.Langs, string(lang))
	}
	data.Kind, data.Lang = c.Query("kind", string(forms.PlainSnippet)), c.Query("lang")
	data.Snippet, err = u.cfg.Service.Snippet(c.UserContext(), data.Form.Name, data.Kind, data.Lang)
	said, ok := sentence(languageOf(c), err)
	switch {
	case ok:
		data.Refused = said
	case err != nil:
		return u.fail(c, err)
	}
	return u.renderPage(c, "form-snippet", "forms", l.text("Forms"), data)
}

// allForms shows what each form got.
func (u *UI) allForms(c *fiber.Ctx) error {
	data, err := u.formTab(c)
	if err != nil || data == nil {
		return err
	}
	return u.renderPage(c, "form-all", "forms", languageOf(c).text("Forms"), data)
}

// formTab finds the form that the address names; nil where it was answered that there
// is none.
func (u *UI) formTab(c *fiber.Ctx) (*formTab, error) {
	counts, err := u.cfg.Service.Forms(c.UserContext(), time.Time{})
	if err != nil {
		return nil, u.fail(c, err)
	}
	data := &formTab{Forms: counts.Items, Form: formNamed(counts.Items, c.Params("form"))}
	if data.Form == nil {
		return nil, u.notFound(c, noSuchForm)
	}
	return data, nil
}

func fieldOf(f *schema.Field) formField {
	out := formField{Name: strings.TrimPrefix(f.Path.String(), "data."), Kind: strings.Join(f.Types, ", "), Seen: f.Seen, More: f.More, Values: f.Values}
	if len(out.Values) == 0 {
		out.Values = exampleTexts(f.Examples)
	}
	return out
}

// exampleTexts are values as people write them.
func exampleTexts(list []json.RawMessage) []string {
	out := make([]string, 0, len(list))
	for _, raw := range list {
		text := string(raw)
		if len(raw) > 0 && raw[0] == '"' && json.Unmarshal(raw, &text) != nil {
			continue
		}
		out = append(out, shortened(text, 80))
	}
	return out
}
