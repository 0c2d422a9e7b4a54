package body

import (
	"path/filepath"
	"strings"

	"hookgate/internal/jsondoc"
)

// GuessType guesses what a file holds, by its name and content; "-" has no
// name. What looks like nothing else is called JSON: the fault in it is then
// told with its place.
func GuessType(name string, content []byte) string {
	if jsondoc.Valid(content) {
		return "application/json"
	}
	text := strings.TrimSpace(string(content))
	switch extension := strings.ToLower(filepath.Ext(name)); {
	case extension == ".xml", strings.HasPrefix(text, "<"):
		return "application/xml"
	case extension == ".form":
		return formEncoded
	case extension == ".txt" && !strings.HasPrefix(text, "{"):
		return "text/plain"
	case strings.Contains(text, "=") && !strings.ContainsAny(text, " \n{}[]\""):
		return formEncoded
	}
	if boundary, ok := strings.CutPrefix(text, "--"); ok { // as a captured multipart body begins
		if boundary, _, ok = strings.Cut(boundary, "\n"); ok {
			return `multipart/form-data; boundary="` + strings.TrimRight(boundary, "\r") + `"`
		}
	}
	return "application/json"
}

const formEncoded = "application/x-www-form-urlencoded"
