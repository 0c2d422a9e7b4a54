package webhook

import (
	"errors"
	"regexp"
	"strings"
	"unicode"

	"hookgate/connectors"
	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// outputsYAML are the names of what is read from answers, as recipes have them.
type outputsYAML struct{ read connectors.Outputs }

// DecodeNode implements yamlnode.Decoder.
func (o *outputsYAML) DecodeNode(n yamlnode.Node) diag.List {
	var list diag.List
	o.read, list = connectors.ReadOutputs(lang.NewCompilerFor(connectors.AnswerNames()...), n)
	return list
}

// Describe implements yamlnode.Described.
func (outputsYAML) Describe() yamlnode.Spec {
	return yamlnode.Spec{Type: yamlnode.MappingType, Item: &yamlnode.Spec{Type: yamlnode.Expression}, Names: connectors.NamePattern}
}

// readSuccess reads what counts as delivered: statuses, or one expression over
// the answer.
func (s *settings) readSuccess(texts []yamlnode.Text) diag.List {
	if len(texts) == 1 && looksLikeExpression(texts[0].Value) {
		condition, list := lang.NewCompilerFor(connectors.AnswerNames()...).Predicate(texts[0])
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
			hint := ""
			switch {
			case looksLikeExpression(text.Value):
				hint = "an expression stands alone, without other values beside it"
			case strings.ContainsFunc(text.Value, unicode.IsLetter) && !strings.Contains(text.Value, "xx"):
				hint = "or an expression over the answer: body.ok == true"
			}
			list = append(list, text.Diag("bad-value", hint, `"success": %s`, err))
			continue
		}
		s.success = append(s.success, r)
	}
	return list
}

// answerWord finds what an expression over an answer speaks of.
var answerWord = regexp.MustCompile(`\b(status|headers|body|text)\b|==|!=|[<>]`)

// looksLikeExpression tells body.ok == true from 2xx.
func looksLikeExpression(text string) bool { return answerWord.MatchString(text) }

// limit is how much of an answer is read: where its body decides, or something
// is read from it, more than what is kept.
func (w *connector) limit(outputs connectors.Outputs) int {
	if w.settings.condition == nil && outputs == nil {
		return connectors.MaxAnswer
	}
	return connectors.MaxReadAnswer
}

// judge judges an answer, and reads the outputs from one that is a success. The
// error is for an answer that is none of the failures that its status tells.
// cut says that the body broke off.
func (w *connector) judge(got *connectors.Answer, read connectors.Outputs, cut bool, secrets *connectors.Redactor) (ok bool, outputs map[string]event.Output, err error) {
	if w.settings.condition == nil && read == nil {
		return w.settings.success.has(got.Status), nil, nil
	}
	scope := lang.NewValues(connectors.Answer{Status: got.Status, Header: got.Header, Body: got.Body}.Values())
	if w.settings.condition == nil {
		ok = w.settings.success.has(got.Status)
	} else if ok, err = w.settings.condition.Eval(scope); !ok {
		return false, nil, w.unmet(got, cut, err, secrets)
	}
	if ok {
		outputs = secrets.Outputs(read.Read(scope))
	}
	return ok, outputs, nil
}

// unmet is the error for an answer that the expression does not take for a
// success; nil where the status says why. An answer that broke off can be one
// that would have met it.
func (w *connector) unmet(got *connectors.Answer, cut bool, err error, secrets *connectors.Redactor) error {
	if got.Status/100 != 2 || cut {
		return nil
	}
	text := "the answer does not meet success: " + got.Describe()
	if err != nil {
		text = "success could not be judged: " + secrets.Text(err.Error()) + ": " + got.Describe()
	}
	return connectors.Permanent(errors.New(text))
}
