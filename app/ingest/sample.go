package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"hookgate/forms"
	"hookgate/internal/body"
	"hookgate/internal/jsondoc"
	"hookgate/rules/lang"
)

// Sample marks a request that nobody has sent: a file that is to be explained,
// an event of a test. Nobody proves such a request: a form asks neither for the
// time token of its page nor for the answer to its captcha.
type Sample struct {
	// Type is the event's type, whatever the body says; "" finds it as for a
	// real event.
	Type  string
	Query map[string]any // in place of RawQuery
	// Fields are what is posted to a form, in place of a body.
	Fields []body.Field
	Set    []Assignment // changes of data, or of a form's fields, made first
	// Stored says that it is accepted and stored all the same: its files are
	// those that it has, and not names of some.
	Stored bool
	// Answers are what steps are taken to be answered, where it is explained.
	Answers map[string]lang.Answer
	// Fresh says that it is no repeat of anything.
	Fresh bool
}

// headers are those of the request that are kept, by names in lower case.
func (*Sample) headers(given map[string]string, keep func(string) bool) map[string]string {
	kept := map[string]string{}
	for name, value := range given {
		if name = strings.ToLower(name); keep(name) {
			kept[name] = value
		}
	}
	return kept
}

// change makes the sample's changes of what is posted to a form.
func (s *Sample) change(f *forms.Form, posted []body.Field) ([]body.Field, error) {
	posted, err := setFields(posted, s.Set)
	if err != nil {
		return nil, err
	}
	if s.Stored {
		return posted, nil
	}
	return withFiles(f, posted), nil
}

// Assignment changes one value: Path are names and list indexes with dots,
// Value is JSON text.
type Assignment struct {
	Path  string
	Value []byte
}

// ParseAssignment reads path=value. The value is JSON, or else a text.
func ParseAssignment(text string) (Assignment, error) {
	path, value, ok := strings.Cut(text, "=")
	if !ok || path == "" {
		return Assignment{}, errors.New("write path=value")
	}
	a := Assignment{Path: path, Value: []byte(value)}
	if !jsondoc.Valid(a.Value) {
		a.Value = jsondoc.AppendString(nil, value)
	}
	return a, nil
}

// SetJSON changes values of a JSON text and leaves the rest as it is.
func SetJSON(text []byte, set []Assignment) ([]byte, error) {
	for _, a := range set {
		if !jsondoc.Valid(a.Value) {
			return nil, fmt.Errorf("%s: %q is no JSON", a.Path, a.Value)
		}
		var err error
		if text, err = setValue(text, strings.Split(a.Path, "."), a.Value); err != nil {
			return nil, fmt.Errorf("%s: %w", a.Path, err)
		}
	}
	return text, nil
}

// setValue goes down the path as far as there are values, and puts the rest of
// it, with the objects that are missing, in the place where it ends.
func setValue(text []byte, path []string, value []byte) ([]byte, error) {
	doc, err := jsondoc.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("this is no JSON: %w", err)
	}
	defer doc.Release()
	at := doc.Root()
	for n, name := range path {
		var next jsondoc.Value
		switch at.Kind() {
		case jsondoc.Object:
			next = at.Member(name)
		case jsondoc.List:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i > at.Len() {
				return nil, fmt.Errorf("%q is no index of a list of %d", name, at.Len())
			}
			next = at.Item(i)
		default:
			return nil, fmt.Errorf("%q is below a %s", name, at.Kind())
		}
		last := n == len(path)-1
		if next.Kind() == jsondoc.None {
			return withMember(text, at, name, under(path[n+1:], value)), nil
		}
		if last || next.IsNull() {
			start, end := next.Span()
			return slices.Concat(text[:start], under(path[n+1:], value), text[end:]), nil
		}
		at = next
	}
	return text, nil
}

// under is a value within objects of one key each.
func under(path []string, value []byte) []byte {
	for _, name := range slices.Backward(path) {
		value = slices.Concat([]byte("{"), jsondoc.AppendString(nil, name), []byte(":"), value, []byte("}"))
	}
	return value
}

// withMember puts a value behind what is in an object or a list.
func withMember(text []byte, at jsondoc.Value, name string, value []byte) []byte {
	_, end := at.Span()
	var member []byte
	if at.Len() > 0 {
		member = append(member, ',')
	}
	if at.Kind() == jsondoc.Object {
		member = append(jsondoc.AppendString(member, name), ':')
	}
	return slices.Concat(text[:end-1], member, value, text[end-1:])
}

// setFields changes what is posted to a form: a path of one name replaces all
// that is posted under it, a longer one a value within it.
func setFields(fields []body.Field, set []Assignment) ([]body.Field, error) {
	for _, a := range set {
		name, rest, deeper := strings.Cut(a.Path, ".")
		if exact := slices.ContainsFunc(fields, func(f body.Field) bool { return f.Name == a.Path }); exact {
			name, deeper = a.Path, false
		}
		text := a.Value
		if deeper {
			before, err := json.Marshal(fieldValue(fields, name))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", a.Path, err)
			}
			if text, err = SetJSON(before, []Assignment{{Path: rest, Value: a.Value}}); err != nil {
				return nil, fmt.Errorf("%s.%w", name, err)
			}
		}
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		var value any
		if err := decoder.Decode(&value); err != nil {
			return nil, fmt.Errorf("%s: %w", a.Path, err)
		}
		fields = slices.DeleteFunc(slices.Clone(fields), func(f body.Field) bool { return f.Name == name })
		fields = append(fields, body.Field{Name: name, Value: value})
	}
	return fields, nil
}

// fieldValue is what is posted under a name: an empty object where there is
// nothing.
func fieldValue(fields []body.Field, name string) any {
	for _, f := range fields {
		if f.Name == name && f.Value != nil {
			return f.Value
		}
	}
	return map[string]any{}
}

// sampleFile is the id of a file that nobody posted.
const sampleFile = "sample"

// withFiles makes files of what stands under the names of a form's file fields:
// a file's name, or an object as data has it, with name, type and size. A file
// of a test has no content, so a field's limits of it are not asked.
func withFiles(form *forms.Form, fields []body.Field) []body.Field {
	out := make([]body.Field, 0, len(fields))
	for _, f := range fields {
		if _, ok := form.FileRule(f.Name); !ok {
			out = append(out, f)
			continue
		}
		list, several := f.Value.([]any)
		if !several {
			list = []any{f.Value}
		}
		for _, value := range list {
			if upload, ok := fileOf(value); ok {
				out = append(out, body.Field{Name: f.Name, Value: upload, File: true})
			}
		}
	}
	return out
}

// fileOf reads one file; false: there is none.
func fileOf(value any) (forms.Upload, bool) {
	u := forms.Upload{ID: sampleFile}
	switch v := value.(type) {
	case string:
		u.Name = v
	case map[string]any:
		u.Name, _ = v["name"].(string)
		u.Type, _ = v["type"].(string)
		if size, ok := v["size"].(json.Number); ok {
			u.Size, _ = size.Int64()
		}
	}
	if u.Name == "" {
		return u, false
	}
	u.Name = forms.CleanFileName(u.Name)
	if u.Type == "" {
		u.Type = mime.TypeByExtension(filepath.Ext(u.Name))
	}
	return u, true
}
