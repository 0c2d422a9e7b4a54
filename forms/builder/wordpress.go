package builder

import (
	"maps"
	"regexp"
	"strings"
)

// plain takes every key for a field, but those of the list.
func plain(leave ...string) func(object) (Submission, bool) {
	return func(body object) (Submission, bool) {
		return Submission{Fields: body.fields(oneOf(leave...))}, true
	}
}

// fluentOwn are the keys that Fluent Forms adds to the fields. Of its nonces it
// leaves out that of one form alone.
var fluentOwn = regexp.MustCompile(`^(__.*|_wp_http_referer|_fluentform_[0-9]+_fluentformnonce|item__[0-9]+__fluent_checkme_)$`)

// fluentForms takes every key for a field but those that are the plugin's own.
func fluentForms(body object) (Submission, bool) {
	s := Submission{Fields: body.fields(fluentOwn.MatchString)}
	if entry, ok := body.object("__submission"); ok {
		s.Meta = entry.meta("form_id", "form_id", "submission_id", "id", "submitted_at", "created_at", "page", "source_url")
	}
	return s, true
}

// madeUp are the ids that Elementor makes where its user gives none.
var madeUp = regexp.MustCompile(`^field_[0-9a-f]{6,}$`)

// elementor reads fields[email][value] and its like, as body decodes them.
func elementor(body object) (Submission, bool) {
	fields, ok := body.object("fields")
	if !ok {
		return Submission{}, false
	}
	s := Submission{Meta: map[string]any{}}
	if form, ok := body.object("form"); ok {
		s.Meta = form.meta("form_id", "id", "form_name", "name")
	}
	if meta, ok := body.object("meta"); ok {
		if page, ok := meta.object("page_url"); ok {
			maps.Copy(s.Meta, page.meta("page", "value"))
		}
	}
	for _, m := range fields {
		f, ok := parse(m.raw)
		if !ok { // the simple form: fields[email]=…
			s.Fields = append(s.Fields, Field{m.key, m.value()})
			continue
		}
		name := m.key
		if title := f.text("title"); madeUp.MatchString(name) && title != "" {
			name = title
		}
		value, ok := f.get("value")
		if !ok {
			value = m.raw
		}
		s.Fields = append(s.Fields, Field{name, member{raw: value}.value()})
	}
	return s, true
}

// entryFacts are the columns of a Gravity Forms entry that are no fields.
var entryFacts = oneOf("id", "form_id", "post_id", "date_created", "date_updated", "is_starred", "is_read", "ip", "source_url",
	"user_agent", "currency", "payment_status", "payment_date", "payment_amount", "payment_method", "transaction_id", "is_fulfilled",
	"created_by", "transaction_type", "status", "source_id")

// gravityForms reads an entry: its fields are numbers such as 5 and 1.3.
func gravityForms(body object) (Submission, bool) {
	return Submission{
		Fields: body.fields(entryFacts),
		Meta:   body.meta("form_id", "form_id", "submission_id", "id", "submitted_at", "date_created", "page", "source_url"),
	}, true
}

// wpForms reads values that are several with two pipes between them, and dates
// that come with their Unix time.
func wpForms(body object) (Submission, bool) {
	var s Submission
	for _, m := range body {
		value := m.value()
		switch v := value.(type) {
		case string:
			if strings.Contains(v, "||") {
				var list []any
				for part := range strings.SplitSeq(v, "||") {
					list = append(list, part)
				}
				value = list
			}
		case map[string]any:
			if date, ok := v["value"]; ok && len(v) == 2 && v["unix"] != nil {
				value = date
			}
		}
		s.Fields = append(s.Fields, Field{m.key, value})
	}
	return s, true
}

// submissionFacts are the attributes of a Formie submission that are no fields.
var submissionFacts = oneOf("id", "uid", "formId", "status", "statusId", "userId", "ipAddress", "isIncomplete", "isSpam", "spamReason", "spamClass",
	"title", "dateCreated", "dateUpdated", "siteId", "snapshot", "formName", "formHandle", "enabled", "slug", "uri")

// formie reads a Craft Formie submission, in which some values are JSON texts.
func formie(body object) (Submission, bool) {
	submission, ok := body.object("submission")
	if !ok {
		return Submission{}, false
	}
	s := Submission{Meta: submission.meta("submission_id", "id", "submitted_at", "dateCreated")}
	if form, ok := body.object("form"); ok {
		maps.Copy(s.Meta, form.meta("form_name", "title", "form_id", "handle"))
	}
	for _, f := range submission.fields(submissionFacts) {
		if text, ok := f.Value.(string); ok && (strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[")) {
			var inner any
			if decode([]byte(text), &inner) == nil {
				f.Value = inner
			}
		}
		s.Fields = append(s.Fields, f)
	}
	return s, true
}
