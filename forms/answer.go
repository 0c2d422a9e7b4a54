package forms

import (
	"mime"
	"net/http"
	"strings"

	"hookgate/app/event"
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
	return Answer{Type: "about:blank", Title: textsFor(status).title.in(lang), Status: status, Detail: detail}
}

// WantsJSON reports whether to answer a request with JSON and not with a page:
// when its Accept header names a JSON type and no HTML, or when its body is
// JSON and it accepts anything, as fetch does by default.
func WantsJSON(accept, contentType string) bool {
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
	mediaType, _, err := mime.ParseMediaType(contentType)
	return anything && err == nil && isJSON(mediaType)
}

func isJSON(mediaType string) bool {
	return mediaType == "application/json" || strings.HasPrefix(mediaType, "application/") && strings.HasSuffix(mediaType, "+json")
}

// statusText is what a page or an answer with a status says.
type statusText struct{ title, detail bilingual }

func textsFor(status int) statusText {
	if t, ok := statusTexts[status]; ok {
		return t
	}
	if status >= http.StatusInternalServerError {
		return statusTexts[http.StatusInternalServerError]
	}
	return statusTexts[http.StatusBadRequest]
}

var statusTexts = map[int]statusText{
	http.StatusBadRequest: {
		bilingual{"The form could not be read", "Das Formular konnte nicht gelesen werden"},
		bilingual{"Something went wrong on the way. Please go back and send it again.", "Bei der Übertragung ist etwas schiefgegangen. Bitte gehen Sie zurück und senden Sie es noch einmal."},
	},
	http.StatusForbidden: {
		bilingual{"This form cannot be sent from here", "Dieses Formular kann von hier nicht gesendet werden"},
		bilingual{"The page you came from is not set up to send this form. Please tell the owner of the website.", "Die Seite, von der Sie kommen, ist für dieses Formular nicht eingerichtet. Bitte sagen Sie dem Betreiber der Website Bescheid."},
	},
	http.StatusNotFound: {
		bilingual{"There is no such form", "Dieses Formular gibt es nicht"},
		bilingual{"The address may be wrong, or the form is gone. Please tell the owner of the website.", "Vielleicht stimmt die Adresse nicht, oder das Formular gibt es nicht mehr. Bitte sagen Sie dem Betreiber der Website Bescheid."},
	},
	http.StatusMethodNotAllowed: {
		bilingual{"Nothing to see here", "Hier gibt es nichts zu sehen"},
		bilingual{"This address only receives forms. Please go back to the page with the form.", "Diese Adresse nimmt nur Formulare entgegen. Bitte gehen Sie zurück zur Seite mit dem Formular."},
	},
	http.StatusRequestEntityTooLarge: {
		bilingual{"That was too much", "Das war zu viel"},
		bilingual{"The form is larger than we can take. Please go back, shorten it and send it again.", "Das Formular ist größer, als wir annehmen können. Bitte gehen Sie zurück, kürzen Sie es und senden Sie es noch einmal."},
	},
	http.StatusUnsupportedMediaType: {
		bilingual{"The form could not be read", "Das Formular konnte nicht gelesen werden"},
		bilingual{"It arrived in a format that we do not know. Please tell the owner of the website.", "Es kam in einem Format an, das wir nicht kennen. Bitte sagen Sie dem Betreiber der Website Bescheid."},
	},
	http.StatusUnprocessableEntity: {
		bilingual{"Please check your entries", "Bitte prüfen Sie Ihre Angaben"},
		bilingual{"Nothing has been sent yet.", "Es wurde noch nichts gesendet."},
	},
	http.StatusTooManyRequests: {
		bilingual{"Please wait a moment", "Bitte warten Sie einen Moment"},
		bilingual{"This form was sent very often just now. Please try again in a minute.", "Dieses Formular wurde gerade sehr oft gesendet. Bitte versuchen Sie es in einer Minute noch einmal."},
	},
	http.StatusInternalServerError: {
		bilingual{"Something went wrong", "Etwas ist schiefgegangen"},
		bilingual{"Your message has not been sent. Please try again later.", "Ihre Nachricht wurde nicht gesendet. Bitte versuchen Sie es später noch einmal."},
	},
	http.StatusServiceUnavailable: {
		bilingual{"Please try again shortly", "Bitte versuchen Sie es gleich noch einmal"},
		bilingual{"We cannot take your message at this moment. Nothing has been sent.", "Wir können Ihre Nachricht gerade nicht annehmen. Es wurde nichts gesendet."},
	},
}
