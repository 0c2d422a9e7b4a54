package config

import (
	"slices"

	"hookgate/app/yamlpos"
	"hookgate/rules"
)

// Describe implements yamlpos.Described.
func (Prefixes) Describe() yamlpos.Spec {
	item := yamlpos.Spec{Type: yamlpos.TextType}
	return yamlpos.Spec{Type: yamlpos.ListType, Item: &item}
}

// Describe tells what config.yaml can hold. What belongs to other packages is
// given: a source, a form, a test, and the keys of each type of connection by its name
// and those of an action to it.
func Describe(source, form, test yamlpos.Spec, kinds, inputs []yamlpos.Spec) yamlpos.Spec {
	root := yamlpos.Describe[sections]()
	connection := describeConnection(kinds)
	rule := yamlpos.Describe[rules.Rule]()
	then := rule.Field("then").Item
	then.Fields, then.Open = append(then.Fields, inputs...), false
	parts := map[string]yamlpos.Spec{
		"version":     {Type: yamlpos.EnumType, Values: []string{"1"}, Doc: "The version of this language."},
		"server":      section(yamlpos.Describe[Server](), "How hookgate is reached."),
		"storage":     section(yamlpos.Describe[Storage](), "Where events and deliveries are kept."),
		"retention":   section(yamlpos.Describe[Retention](), "How long things are kept."),
		"outbound":    section(yamlpos.Describe[Outbound](), "Where deliveries may go."),
		"sources":     named(source, "The senders of events, by name."),
		"forms":       named(form, "The forms of websites, by name."),
		"connections": named(connection, "The tools that deliveries can go to, by name."),
		"recipes":     recipes(),
		"tests":       {Type: yamlpos.ListType, Item: &test, Doc: "What the rules must make of events. A reload is refused while a test fails."},
		"rules":       {Type: yamlpos.ListType, Item: &rule, Doc: "Which events are sent where. Every rule that matches runs."},
	}
	for i := range root.Fields {
		f := &root.Fields[i]
		if part, found := parts[f.Name]; found {
			part.Name, part.Required = f.Name, f.Required
			*f = part
		}
		f.Env = slices.Contains(envSections, f.Name)
	}
	return root
}

func section(s yamlpos.Spec, doc string) yamlpos.Spec {
	s.Doc = doc
	return s
}

// recipes are files of the user's own kinds of connections.
func recipes() yamlpos.Spec {
	item := yamlpos.Spec{Type: yamlpos.TextType, Doc: "The path of a recipe."}
	return yamlpos.Spec{Type: yamlpos.ListType, Item: &item, Doc: "Files that describe kinds of connections of your own.", Example: "[./mytool.yaml]"}
}

// named is a section that is a mapping of names.
func named(item yamlpos.Spec, doc string) yamlpos.Spec {
	return yamlpos.Spec{Type: yamlpos.MappingType, Item: &item, Doc: doc, Names: entryName}
}

// describeConnection puts the keys that all connections have before those of
// each type.
func describeConnection(kinds []yamlpos.Spec) yamlpos.Spec {
	all := yamlpos.Spec{Type: yamlpos.ObjectType, By: "type"}
	common := yamlpos.Describe[Connection]()
	for _, k := range kinds {
		k.Type, k.Fields = yamlpos.ObjectType, slices.Concat(common.Fields, k.Fields)
		all.OneOf = append(all.OneOf, k)
	}
	return all
}
