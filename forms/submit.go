package forms

import (
	"slices"
	"strings"
	"unicode/utf8"

	"hookgate/app/body"
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
	// Files is the number of files that were posted; they are not kept.
	Files int

	next   target       // from _next, if the form allows it
	posted []body.Field // to fill the page that shows the problems
}

// Submit checks the posted fields. It has no side effects, and the same fields
// give the same Result.
func (f *Form) Submit(posted []body.Field) Result {
	r := Result{}
	entries := f.collect(posted, &r)
	f.control(posted, &r)
	r.Data = f.data(entries, &r)
	if r.Spam != "" {
		r.Problems = nil
	}
	return r
}

// entry is everything that was posted under one name.
type entry struct {
	name   string // without the [] that some sites end a list's name with
	values []any
	list   bool
}

// value is what an undeclared entry is in data.
func (e *entry) value() any {
	if e.list || len(e.values) != 1 {
		return e.values
	}
	return e.values[0]
}

// collect groups the posted fields by name, in order of first appearance. The
// control fields and files are not among them.
func (f *Form) collect(posted []body.Field, r *Result) []*entry {
	if len(posted) > maxFields {
		r.Problems = append(r.Problems, Problem{Code: TooMany, Limit: decimal(maxFields)})
		posted = posted[:maxFields]
	}
	var entries []*entry
	byName := map[string]*entry{}
	for _, p := range posted {
		switch {
		case p.File:
			if p.Value != nil && p.Value != "" {
				r.Files++
			}
			continue
		case f.controls(p.Name):
			r.posted = append(r.posted, p)
			continue
		}
		r.posted = append(r.posted, p)
		name, list := f.nameOf(p.Name)
		e := byName[name]
		if e == nil {
			e = &entry{name: name}
			byName[name] = e
			entries = append(entries, e)
		}
		e.list = e.list || list
		e.add(p.Value)
		if problem, bad := oversized(name, p.Value); bad {
			r.Problems = append(r.Problems, problem)
		}
	}
	return entries
}

// add takes one posted value; a JSON list counts as its values.
func (e *entry) add(v any) {
	switch x := v.(type) {
	case nil:
	case []any:
		e.list = true
		for _, item := range x {
			e.values = append(e.values, normal(item))
		}
	default:
		e.values = append(e.values, normal(v))
	}
}

// normal gives texts the line ends that data has: browsers send CRLF.
func normal(v any) any {
	if s, ok := v.(string); ok {
		return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r\n", "\n")
	}
	return v
}

func oversized(name string, v any) (Problem, bool) {
	if len(name) > maxName {
		return Problem{Field: cut(name, 40), Code: NameTooLong, Limit: decimal(maxName)}, true
	}
	size := 0
	if s, ok := v.(string); ok {
		size = len(s)
	} else if v != nil {
		size = len(appendJSON(nil, v))
	}
	if size > maxValue {
		return Problem{Field: name, Code: TooLong, Limit: decimal(maxValue)}, true
	}
	return Problem{}, false
}

// nameOf is the name that a posted field has in data: `topic[]` is `topic`,
// always a list, unless a field is declared with the brackets.
func (f *Form) nameOf(posted string) (name string, list bool) {
	if f.byName[posted] != nil {
		return posted, false
	}
	if name, cut := strings.CutSuffix(posted, "[]"); cut && name != "" {
		return name, true
	}
	return posted, false
}

// data writes the JSON object and adds the problems of the declared fields.
func (f *Form) data(entries []*entry, r *Result) []byte {
	byName := make(map[string]*entry, len(entries))
	for _, e := range entries {
		byName[e.name] = e
	}
	out := object{}
	for _, fd := range f.fields {
		value, problem := fd.read(byName[fd.name])
		if problem.Code != "" {
			problem.Field, problem.kind, problem.custom = fd.name, fd.kind, fd.custom
			r.Problems = addProblem(r.Problems, problem)
		}
		if value != nil {
			out.add(fd.name, value)
		}
	}
	extra := &out
	if !f.any {
		extra = &object{}
	}
	for _, e := range entries {
		if f.byName[e.name] == nil && (len(e.values) > 0 || e.list) {
			extra.add(e.name, e.value())
		}
	}
	if extra != &out && !extra.empty() {
		out.addRaw(extraKey, extra.bytes())
	}
	return out.bytes()
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
