package forms

import (
	"fmt"
	"slices"
	"strings"
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

// entry is everything that was posted for one place in data.
type entry struct {
	path   fieldPath
	values []any
	files  []Upload
	others []any // names of files that no field takes
	list   bool  // the name ended with [], or the value came as a list
}

// keptField is a posted field with its place in data; a control field has none.
type keptField struct {
	body.Field
	path fieldPath
}

// entries are a post's fields in order of first appearance, by the key of
// their path.
type entries struct {
	list   []*entry
	byPath map[string]*entry
}

func (es *entries) at(path fieldPath) *entry {
	key := path.key()
	e := es.byPath[key]
	if e == nil {
		e = &entry{path: path}
		es.byPath[key] = e
		es.list = append(es.list, e)
	}
	return e
}

// value is what an undeclared entry is in data.
func (e *entry) value() any {
	all := slices.Concat(e.values, e.others)
	if e.list || len(all) != 1 {
		return all
	}
	return all[0]
}

// collect groups the posted fields by their place. The control fields and
// files are not among them.
func (f *Form) collect(posted []body.Field, r *Result) *entries {
	if len(posted) > maxFields {
		r.Problems = append(r.Problems, Problem{Code: TooMany, Limit: decimal(maxFields)})
		posted = posted[:maxFields]
	}
	all := &entries{byPath: map[string]*entry{}}
	rows := counters{}
	for _, p := range posted {
		if p.File {
			f.collectFile(p, f.place(rows.number(pathOf(p.Name).path)), all, r)
			continue
		}
		if f.controls(p.Name) {
			r.posted = append(r.posted, keptField{Field: p})
			continue
		}
		if problem, bad := oversized(p.Name, p.Value); bad {
			r.Problems = append(r.Problems, problem)
		}
		name := pathOf(p.Name)
		path := f.place(rows.number(name.path))
		put := func(path fieldPath, p body.Field) {
			r.posted = append(r.posted, keptField{p, path})
			e := all.at(path)
			e.list = e.list || name.list
			e.add(p.Value)
		}
		if f.nested[path[0]] {
			flatten(path, p, put)
			continue
		}
		put(path, p)
	}
	return all
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

// last is the index of the last value that is filled in, else of the last one.
// There must be one.
func (e *entry) last() int {
	for i, v := range slices.Backward(e.values) {
		if !blank(plain(v)) {
			return i
		}
	}
	return len(e.values) - 1
}

// further are the values that are filled in and that the field has no room for:
// of one with a single value those that say something else than the one that
// counts, of one with files what came as text beside them.
func (e *entry) further(fd *field) []any {
	if fd.isFile() && len(e.files) > 0 {
		return slices.DeleteFunc(slices.Clone(e.values), func(v any) bool { return blank(plain(v)) })
	}
	if len(e.values) < 2 || !fd.single() {
		return nil
	}
	same := func(a, b string) bool {
		return a == b || fd.kind != textKind && fd.kind != hiddenKind && visible(a) == visible(b)
	}
	counts := plain(e.values[e.last()])
	var list []any
	for _, v := range e.values {
		if text := plain(v); !blank(text) && !same(text, counts) {
			list = append(list, v)
		}
	}
	return list
}

// normal gives texts the line ends that data has: browsers send CRLF.
func normal(v any) any {
	if s, ok := v.(string); ok {
		return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r\n", "\n")
	}
	return v
}

func oversized(name string, v any) (Problem, bool) {
	if len(name) > MaxName {
		return Problem{Field: cut(name, 40), Code: NameTooLong, Limit: decimal(MaxName)}, true
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

// data writes the JSON object and adds the problems of the fields.
func (f *Form) data(all *entries, r *Result) []byte {
	out := &node{named: true}
	for _, fd := range f.fields {
		for _, path := range fd.places(all) {
			value, problem := fd.read(all.byPath[path.key()], f.Webhook())
			if problem.Code != "" {
				problem.Field, problem.kind, problem.custom = fd.called(path), fd.kind, fd.custom
				r.Problems = addProblem(r.Problems, problem)
			}
			if value != nil {
				out.set(path, value)
			}
		}
	}
	for _, fd := range f.fields {
		if i := slices.Index(fd.path, ""); i > 0 {
			out.list(fd.path[:i])
		}
	}
	f.undeclared(all, out, r)
	return out.append(nil)
}

// undeclared keeps what no field is declared for: under extra, or with
// `fields: any` beside the others. The further values of a field that has one
// are kept there too, for a post is not to lose what somebody wrote.
func (f *Form) undeclared(all *entries, out *node, r *Result) {
	extra := out
	if !f.any {
		extra = &node{named: true}
	}
	for _, e := range all.list {
		if fd := f.declared(e.path); fd != nil {
			others := e.others
			if !f.Webhook() {
				others = append(e.further(fd), others...)
			}
			if len(others) > 0 {
				extra.keep(e.path, others)
			}
			continue
		}
		if len(e.values)+len(e.others) == 0 && !e.list {
			continue
		}
		if f.refuse {
			r.Problems = addProblem(r.Problems, Problem{Field: cut(e.path.name(), MaxName), Code: Unknown})
		}
		extra.keep(e.path, e.value())
	}
	if extra != out && !extra.empty() {
		out.graft(extraKey, extra)
	}
}

// places are where the field stands in this post: its path, or where it is
// repeated, one for every row that has any field.
func (fd *field) places(all *entries) []fieldPath {
	if !slices.Contains(fd.path, "") {
		return []fieldPath{fd.path}
	}
	found := []fieldPath{nil}
	for i, part := range fd.path {
		var next []fieldPath
		for _, prefix := range found {
			if part != "" || i == 0 {
				next = append(next, append(slices.Clone(prefix), part))
				continue
			}
			for _, row := range all.rows(prefix) {
				next = append(next, append(slices.Clone(prefix), row))
			}
		}
		found = next
	}
	return found
}

// rows are the indexes that stand behind the prefix, in their order.
func (es *entries) rows(prefix fieldPath) []string {
	n := &node{}
	for _, e := range es.list {
		if len(e.path) <= len(prefix) || !slices.Equal(e.path[:len(prefix)], prefix) {
			continue
		}
		if part := e.path[len(prefix)]; !slices.Contains(n.keys, part) {
			if _, ok := index(part); ok {
				n.keys = append(n.keys, part)
			}
		}
	}
	return n.ordered()
}

// called is the name of the field's control at that place.
func (fd *field) called(path fieldPath) string {
	if !slices.Contains(fd.path, "") {
		return fd.name
	}
	if fd.list {
		return path.name() + "[]"
	}
	return path.name()
}

// honeypots are the names that form services use for a field that only bots
// fill in: Formspree, FormSubmit, Netlify, Web3Forms.
var honeypots = []string{"_gotcha", "_honey", "bot-field", "botcheck"}

// nexts are the names for the page to go to afterwards.
var nexts = []string{"_next", "_redirect", "redirect"}

// instructions are the other names that form services read as instructions.
// Those that hookgate has no use for are dropped, so that a page made for
// another service can post here unchanged.
var instructions = []string{
	"_subject", "_replyto", "_cc", "_template", "_captcha", "_autoresponse", "_language", "form-name", "_charset_", startedField,
	"g-recaptcha-response", "h-captcha-response", "cf-turnstile-response", "altcha",
}

// told are the instructions that rules can read, as query["_subject"]: what a
// page says about the post, and not a secret that serves once.
var told = []string{"_subject", "_replyto", "_cc", "_template", "_autoresponse", "_language", "form-name"}

// controls reports whether a posted field is an instruction and no data. A
// field that the configuration declares is data, whatever its name.
func (f *Form) controls(name string) bool {
	if f.byName[name] != nil {
		return false
	}
	if f.Webhook() { // a builder's page has no traps of ours, and a question may be called redirect
		return slices.Contains(instructions, name)
	}
	return f.honeypot != "" && name == f.honeypot ||
		slices.Contains(honeypots, name) || slices.Contains(nexts, name) || slices.Contains(instructions, name)
}

// trap reports whether only bots fill in the field: the form's honeypot and
// those of other services, unless the check is off or the field is declared.
func (f *Form) trap(name string) bool {
	if f.honeypot == "" || f.byName[name] != nil {
		return false
	}
	return name == f.honeypot || slices.Contains(honeypots, name)
}

// control reads the control fields; one that came as a list of JSON is as many
// fields.
func (f *Form) control(posted []body.Field, r *Result) {
	for _, p := range posted {
		if p.File || !f.controls(p.Name) {
			continue
		}
		values, ok := p.Value.([]any)
		if !ok {
			values = []any{p.Value}
		}
		for _, v := range values {
			f.instruct(p.Name, plain(v), r)
		}
	}
}

// instruct obeys one control field.
func (f *Form) instruct(name, text string, r *Result) {
	switch {
	case f.trap(name):
		if text != "" && text != "false" && r.Spam == "" {
			r.Spam = fmt.Sprintf("honeypot %s = %q", name, cut(text, 60))
		}
		return
	case slices.Contains(nexts, name):
		if to, ok := parseTarget(strings.TrimSpace(text)); ok && f.allowsTarget(to) && r.next.path == "" {
			r.next = to
		}
	case name == "_language":
		if lang := matchLang(text); text != "" && lang != "" {
			r.Language = lang
		}
	}
	if text != "" && slices.Contains(told, name) && len(text) <= maxTold {
		if r.Said == nil {
			r.Said = map[string]any{}
		}
		r.Said[name] = text
	}
}
