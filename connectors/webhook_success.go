package connectors

import (
	"encoding/json"
	"errors"
	"strings"

	"hookgate/app/diag"
	"hookgate/app/yamlpos"
	"hookgate/rules/lang"
)

// readSuccess reads what counts as delivered: statuses, or one expression over
// status and body.
func (s *webhookSettings) readSuccess(texts []yamlpos.Text) diag.List {
	if len(texts) == 1 && looksLikeExpression(texts[0].Value) {
		condition, list := lang.NewCompilerFor(lang.Name{Name: "status"}, lang.Name{Name: "body"}).Predicate(texts[0])
		s.condition = condition
		return list
	}
	var list diag.List
	if len(texts) > 0 {
		s.success = nil
	}
	for _, text := range texts {
		r, err := parseStatus(text.Value)
		if err != nil {
			list = append(list, text.Diag("bad-value", "", `"success": %s`, err))
			continue
		}
		s.success = append(s.success, r)
	}
	return list
}

// looksLikeExpression tells body.ok == true from 2xx.
func looksLikeExpression(text string) bool {
	return strings.Contains(text, "status") || strings.Contains(text, "body")
}

// succeeded judges an answer. Its error is for an answer that is none of the
// failures that its status tells.
func (w *webhook) succeeded(got *answer) (bool, error) {
	if w.settings.condition == nil {
		return w.settings.success.has(got.status), nil
	}
	var body any = string(got.body)
	if doc, err := lang.ParseDoc(got.body); err == nil {
		body = doc.Value()
		doc.Release()
	}
	ok, err := w.settings.condition.Eval(lang.NewValues(map[string]any{"status": got.status, "body": body}))
	if ok || got.status/100 != 2 {
		return ok, nil
	}
	text := "the answer does not meet success: " + got.describe()
	if err != nil {
		text = "success could not be judged: " + err.Error() + ": " + got.describe()
	}
	return false, Permanent(errors.New(text))
}

// typeAndSource are those of a CloudEvent, as the action has them.
func typeAndSource(output []byte) (typ, source string) {
	var out struct{ Type, Source string }
	if json.Unmarshal(output, &out) != nil {
		return "", ""
	}
	return out.Type, out.Source
}
