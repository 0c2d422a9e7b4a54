// Package forms turns the posts of HTML forms into events' data: it checks the
// declared fields, tells people from bots, and makes the pages and answers
// that visitors see. It does no I/O but reading, with the configuration, the
// files that this names: the web layer decodes the body (app/body), asks a Form,
// and sends what it says.
package forms

import (
	"html/template"
	"regexp"
	"time"

	"hookgate/forms/builder"
	"hookgate/internal/body"
	"hookgate/internal/diag"
	"hookgate/internal/locale"
	"hookgate/internal/yamlnode"
)

const (
	defaultHoneypot = "_gotcha"
	defaultMaxBody  = 1 << 20 // bytes
	defaultQuota    = 200 << 20
	maxValues       = 5000 // of a post in JSON

	// maxValue bounds one posted field in bytes, as MaxName does its name;
	// maxFields bounds how many a post may have. A page that people fill in
	// stays far below.
	maxValue  = 100 << 10
	maxFields = 1000
	maxTold   = 1000 // bytes of an instruction

	// extraKey is where the fields that the form does not declare are kept.
	extraKey = "extra"
)

// MaxName bounds the name of a posted field, in bytes.
const MaxName = 256

// Form is one form of the configuration, compiled. It is immutable and safe
// for concurrent use.
type Form struct {
	// Name is the key under `forms`; it is also the `event.source` of the
	// form's events.
	Name string

	origins  []string // serialised as browsers do: scheme://host[:port], or null
	fields   []*field
	byName   map[string]*field
	byPath   map[string]*field // by the path's pattern
	nested   map[string]bool   // first parts of the paths that have several
	any      bool              // fields: any
	refuse   bool              // unknown: refuse
	honeypot string            // "" switches the check off
	redirect target
	lang     Lang // "" follows Accept-Language
	brand    brand
	title    string // of the hosted page, "" for one made from the name
	intro    template.HTML
	thanks   template.HTML // "" for the language's
	footer   template.HTML
	submit   string // the button's text, "" for the language's

	minTime    time.Duration
	maxLinks   int // -1: any number
	duplicates time.Duration
	blocked    blocklist
	captcha    *Captcha

	style, styleHash string // the pages' style sheet and its hash in base64

	rate    yamlnode.Rate
	maxBody int64

	format    *builder.Format // of the builder that posts; nil: visitors do
	maxUpload int64           // of all files of a post together; 0 without file fields
	quota     int64           // of all files of a day
	autoreply *Autoreply
}

// field is one declared field.
type field struct {
	name     string // as declared, and as its control is called
	path     fieldPath
	list     bool          // the name ends with []
	label    string        // for people; made from the name where none is given
	written  template.HTML // the label with its links
	labelled bool          // a label is given
	kind     kind
	required bool
	min, max *bound
	pattern  *regexp.Regexp // anchored at both ends
	options  []choice
	multiple bool           // of a select
	speaks   *locale.Locale // the form's language, as numbers are written in it; nil: visitors' own
	region   string         // of a tel: where a number without a country's code belongs
	file     *fileField     // of a file field
	custom   string         // the text of every problem with this field, "" for the built-in ones

	help                  template.HTML
	placeholder, complete string
	rows                  int // 0: as the length asks for
}

// bound is a min or max: the count of characters of a text or of the chosen
// options, the value of a number, or the day of a date.
type bound struct {
	text   string // as written in the configuration
	number float64
	day    time.Time
}

// RateLimit is how many posts one IP address may make, 5 a minute unless the
// configuration says otherwise. The web layer enforces it.
func (f *Form) RateLimit() yamlnode.Rate { return f.rate }

// Quota is how many bytes visitors may have the form store in a day: in files,
// and a part of it in posts that could not be read.
func (f *Form) Quota() int64 { return f.quota }

// MaxBody is the size limit of a post in bytes, before and after its
// content-encoding is undone.
func (f *Form) MaxBody() int64 { return f.maxBody }

// Limits are the limits to decode a post of the form with.
func (f *Form) Limits() body.Limits {
	limits := body.DefaultLimits()
	limits.Size = f.maxBody
	limits.Parts = min(limits.Parts, maxFields)
	limits.Keys = min(limits.Keys, maxFields)
	limits.Values = maxValues
	return limits
}

// FieldNames are the declared fields in their order, nil with `fields: any`.
func (f *Form) FieldNames() []string {
	if f.any {
		return nil
	}
	names := make([]string, len(f.fields))
	for i, fd := range f.fields {
		names[i] = fd.name
	}
	return names
}

// Compile reads one form of the configuration. It reports every fault; the
// Form is nil when one of them is an error.
func Compile(name yamlnode.Text, n yamlnode.Node) (*Form, diag.List) {
	var s settings
	list := n.Decode("a form", &s)
	f := &Form{Name: name.Value, honeypot: defaultHoneypot, maxBody: defaultMaxBody, rate: yamlnode.Rate{Count: 5, Per: time.Minute}}
	list = append(list, s.apply(f)...)
	list = append(list, s.sender(f, n)...)
	if list.Err() != nil {
		return nil, list
	}
	return f, append(list, f.autoreply.open(f)...)
}
