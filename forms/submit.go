package forms

import (
	"slices"
	"unicode/utf8"

	"hookgate/internal/body"
)

// Result is what a post means.
type Result struct {
	// Data is the event's data, a JSON object: the declared fields in their
	// declared order, then under "extra" what was posted besides; with
	// `fields: any` all that was posted. Values that are refused are kept as
	// they came.
	Data []byte
	// Problems are the values that the visitor has to correct, at most one a
	// field. The post is to be refused when there are any.
	Problems []Problem
	// Spam says why the post is taken for spam; "" if it is not. Then there
	// are no Problems: the sender must not be able to tell.
	Spam string
	// Language is the one that the post asks for with _language, "" for none.
	Language Lang
	// Unstored are the names under which files were posted that no field takes.
	// In Data is what they are called, their content is nowhere.
	Unstored []string
	// Named are the file fields under which only names of files came: of a page
	// whose form lacks enctype="multipart/form-data".
	Named []string
	// Uploads are the files that belong to the declared fields, as in Data.
	Uploads []Upload

	// Said are the instructions of the post that somebody may want to read:
	// _subject, _replyto and their like. nil if there are none.
	Said map[string]any

	// Started is the time token for the page that shows the problems, where the
	// post had none; "" where the form needs none.
	Started string

	next   target      // from _next, if the form allows it
	posted []keptField // to fill the page that shows the problems
	all    *entries    // the same by their places
}

// Submit checks the posted fields. It has no side effects, and the same fields
// give the same Result.
func (f *Form) Submit(posted []body.Field) Result {
	r := Result{}
	r.all = f.collect(posted, &r)
	f.control(posted, &r)
	r.Data = f.data(r.all, &r)
	for _, fd := range f.fields {
		for _, path := range fd.places(r.all) {
			if e := r.all.byPath[path.key()]; fd.isFile() && e != nil && e.onlyNames() {
				r.Named = append(r.Named, fd.called(path))
			}
		}
	}
	if r.Spam != "" {
		r.Problems = nil
	}
	return r
}

// addProblem adds p unless the field has a problem already: one at a time is
// what people can act on.
func addProblem(list []Problem, p Problem) []Problem {
	if slices.ContainsFunc(list, func(q Problem) bool { return q.Field == p.Field }) {
		return list
	}
	return append(list, p)
}

// cut shortens text to at most n characters, for reasons and messages.
func cut(text string, n int) string {
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	return string([]rune(text)[:n]) + "…"
}
