package forms

import "golang.org/x/text/language"

// Lang is a language that visitors are spoken to in, as a BCP 47 tag.
type Lang string

// The languages.
const (
	English Lang = "en"
	German  Lang = "de"
)

func (l Lang) known() bool { return l == English || l == German }

// Language is the language to answer in: the form's `lang`, else wanted (what
// the post asked for; "" for nothing), else the best of the request's
// Accept-Language header, else English.
func (f *Form) Language(wanted Lang, acceptLanguage string) Lang {
	switch {
	case f.lang != "":
		return f.lang
	case wanted.known():
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
	matcher := language.NewMatcher([]language.Tag{language.English, language.German})
	_, i, confidence := matcher.Match(tags...)
	switch {
	case confidence == language.No:
		return ""
	case i == 1:
		return German
	}
	return English
}
