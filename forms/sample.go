package forms

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"hookgate/internal/body"
)

// sampleTexts are what is tried for a text, the likely ones first: a pattern
// may want digits, letters or both.
var sampleTexts = []string{"Ada", "Ada Lovelace", "A", "AB", "ABC", "1", "42", "123", "1234", "20095", "123456", "AB12", "AB-12", "AB1234", "ada-lovelace", "2026"}

// Sample is a post of the form as a visitor might make it, with a value for
// each field that is not for files: JSON, or where a file has to be posted a
// multipart body. A value that no sample fits, such as a pattern's, is a guess.
func (f *Form) Sample() (contentType, content string) {
	values := map[string]any{"name": "Ada Lovelace", "email": "ada@example.com", "message": "A sample. Nobody has to answer it."}
	names := []string{"name", "email", "message"}
	if !f.any {
		names = nil
		for _, fd := range f.fields {
			if !fd.isFile() {
				names, values[fd.name] = append(names, fd.name), fd.sample()
			}
		}
	}
	names = f.without(names, values)
	if f.needsFile() {
		return f.multipartSample(names, values)
	}
	var text strings.Builder
	text.WriteString("{\n")
	for i, name := range names {
		key, _ := json.Marshal(name)
		value, _ := json.Marshal(values[name])
		text.WriteString("  " + string(key) + ": " + string(value))
		if i < len(names)-1 {
			text.WriteString(",")
		}
		text.WriteString("\n")
	}
	return "application/json", text.String() + "}\n"
}

// without leaves those of the names out whose fields are optional and whose
// values do not fit.
func (f *Form) without(names []string, values map[string]any) []string {
	posted := make([]body.Field, len(names))
	for i, name := range names {
		posted[i] = body.Field{Name: name, Value: values[name]}
	}
	for _, p := range f.Submit(posted).Problems {
		names = slices.DeleteFunc(names, func(name string) bool {
			fd := f.byName[name]
			return name == p.Field && fd != nil && !fd.required
		})
	}
	return names
}

func (f *Form) needsFile() bool {
	return slices.ContainsFunc(f.fields, func(fd *field) bool { return fd.isFile() && fd.required })
}

// multipartSample is the post of a form that needs a file.
func (f *Form) multipartSample(names []string, values map[string]any) (contentType, content string) {
	const boundary = "sample"
	var b strings.Builder
	part := func(disposition, value string) {
		b.WriteString("--" + boundary + "\r\nContent-Disposition: form-data; " + disposition + "\r\n\r\n" + value + "\r\n")
	}
	for _, name := range names {
		list, several := values[name].([]string)
		if !several {
			list = []string{sampleText(values[name])}
		}
		for _, value := range list {
			part("name="+strconv.Quote(name), value)
		}
	}
	for _, fd := range f.fields {
		if fd.isFile() && fd.required {
			name, file := fd.sampleFile()
			part("name="+strconv.Quote(fd.name)+"; filename="+strconv.Quote(name), file)
		}
	}
	b.WriteString("--" + boundary + "--\r\n")
	return "multipart/form-data; boundary=" + boundary, b.String()
}

// sampleText is a value as a form-encoded post has it.
func sampleText(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	text, _ := json.Marshal(value)
	return strings.Trim(string(text), `"`)
}

// sampleFiles are small files by their extensions: no more of each than what
// tells its type.
var sampleFiles = map[string]string{
	"txt": "A sample.\n",
	"csv": "name,email\nAda,ada@example.com\n",
	"pdf": "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n",
	"svg": `<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"></svg>` + "\n",
	"gif": "GIF89a\x01\x00\x01\x00\x00\x00\x00;",
}

// sampleFile is a file that the field takes, as far as there is one.
func (fd *field) sampleFile() (name, content string) {
	for _, extension := range slices.Sorted(maps.Keys(sampleFiles)) {
		if _, _, code, _ := (FileRule{fd}).Judge([]byte(sampleFiles[extension]), "sample."+extension); code == "" {
			return "sample." + extension, sampleFiles[extension]
		}
	}
	return "sample.txt", sampleFiles["txt"]
}

// sample is a value that the field takes, as far as one is found.
func (fd *field) sample() any {
	switch {
	case fd.multi():
		return fd.sampleChoices()
	case len(fd.options) > 0:
		return fd.sampleChoices()[0]
	}
	switch fd.kind {
	case checkboxKind:
		return true
	case numberKind, integerKind:
		return fd.sampleNumber()
	case dateKind:
		return fd.sampleDate()
	case emailKind:
		return "ada@example.com"
	case telKind:
		return "+493012345678"
	case urlKind:
		return "https://example.com/"
	case textKind, hiddenKind, selectKind, fileKind:
	}
	return fd.sampleText()
}

// sampleChoices are as many options as have to be chosen, one at least.
func (fd *field) sampleChoices() []string {
	want := 1
	if fd.multi() && fd.min != nil {
		want = max(want, int(fd.min.number))
	}
	var list []string
	for _, o := range fd.options {
		if o.value != "" && len(list) < want {
			list = append(list, o.value)
		}
	}
	if len(list) == 0 {
		list = []string{""}
	}
	return list
}

func (fd *field) sampleNumber() any {
	number := 42.0
	if fd.min != nil {
		number = max(number, fd.min.number)
	}
	if fd.max != nil {
		number = min(number, fd.max.number)
	}
	return number
}

func (fd *field) sampleDate() string {
	day := time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)
	if fd.min != nil && day.Before(fd.min.day) {
		day = fd.min.day
	}
	if fd.max != nil && day.After(fd.max.day) {
		day = fd.max.day
	}
	return day.Format(time.DateOnly)
}

func (fd *field) sampleText() string {
	first := fd.label
	switch name := strings.ToLower(fd.name); {
	case strings.Contains(name, "name"):
		first = "Ada Lovelace"
	case strings.Contains(name, "message"), strings.Contains(name, "comment"), fd.rows > 1:
		first = "A sample. Nobody has to answer it."
	}
	for _, text := range append([]string{first}, sampleTexts...) {
		if fd.min != nil {
			for len([]rune(text)) < int(fd.min.number) {
				text += " " + text
			}
		}
		if fd.max != nil && len([]rune(text)) > int(fd.max.number) {
			text = string([]rune(text)[:int(fd.max.number)])
		}
		if fd.pattern == nil || fd.pattern.MatchString(text) {
			return text
		}
	}
	return first
}
