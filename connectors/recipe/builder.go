package recipe

import (
	"strings"

	"hookgate/connectors"
	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// builder compiles one recipe.
type builder struct {
	recipe *Recipe
	list   diag.List
}

func (b *builder) add(list ...diag.Diagnostic) { b.list = append(b.list, list...) }

func (b *builder) header(y *recipeYAML) {
	var version int
	if n := y.Recipe; !n.IsZero() && (n.Kind() != yamlnode.Scalar || len(n.Decode("a recipe", &version)) > 0 || version != Version) {
		b.add(n.Diag("bad-version", "write recipe: 1", "this hookgate reads version %d of the format only", Version))
	}
	b.name(y.Name)
	b.sentence(y.Doc)
}

// name checks the name of something that a configuration will speak of.
func (b *builder) name(name yamlnode.Text) { b.add(connectors.CheckName(name)...) }

// sentence checks a text for people.
func (b *builder) sentence(doc yamlnode.Text) {
	if text := strings.TrimSpace(doc.Value); !doc.IsZero() && !strings.HasSuffix(text, ".") {
		b.add(doc.Diag("bad-value", "", "this must be a sentence that ends in a full stop"))
	}
}

// names in scope.
func settingsName(r *Recipe) lang.Name {
	n := lang.Name{Name: "settings", Keys: []string{}}
	for _, s := range r.Settings {
		n.Keys = append(n.Keys, s.Name)
	}
	return n
}

func inputName(a *Action) lang.Name {
	n := lang.Name{Name: "input", Keys: []string{}}
	for _, in := range a.Inputs {
		n.Keys = append(n.Keys, in.Name)
	}
	return n
}

// requestNames is what a request can speak of. steps are the earlier ones.
func requestNames(r *Recipe, input lang.Name, steps []string) []lang.Name {
	return []lang.Name{
		settingsName(r), input,
		{Name: "delivery", Keys: []string{"id", "event", "created"}},
		{Name: "token"},
		{Name: "steps", Keys: steps},
	}
}

// actionNames is what the requests of an action, as far as it is compiled, can
// speak of.
func (b *builder) actionNames(a *Action) []lang.Name {
	names := requestNames(b.recipe, inputName(a), a.stepNames())
	if a.key != nil {
		names = append(names, lang.Name{Name: "memory", Keys: b.recipe.memory})
	}
	return names
}

// predicate compiles a condition; nil where there is none, or a faulty one.
func (b *builder) predicate(c *lang.Compiler, text yamlnode.Text) *lang.Predicate {
	return compiled(b, c.Predicate, text)
}

// expression is the same for any value.
func (b *builder) expression(c *lang.Compiler, text yamlnode.Text) *lang.Expression {
	return compiled(b, c.Expression, text)
}

func compiled[T any](b *builder, compile func(yamlnode.Text) (*T, diag.List), text yamlnode.Text) *T {
	if text.IsZero() {
		return nil
	}
	t, list := compile(text)
	b.add(list...)
	return t
}

// text compiles a template that gives text; nil where there is none, or a
// faulty one.
func (b *builder) text(c *lang.Compiler, n yamlnode.Node, escape func(string) string) *lang.Template {
	if n.IsZero() {
		return nil
	}
	t, list := c.Template(n, lang.Input{Kind: lang.TextInput, Escape: escape})
	b.add(list...)
	return t
}
