package config

import (
	"slices"

	"hookgate/internal/yamlnode"
	"hookgate/rules"
)

// Describe implements yamlnode.Described.
func (Prefixes) Describe() yamlnode.Spec {
	item := yamlnode.Spec{Type: yamlnode.TextType}
	return yamlnode.Spec{Type: yamlnode.ListType, Item: &item}
}

// Describe tells what config.yaml can hold. What belongs to other packages is
// given: a source, a form, a test, and the keys of each type of connection by its name
// and those of an action to it.
func Describe(source, form, test yamlnode.Spec, kinds, inputs []yamlnode.Spec) yamlnode.Spec {
	root := yamlnode.Describe[sections]()
	connection := describeConnection(kinds)
	rule := yamlnode.Describe[rules.Rule]()
	then := rule.Field("then").Item
	then.Fields, then.Open = append(then.Fields, inputs...), false
	rule.Field("branches").Item.Field("then").Item = then
	parts := map[string]yamlnode.Spec{
		"version":     {Type: yamlnode.EnumType, Values: []string{"1"}, Doc: "The version of this language."},
		"server":      section(yamlnode.Describe[Server](), "How hookgate is reached."),
		"storage":     section(yamlnode.Describe[Storage](), "Where events and deliveries are kept."),
		"retention":   section(yamlnode.Describe[Retention](), "How long things are kept."),
		"outbound":    section(yamlnode.Describe[Outbound](), "Where deliveries may go."),
		"sources":     named(source, "The senders of events, by name."),
		"forms":       named(form, "The forms of websites, by name."),
		"connections": named(connection, "The tools that deliveries can go to, by name."),
		"calendars":   named(DescribeCalendar(), "When something is open, by name: hours, days, holidays."),
		"recipes":     recipes(),
		"tables":      describeTables(),
		"tests":       {Type: yamlnode.ListType, Item: &test, Doc: "What the rules must make of events. A reload is refused while a test fails."},
		"rules":       {Type: yamlnode.ListType, Item: &rule, Doc: "Which events are sent where. Every rule that matches runs."},
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

func section(s yamlnode.Spec, doc string) yamlnode.Spec {
	s.Doc = doc
	return s
}

// recipes are files of the user's own kinds of connections.
func recipes() yamlnode.Spec {
	item := yamlnode.Spec{Type: yamlnode.TextType, Doc: "The path of a recipe."}
	return yamlnode.Spec{Type: yamlnode.ListType, Item: &item, Doc: "Files that describe kinds of connections of your own.", Example: "[./mytool.yaml]"}
}

// named is a section that is a mapping of names.
func named(item yamlnode.Spec, doc string) yamlnode.Spec {
	return yamlnode.Spec{Type: yamlnode.MappingType, Item: &item, Doc: doc, Names: rules.NamePattern}
}

// describeConnection puts the keys that all connections have before those of
// each type.
func describeConnection(kinds []yamlnode.Spec) yamlnode.Spec {
	all := yamlnode.Spec{Type: yamlnode.ObjectType, By: "type"}
	common := yamlnode.Describe[Connection]()
	for _, k := range kinds {
		k.Type, k.Fields = yamlnode.ObjectType, slices.Concat(common.Fields, k.Fields)
		all.OneOf = append(all.OneOf, k)
	}
	return all
}
