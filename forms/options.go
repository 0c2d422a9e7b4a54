package forms

import (
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

// choice is one of a field's options: what is posted, and what people read.
type choice struct{ value, label string }

// choiceSettings is an option that is written as a mapping.
type choiceSettings struct {
	Value yamlnode.Text `yaml:"value,required" doc:"What is posted, and stands in data." example:"l"`
	Label string        `yaml:"label" doc:"What people read; the value where left out." example:"Large"`
}

// Noun names the thing in messages.
func (choiceSettings) Noun() string { return "an option" }

// allows reports whether value is one of the options.
func (fd *field) allows(value string) bool {
	return slices.ContainsFunc(fd.options, func(c choice) bool { return c.value == value })
}

// multi reports whether several of the options may be chosen: the value is a
// list in data then, possibly an empty one.
func (fd *field) multi() bool {
	return fd.multiple || fd.kind == checkboxKind && len(fd.options) > 0
}

func (s *fieldSettings) options(fd *field) diag.List {
	var list diag.List
	if len(s.Options) > 0 && fd.kind != selectKind && fd.kind != checkboxKind {
		list = append(list, s.Options[0].Diag("bad-value", `write "type: select"`, `a %s field has no "options"`, fd.kind))
	}
	for _, node := range s.Options {
		var one choiceSettings
		if node.Kind() == yamlnode.Map {
			list = append(list, node.Decode("an option", &one)...)
		} else {
			one.Value = node.Text()
		}
		text := one.Value
		switch {
		case node.Kind() == yamlnode.List:
			list = append(list, node.Diag("wrong-type", "write small, or { value: s, label: Small }", "an option is a text, or a value with a label"))
		case fd.allows(text.Value):
			list = append(list, text.Diag("bad-value", "", "%q stands twice in the options", text.Value))
		case text.Value == "" && node.Kind() != yamlnode.Map:
			list = append(list, node.Diag("bad-value", "leave out \"required\" to allow no choice", "an option cannot be empty"))
		}
		if one.Label == "" {
			one.Label = text.Value
		}
		fd.options = append(fd.options, choice{text.Value, one.Label})
	}
	if fd.kind == selectKind && len(s.Options) == 0 {
		list = append(list, s.Type.Diag("missing-key", "options: [small, large]", `a select field needs "options"`))
	}
	return append(list, s.multiple(fd)...)
}

func (s *fieldSettings) multiple(fd *field) diag.List {
	if s.Multiple == nil {
		return nil
	}
	switch text := s.Multiple.Text(); {
	case s.Multiple.Kind() != yamlnode.Scalar || text.Value != "true" && text.Value != "false":
		return diag.List{s.Multiple.Diag("wrong-type", "", `"multiple" must be true or false`)}
	case fd.kind == checkboxKind:
		return diag.List{s.Multiple.Diag("bad-value", "leave it out", `a checkbox with "options" is a group of boxes already`)}
	case fd.isFile():
		s.several(fd.file, text.Value == "true")
	case fd.kind != selectKind:
		return diag.List{s.Multiple.Diag("bad-value", "", `a %s field has no "multiple"`, fd.kind)}
	case text.Value == "true":
		fd.multiple = true
	}
	return nil
}

// region reads the country that a telephone number without one belongs to.
func (s *fieldSettings) region(fd *field) diag.List {
	if s.Region.IsZero() {
		return nil
	}
	region := strings.ToUpper(s.Region.Value)
	switch {
	case fd.kind != telKind:
		return diag.List{s.Region.Diag("bad-value", "", `a %s field has no "region"`, fd.kind)}
	case !phonenumbers.GetSupportedRegions()[region]:
		return diag.List{s.Region.Diag("bad-value", "such as DE, AT, GB or US", "%q is no country's code of two letters (ISO 3166)", s.Region.Value)}
	}
	fd.region = region
	return nil
}

// diallable reports whether a number can be dialled from everywhere. Some can
// within a town alone, or within a country: an emergency call has no country's
// code before it. Where 0 is what national calls begin with, one that begins
// with it behind the country's code is too short to be one.
func diallable(number *phonenumbers.PhoneNumber) bool {
	country := phonenumbers.GetRegionCodeForCountryCode(int(number.GetCountryCode()))
	short := phonenumbers.GetNddPrefixForRegion(country, true) == "0" && strings.HasPrefix(phonenumbers.GetNationalSignificantNumber(number), "0")
	return !short && phonenumbers.IsPossibleNumberWithReason(number) == phonenumbers.IS_POSSIBLE
}

// readTel checks a telephone number. With a region it must be one that can be
// dialled, and is given in the form that programs dial: +4940123456. Whether
// the number is assigned is not asked: new ranges would be refused.
func (fd *field) readTel(text string) (string, bool) {
	if fd.region == "" {
		return text, validTel(text)
	}
	number, err := phonenumbers.Parse(text, fd.region)
	if err != nil || !validTel(text) || !diallable(number) {
		return text, false
	}
	dialled := phonenumbers.Format(number, phonenumbers.E164)
	if extension := number.GetExtension(); extension != "" {
		dialled += ";ext=" + extension // RFC 3966, section 3
	}
	return dialled, true
}
