package builder

import (
	"regexp"
	"slices"
	"strings"
)

// question is the name that Jotform gives a field: q69_email69 is its 69th
// question, called email. The number at the end is there only where the name
// would not be the form's only one.
var question = regexp.MustCompile(`^q([0-9]+)_(.+)$`)

// pageOwn are the keys of rawRequest that Jotform's page and its scripts add.
// All others are the visitor's: the addresses of uploaded files stand under
// their question's name without its number.
var pageOwn = oneOf("slug", "jsExecutionTracker", "submitSource", "submitDate", "buildDate", "event_id", "eventObserver", "temp_upload",
	"file_server", "uploadServerUrl", "path", "preview", "target_env", "embedUrl", "parentURL", "timeToSubmit", "simple_spc", "visitedPages",
	"unique_id", "draftID", "validatedNewRequiredFieldIDs", "JWTContainer", "captcha_spc", "website")

// jotform reads rawRequest, which is a JSON text in a multipart field.
func jotform(body object) (Submission, bool) {
	s := Submission{Meta: body.meta("form_id", "formID", "form_name", "formTitle", "submission_id", "submissionID")}
	request, ok := parse([]byte(body.text("rawRequest")))
	if !ok {
		return Submission{}, false
	}
	for _, m := range request {
		if !pageOwn(m.key) {
			s.Fields = append(s.Fields, Field{questionName(m.key), m.value()})
		}
	}
	// Of an upload whose address is missing there is the name at least.
	uploads, _ := request.object("temp_upload")
	for _, m := range uploads {
		name := questionName(m.key)
		if !slices.ContainsFunc(s.Fields, func(f Field) bool { return f.Name == name }) {
			s.Fields = append(s.Fields, Field{name, m.value()})
		}
	}
	return s, len(s.Fields) > 0
}

// questionName is the name of a question by its key.
func questionName(key string) string {
	parts := question.FindStringSubmatch(key)
	if parts == nil {
		return key
	}
	if short := strings.TrimSuffix(parts[2], parts[1]); short != "" {
		return short
	}
	return parts[2]
}

// wixKey is how Wix names a field: field:email_9a1b, with some random digits.
var wixKey = regexp.MustCompile(`^field:(.+?)(?:_[0-9a-f]{4})?$`)

// wix reads the keys that begin with field:, which an automation sends as they
// are or under data.
func wix(body object) (Submission, bool) {
	if inner, ok := body.object("data"); ok {
		body = inner
	}
	s := Submission{Meta: body.meta("form_id", "formId", "form_name", "formName", "submission_id", "submissionId", "contact_id", "contactId", "submitted_at", "submissionTime")}
	for _, m := range body {
		if parts := wixKey.FindStringSubmatch(m.key); parts != nil {
			s.Fields = append(s.Fields, Field{parts[1], m.value()})
		}
	}
	return s, len(s.Fields) > 0
}

// formspreeOwn are the keys that Formspree adds or obeys. _replyto and _subject
// are not among them: a page may have no other field for the visitor's address.
var formspreeOwn = oneOf("_id", "_date", "_next", "_format", "_language", "_gotcha", "_status", "_feedback", "_errors", "_host")

// formspree reads the submission, without what is Formspree's own.
func formspree(body object) (Submission, bool) {
	submission, ok := body.object("submission")
	if !ok {
		return Submission{}, false
	}
	return Submission{
		Fields: submission.fields(formspreeOwn),
		Meta:   submission.meta("submission_id", "_id", "submitted_at", "_date"),
	}, true
}
