package forms

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"hookgate/internal/event"
)

// Accepted is the JSON answer to a post that was taken (200), and to one that
// was taken for spam.
type Accepted struct {
	OK bool     `json:"ok"`
	ID event.ID `json:"id"`
}

// Answer is the JSON answer to a post that was not taken, as
// application/problem+json (RFC 9457).
type Answer struct {
	Type   string       `json:"type"`
	Title  string       `json:"title"`
	Status int          `json:"status"`
	Detail string       `json:"detail,omitempty"`
	Errors []FieldError `json:"errors,omitempty"`
}

// FieldError is one Problem in an Answer.
type FieldError struct {
	Field   string `json:"field"`
	Code    Code   `json:"code"`
	Message string `json:"message"`
}

// ProblemAnswer is the answer 422 to a post with problems.
func ProblemAnswer(lang Lang, problems []Problem) Answer {
	a := ErrorAnswer(lang, http.StatusUnprocessableEntity, "")
	for _, p := range problems {
		a.Errors = append(a.Errors, FieldError{Field: p.Field, Code: p.Code, Message: p.Message(lang)})
	}
	return a
}

// ErrorAnswer is the answer with that status. detail says more, and may be "".
func ErrorAnswer(lang Lang, status int, detail string) Answer {
	return Answer{Type: "about:blank", Title: lang.status(status).Title, Status: status, Detail: detail}
}

// WantsJSON reports whether to answer a request with JSON and not with a page:
// when its Accept header names a JSON type and no HTML, or when it accepts
// anything, as fetch does by default, and its body is JSON or a script waits for
// the answer. header gives a field of the request.
func WantsJSON(header func(name string) string) bool {
	accept := header("Accept")
	anything := strings.TrimSpace(accept) == ""
	for part := range strings.SplitSeq(accept, ",") {
		mediaType, _, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		switch {
		case mediaType == "text/html" || mediaType == "application/xhtml+xml":
			return false
		case isJSON(mediaType):
			return true
		case mediaType == "*/*":
			anything = true
		}
	}
	mediaType, _, err := mime.ParseMediaType(header("Content-Type"))
	return anything && (err == nil && isJSON(mediaType) || scripted(header))
}

// scripted reports whether a script posts, which can read no page: browsers say
// so (Fetch Metadata), and so do libraries that are older than these headers.
func scripted(header func(name string) string) bool {
	mode, dest := header("Sec-Fetch-Mode"), header("Sec-Fetch-Dest")
	if mode == "" && dest == "" {
		return strings.EqualFold(header("X-Requested-With"), "XMLHttpRequest")
	}
	return mode != "navigate" && (dest == "" || dest == "empty")
}

func isJSON(mediaType string) bool {
	return mediaType == "application/json" || strings.HasPrefix(mediaType, "application/") && strings.HasSuffix(mediaType, "+json")
}

// TooLarge says what a visitor can do about a post that is refused with 413:
// how large it can be. over is the limit in bytes that it was over, 0 where that
// is not known.
func (f *Form) TooLarge(lang Lang, over int64) string {
	if !f.TakesFiles() || over == f.maxBody {
		return strings.ReplaceAll(lang.page("most"), "{limit}", lang.size(f.maxBody))
	}
	sentences := []string{strings.ReplaceAll(lang.page("mostfiles"), "{limit}", lang.size(f.maxUpload))}
	for _, fd := range f.fields {
		if fd.isFile() && fd.file.maxSize < f.maxUpload {
			sentences = append(sentences, strings.NewReplacer("{field}", strings.TrimRight(fd.label, ".: "), "{limit}", lang.size(fd.file.maxSize)).Replace(lang.page("mostfield")))
		}
	}
	return strings.Join(sentences, " ")
}

// TooManyFields says the same of a post with more than limit fields.
func (f *Form) TooManyFields(lang Lang, limit int64) string {
	return Problem{Code: TooMany, Limit: strconv.FormatInt(limit, 10)}.Message(lang)
}
