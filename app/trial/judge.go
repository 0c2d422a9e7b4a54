package trial

import (
	"fmt"
	"slices"
	"strings"

	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/jsondoc"
	"hookgate/rules"
	"hookgate/rules/lang"
)

// judge compares what the rules say with what the test wants.
type judge struct {
	test   *Test
	out    *Result
	trial  *Trial
	traces []rules.Trace // of the rules, and then of the form's own reply
	sent   []string
}

func (j *judge) add(kind FindingKind, name string, at diag.Position, format string, args ...any) {
	j.out.Findings = append(j.out.Findings, Finding{Kind: kind, Name: name, Text: fmt.Sprintf(format, args...), At: at})
}

// errors finds what could not be evaluated or made, which no test wants.
func (j *judge) errors() {
	for _, t := range j.traces {
		if t.Result == rules.Failed {
			j.add(RuleError, t.Rule, t.At, "could not be evaluated: %s", t.Error)
		}
		for _, a := range t.Actions {
			switch {
			case a.Sent && a.Err != "":
				j.add(RuleError, a.Name, a.At, "cannot be sent: %s", a.Err)
			case a.Sent && t.Result == rules.Matched:
				j.sent = append(j.sent, a.Name)
				if t.Rule != event.AutoreplyRule || slices.Contains(j.test.expect, a.Name) {
					j.out.Got = append(j.out.Got, a.Name)
				}
			}
		}
	}
}

// deliveries compares what is sent with expect.
func (j *judge) deliveries() {
	if !j.test.expects {
		return
	}
	for _, name := range j.test.expect {
		if !slices.Contains(j.out.Got, name) {
			j.missing(name)
		}
	}
	for _, name := range j.out.Got {
		if !slices.Contains(j.test.expect, name) {
			j.unexpected(name)
		}
	}
}

// rules looks for a rule that matches where none may.
func (j *judge) rules() {
	if !j.test.unmatched {
		return
	}
	for i := range j.traces {
		if t := &j.traces[i]; t.Result == rules.Matched && t.Rule != event.AutoreplyRule {
			j.add(Unexpected, t.Rule, diag.Position{}, "matched%s", because(t.Parts))
		}
	}
}

// missing says why an action is not sent.
func (j *judge) missing(name string) {
	for i := range j.traces {
		t := &j.traces[i]
		for _, a := range t.Actions {
			if a.Name == name && t.Result == rules.Matched {
				switch text, at := whyNot(a.Parts); {
				case a.Sent:
				case a.Err != "":
					j.add(Missing, name, a.At, "%s", a.Err)
				default:
					j.add(Missing, name, at, "%s", text)
				}
				return // what cannot be sent is told as such
			}
		}
		rule, _, _ := strings.Cut(name, "/")
		if t.Rule != rule {
			continue
		}
		switch t.Result {
		case rules.NotMatched:
			text, at := whyNot(t.Parts)
			j.add(Missing, rule, at, "%s", text)
		case rules.Skipped:
			j.add(Missing, rule, diag.Position{}, "it %s, and this is %s of %s", t.Reason, j.trial.Type, j.trial.Source)
		}
	}
}

// unexpected says why an action is sent.
func (j *judge) unexpected(name string) {
	for i := range j.traces {
		for _, a := range j.traces[i].Actions {
			if a.Name == name {
				j.add(Unexpected, name, diag.Position{}, "the rule matched%s", because(append(slices.Clone(j.traces[i].Parts), a.Parts...)))
			}
		}
	}
}

// asserts evaluates what must be true of the outputs.
func (j *judge) asserts(sc *lang.Scope) {
	sc.Output = j.outputs()
	for _, a := range j.test.asserts {
		why := a.Explain(sc)
		source := strings.Join(strings.Fields(a.Source()), " ")
		switch why.Verdict {
		case lang.Failed:
			message, action := notSent(why.Error)
			if slices.Contains(j.test.expect, action) {
				continue // told as missing
			}
			j.add(Assertion, source, why.At, "could not be evaluated: %s", message)
		case lang.False:
			text, at := whyNot(why.Parts)
			j.add(Assertion, source, at, "%s", strings.TrimPrefix(text, source+" "))
		case lang.True, lang.NotEvaluated:
		}
	}
}

// notSent words what an assertion about an output that is not there meets, and
// names the action; "" where the assertion failed for another reason.
func notSent(message string) (text, action string) {
	if rest, ok := strings.CutPrefix(message, `output["`); ok {
		if name, _, found := strings.Cut(rest, `"] is null`); found {
			return name + " is not sent", name
		}
	}
	return message, ""
}

// outputs are what the actions render to, as plain data.
func (j *judge) outputs() map[string]any {
	outputs := map[string]any{}
	for _, t := range j.traces {
		for _, a := range t.Actions {
			if !slices.Contains(j.sent, a.Name) {
				continue
			}
			if doc, err := jsondoc.Parse(a.Output); err == nil {
				outputs[a.Name] = doc.Value()
				doc.Release()
			}
		}
	}
	return outputs
}
