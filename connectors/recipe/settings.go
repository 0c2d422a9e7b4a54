package recipe

import (
	"regexp"
	"slices"
	"strings"

	"hookgate/connectors"
	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// Setting is one key of a connection of the kind.
type Setting struct {
	yamlnode.Spec
	kind      string // as the recipe writes it
	pattern   *regexp.Regexp
	hint      string         // what to do where pattern does not match
	otherwise *lang.Template // the default; nil: none
	keys      []*Setting     // of a map whose keys are known
}

// settingYAML is a setting as it is written.
type settingYAML struct {
	Doc      yamlnode.Text   `yaml:"doc,required"`
	Type     yamlnode.Text   `yaml:"type"`
	Secret   bool            `yaml:"secret"`
	Required bool            `yaml:"required"`
	Default  yamlnode.Node   `yaml:"default"`
	Example  yamlnode.Text   `yaml:"example"`
	Options  []yamlnode.Text `yaml:"options"`
	Pattern  yamlnode.Text   `yaml:"pattern"`
	Hint     string          `yaml:"hint"`
	Keys     yamlnode.Node   `yaml:"keys"`
}

// Noun is what messages call it.
func (settingYAML) Noun() string { return "a setting" }

// settingTypes are the types that a setting can have, as they are described
// to people. json is a text that holds a JSON object, private_key an RSA key
// in PEM.
func settingTypes() map[string]yamlnode.Type {
	return map[string]yamlnode.Type{
		"text": yamlnode.TextType, "url": yamlnode.TextType, "json": yamlnode.TextType, "private_key": yamlnode.TextType,
		"number": yamlnode.NumberType, "bool": yamlnode.BoolType, "enum": yamlnode.EnumType,
		"list": yamlnode.ListType, "map": yamlnode.MappingType,
	}
}

func (b *builder) settings(n yamlnode.Node) {
	if n.IsZero() {
		return
	}
	b.recipe.Settings = b.settingList(n, &b.recipe.Settings)
}

// settingList reads the settings in n. Their defaults can speak of those in
// before.
func (b *builder) settingList(n yamlnode.Node, before *[]*Setting) []*Setting {
	if n.Kind() != yamlnode.Map {
		b.add(n.Diag("wrong-type", "", "%q must be a mapping", "settings"))
		return nil
	}
	var list []*Setting
	for _, f := range n.Fields() {
		b.name(f.Key)
		if reserved := connectors.CommonKeys(); slices.Contains(reserved, f.Key.Value) {
			b.add(f.Key.Diag("bad-name", "choose another name", "every connection has a setting %q already", f.Key.Value))
		}
		var y settingYAML
		b.add(f.Value.Decode("a setting", &y)...)
		list = append(list, b.setting(f.Key.Value, &y, before))
		if before == &b.recipe.Settings {
			b.recipe.Settings = list
		}
	}
	return list
}

func (b *builder) setting(name string, y *settingYAML, before *[]*Setting) *Setting {
	b.sentence(y.Doc)
	s := &Setting{kind: "text", hint: y.Hint, Spec: yamlnode.Spec{
		Name: name, Doc: y.Doc.Value, Secret: y.Secret, Required: y.Required, Example: y.Example.Value,
	}}
	if !y.Type.IsZero() {
		s.kind = y.Type.Value
	}
	s.Type = b.typeOf(y.Type, s.kind, settingTypes())
	s.Values = b.options(y.Options, s.kind)
	if s.kind == "enum" && len(s.Values) == 0 && !y.Doc.IsZero() {
		b.add(y.Doc.Diag("missing-key", "", "a setting of type enum needs \"options\""))
	}
	if !y.Pattern.IsZero() {
		pattern, err := regexp.Compile(y.Pattern.Value)
		if err != nil {
			b.add(y.Pattern.Diag("bad-value", "", `"pattern" is no regular expression`))
		}
		s.pattern = pattern
	}
	if !y.Default.IsZero() {
		names := lang.Name{Name: "settings", Keys: []string{}}
		for _, earlier := range *before {
			names.Keys = append(names.Keys, earlier.Name)
		}
		t, list := lang.NewCompilerFor(names).Template(y.Default, lang.Input{Kind: lang.ValueInput})
		b.add(list...)
		s.otherwise = t
		s.Default = y.Default.Text().Written()
		if y.Required {
			b.add(y.Default.Diag("conflict", "leave one of them out", "a setting with a default is not required"))
		}
	}
	if !y.Keys.IsZero() {
		s.keys = b.settingList(y.Keys, before)
		s.Type = yamlnode.ObjectType
		for _, key := range s.keys {
			s.Fields = append(s.Fields, key.Spec)
		}
	}
	if s.Example == "" {
		s.Example = s.Default
	}
	return s
}

// typeOf checks a type and gives what people are told of it.
func (b *builder) typeOf(written yamlnode.Text, name string, types map[string]yamlnode.Type) yamlnode.Type {
	typ, known := types[name]
	if !known {
		var names []string
		for t := range types {
			names = append(names, t)
		}
		slices.Sort(names)
		hint := diag.DidYouMean(name, names)
		if hint == "" {
			hint = "there is " + joined(names)
		}
		b.add(written.Diag("bad-value", hint, "there is no type %q", name))
	}
	return typ
}

// options are the values of an enum.
func (b *builder) options(list []yamlnode.Text, kind string) []string {
	values := yamlnode.Values(list)
	if len(list) > 0 && kind != "enum" {
		b.add(list[0].Diag("conflict", "write type: enum", `"options" goes with the type enum`))
	}
	return values
}

func joined(names []string) string { return strings.Join(names, ", ") }
