package ruletest

import (
	"slices"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// answerSettings is what one step is answered in a test, as it stands in the file.
type answerSettings struct {
	Outputs yamlnode.Node `yaml:"outputs"`
	Failed  yamlnode.Text `yaml:"failed"`
}

// Noun names it in messages.
func (*answerSettings) Noun() string { return "a step's answer" }

// answers reads what steps are answered in a test. Where nothing is said of a step it
// is delivered.
func (b *builder) answers(t *Test, n yamlnode.Node) {
	t.answers = map[string]lang.Answer{lang.AnyStep: {}}
	if n.Kind() == yamlnode.Null {
		return
	}
	if n.Kind() != yamlnode.Map {
		b.add(n.Diag("wrong-type", "such as { new-client/contact: { outputs: { id: 7 } } }", `"answers" must be a mapping of steps`))
		return
	}
	for _, f := range n.Fields() {
		if known := slices.Concat(b.steps, b.actions); !slices.Contains(known, f.Key.Value) {
			b.add(f.Key.Diag("unknown-step", diag.DidYouMean(f.Key.Value, known), "no rule has the step or the action %q", f.Key.Value))
		}
		var in answerSettings
		b.add(f.Value.Decode("a step's answer", &in)...)
		if !in.Failed.IsZero() && !in.Outputs.IsZero() {
			b.add(in.Failed.Diag("conflict", "keep one of them", "a step that failed has no outputs"))
		}
		a := lang.Answer{Failed: !in.Failed.IsZero(), Error: in.Failed.Value, Outputs: map[string]any{}}
		if kind := in.Outputs.Kind(); kind != yamlnode.Map && kind != yamlnode.Null {
			b.add(in.Outputs.Diag("wrong-type", "such as { id: 7 }", `"outputs" must be a mapping of names`))
		}
		for _, one := range in.Outputs.Fields() {
			if kind := one.Value.Kind(); kind == yamlnode.Map || kind == yamlnode.List {
				b.add(one.Value.Diag("wrong-type", "an output that is read from a list or an object is its JSON text", "the output %q must be a text, a number, or true or false", one.Key.Value))
				continue
			}
			a.Outputs[one.Key.Value] = one.Value.Any()
		}
		t.answers[f.Key.Value] = a
	}
}
