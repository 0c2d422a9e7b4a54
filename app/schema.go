package app

import (
	"fmt"
	"slices"
	"strings"

	"hookgate/app/config"
	"hookgate/app/ingest/source"
	"hookgate/app/ruletest"
	"hookgate/connectors"
	"hookgate/forms"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// Describe tells what config.yaml can hold where there are these kinds of
// connections.
func Describe(kinds []connectors.Kind) yamlnode.Spec {
	var specs []yamlnode.Spec
	for _, k := range kinds {
		specs = append(specs, yamlnode.Spec{Name: k.Name, Doc: k.Doc, Fields: k.Settings})
	}
	return config.Describe(source.Describe(), describeForms(), ruletest.Describe(), specs, inputs(kinds))
}

// describeForms adds to the keys of a form those about its sender, which are a
// source's.
func describeForms() yamlnode.Spec {
	form := forms.Describe()
	sender := source.DescribeSender()
	for _, key := range []string{"verify", "methods", "dedupe"} {
		to, from := form.Field(key), sender.Field(key)
		doc := to.Doc
		*to = *from
		to.Doc = doc
	}
	return form
}

// Schema is the JSON Schema of config.yaml where there are these kinds of
// connections.
func Schema(kinds []connectors.Kind) ([]byte, error) {
	return config.JSONSchema(Describe(kinds))
}

// IncludedSchema is the JSON Schema of a file that config.yaml includes.
func IncludedSchema(kinds []connectors.Kind) ([]byte, error) {
	return config.IncludedSchema(Describe(kinds))
}

// inputs are the keys that an action can have. A schema cannot follow `to` to
// the type of the connection, so it takes those of all types together; which
// has which is said of each key, and checked by `hookgate check`.
func inputs(kinds []connectors.Kind) []yamlnode.Spec {
	var all []yamlnode.Spec
	for _, k := range kinds {
		for _, in := range k.Action.Inputs {
			one := yamlnode.Spec{Name: in.Name, Type: inputType(in.Kind), Template: true, Doc: k.Name + ": " + in.Doc}
			i := slices.IndexFunc(all, func(s yamlnode.Spec) bool { return s.Name == in.Name })
			if i < 0 {
				all = append(all, one)
				continue
			}
			all[i].Doc = join(all[i].Doc, one.Doc)
			if all[i].Type != one.Type {
				all[i].Type = yamlnode.AnyType
			}
		}
	}
	return all
}

// maxDoc is where the list of what a key means to each kind ends.
const maxDoc = 600

func join(doc, more string) string {
	switch {
	case strings.HasSuffix(doc, "…"):
		return doc
	case len(doc)+len(more) > maxDoc:
		return doc + "\n…"
	}
	return fmt.Sprintf("%s\n%s", doc, more)
}

func inputType(k lang.Kind) yamlnode.Type {
	if k == lang.TextInput {
		return yamlnode.TextType
	}
	return yamlnode.AnyType
}
