package trial

import (
	"encoding/json"
	"mime"
	"path/filepath"

	"hookgate/forms"
	"hookgate/internal/body"
)

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
