package builder

import "maps"

// typeform reads Typeform's form_response: answers refer to the definition's
// fields, and the value is under the key that is named as its type.
func typeform(body object) (Submission, bool) {
	response, ok := body.object("form_response")
	if !ok {
		return Submission{}, false
	}
	titles := map[string]string{}
	if definition, ok := response.object("definition"); ok {
		fields, _ := definition.list("fields")
		for _, f := range fields {
			titles[f.text("id")] = f.text("title")
		}
	}
	s := Submission{Meta: response.meta("form_id", "form_id", "submission_id", "token", "submitted_at", "submitted_at")}
	if hidden, ok := response.object("hidden"); ok {
		s.Fields = hidden.fields(nil)
	}
	answers, ok := response.list("answers")
	for _, answer := range answers {
		field, _ := answer.object("field")
		name := titles[field.text("id")]
		if name == "" {
			name = field.text("ref")
		}
		if name == "" {
			name = field.text("id")
		}
		s.Fields = append(s.Fields, Field{name, typeformValue(answer)})
	}
	return s, ok
}

func typeformValue(answer object) any {
	kind := answer.text("type")
	switch kind {
	case "choice":
		if choice, ok := answer.object("choice"); ok {
			if label := choice.text("label"); label != "" {
				return label
			}
			return choice.text("other")
		}
	case "choices":
		if choices, ok := answer.object("choices"); ok {
			labels, _ := choices.value("labels").([]any)
			if other := choices.text("other"); other != "" {
				labels = append(labels, other)
			}
			return labels
		}
	}
	if value, ok := answer.get(kind); ok {
		return member{raw: value}.value()
	}
	return answer.rest("field", "type") // a type that is not known yet
}

// tally reads Tally's FORM_RESPONSE: options are given by their ids, and their
// texts stand beside.
func tally(body object) (Submission, bool) {
	data, ok := body.object("data")
	if !ok {
		return Submission{}, false
	}
	s := Submission{Meta: data.meta("form_id", "formId", "form_name", "formName", "submission_id", "responseId")}
	fields, ok := data.list("fields")
	for _, f := range fields {
		name := f.text("label")
		if name == "" {
			name = f.text("key")
		}
		s.Fields = append(s.Fields, Field{name, optionTexts(f)})
	}
	return s, ok
}

// optionTexts is a field's value, with the texts of its options for their ids.
func optionTexts(f object) any {
	value := f.value("value")
	options, ok := f.list("options")
	if !ok {
		return value
	}
	texts := map[string]string{}
	for _, o := range options {
		texts[o.text("id")] = o.text("text")
	}
	text := func(v any) any {
		if id, ok := v.(string); ok && texts[id] != "" {
			return texts[id]
		}
		return v
	}
	chosen, several := value.([]any)
	if !several {
		return text(value)
	}
	for i, v := range chosen {
		chosen[i] = text(v)
	}
	switch f.text("type") {
	case "MULTIPLE_CHOICE", "DROPDOWN": // one can be chosen, and comes as a list of one
		if len(chosen) == 1 {
			return chosen[0]
		}
	}
	return chosen
}

// webflow reads the payload's data; webhooks of the first version of its API
// have no payload around it.
func webflow(body object) (Submission, bool) {
	payload, ok := body.object("payload")
	if !ok {
		data, ok := body.object("data")
		return Submission{
			Fields: data.fields(nil),
			Meta:   body.meta("form_name", "name", "submission_id", "_id", "submitted_at", "d", "site_id", "site"),
		}, ok
	}
	data, ok := payload.object("data")
	return Submission{
		Fields: data.fields(nil),
		Meta:   payload.meta("form_name", "name", "form_id", "formId", "submission_id", "id", "submitted_at", "submittedAt", "site_id", "siteId"),
	}, ok
}

// formbricks reads a response's data, which is by the ids of the questions.
func formbricks(body object) (Submission, bool) {
	response, ok := body.object("data")
	if !ok {
		return Submission{}, false
	}
	data, ok := response.object("data")
	s := Submission{Fields: data.fields(nil), Meta: response.meta("submission_id", "id", "form_id", "surveyId", "finished", "finished")}
	if event := body.text("event"); event != "" {
		s.Meta["event"] = event
	}
	return s, ok
}

// netlify reads the fields in their order, and what of the data is not among
// them, without what Netlify itself adds.
func netlify(body object) (Submission, bool) {
	s := Submission{Meta: body.meta("form_name", "form_name", "submission_id", "id", "submitted_at", "created_at", "site", "site_url")}
	data, ok := body.object("data")
	if ok {
		maps.Copy(s.Meta, data.meta("page", "referrer"))
	}
	own := []string{"ip", "user_agent", "referrer"}
	if fields, found := body.list("ordered_human_fields"); found && len(fields) > 0 {
		for _, f := range fields {
			name := f.text("name")
			if name == "" {
				name = f.text("title")
			}
			s.Fields = append(s.Fields, Field{name, f.value("value")})
			own = append(own, f.text("name"))
		}
		ok = true
	}
	s.Fields = append(s.Fields, data.fields(oneOf(own...))...)
	return s, ok
}
