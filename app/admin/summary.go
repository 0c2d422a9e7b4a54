package admin

import (
	"strings"
	"unicode"

	"github.com/valyala/fastjson"
)

// maxSummary is the length of a summary in characters.
const maxSummary = 120

// Summary is what a person calls an event: for Sitejet's events the website
// and its change of status, else the first telling field of the data.
func Summary(data []byte) string {
	v, err := fastjson.ParseBytes(data)
	if err != nil {
		return ""
	}
	if title := textAt(v, "website", "title"); title != "" {
		before, after := textAt(v, "previousStatus"), textAt(v, "website", "status")
		switch {
		case before != "" && after != "":
			return oneLine(title + " · " + before + " → " + after)
		case after != "":
			return oneLine(title + " · " + after)
		default:
			return oneLine(title)
		}
	}
	for _, name := range []string{"name", "title", "subject", "email"} {
		if text := textAt(v, name); text != "" {
			return oneLine(text)
		}
	}
	return ""
}

func textAt(v *fastjson.Value, path ...string) string {
	return string(v.GetStringBytes(path...))
}

// oneLine keeps what senders wrote from breaking a table or a terminal:
// control characters become spaces, and the length is limited.
func oneLine(text string) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
	}), " ")
	runes := []rune(text)
	if len(runes) > maxSummary {
		return string(runes[:maxSummary-1]) + "…"
	}
	return text
}
