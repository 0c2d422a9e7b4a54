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

	"hookgate/app/event"
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
}

// Style is the style sheet as it stands in the page; PageHeaders allows it by
// its hash.
func (page) Style() template.CSS {
	return template.CSS(pagesStyle) //nolint:gosec // the embedded file, nothing of a visitor's
}

// Say is a text of the pages in their language.
func (p page) Say(key string) string { return pageTexts[key].in(p.Lang) }

var pageTexts = map[string]bilingual{
	"thanks":    {"Thank you", "Vielen Dank"},
	"received":  {"We have received your message.", "Wir haben Ihre Nachricht erhalten."},
	"reference": {"Reference:", "Vorgangsnummer:"},
	"back":      {"Back to the website", "Zurück zur Website"},
	"send":      {"Send", "Senden"},
	"optional":  {"optional", "optional"},
	"one":       {"There is one thing to correct", "Eine Angabe braucht eine Korrektur"},
	"many":      {"There are %d things to correct", "%d Angaben brauchen eine Korrektur"},
	"error":     {"Error: %s", "Fehler: %s"},
	"goback":    {"Please go back and correct it.", "Bitte gehen Sie zurück und korrigieren Sie es."},
	"trap":      {"Leave this empty", "Bitte leer lassen"},
}

// PageHeaders are the header fields of every page; f is nil for a page that
// belongs to no form. The Content-Security-Policy allows no script at all.
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
	sum := sha256.Sum256([]byte(pagesStyle))
	style := base64.StdEncoding.EncodeToString(sum[:])
	var sites []string
	if f != nil {
		sites = slices.DeleteFunc(slices.Clone(f.origins), func(o string) bool { return o == "null" })
	}
	frames := strings.Join(append([]string{"'self'"}, sites...), " ")
	if f != nil && f.redirect.origin != "" && !slices.Contains(sites, f.redirect.origin) {
		sites = append(sites, f.redirect.origin)
	}
	actions := strings.Join(append([]string{"'self'"}, sites...), " ")
	return fmt.Sprintf("default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; form-action %s; frame-ancestors %s", style, actions, frames)
}

// RenderThanks writes the page after a post was taken, or taken for spam. ref
// is the event's id, left out when 0. referer is the request's Referer header:
// the page links back to it only if it is within the form's origins.
func (f *Form) RenderThanks(w io.Writer, lang Lang, ref event.ID, referer string) error {
	data := struct {
		page
		Reference, Back string
	}{page: page{Lang: lang, Title: pageTexts["thanks"].in(lang)}, Back: f.back(referer)}
	if ref != 0 {
		data.Reference = ref.String()
	}
	return render(w, "thanks", data)
}

// RenderError writes the page for an answer with that status, with or without
// a form. detail says more and may be ""; it should be a sentence.
func RenderError(w io.Writer, lang Lang, status int, detail string) error {
	texts := textsFor(status)
	return render(w, "error", struct {
		page
		Text, Detail string
	}{page{lang, texts.title.in(lang)}, texts.detail.in(lang), detail})
}

// RenderProblems writes the page for a post with problems (422): a summary
// that links to each field, and the form again with the values kept. action is
// the address to post to, the form's own. With `fields: any` there is no form
// to show, only the summary.
func (f *Form) RenderProblems(w io.Writer, lang Lang, action string, r Result) error {
	p := &problemPage{Heading: textsFor(http.StatusUnprocessableEntity).title.in(lang), Action: action}
	if f.byName[f.honeypot] == nil {
		p.Honeypot = f.honeypot
	}
	p.page = page{lang, fmt.Sprintf(pageTexts["error"].in(lang), p.Heading)}
	p.Count = p.Say("one")
	if n := len(r.Problems); n != 1 {
		p.Count = fmt.Sprintf(p.Say("many"), n)
	}
	p.fill(f, r)
	return render(w, "problems", p)
}

func render(w io.Writer, name string, data any) error {
	if err := templates().ExecuteTemplate(w, name, data); err != nil {
		return fmt.Errorf("write the %s page: %w", name, err)
	}
	return nil
}
