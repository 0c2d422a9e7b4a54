package ruletest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/jsondoc"
	"hookgate/rules"
	"hookgate/rules/lang"
)

// comparison compares what the rules say with what the test wants.
type comparison struct {
	test   *Test
	out    *Result
	event  *event.Event
	traces []rules.Trace // of the rules, and then of the form's own reply
	then   []rules.Trace // of what was to be sent since the part before
	sent   []string
	waits  map[string]string // until when, of what is scheduled, by name
	set    *rules.Set
}

func (c *comparison) add(kind FindingKind, name string, at diag.Position, format string, args ...any) {
	c.out.Findings = append(c.out.Findings, Finding{Kind: kind, Name: name, Text: fmt.Sprintf(format, args...), At: at})
}

// all are the traces of all that the part is about.
func (c *comparison) all() []rules.Trace { return slices.Concat(c.traces, c.then) }

// errors finds what could not be evaluated or made, which no test wants.
func (c *comparison) errors() {
	for _, t := range c.all() {
		if t.Result == rules.Failed { // nothing of it is sent, whatever its elements came to
			c.add(RuleError, t.Rule, t.At, "could not be evaluated: %s", t.Error)
			continue
		}
		for a := range t.Sends() {
			name := event.WithoutElement(a.Name)
			switch {
			case a.Sent && a.Err != "":
				c.add(RuleError, a.Name, a.At, "%s: %s", cannot(a), a.Err)
			case a.Sent && t.Result == rules.Matched && a.Remember == nil:
				c.sent = append(c.sent, a.Name)
				if (t.Rule != event.AutoreplyRule || slices.Contains(c.test.expect, name)) && !slices.Contains(c.out.Got, name) {
					c.out.Got = append(c.out.Got, name)
				}
			}
		}
	}
}

// cannot says what cannot be done with an action.
func cannot(a *rules.ActionTrace) string {
	if a.To == rules.RememberName {
		return "cannot be written"
	}
	return "cannot be sent"
}

// deliveries compares what is sent with expect.
func (c *comparison) deliveries() {
	if !c.test.expects {
		return
	}
	for _, name := range c.test.expect {
		if !slices.Contains(c.out.Got, name) {
			c.missing(name)
		}
	}
	for _, name := range c.out.Got {
		if !slices.Contains(c.test.expect, name) {
			c.unexpected(name)
		}
	}
}

// rules looks for a rule that matches where none may.
func (c *comparison) rules() {
	if !c.test.unmatched {
		return
	}
	for i := range c.traces {
		if t := &c.traces[i]; t.Result == rules.Matched && t.Rule != event.AutoreplyRule {
			c.add(Unexpected, t.Rule, diag.Position{}, "matched%s", because(t.Parts))
		}
	}
}

// missing says why an action is not sent, and which of its rule's others to the same
// connection is, where one is that was not expected: the two are mixed up easily.
func (c *comparison) missing(name string) {
	before := len(c.out.Findings)
	c.whyMissing(name)
	base, _, _ := strings.Cut(name, "#")
	for _, other := range c.out.Got {
		if of, _, _ := strings.Cut(other, "#"); of == base && !slices.Contains(c.test.expect, other) && len(c.out.Findings) > before {
			c.out.Findings[before].Text += "; " + other + " is what is sent"
		}
	}
}

func (c *comparison) whyMissing(name string) {
	if until, waits := c.waits[name]; waits {
		c.add(Missing, name, diag.Position{}, "it waits until %s", until)
		return
	}
	if c.unsent(name) {
		return
	}
	rule, _, _ := strings.Cut(name, "/")
	i := slices.IndexFunc(c.traces, func(t rules.Trace) bool { return t.Rule == rule })
	if i < 0 {
		c.add(Missing, name, diag.Position{}, "nothing of it is due")
		return
	}
	switch t := &c.traces[i]; t.Result {
	case rules.NotMatched:
		text, at := noMatch(t)
		c.add(Missing, rule, at, "%s", text)
	case rules.Matched:
		text, at := notTaken(t, c.set.Branch(name))
		c.add(Missing, name, at, "%s", text)
	case rules.Skipped:
		c.add(Missing, rule, diag.Position{}, "it %s, and this is %s of %s", t.Reason, c.event.Type, c.event.Source)
	}
}

// unsent says why an action is not sent whose rule matches; false: its rule does not,
// or does not come to it.
func (c *comparison) unsent(name string) bool {
	for _, t := range slices.Backward(c.all()) { // what came of it last tells
		for a := range t.Sends() {
			if event.WithoutElement(a.Name) != name || t.Result != rules.Matched {
				continue
			}
			switch text, at := whyNot(a.Parts); {
			case a.Sent: // what cannot be sent is told as such
			case a.Err != "":
				c.add(Missing, name, a.At, "%s", a.Err)
			case a.Reason != "":
				c.add(Missing, name, a.At, "%s", a.Reason)
			default:
				c.add(Missing, name, at, "%s", text)
			}
			return true
		}
	}
	return false
}

// unexpected says why an action is sent.
func (c *comparison) unexpected(name string) {
	for _, of := range c.all() {
		for _, t := range each(&of) {
			for _, a := range t.Actions {
				if a.Sent && event.WithoutElement(a.Name) == name {
					c.add(Unexpected, name, diag.Position{}, "the rule matched%s", because(slices.Concat(t.Parts, branchParts(t, a.Branch), a.Parts)))
					return
				}
			}
		}
	}
}

// noMatch says why a rule does not match.
func noMatch(t *rules.Trace) (string, diag.Position) {
	for i := range t.Elements {
		if len(t.Elements[i].Parts) > 0 {
			text, at := noMatch(&t.Elements[i])
			return fmt.Sprintf("for none of %d elements; of the first, %s", len(t.Elements), text), at
		}
	}
	if t.Reason != "" {
		return t.Reason, t.At
	}
	return whyNot(t.Parts)
}

// notTaken says why an action is not sent that stands in a branch of a rule that
// matches.
func notTaken(t *rules.Trace, branch string) (string, diag.Position) {
	text, at := fmt.Sprintf("it is in the branch %q, which is not taken", branch), t.At
	for _, one := range each(t) {
		for _, b := range one.Branches {
			switch {
			case b.Result == rules.Matched:
				return fmt.Sprintf("it is in the branch %q, and %q is taken", branch, b.Name), b.At
			case b.Name == branch && b.Result == rules.NotMatched && len(b.Parts) > 0 && at == t.At:
				var why string
				why, at = whyNot(b.Parts)
				text = fmt.Sprintf("it is in the branch %q, which is not taken: %s", branch, why)
			}
		}
	}
	return text, at
}

// each are the traces of the elements, or the rule's own where it has no for_each.
func each(t *rules.Trace) []*rules.Trace {
	if len(t.Elements) == 0 {
		return []*rules.Trace{t}
	}
	list := make([]*rules.Trace, len(t.Elements))
	for i := range t.Elements {
		list[i] = &t.Elements[i]
	}
	return list
}

// branchParts are those of the condition of the branch of the name.
func branchParts(t *rules.Trace, name string) []lang.Part {
	for _, b := range t.Branches {
		if name != "" && b.Name == name {
			return b.Parts
		}
	}
	return nil
}

// asserts evaluates what must be true of the outputs.
func (c *comparison) asserts(sc *lang.Scope) {
	outputs, steps := c.outputs(), c.set.StepActions()
	for _, a := range c.test.asserts {
		sc.Output = withSteps(outputs, steps, a.Source())
		why := a.Explain(sc)
		source := strings.Join(strings.Fields(a.Source()), " ")
		switch why.Verdict {
		case lang.Failed:
			message, action := notSent(why.Error)
			if slices.Contains(c.test.expect, action) || slices.Contains(c.test.expect, steps[action]) {
				continue // told as missing
			}
			c.add(Assertion, source, why.At, "could not be evaluated: %s", message)
		case lang.False:
			text, at := whyNot(why.Parts)
			c.add(Assertion, source, at, "%s", strings.TrimPrefix(text, source+" "))
		case lang.True, lang.NotEvaluated:
		}
	}
}

// withSteps are the outputs, also by the names of the steps that an assertion speaks of:
// steps are the names of their actions.
func withSteps(outputs map[string]any, steps map[string]string, source string) map[string]any {
	all := outputs
	for step, action := range steps {
		value, sent := outputs[action]
		if _, taken := outputs[step]; !sent || taken || !strings.Contains(source, step) {
			continue
		}
		if len(all) == len(outputs) {
			all = maps.Clone(outputs)
		}
		all[step] = value
	}
	return all
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

// outputs are what the actions render to, as plain data: of a rule with for_each, and of
// several digests of one action, a list for each action.
func (c *comparison) outputs() map[string]any {
	outputs, times := map[string]any{}, map[string]int{}
	for _, t := range c.all() {
		for a := range t.Sends() {
			if !a.Sent || a.Err != "" || !slices.Contains(c.sent, a.Name) {
				continue
			}
			doc, err := jsondoc.Parse(a.Output)
			if err != nil {
				continue
			}
			name := event.WithoutElement(a.Name)
			list, _ := outputs[name].([]any)
			switch times[name]++; {
			case name == a.Name && times[name] == 1:
				outputs[name] = doc.Value()
			case name == a.Name && times[name] == 2:
				outputs[name] = []any{outputs[name], doc.Value()}
			default:
				outputs[name] = append(list, doc.Value())
			}
			doc.Release()
		}
	}
	return outputs
}

// whyNot tells which parts made a condition false, each with its value, and
// the place of the first:
//
//	data.website.status in ["Assign"] was false (it is "Done")
func whyNot(parts []lang.Part) (string, diag.Position) {
	var texts []string
	var at diag.Position
	for _, p := range deciding(parts, lang.False) {
		text := p.Text + " was false"
		if p.Note != "" {
			text += " (" + p.Note + ")"
		}
		if texts = append(texts, text); at.Line == 0 {
			at = p.At
		}
	}
	if len(texts) == 0 { // there was no time to tell
		return "its condition was false", at
	}
	return strings.Join(texts, ", "), at
}

// because tells which parts made a condition true.
func because(parts []lang.Part) string {
	var texts []string
	for _, p := range deciding(parts, lang.True) {
		text := p.Text + " was true"
		if p.Note != "" {
			text += " (" + p.Note + ")"
		}
		texts = append(texts, text)
	}
	if len(texts) == 0 {
		return ": it has no condition"
	}
	return " because " + strings.Join(texts, ", ")
}

// deciding are the tests with the verdict that are not below a group with the
// other one: of a condition that came to the verdict, those that made it so.
func deciding(parts []lang.Part, verdict lang.Verdict) []lang.Part {
	var list []lang.Part
	skip := -1 // the depth of a group of the other verdict; -1: none
	for i, p := range parts {
		if skip >= 0 && p.Depth > skip {
			continue
		}
		skip = -1
		group := i+1 < len(parts) && parts[i+1].Depth > p.Depth
		switch {
		case p.Verdict != verdict && group:
			skip = p.Depth
		case p.Verdict == verdict && !group:
			list = append(list, p)
		}
	}
	return list
}
