package forms

import (
	"crypto/sha256"
	_ "embed" // for the pages' templates and style
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"hookgate/internal/event"
)

//go:embed pages/pages.html
var pagesHTML string

//go:embed pages/style.css
var pagesStyle string

// templates are parsed at first use: a gateway without forms does not pay.
var templates = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("pages").Parse(pagesHTML))
})

// page is what every template knows.
type page struct {
	Lang  Lang
	Title string
	Brand brand
	style string

	Footer template.HTML
}

// page begins a page; f is nil for one that belongs to no form.
func (f *Form) page(lang Lang, title string) page {
	p := page{Lang: lang, Title: title}
	p.style, _ = f.styled()
	if f != nil {
		p.Brand, p.Footer = f.brand, f.footer
	}
	return p
}

// styled is the style sheet of the form's pages and its hash.
func (f *Form) styled() (style, hash string) {
	if f == nil || f.style == "" {
		return styleOf("")
	}
	return f.style, f.styleHash
}

func styleOf(brand string) (style, hash string) {
	style = pagesStyle + brand
	sum := sha256.Sum256([]byte(style))
	return style, base64.StdEncoding.EncodeToString(sum[:])
}

// Style is the style sheet as it stands in the page; PageHeaders allows it by
// its hash.
func (p page) Style() template.CSS {
	return template.CSS(p.style) //nolint:gosec // the embedded file and computed colours, nothing of a visitor's
}

// Say is a text of the pages in their language.
func (p page) Say(key string) string { return p.Lang.page(key) }

// PageHeaders are the header fields of every page; f is nil for a page that
// belongs to no form. The Content-Security-Policy allows no script but that of
// the form's captcha.
// Referrer-Policy is same-origin because with no-referrer browsers send
// "Origin: null" when the page that shows the problems posts again.
func PageHeaders(f *Form, lang Lang) []Header {
	return []Header{
		{"Content-Type", "text/html; charset=utf-8"},
		{"Content-Language", string(lang)},
		{"Content-Security-Policy", f.policy()},
		{"Referrer-Policy", "same-origin"},
		{"X-Content-Type-Options", "nosniff"},
		{"Cache-Control", "no-store"},
	}
}

// policy is the Content-Security-Policy. Chromium applies form-action to the
// redirect after a post too, so the places a form leads to are in it; and the
// website may show the pages in a frame.
func (f *Form) policy() string {
	_, style := f.styled()
	images, directives, styles := "", "", ""
	var sites []string
	if f != nil {
		sites = slices.DeleteFunc(slices.Clone(f.origins), func(o string) bool { return o == "null" })
	}
	if f != nil && f.brand.logoOrigin != "" {
		images = "; img-src " + f.brand.logoOrigin
	}
	if f != nil {
		directives, styles = f.captcha.policy()
	}
	frames := strings.Join(append([]string{"'self'"}, sites...), " ")
	if f != nil && f.redirect.origin != "" && !slices.Contains(sites, f.redirect.origin) {
		sites = append(sites, f.redirect.origin)
	}
	actions := strings.Join(append([]string{"'self'"}, sites...), " ")
	return fmt.Sprintf("default-src 'none'; style-src 'sha256-%s'%s%s%s; base-uri 'none'; form-action %s; frame-ancestors %s", style, styles, images, directives, actions, frames)
}

// RenderThanks writes the page after a post was taken, or taken for spam. ref
// is the event's id, left out when 0. referer is the request's Referer header:
// the page links back to it only if it is within the form's origins.
func (f *Form) RenderThanks(w io.Writer, lang Lang, ref event.ID, referer string) error {
	data := struct {
		page
		Thanks          template.HTML
		Reference, Back string
	}{page: f.page(lang, lang.page("thanks")), Thanks: f.thanks, Back: f.back(referer)}
	if ref != 0 {
		data.Reference = ref.String()
	}
	return render(w, "thanks", data)
}

// RenderError writes the page for an answer with that status, with or without
// a form (nil). detail says more and may be ""; it should be a sentence.
func (f *Form) RenderError(w io.Writer, lang Lang, status int, detail string) error {
	texts := lang.status(status)
	return render(w, "error", struct {
		page
		Text, Detail string
	}{f.page(lang, texts.Title), texts.Detail, detail})
}

// RenderProblems writes the page for a post with problems (422): a summary
// that links to each field, and the form again with the values kept. action is
// the address to post to, the form's own. With `fields: any` there is no form
// to show, only the summary.
func (f *Form) RenderProblems(w io.Writer, lang Lang, action string, r Result) error {
	p := &formPage{Heading: lang.status(http.StatusUnprocessableEntity).Title, Again: true}
	p.page = f.page(lang, strings.ReplaceAll(lang.page("error"), "{problem}", p.Heading))
	p.Count = p.Say("one")
	if n := len(r.Problems); n != 1 {
		p.Count = strings.ReplaceAll(p.Say("many"), "{count}", decimal(n))
	}
	p.fill(f, action, r)
	return render(w, "form", p)
}

// RenderForm writes the page that is made from the form's fields, for visitors
// who come to its address. started is a time token, "" where the form needs
// none. There is no page with `fields: any`; see Hosted.
func (f *Form) RenderForm(w io.Writer, lang Lang, action, started string) error {
	p := &formPage{Heading: f.Title(), Intro: f.intro}
	p.page = f.page(lang, p.Heading)
	p.fill(f, action, Result{all: &entries{}, Started: started})
	if f.lang == "" {
		p.Hidden = append(p.Hidden, hiddenInput{"_language", string(lang)}) // the answer speaks as the page does
	}
	return render(w, "form", p)
}

// Hosted reports whether the form has a page of its own.
func (f *Form) Hosted() bool { return !f.any }

// Title is what people call the form.
func (f *Form) Title() string {
	if f.title != "" {
		return f.title
	}
	return humanName(fieldPath{f.Name})
}

func render(w io.Writer, name string, data any) error {
	if err := templates().ExecuteTemplate(w, name, data); err != nil {
		return fmt.Errorf("write the %s page: %w", name, err)
	}
	return nil
}

// formPage is what the template "form" shows. Again says that the visitor has
// sent it before.
type formPage struct {
	page
	Heading, Count, Action, Honeypot, Submit string

	Intro    template.HTML
	Again    bool
	Captcha  *captchaWidget
	Problems []summaryLine
	Fields   []control
	Hidden   []hiddenInput
	Files    bool // there is a file field: the post must be multipart
}

// summaryLine is one problem; ID is the control it links to, "" for none.
type summaryLine struct{ ID, Label, Message string }

// hiddenInput carries a posted value that has no visible control.
type hiddenInput struct{ Name, Value string }

// control is one visible field. Kind is the input's type, or textarea.
type control struct {
	ID, Name, Optional, Problem string
	Label, Help                 template.HTML
	Empty                       string // the choice of nothing
	Kind, Mode, Complete, Value string
	Placeholder, Min, Max       string
	MaxLength                   string // of a text, in characters
	Rows                        int
	Required                    bool
	Options                     []option // of a select
	Choices                     []option // of a group of checkboxes
	Accept                      string   // of a file field
	Multiple                    bool     // of a file field
	Again                       string   // that files were chosen, and have to be once more
}

// option is one of several values.
type option struct {
	ID, Value, Label string
	Chosen           bool
}

// longText is the length, in characters, from which a text gets several lines.
const longText = 200

func (p *formPage) fill(f *Form, action string, r Result) {
	p.Action, p.Submit, p.Captcha = action, f.submit, f.captcha.widget()
	if p.Submit == "" {
		p.Submit = p.Say("send")
	}
	if f.byName[f.honeypot] == nil {
		p.Honeypot = f.honeypot
	}
	messages := map[string]string{}
	for _, problem := range r.Problems {
		messages[problem.Field] = problem.Message(p.Lang)
	}
	ids := map[string]string{}
	shown := map[string]bool{}
	for i, fd := range f.fields {
		if fd.kind == hiddenKind {
			continue
		}
		for row, path := range fd.shownAt(r.all) {
			id := fmt.Sprintf("field-%d", i+1)
			if row > 0 {
				id = fmt.Sprintf("field-%d-row-%d", i+1, row+1)
			}
			c := p.show(fd, path, id, r.all)
			c.wrong(messages[c.Name])
			ids[c.Name], shown[path.key()] = c.ID, true
			if len(c.Choices) > 0 {
				ids[c.Name] = c.Choices[0].ID
			}
			p.Fields = append(p.Fields, c)
		}
	}
	p.summarise(f, r.Problems, ids)
	p.Hidden = append(p.Hidden, f.carry(r.posted, shown)...)
	if r.Started != "" && !slices.ContainsFunc(p.Hidden, func(h hiddenInput) bool { return h.Name == startedField }) {
		p.Hidden = append(p.Hidden, hiddenInput{startedField, r.Started})
	}
}

// wrong marks the control with what is wrong with it. Where that is the file,
// there is no need to ask for it once more.
func (c *control) wrong(message string) {
	if c.Problem = message; message != "" {
		c.Again = ""
	}
}

// summarise lists the problems; ids are the controls by the fields' names.
func (p *formPage) summarise(f *Form, problems []Problem, ids map[string]string) {
	for _, problem := range problems {
		line := summaryLine{ID: ids[problem.Field], Label: problem.Field, Message: problem.Message(p.Lang)}
		if fd := f.declared(pathOf(problem.Field).path); fd != nil {
			line.Label = strings.TrimRight(fd.label, ".: ") // a sentence, as a checkbox may have, and a colon follows
		}
		p.Problems = append(p.Problems, line)
	}
}

// show makes the control of a field at its place. Values that it has no room
// for are kept hidden.
func (p *formPage) show(fd *field, path fieldPath, id string, all *entries) control {
	values, again := all.texts(path), all.hasFiles(path)
	if len(values) > 1 && fd.single() {
		values = []string{values[all.byPath[path.key()].last()]} // the one that counts: who corrects it need not fight the others
	}
	c := fd.control(id, values)
	c.Name = fd.called(path)
	c.Empty = p.Say("choose")
	if fd.isFile() {
		p.Files = true
		if c.Help == "" {
			c.Help = template.HTML(template.HTMLEscapeString(fd.fileHelp(p.Lang))) //nolint:gosec // escaped
		}
		if again {
			c.Again = p.Say("again")
		}
	}
	if !fd.required {
		c.Optional = p.Say("optional")
	}
	if !fd.single() && c.single() && len(values) > 1 {
		for _, v := range values[1:] {
			p.Hidden = append(p.Hidden, hiddenInput{c.Name, v})
		}
	}
	return c
}

// shownAt is where the field has a control: where it is repeated, one for every
// row that was posted, and one for the first where there is none.
func (fd *field) shownAt(all *entries) []fieldPath {
	places := fd.places(all)
	if len(places) > 0 {
		return places
	}
	first := slices.Clone(fd.path)
	for i, part := range first {
		if i > 0 && part == "" {
			first[i] = "0"
		}
	}
	return []fieldPath{first}
}

// texts are the posted values of a place as texts.
func (es *entries) texts(path fieldPath) []string {
	e := es.byPath[path.key()]
	if e == nil {
		return nil
	}
	values := make([]string, len(e.values))
	for i, v := range e.values {
		values[i] = plain(v)
	}
	return values
}

// hasFiles reports whether files were posted for the place.
func (es *entries) hasFiles(path fieldPath) bool {
	e := es.byPath[path.key()]
	return e != nil && len(e.files) > 0
}

// carry keeps what was posted besides the visible fields: undeclared and
// hidden ones, and where to go next. Not kept are traps, captcha answers
// (these serve once), and JSON that an HTML form cannot post.
func (f *Form) carry(posted []keptField, shown map[string]bool) []hiddenInput {
	var inputs []hiddenInput
	for _, post := range posted {
		if post.path != nil && shown[post.path.key()] {
			continue
		}
		value := post.Value
		if list, one := value.([]any); one && len(list) == 1 {
			value = list[0]
		}
		text, ok := normal(value).(string)
		once := strings.HasSuffix(post.Name, "-response") || post.Name == "altcha"
		if !ok || f.trap(post.Name) || (once && f.controls(post.Name)) || len(text) > maxValue || len(post.Name) > MaxName {
			continue
		}
		inputs = append(inputs, hiddenInput{post.Name, text})
	}
	return inputs
}

// single reports whether the control can show no more than one value.
func (c *control) single() bool {
	return len(c.Choices) == 0 && c.Kind != string(checkboxKind) && c.Kind != string(fileKind)
}

// control is how the field looks with these values.
func (fd *field) control(id string, values []string) control {
	c := control{ID: id, Name: fd.name, Label: fd.written, Kind: string(fd.kind), Required: fd.required, Help: fd.help, Placeholder: fd.placeholder, Complete: fd.completion(), Rows: fd.rows, MaxLength: fd.maxLength()}
	if len(values) > 0 {
		c.Value = values[0]
	}
	switch fd.kind {
	case checkboxKind:
		if fd.multi() {
			c.Choices = choose(id, fd.options, values)
			break
		}
		e := &entry{}
		for _, v := range values {
			e.values = append(e.values, v)
		}
		if checked, _ := fd.readCheckbox(e); checked != true {
			c.Value = ""
		}
	case selectKind:
		if fd.multi() {
			c.Choices = choose(id, fd.options, values)
			break
		}
		c.Options = choose(id, fd.options, values[:min(1, len(values))])
	case numberKind, integerKind:
		// An input of type number drops a value that it cannot read.
		c.Kind, c.Mode = "text", fd.keyboard()
	case dateKind:
		day, ok := parseDay(c.Value)
		if ok {
			c.Value = day.Format(time.DateOnly)
		} else if c.Value != "" {
			c.Kind = "text"
		}
		c.Min, c.Max = fd.min.written(), fd.max.written()
	case emailKind, telKind, urlKind:
	case fileKind:
		// A browser cannot be given the file back.
		c.Value, c.Accept, c.Multiple = "", fd.file.htmlAccept(), fd.file.multiple
	case textKind, hiddenKind:
		if fd.rows > 0 || strings.Contains(c.Value, "\n") || len(c.Value) > longText || fd.max != nil && fd.max.number > longText {
			c.Kind = "textarea"
		}
		if c.Rows == 0 {
			c.Rows = 6
		}
	}
	return c
}

// maxLength is how many characters the control takes, "" for any number.
func (fd *field) maxLength() string {
	if fd.list || !fd.kind.lengths() {
		return ""
	}
	return fd.max.written()
}

// keyboard is the one that a phone shows for a number.
func (fd *field) keyboard() string {
	switch {
	case fd.kind == numberKind:
		return "decimal"
	case fd.min == nil || fd.min.number < 0:
		return "text" // some keyboards for digits have no minus
	}
	return "numeric"
}

func choose(id string, options []choice, values []string) []option {
	list := make([]option, len(options))
	for i, o := range options {
		list[i] = option{ID: fmt.Sprintf("%s-%d", id, i+1), Value: o.value, Label: o.label, Chosen: slices.Contains(values, o.value)}
	}
	return list
}

// completions are the HTML standard's autofill names for fields with these
// names, written without case, spaces, - and _. An own one in the
// configuration wins.
var completions = map[string]string{
	"name": "name", "fullname": "name", "yourname": "name", "contactname": "name", "ansprechpartner": "name",
	"firstname": "given-name", "givenname": "given-name", "vorname": "given-name",
	"lastname": "family-name", "surname": "family-name", "familyname": "family-name", "nachname": "family-name",
	"company": "organization", "organization": "organization", "organisation": "organization", "firma": "organization", "unternehmen": "organization",
	"jobtitle": "organization-title", "position": "organization-title",
	"street": "street-address", "address": "street-address", "strasse": "street-address", "straße": "street-address", "anschrift": "street-address",
	"city": "address-level2", "town": "address-level2", "ort": "address-level2", "stadt": "address-level2",
	"zip": "postal-code", "zipcode": "postal-code", "postcode": "postal-code", "postalcode": "postal-code", "plz": "postal-code", "postleitzahl": "postal-code",
	"country": "country-name", "land": "country-name",
	"birthday": "bday", "birthdate": "bday", "dateofbirth": "bday", "geburtsdatum": "bday",
}

// completion is what browsers may fill the field in with, "" where it is best
// left to them.
func (fd *field) completion() string {
	if fd.complete != "" {
		return fd.complete
	}
	switch fd.kind {
	case emailKind, telKind, urlKind:
		return string(fd.kind)
	case textKind, dateKind:
		last := strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(fd.path[len(fd.path)-1]))
		return completions[last]
	default:
		return ""
	}
}

// written is the bound as it stands in the configuration, "" for none.
func (b *bound) written() string {
	if b == nil {
		return ""
	}
	return b.text
}
