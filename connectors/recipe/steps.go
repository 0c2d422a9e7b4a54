package recipe

import (
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// step is one request of an action, and how its answer is judged.
type step struct {
	name    string // "" where the action has one request only
	when    *lang.Predicate
	method  string
	url     *lang.Template
	path    *lang.Template
	query   *tree
	headers *tree
	json    *tree
	form    *tree
	body    *lang.Template
	content *lang.Template // Content-Type of body
	judge   judge
}

type requestYAML struct {
	Name        yamlnode.Text `yaml:"name"`
	When        yamlnode.Text `yaml:"when"`
	Method      yamlnode.Text `yaml:"method"`
	URL         yamlnode.Node `yaml:"url"`
	Path        yamlnode.Node `yaml:"path"`
	Query       yamlnode.Node `yaml:"query"`
	Headers     yamlnode.Node `yaml:"headers"`
	JSON        yamlnode.Node `yaml:"json"`
	Form        yamlnode.Node `yaml:"form"`
	Body        yamlnode.Node `yaml:"body"`
	ContentType yamlnode.Node `yaml:"content_type"`
	Success     yamlnode.Text `yaml:"success"`
	Errors      []faultYAML   `yaml:"errors"`
}

// Noun is what messages call it.
func (requestYAML) Noun() string { return "a request" }

func (a *Action) stepNames() []string {
	names := []string{}
	for _, s := range a.steps {
		if s.name != "" {
			names = append(names, s.name)
		}
	}
	return names
}

func (b *builder) steps(a *Action, list []requestYAML, nodes []yamlnode.Node) {
	for i := range list {
		y := &list[i]
		if len(list) > 1 && y.Name.IsZero() {
			b.add(nodes[i].Diag("missing-key", "the other steps speak of it as steps.NAME", "a step needs \"name\""))
		}
		b.name(y.Name)
		if slices.Contains(a.stepNames(), y.Name.Value) && !y.Name.IsZero() {
			b.add(y.Name.Diag("duplicate-name", "", "there is a step %q already", y.Name.Value))
		}
		a.steps = append(a.steps, b.step(b.actionNames(a), y, nodes[i]))
	}
}

// step compiles a request, which can speak of names.
func (b *builder) step(names []lang.Name, y *requestYAML, n yamlnode.Node) *step {
	c := lang.NewCompilerFor(names...)
	s := &step{
		name: y.Name.Value, when: b.predicate(c, y.When), method: http.MethodPost,
		query: b.tree(c, y.Query), headers: b.tree(c, y.Headers), json: b.tree(c, y.JSON), form: b.tree(c, y.Form),
		url: b.text(c, y.URL, nil), path: b.text(c, y.Path, pathPart), body: b.text(c, y.Body, nil), content: b.text(c, y.ContentType, nil),
	}
	if !y.Method.IsZero() {
		s.method = y.Method.Value
		if methods := []string{"POST", "PUT", "PATCH", "DELETE", "GET"}; !slices.Contains(methods, s.method) {
			b.add(y.Method.Diag("bad-value", "it can be "+joined(methods), "%q is no method that can be used here", s.method))
		}
	}
	b.address(y, n)
	if y.URL.IsZero() {
		s.url = b.ownURL(c)
	}
	bodies := 0
	for _, body := range []yamlnode.Node{y.JSON, y.Form, y.Body} {
		if !body.IsZero() {
			bodies++
		}
	}
	if bodies > 1 {
		b.add(n.Diag("conflict", "keep one of json, form and body", "a request has one body"))
	}
	for _, f := range y.Headers.Fields() {
		if !httpguts.ValidHeaderFieldName(f.Key.Value) {
			b.add(f.Key.Diag("bad-header", "", "%q is not a valid header name", f.Key.Value))
		}
	}
	s.judge = b.judge(answerCompiler(names), y.Success, y.Errors, yamlnode.Node{}, yamlnode.Text{})
	return s
}

// address checks that a request says where it goes.
func (b *builder) address(y *requestYAML, n yamlnode.Node) {
	hasOwn := slices.ContainsFunc(b.recipe.Settings, func(s *Setting) bool { return s.Name == "api_url" })
	if y.URL.IsZero() && !hasOwn {
		b.add(n.Diag("missing-key", "or a setting api_url, which is where requests go otherwise", `a request needs "url"`))
	}
	if path := y.Path.Text().Value; !y.Path.IsZero() && !strings.HasPrefix(path, "/") {
		b.add(y.Path.Diag("bad-value", "", `"path" starts with /`))
	}
	literal := templateless(y.Path.Text().Value)
	if at := strings.IndexAny(literal, "?#"); at >= 0 {
		b.add(y.Path.Diag("bad-value", `write what follows "?" under query`, `"path" holds a %q`, literal[at:at+1]))
	}
}

// ownURL is where requests go that do not say it.
func (b *builder) ownURL(c *lang.Compiler) *lang.Template {
	n, _ := yamlnode.Parse("", []byte("url: ${{ settings.api_url }}"))
	t, _ := c.Template(n.Get("url"), lang.Input{Kind: lang.TextInput}) // that the setting is missing is said by address
	return t
}

// templateless is a text without its ${{ }}.
func templateless(text string) string {
	for {
		from := strings.Index(text, "${{")
		if from < 0 {
			return text
		}
		to := strings.Index(text[from:], "}}")
		if to < 0 {
			return text[:from]
		}
		text = text[:from] + text[from+to+2:]
	}
}
