package recipe

import (
	"net/http"
	"slices"
	"strings"

	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// Test is a request that changes nothing, by which a connection is tried. It
// is judged as the answers to actions are.
type Test struct {
	What string // what it does, as in "asks MyTool for the account"

	action *Action        // of one step, without inputs
	says   *lang.Template // what the answer tells; nil: nothing
}

type testYAML struct {
	What    yamlnode.Text `yaml:"what,required"`
	Request *requestYAML  `yaml:"request"`
	Says    yamlnode.Node `yaml:"says"`
}

// Noun is what messages call it.
func (testYAML) Noun() string { return "a test" }

func (b *builder) test(n yamlnode.Node) {
	if n.IsZero() {
		return
	}
	var y testYAML
	b.add(n.Decode("a test", &y)...)
	if text := strings.TrimSpace(y.What.Value); !y.What.IsZero() && (text == "" || strings.HasSuffix(text, ".")) {
		b.add(y.What.Diag("bad-value", "such as: asks MyTool for the account", `"what" goes on where a sentence has begun, without a full stop`))
	}
	if n.Kind() == yamlnode.Map && n.Get("request").IsZero() {
		b.add(n.Diag("missing-key", "one that changes nothing", `a test needs "request"`))
	}
	if y.Request == nil {
		return
	}
	b.harmless(y.Request)
	request := *y.Request
	request.Name, request.When = yamlnode.Text{}, yamlnode.Text{}
	names := []lang.Name{settingsName(b.recipe), {Name: "token"}}
	s := b.step(names, &request, n.Get("request"))
	if request.Method.IsZero() {
		s.method = http.MethodGet
	}
	b.recipe.Test = &Test{
		What: strings.TrimSpace(y.What.Value), action: &Action{steps: []*step{s}},
		says: b.text(answerCompiler(names), y.Says, nil),
	}
}

// harmless refuses what a test's request cannot have.
func (b *builder) harmless(y *requestYAML) {
	if methods := []string{http.MethodGet, http.MethodPost}; !y.Method.IsZero() && !slices.Contains(methods, y.Method.Value) {
		b.add(y.Method.Diag("bad-value", "it can be "+joined(methods), "a test changes nothing: %q cannot be its method", y.Method.Value))
	}
	for _, text := range []yamlnode.Text{y.Name, y.When} {
		if !text.IsZero() {
			b.add(text.Diag("conflict", "leave it out", `a test has one request, which is always made: without "name" and "when"`))
		}
	}
}

// TestCall starts a try of the connection with these settings. The recipe must have
// a test.
func (r *Recipe) TestCall(v *Values) *Call {
	return &Call{recipe: r, action: r.Test.action, values: map[string]any{
		"settings": v.all, "token": map[string]any{},
		// The recipe's own judgement may speak of these, which a test has not.
		"input": map[string]any{}, "steps": map[string]any{}, "delivery": map[string]any{},
	}}
}

// Said is what the last answer to the recipe's test tells; "" where it does
// not.
func (c *Call) Said() string {
	text, err := renderText(c.recipe.Test.says, lang.NewValues(answerValues(c.values, c.last)), true)
	if err != nil { // what is said is a courtesy: the test stands without it
		return ""
	}
	return strings.TrimSpace(text)
}
