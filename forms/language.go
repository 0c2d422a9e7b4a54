package forms

import (
	"cmp"
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/text/language"

	"hookgate/internal/yamlnode"
)

// Code names what is wrong with a value, for programs.
type Code string

// The codes. They are part of the public interface and do not change.
const (
	Required    Code = "REQUIRED"
	TypeText    Code = "TYPE_TEXT" // an object or a nested list where a text belongs
	TypeEmail   Code = "TYPE_EMAIL"
	TypeTel     Code = "TYPE_TEL"
	TypeURL     Code = "TYPE_URL"
	TypeNumber  Code = "TYPE_NUMBER"
	TypeDate    Code = "TYPE_DATE"
	TooShort    Code = "TOO_SHORT"
	TooLong     Code = "TOO_LONG"
	TooSmall    Code = "TOO_SMALL"
	TooLarge    Code = "TOO_LARGE"
	TooEarly    Code = "TOO_EARLY"
	TooLate     Code = "TOO_LATE"
	Pattern     Code = "PATTERN"
	NoOption    Code = "NO_OPTION"
	TooFew      Code = "TOO_FEW"  // choices
	TooMuch     Code = "TOO_MANY" // choices
	Unknown     Code = "UNKNOWN_FIELD"
	TooMany     Code = "TOO_MANY_FIELDS"
	NameTooLong Code = "NAME_TOO_LONG"

	AmbiguousNumber Code = "AMBIGUOUS_NUMBER" // 1.250 in German

	TypeFile     Code = "TYPE_FILE" // a text where a file belongs
	FileType     Code = "FILE_TYPE"
	FileTooLarge Code = "FILE_TOO_LARGE"
	FileEmpty    Code = "FILE_EMPTY"
	TooManyFiles Code = "TOO_MANY_FILES"
)

// Problem is one value that the visitor has to correct.
type Problem struct {
	Field string // the field's name, "" for the post as a whole
	Code  Code
	Limit string // the min or max that it is about, "" for other codes

	kind   kind
	custom string
}

// Message is the problem in words: the field's own `error` if it has one.
func (p Problem) Message(lang Lang) string {
	if p.custom != "" {
		return p.custom
	}
	limit := p.Limit
	switch p.Code { //nolint:exhaustive // of the others the limit is the same in every language
	case TooEarly, TooLate:
		limit = lang.day(limit)
	case FileTooLarge:
		limit = strings.Replace(limit, ".", lang.texts().Format.Decimal, 1)
	case FileType:
		limit = lang.fileTypes(limit)
	}
	return strings.ReplaceAll(lang.problem(p.Code, p.kind, p.Limit), "{limit}", limit)
}

// fileTypes are types of files for people, who are not to read image/*.
func (l Lang) fileTypes(words string) string {
	return strings.NewReplacer("image/*", l.page("images"), "audio/*", l.page("audio"), "video/*", l.page("videos")).Replace(words)
}

// Lang is a language that visitors are spoken to in, as a BCP 47 tag. There is
// one for each file in the folder languages.
type Lang string

// English is what everybody is spoken to in whose language there is no file
// for; it and German are always there.
const (
	English Lang = "en"
	German  Lang = "de"
)

//go:embed languages/*.yaml
var languageFiles embed.FS

// texts is what a language's file holds.
type texts struct {
	Format  formats               `yaml:"format"`
	Page    map[string]string     `yaml:"page"`
	Problem map[string]string     `yaml:"problem"`
	Status  map[string]statusText `yaml:"status"`
}

// formats are how a language writes what is no text. Date is a layout of
// package time, Decimal stands before the decimals of a size.
type formats struct {
	Date    string `yaml:"date"`
	Decimal string `yaml:"decimal"`
}

// statusText is what a page or an answer with a status says.
type statusText struct {
	Title  string `yaml:"title,required"`
	Detail string `yaml:"detail,required"`
}

// catalogue is all languages, with English first: it is the fallback.
type catalogue struct {
	langs   []Lang
	texts   map[Lang]*texts
	matcher language.Matcher
}

// languages reads the files at first use. They are a part of the program: a
// fault in one is a bug, and a test finds it.
var languages = sync.OnceValue(func() *catalogue {
	c, err := readLanguages(languageFiles)
	if err != nil {
		panic(err)
	}
	return c
})

func readLanguages(folder fs.FS) (*catalogue, error) {
	files, err := fs.ReadDir(folder, "languages")
	if err != nil {
		return nil, fmt.Errorf("read the languages: %w", err)
	}
	c := &catalogue{langs: []Lang{English}, texts: map[Lang]*texts{}}
	for _, file := range files {
		content, err := fs.ReadFile(folder, "languages/"+file.Name())
		if err != nil {
			return nil, fmt.Errorf("read a language: %w", err)
		}
		n, list := yamlnode.Parse(file.Name(), content)
		t := &texts{}
		if list = append(list, n.Decode("a language", t)...); list.Err() != nil {
			return nil, fmt.Errorf("language %s: %w", file.Name(), list.Err())
		}
		lang := Lang(strings.TrimSuffix(file.Name(), ".yaml"))
		c.texts[lang] = t
		if lang != English {
			c.langs = append(c.langs, lang)
		}
	}
	for _, lang := range c.langs {
		c.texts[lang].complete(c.parents(lang))
	}
	tags := make([]language.Tag, len(c.langs))
	for i, lang := range c.langs {
		if tags[i], err = language.Parse(string(lang)); err != nil {
			return nil, fmt.Errorf("language %s: %w", lang, err)
		}
	}
	c.matcher = language.NewMatcher(tags)
	return c, nil
}

// parents are the texts that stand in for what the language's file lacks: those
// of the languages that it is a variant of, de for de-CH, and then English.
func (c *catalogue) parents(lang Lang) []*texts {
	var list []*texts
	tag, err := language.Parse(string(lang))
	for err == nil && !tag.IsRoot() {
		tag = tag.Parent()
		if t := c.texts[Lang(tag.String())]; t != nil {
			list = append(list, t)
		}
	}
	return append(list, c.texts[English])
}

// complete takes what the language lacks from the others, the nearest first.
func (t *texts) complete(others []*texts) {
	if t.Page == nil {
		t.Page = map[string]string{}
	}
	if t.Problem == nil {
		t.Problem = map[string]string{}
	}
	if t.Status == nil {
		t.Status = map[string]statusText{}
	}
	for _, o := range others {
		t.Format.Date = cmp.Or(t.Format.Date, o.Format.Date)
		t.Format.Decimal = cmp.Or(t.Format.Decimal, o.Format.Decimal)
		lacking(t.Page, o.Page)
		lacking(t.Problem, o.problems(t.Problem))
		lacking(t.Status, o.Status)
	}
}

// problems are the texts without those for special cases of codes for which own
// has a text: another language's plural, say, is no case of it.
func (t *texts) problems(own map[string]string) map[string]string {
	list := map[string]string{}
	for key, text := range t.Problem {
		code, _, special := strings.Cut(key, ".")
		if _, ok := own[code]; !special || !ok {
			list[key] = text
		}
	}
	return list
}

// lacking copies what is not there.
func lacking[V any](to, from map[string]V) {
	for key, v := range from {
		if _, ok := to[key]; !ok {
			to[key] = v
		}
	}
}

// day writes a date that is written as 2006-01-02; other text stays.
func (l Lang) day(text string) string {
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return text
	}
	return day.Format(l.texts().Format.Date)
}

// size writes a number of bytes.
func (l Lang) size(n int64) string {
	return strings.Replace(sizeText(n), ".", l.texts().Format.Decimal, 1)
}

// Languages are those that visitors can be spoken to in, English first.
func Languages() []Lang { return slices.Clone(languages().langs) }

// Known reports whether there is a file for the language.
func (l Lang) Known() bool { return languages().texts[l] != nil }

// texts are the language's, or English ones.
func (l Lang) texts() *texts {
	if t := languages().texts[l]; t != nil {
		return t
	}
	return languages().texts[English]
}

// page is a text of the pages.
func (l Lang) page(key string) string { return l.texts().Page[key] }

// problem is the text for the most special of what the file has: the code with
// the limit of 1, the code for that type of field, the code.
func (l Lang) problem(code Code, k kind, limit string) string {
	t := l.texts().Problem
	for _, key := range []string{string(code) + "." + limit, string(code) + "." + string(k)} {
		if text, ok := t[key]; ok {
			return text
		}
	}
	return t[string(code)]
}

// status is the text for an HTTP status, or for its class.
func (l Lang) status(status int) statusText {
	t := l.texts().Status
	if text, ok := t[strconv.Itoa(status)]; ok {
		return text
	}
	return t[strconv.Itoa(max(4, min(status/100, 5))*100)]
}

// Language is the language to answer in: the form's `lang`, else wanted (what
// the post asked for; "" for nothing), else the best of the request's
// Accept-Language header, else English.
func (f *Form) Language(wanted Lang, acceptLanguage string) Lang {
	switch {
	case f.lang != "":
		return f.lang
	case wanted.Known():
		return wanted
	}
	return Negotiate(acceptLanguage)
}

// Negotiate is the best language for an Accept-Language header, English if
// none fits; for answers that belong to no form.
func Negotiate(acceptLanguage string) Lang {
	if lang := matchLang(acceptLanguage); lang != "" {
		return lang
	}
	return English
}

// matchLang is "" when the header asks for none of the languages.
func matchLang(header string) Lang {
	if len(header) > 1000 {
		return ""
	}
	tags, _, err := language.ParseAcceptLanguage(header)
	if err != nil || len(tags) == 0 {
		return ""
	}
	_, i, confidence := languages().matcher.Match(tags...)
	if confidence == language.No {
		return ""
	}
	return languages().langs[i]
}
