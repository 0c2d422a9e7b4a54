package forms

import (
	"slices"
	"strings"

	"hookgate/internal/diag"
)

// kind is the type of a field, named as in HTML.
type kind string

// The kinds.
const (
	textKind     kind = "text"
	emailKind    kind = "email"
	telKind      kind = "tel"
	urlKind      kind = "url"
	numberKind   kind = "number"
	dateKind     kind = "date"
	checkboxKind kind = "checkbox"
	selectKind   kind = "select"
	hiddenKind   kind = "hidden"
	fileKind     kind = "file"
)

// kinds is the order in which messages list them.
var kinds = []kind{textKind, emailKind, telKind, urlKind, numberKind, dateKind, checkboxKind, selectKind, hiddenKind, fileKind}

func kindNamed(name string) (kind, bool) {
	return kind(name), slices.Contains(kinds, kind(name))
}

// kindHint is the hint for a type that does not exist.
func kindHint(name string) string {
	switch strings.ToLower(name) {
	case "textarea", "string", "str":
		return `write "text": it takes several lines too`
	case "phone", "telephone":
		return `write "tel"`
	case "mail", "e-mail":
		return `write "email"`
	case "int", "integer", "float", "range":
		return `write "number"`
	case "bool", "boolean":
		return `write "checkbox"`
	case "multiselect", "multi-select", "multi_select", "select-multiple":
		return `write "type: select" with "multiple: true"`
	case "radio", "enum", "choice":
		return `write "select"`
	case "upload", "attachment", "image", "files":
		return `write "file"`
	case "link", "uri", "website":
		return `write "url"`
	}
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = string(k)
	}
	if hint := diag.DidYouMean(name, names); hint != "" {
		return hint
	}
	return "the types are " + strings.Join(names, ", ")
}

// single reports whether the field has one value, however often it is posted. Of
// a checkbox no other value says anything.
func (fd *field) single() bool {
	return !fd.list && !fd.multi() && !fd.isFile() && fd.kind != checkboxKind
}

// lengths reports whether min and max count characters.
func (k kind) lengths() bool {
	switch k {
	case textKind, emailKind, telKind, urlKind, hiddenKind:
		return true
	case numberKind, dateKind, checkboxKind, selectKind, fileKind:
		return false
	}
	return false
}
