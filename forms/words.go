package forms

import (
	"strings"

	"hookgate/rules/lang"
)

// Words are what the form's posts are told in to whoever gets them, in a mail
// say: the labels of its fields, and its language.
func (f *Form) Words() lang.Words {
	speaks := f.lang
	if speaks == "" {
		speaks = English // visitors have their own, and who gets the post may not share it
	}
	words := lang.Words{Labels: map[string]string{}, Message: speaks.page("message"), Yes: speaks.page("affirmed"), No: speaks.page("denied")}
	for _, fd := range f.fields {
		if fd.labelled {
			words.Labels[strings.Join(fd.path, ".")] = strings.TrimRight(fd.label, ".: ")
		}
	}
	if extra := speaks.page("extra"); f.byPath[extraKey] == nil {
		words.Labels[extraKey] = extra
	}
	return words
}
