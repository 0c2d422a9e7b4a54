package recipe

import (
	"slices"

	"hookgate/connectors"
	"hookgate/internal/yamlnode"
)

type actionYAML struct {
	Doc       yamlnode.Text `yaml:"doc,required"`
	Shorthand yamlnode.Text `yaml:"shorthand"`
	Direct    bool          `yaml:"direct"`
	Inputs    yamlnode.Node `yaml:"inputs"`
	Request   *requestYAML  `yaml:"request"`
	Steps     []requestYAML `yaml:"steps"`
	Outputs   yamlnode.Node `yaml:"outputs"`
	Key       yamlnode.Text `yaml:"key"`
	Remember  yamlnode.Node `yaml:"remember"`
}

// Noun is what messages call it.
func (actionYAML) Noun() string { return "an action" }

type inputYAML struct {
	Doc      yamlnode.Text   `yaml:"doc,required"`
	Type     yamlnode.Text   `yaml:"type"`
	Required bool            `yaml:"required"`
	Default  yamlnode.Node   `yaml:"default"`
	Example  yamlnode.Node   `yaml:"example"`
	Options  []yamlnode.Text `yaml:"options"`
	Max      int             `yaml:"max"`
	Unit     yamlnode.Text   `yaml:"unit"`
	Cut      bool            `yaml:"cut"`
	Split    int             `yaml:"split"`
	Escape   yamlnode.Text   `yaml:"escape"`
}

// Noun is what messages call it.
func (inputYAML) Noun() string { return "an input" }

// inputTypes are the types that an input can have.
func inputTypes() map[string]yamlnode.Type {
	return map[string]yamlnode.Type{
		"text": yamlnode.TextType, "number": yamlnode.NumberType, "bool": yamlnode.BoolType, "enum": yamlnode.EnumType,
		"list": yamlnode.ListType, "map": yamlnode.MappingType, "any": yamlnode.AnyType,
	}
}

func (b *builder) actions(n yamlnode.Node) {
	if n.IsZero() {
		return
	}
	if n.Kind() != yamlnode.Map || len(n.Fields()) == 0 {
		b.add(n.Diag("wrong-type", "", `"actions" must be a mapping of names to actions`))
		return
	}
	b.memory(n)
	for _, f := range n.Fields() {
		b.name(f.Key)
		b.action(f)
	}
	b.ambiguous(n)
}

func (b *builder) action(f yamlnode.Field) {
	var y actionYAML
	b.add(f.Value.Decode("an action", &y)...)
	b.sentence(y.Doc)
	a := &Action{Name: f.Key.Value, Doc: y.Doc.Value, Shorthand: y.Shorthand.Value, Direct: y.Direct}
	b.recipe.Actions = append(b.recipe.Actions, a)
	if !y.Inputs.IsZero() {
		b.inputs(a, y.Inputs)
	}
	if in := a.input(a.Shorthand); a.Shorthand != "" && (in == nil || in.Type == yamlnode.MappingType || in.Type == yamlnode.AnyType) {
		b.add(y.Shorthand.Diag("bad-value", "", "%q is no input of this action that is a text, a number, true or false, or a list", a.Shorthand))
	}
	b.keyed(a, &y)
	switch {
	case y.Request != nil && y.Steps != nil:
		b.add(f.Value.Get("steps").Diag("conflict", "keep one of them", `an action has either "request" or "steps"`))
	case y.Request != nil:
		b.steps(a, []requestYAML{*y.Request}, []yamlnode.Node{f.Value.Get("request")})
	case len(y.Steps) > 0:
		b.steps(a, y.Steps, f.Value.Get("steps").Items())
	default:
		b.add(f.Key.Diag("missing-key", "", `the action %q needs "request" or "steps"`, a.Name))
	}
	b.outputs(a, y.Outputs)
	b.remember(a, y.Remember)
}

func (b *builder) inputs(a *Action, n yamlnode.Node) {
	if n.Kind() != yamlnode.Map {
		b.add(n.Diag("wrong-type", "", `"inputs" must be a mapping of names to inputs`))
		return
	}
	for _, f := range n.Fields() {
		b.name(f.Key)
		if reserved := []string{"to", "when", "ordering_key"}; slices.Contains(reserved, f.Key.Value) {
			b.add(f.Key.Diag("bad-name", "choose another name", "every action has a key %q already", f.Key.Value))
		}
		var y inputYAML
		b.add(f.Value.Decode("an input", &y)...)
		a.Inputs = append(a.Inputs, b.input(f.Key.Value, &y))
	}
}

func (b *builder) input(name string, y *inputYAML) *Input {
	b.sentence(y.Doc)
	kind := "text"
	if !y.Type.IsZero() {
		kind = y.Type.Value
	}
	in := &Input{Escape: y.Escape.Value, Spec: yamlnode.Spec{
		Name: name, Doc: y.Doc.Value, Required: y.Required, Default: y.Default.Text().Written(),
	}}
	in.Type = b.typeOf(y.Type, kind, inputTypes())
	b.length(in, y)
	in.Values = b.options(y.Options, kind)
	if kind == "enum" && len(in.Values) == 0 {
		b.add(y.Doc.Diag("missing-key", "", `an input of type enum needs "options"`))
	}
	in.Example = written(y.Example)
	if in.Example == "" && in.Required {
		b.add(y.Doc.Diag("missing-key", "it is shown to people", `a required input needs an "example"`))
	}
	if _, known := escapes()[in.Escape]; !known {
		b.add(y.Escape.Diag("bad-value", "it can be html, markdown, slack, google_chat, telegram or inert", "there is no mark-up %q", in.Escape))
	}
	if !y.Default.IsZero() {
		if y.Required {
			b.add(y.Default.Diag("conflict", "leave one of them out", "an input with a default is not required"))
		}
		value, err := in.take(y.Default.Any(), "")
		if err != nil {
			b.add(y.Default.Diag("bad-value", "", "%s", err))
		}
		in.value = value
	}
	return in
}

func (b *builder) outputs(a *Action, n yamlnode.Node) {
	outputs, list := connectors.ReadOutputs(answerCompiler(b.actionNames(a)), n)
	b.add(list...)
	a.outputs, a.Outputs = outputs, outputs.Names()
}

// ambiguous refuses names that would mean two things in a rule's action.
func (b *builder) ambiguous(n yamlnode.Node) {
	direct := ""
	for _, a := range b.recipe.Actions {
		node := n.Get(a.Name)
		if a.Direct {
			if direct != "" {
				b.add(node.Get("direct").Diag("conflict", "only one can be meant", "%q is direct already", direct))
			}
			direct = a.Name
		}
		if !a.Direct && a.Shorthand == "" {
			continue
		}
		for _, in := range a.Inputs {
			if b.recipe.action(in.Name) != nil && in.Name != a.Shorthand {
				b.add(node.Get("inputs").Get(in.Name).Diag("conflict", "rename one of them", "%q is the name of an action, too", in.Name))
			}
		}
	}
}

// written is a value as YAML in one line.
func written(n yamlnode.Node) string {
	if n.IsZero() {
		return ""
	}
	if n.Kind() == yamlnode.Scalar {
		return n.Text().Written()
	}
	return n.Flow()
}
