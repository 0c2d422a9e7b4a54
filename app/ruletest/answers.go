package ruletest

import (
	"net/http"
	"slices"
	"strconv"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// answerSettings is what one step is answered in a test, as it stands in the file.
type answerSettings struct {
	Outputs yamlnode.Node            `yaml:"outputs"`
	Failed  yamlnode.Text            `yaml:"failed"`
	Status  int                      `yaml:"status"`
	Headers map[string]yamlnode.Text `yaml:"headers"`
	Body    yamlnode.Node            `yaml:"body"`
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
		t.answers[f.Key.Value] = b.answer(f.Value)
	}
}

// answer reads what one step is answered: how it ends, or what its receiver answers
// each attempt.
func (b *builder) answer(n yamlnode.Node) (a lang.Answer) {
	a.Outputs = map[string]any{}
	list := []yamlnode.Node{n}
	if n.Kind() == yamlnode.List {
		list = n.Items()
	}
	for _, one := range list {
		var in answerSettings
		b.add(one.Decode("a step's answer", &in)...)
		ended := !in.Failed.IsZero() || !in.Outputs.IsZero()
		answered := n.Kind() == yamlnode.List || !one.Get("status").IsZero() || !in.Body.IsZero() || in.Headers != nil
		switch {
		case !in.Failed.IsZero() && !in.Outputs.IsZero():
			b.add(in.Failed.Diag("conflict", "keep one of them", "a step that failed has no outputs"))
		case ended && answered:
			b.add(one.Diag("conflict", "write { status: 201, body: { id: 7 } }, or say how it ends: { outputs: { id: 7 } }, { failed: the reason }",
				"what a receiver answers does not go together with outputs and failed"))
		case answered:
			a.HTTP = append(a.HTTP, b.httpAnswer(one, &in))
		default:
			a.Failed, a.Error = !in.Failed.IsZero(), in.Failed.Value
			b.outputs(in.Outputs, a.Outputs)
		}
	}
	if len(a.HTTP) > 0 {
		last := a.HTTP[len(a.HTTP)-1].Status
		if a.Failed = last/100 != 2; a.Failed {
			a.Error = "status " + strconv.Itoa(last)
		}
	}
	return a
}

func (b *builder) httpAnswer(n yamlnode.Node, in *answerSettings) lang.HTTPAnswer {
	if in.Status == 0 && n.Get("status").IsZero() {
		in.Status = http.StatusOK
	}
	if text := http.StatusText(in.Status); text == "" && (in.Status < 200 || in.Status > 599) {
		b.add(n.Get("status").Diag("bad-value", "such as 201 or 503", "%d is no status of HTTP", in.Status))
	}
	a := lang.HTTPAnswer{Status: in.Status, Headers: map[string]string{}}
	for name, value := range in.Headers {
		a.Headers[name] = value.Value
	}
	switch in.Body.Kind() {
	case yamlnode.Map, yamlnode.List:
		a.Body = b.json(in.Body)
	case yamlnode.Scalar:
		a.Body = []byte(in.Body.Text().Value)
	case yamlnode.Null:
	}
	return a
}

// outputs reads the outputs of a step that is delivered.
func (b *builder) outputs(n yamlnode.Node, into map[string]any) {
	if kind := n.Kind(); kind != yamlnode.Map && kind != yamlnode.Null {
		b.add(n.Diag("wrong-type", "such as { id: 7 }", `"outputs" must be a mapping of names`))
	}
	for _, one := range n.Fields() {
		if kind := one.Value.Kind(); kind == yamlnode.Map || kind == yamlnode.List {
			b.add(one.Value.Diag("wrong-type", "an output that is read from a list or an object is its JSON text", "the output %q must be a text, a number, or true or false", one.Key.Value))
			continue
		}
		into[one.Key.Value] = one.Value.Any()
	}
}
