package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"hookgate/internal/yamlnode"
)

// IncludedSchema is JSONSchema for a file that another one includes.
func IncludedSchema(root yamlnode.Spec) ([]byte, error) {
	root.Fields = slices.DeleteFunc(slices.Clone(root.Fields), func(s yamlnode.Spec) bool { return slices.Contains(mainOnly, s.Name) })
	root.Field("version").Required = false
	return writeSchema(root, "hookgate: a file that config.yaml includes")
}

// dialect is the draft that the schema is written in.
const dialect = "https://json-schema.org/draft/2020-12/schema"

// object is one schema.
type object = map[string]any

// JSONSchema writes what config.yaml can hold as a JSON Schema, by which editors
// complete and check it while it is typed. It is that of a document that is described by root, an object
// whose keys are the document's sections. Whatever the strict decoder accepts
// by its shape is valid; what is wrong by its meaning, such as a name that
// nothing has, is left to `hookgate check`.
func JSONSchema(root yamlnode.Spec) ([]byte, error) { return writeSchema(root, "hookgate config.yaml") }

func writeSchema(root yamlnode.Spec, title string) ([]byte, error) {
	top := node(root, place{})
	properties, _ := top["properties"].(object)
	for _, section := range properties {
		orEmpty(section.(object))
	}
	top["$schema"] = dialect
	top["title"] = title
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(top); err != nil {
		return nil, fmt.Errorf("encode the schema: %w", err)
	}
	return out.Bytes(), nil
}

// orEmpty lets a section stand without a value.
func orEmpty(section object) {
	if kind, ok := section["type"].(string); ok && (kind == "object" || kind == "array") {
		section["type"] = []string{kind, "null"}
	}
}

// place is what holds where a schema stands.
type place struct{ env, template bool }

func node(s yamlnode.Spec, p place) object {
	p.env, p.template = p.env || s.Env, p.template || s.Template
	o := shape(s, p)
	if text := describe(s); text != "" {
		o["description"] = text
	}
	if example, ok := value(s, s.Example); ok {
		o["examples"] = []any{example}
	}
	return o
}

// describe is what an editor shows beside a key.
func describe(s yamlnode.Spec) string {
	parts := []string{}
	if s.Doc != "" {
		parts = append(parts, s.Doc)
	}
	if s.Within != (yamlnode.Range{}) {
		parts = append(parts, "It must be "+s.Within.String()+".")
	} else if s.Item != nil && s.Item.Within != (yamlnode.Range{}) {
		parts = append(parts, "Each must be "+s.Item.Within.String()+".")
	}
	if s.Default != "" {
		parts = append(parts, "Default: "+s.Default+".")
	}
	if s.Secret {
		parts = append(parts, "Secret: write ${NAME} and set it in the environment.")
	}
	return strings.Join(parts, " ")
}

// value reads an example as the YAML that it is.
func value(s yamlnode.Spec, example string) (any, bool) {
	switch {
	case example == "":
		return nil, false
	case s.Type == yamlnode.TextType || s.Type == yamlnode.Expression:
		return example, true
	}
	n, list := yamlnode.Parse("example", []byte(example))
	return n.Any(), len(list) == 0
}

func shape(s yamlnode.Spec, p place) object {
	switch {
	case len(s.OneOf) > 0 && s.By != "":
		return selected(s, p)
	case len(s.OneOf) > 0:
		return object{"anyOf": each(s.OneOf, p)}
	}
	switch s.Type {
	case yamlnode.ObjectType:
		return keys(s, p)
	case yamlnode.MappingType:
		return mapping(s, p)
	case yamlnode.ListType:
		return listSchema(s, p)
	default:
		return scalar(s, p)
	}
}

func each(specs []yamlnode.Spec, p place) []object {
	all := make([]object, len(specs))
	for i, s := range specs {
		all[i] = node(s, p)
	}
	return all
}

// keys is an object with known keys.
func keys(s yamlnode.Spec, p place) object {
	properties := object{}
	required := []string{}
	for _, f := range s.Fields {
		properties[f.Name] = node(f, p)
		if f.Required {
			required = append(required, f.Name)
		}
	}
	o := object{"type": "object", "properties": properties}
	if len(required) > 0 {
		o["required"] = required
	}
	if !s.Open {
		o["additionalProperties"] = false
	}
	return o
}

// selected is an object of which one key says what the others can be.
func selected(s yamlnode.Spec, p place) object {
	names := make([]object, len(s.OneOf))
	cases := make([]object, len(s.OneOf))
	for i, one := range s.OneOf {
		names[i] = object{"const": one.Name, "description": one.Doc}
		given := object{"properties": object{s.By: object{"const": one.Name}}, "required": []string{s.By}}
		then := keys(one, p)
		properties, _ := then["properties"].(object)
		properties[s.By] = object{"const": one.Name}
		cases[i] = object{"if": given, "then": then}
	}
	return object{
		"type": "object", "required": []string{s.By}, "allOf": cases,
		"properties": object{s.By: object{"oneOf": names}},
	}
}

func mapping(s yamlnode.Spec, p place) object {
	o := object{"type": "object", "additionalProperties": item(s, p)}
	if s.Names != "" {
		o["propertyNames"] = object{"pattern": s.Names}
	}
	return o
}

func listSchema(s yamlnode.Spec, p place) object {
	one := item(s, p)
	all := object{"type": "array", "items": one}
	if s.Single {
		return object{"anyOf": []object{all, one}}
	}
	return all
}

func item(s yamlnode.Spec, p place) object {
	if s.Item == nil {
		return object{}
	}
	return node(*s.Item, p)
}

// The scalars as YAML writes them, in the syntax that JSON Schema and Go share.
const (
	durationPattern = `^\s*([0-9.]+w)?([0-9.]+d)?(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))*\s*$`
	sizePattern     = `^\s*[0-9]+\s*([KkMmGg]?[Bb])?\s*$`
	ratePattern     = `^\s*[0-9]+\s*/\s*[smhd]\s*$`
	envPattern      = `\$\{[A-Za-z_]`
	templatePattern = `\$\{\{`
)

// scalar is a value that is no list and no mapping. Text may be written as a
// number or as true: the decoder takes what stands there.
func scalar(s yamlnode.Spec, p place) object {
	switch s.Type {
	case yamlnode.TextType, yamlnode.Expression:
		return object{"type": []string{"string", "number", "boolean"}}
	case yamlnode.BoolType:
		return or(object{"type": "boolean"}, p)
	case yamlnode.NumberType:
		return or(within(object{"type": "number"}, s.Within), p)
	case yamlnode.WholeType:
		return or(within(object{"type": "integer"}, s.Within), p)
	case yamlnode.DurationType:
		return or(object{"type": []string{"string", "integer"}, "pattern": durationPattern, "minLength": 1}, p)
	case yamlnode.SizeType:
		return or(object{"type": []string{"string", "integer"}, "pattern": sizePattern}, p)
	case yamlnode.RateType:
		return or(object{"type": "string", "pattern": ratePattern}, p)
	case yamlnode.EnumType:
		return or(object{"enum": words(s.Values)}, p)
	default:
		return object{}
	}
}

// within adds the bounds of a number.
func within(o object, r yamlnode.Range) object {
	for key, text := range map[string]string{"minimum": r.Min, "exclusiveMinimum": r.Above, "maximum": r.Max} {
		if text != "" {
			o[key] = json.Number(text)
		}
	}
	return o
}

// words are the values of an enum, each as YAML reads it: 1 is a number.
func words(values []string) []any {
	all := make([]any, 0, len(values))
	for _, text := range values {
		n, faults := yamlnode.Parse("value", []byte(text))
		if v := n.Any(); len(faults) == 0 && v != nil && v != text {
			all = append(all, v)
		}
		all = append(all, text)
	}
	return all
}

// or allows what the environment or an event will say in place of a value.
func or(o object, p place) object {
	var patterns []string
	if p.env {
		patterns = append(patterns, envPattern)
	}
	if p.template {
		patterns = append(patterns, templatePattern)
	}
	if len(patterns) == 0 {
		return o
	}
	return object{"anyOf": []object{o, {"type": "string", "pattern": strings.Join(patterns, "|")}}}
}
