package admin

import (
	"slices"
	"strings"
	"unicode"

	"hookgate/internal/jsondoc"
)

// maxSummary is the length of a summary in characters.
const maxSummary = 120

// Summary is what a person calls an event: for Sitejet's events the website
// and its change of status, else the first telling field of the data.
func Summary(data []byte) string {
	doc, err := jsondoc.Parse(data)
	if err != nil {
		return ""
	}
	defer doc.Release()
	v := doc.Root()
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

// Excerpt is the beginning of what somebody wrote into a form: the field that is for
// a message, else the longest text that Summary does not show.
func Excerpt(data []byte) string {
	doc, err := jsondoc.Parse(data)
	if err != nil {
		return ""
	}
	defer doc.Release()
	summary, longest := Summary(data), ""
	for name, value := range doc.Root().Fields() {
		text := jsondoc.ValidText(string(value.Text()))
		switch {
		case strings.TrimSpace(text) == "" || summary != "" && oneLine(text) == summary:
		case slices.Contains(messageFields, strings.ToLower(string(name))):
			return oneLine(text)
		case len(text) > len(longest):
			longest = text
		}
	}
	return oneLine(longest)
}

// messageFields are what fields for a message are called, in small letters.
var messageFields = []string{"message", "nachricht", "comment", "comments", "kommentar", "question", "frage", "text", "body", "your-message", "anfrage", "enquiry", "inquiry"}

// textAt is the text under a path, "" where there is none.
func textAt(v jsondoc.Value, path ...string) string {
	for _, key := range path {
		v = v.Member(key)
	}
	return jsondoc.ValidText(string(v.Text()))
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
