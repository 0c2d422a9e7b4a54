package builder

import (
	"regexp"
	"strings"
)

// question is the name that Jotform gives a field: q69_email69 is its 69th
// question, called email. The number at the end is there only where the name
// would not be the form's only one.
var question = regexp.MustCompile(`^q([0-9]+)_(.+)$`)

// jotform reads rawRequest, which is a JSON text in a multipart field.
func jotform(body object) (Submission, bool) {
	s := Submission{Meta: body.meta("form_id", "formID", "form_name", "formTitle", "submission_id", "submissionID")}
	request, ok := parse([]byte(body.text("rawRequest")))
	if !ok {
		return Submission{}, false
	}
	for _, m := range request {
		parts := question.FindStringSubmatch(m.key)
		if parts == nil {
			continue // what the page and its scripts add
		}
		name := parts[2]
		if short := strings.TrimSuffix(name, parts[1]); short != "" {
			name = short
		}
		s.Fields = append(s.Fields, Field{name, m.value()})
	}
	return s, len(s.Fields) > 0
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

// formspree reads the submission, without what begins with an underscore.
func formspree(body object) (Submission, bool) {
	submission, ok := body.object("submission")
	if !ok {
		return Submission{}, false
	}
	return Submission{
		Fields: submission.fields(func(key string) bool { return strings.HasPrefix(key, "_") }),
		Meta:   submission.meta("submission_id", "_id", "submitted_at", "_date"),
	}, true
}
