package forms

import (
	"slices"

	"hookgate/internal/yamlnode"
)

// Describe tells what a form of config.yaml can hold.
func Describe() yamlnode.Spec {
	s := yamlnode.Describe[settings]()
	field := yamlnode.Describe[fieldSettings]()
	typ := field.Field("type")
	typ.Type, typ.Values = yamlnode.EnumType, nil
	for _, k := range kinds {
		typ.Values = append(typ.Values, string(k))
	}
	format := s.Field("format")
	format.Type, format.Values = yamlnode.EnumType, formatNames()
	lang := s.Field("lang")
	lang.Type, lang.Values = yamlnode.EnumType, nil
	for _, known := range Languages() {
		lang.Values = append(lang.Values, string(known))
	}
	option := yamlnode.Describe[choiceSettings]()
	field.Field("options").Item = &yamlnode.Spec{OneOf: []yamlnode.Spec{{Type: yamlnode.TextType}, option}}
	fields := s.Field("fields")
	fields.Type = yamlnode.AnyType
	fields.OneOf = []yamlnode.Spec{
		{Type: yamlnode.EnumType, Values: []string{"any"}, Doc: "Keep whatever is posted."},
		{Type: yamlnode.MappingType, Item: &field, Doc: "The fields by the names that they are posted under."},
	}
	reply := yamlnode.Describe[autoreplySettings]()
	for i := range reply.Fields {
		reply.Fields[i].Template = !slices.Contains(ownKeys, reply.Fields[i].Name)
	}
	autoreply := s.Field("autoreply")
	autoreply.Type, autoreply.Fields = reply.Type, reply.Fields
	return s
}
