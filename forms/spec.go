package forms

import "hookgate/app/yamlpos"

// Describe tells what a form of config.yaml can hold.
func Describe() yamlpos.Spec {
	s := yamlpos.Describe[settings]()
	field := yamlpos.Describe[fieldSettings]()
	typ := field.Field("type")
	typ.Type, typ.Values = yamlpos.EnumType, nil
	for _, k := range kinds {
		typ.Values = append(typ.Values, string(k))
	}
	format := s.Field("format")
	format.Type, format.Values = yamlpos.EnumType, formatNames()
	lang := s.Field("lang")
	lang.Type, lang.Values = yamlpos.EnumType, nil
	for _, known := range Languages() {
		lang.Values = append(lang.Values, string(known))
	}
	option := yamlpos.Describe[choiceSettings]()
	field.Field("options").Item = &yamlpos.Spec{OneOf: []yamlpos.Spec{{Type: yamlpos.TextType}, option}}
	fields := s.Field("fields")
	fields.Type = yamlpos.AnyType
	fields.OneOf = []yamlpos.Spec{
		{Type: yamlpos.EnumType, Values: []string{"any"}, Doc: "Keep whatever is posted."},
		{Type: yamlpos.MappingType, Item: &field, Doc: "The fields by the names that they are posted under."},
	}
	reply := yamlpos.Describe[autoreplySettings]()
	for i := range reply.Fields {
		reply.Fields[i].Template = reply.Fields[i].Name != "to" && reply.Fields[i].Name != "when"
	}
	autoreply := s.Field("autoreply")
	autoreply.Type, autoreply.Fields = reply.Type, reply.Fields
	return s
}
