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
}

// page begins a page; f is nil for one that belongs to no form.
func (f *Form) page(lang Lang, title string) page {
	p := page{Lang: lang, Title: title}
	p.style, _ = f.styled()
	if f != nil {
		p.Brand = f.brand
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
		Reference, Back string
	}{page: f.page(lang, lang.page("thanks")), Back: f.back(referer)}
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
