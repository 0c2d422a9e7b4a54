package recipe

import (
	"net/http"

	"hookgate/internal/yamlnode"
)

// Sample is an action as a rule renders it, or a try of the connection; the
// request that must come of it and what the vendor's answers to it must mean.
// It is what a recipe is tested by.
type Sample struct {
	Action   string
	Test     bool          // the recipe's test, in place of an action
	Settings yamlnode.Node // BASE in it stands for the receiver's address
	Output   yamlnode.Node // the rendered action
	Requests []Golden
	Answers  []Expected

	node yamlnode.Node
}

// request is where the sample's i-th request stands.
func (s *Sample) request(i int) yamlnode.Node {
	if list := s.node.Get("requests").Items(); i < len(list) {
		return list[i]
	}
	return s.node.Get("request")
}

// Golden is a request as it must be.
type Golden struct {
	Method  string            `yaml:"method"`       // "": POST, of a test GET
	URL     string            `yaml:"url,required"` // path and query, or all of it
	Headers map[string]string `yaml:"headers"`
	JSON    yamlnode.Node     `yaml:"json"`
	Form    map[string]string `yaml:"form"`
	Body    string            `yaml:"body"`
	// Answer is what it is answered with where more requests follow.
	Status int           `yaml:"status"`
	Answer yamlnode.Node `yaml:"answer"`
}

// Noun is what messages call it.
func (Golden) Noun() string { return "a request" }

// Expected is an answer of the vendor to the last request, and what it means.
type Expected struct {
	Status  int               `yaml:"status,required"`
	Headers map[string]string `yaml:"headers"`
	Body    yamlnode.Node     `yaml:"body"`
	Is      yamlnode.Text     `yaml:"is,required"` // delivered, permanent or transient
	Message string            `yaml:"message"`     // that the error must hold
	After   string            `yaml:"after"`       // how long it must ask to wait
	Outputs map[string]string `yaml:"outputs"`
	Says    string            `yaml:"says"` // of a test
}

// Noun is what messages call it.
func (Expected) Noun() string { return "an answer" }

type sampleYAML struct {
	Settings yamlnode.Node `yaml:"settings"`
	Action   yamlnode.Node `yaml:"action"`
	Test     bool          `yaml:"test"`
	Request  *Golden       `yaml:"request"`
	Requests []Golden      `yaml:"requests"`
	Answers  []Expected    `yaml:"answers"`
}

// Noun is what messages call it.
func (sampleYAML) Noun() string { return "a sample" }

func (b *builder) samples(n yamlnode.Node) {
	if n.IsZero() {
		return
	}
	if n.Kind() != yamlnode.List {
		b.add(n.Diag("wrong-type", "", `"samples" must be a list`))
		return
	}
	var settings yamlnode.Node // of the sample before, where one has none
	for _, item := range n.Items() {
		var y sampleYAML
		b.add(item.Decode("a sample", &y)...)
		if !y.Settings.IsZero() {
			settings = y.Settings
		}
		s := Sample{node: item, Settings: settings, Test: y.Test, Output: y.Action, Requests: y.Requests, Answers: y.Answers}
		if y.Request != nil {
			s.Requests = append(s.Requests, *y.Request)
		}
		for _, a := range y.Answers {
			switch Class(a.Is.Value) {
			case Delivered, Permanent, Transient:
			case Expired, Unclear:
				fallthrough
			default:
				b.add(a.Is.Diag("bad-value", "it can be delivered, permanent, transient", `"is" cannot be %q`, a.Is.Value))
			}
		}
		if b.sampleSubject(item, &s); !s.Test {
			b.sampleAction(&s)
		}
		b.recipe.Samples = append(b.recipe.Samples, s)
	}
}

// sampleSubject checks that a sample is either of an action or of the test.
func (b *builder) sampleSubject(n yamlnode.Node, s *Sample) {
	switch {
	case s.Test && !s.Output.IsZero():
		b.add(n.Get("test").Diag("conflict", "keep one of them", `a sample has either "action" or "test"`))
	case s.Test && b.recipe.Test == nil:
		b.add(n.Get("test").Diag("conflict", "", "this recipe has no test"))
	case !s.Test && s.Output.IsZero():
		b.add(n.Diag("missing-key", "or test: true", `a sample needs "action"`))
	}
	for i := range s.Requests {
		if s.Test && s.Requests[i].Method == "" {
			s.Requests[i].Method = http.MethodGet
		}
	}
}

// sampleAction checks a sample's action as one of a rule would be.
func (b *builder) sampleAction(s *Sample) {
	if s.Output.IsZero() || b.list.Err() != nil { // of a faulty action nothing can be said
		return
	}
	if s.Output.Kind() != yamlnode.Map {
		b.add(s.Output.Diag("wrong-type", "", `"action" must be a mapping, as in a rule`))
		return
	}
	b.add(b.recipe.check(s.Output, s.Output.Fields())...)
	if a, _, err := b.recipe.chosen(asMap(s.Output.Any())); err == nil {
		s.Action = a.Name
	}
}
