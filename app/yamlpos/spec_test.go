package yamlpos_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/app/diag"
	"hookgate/app/yamlpos"
)

type hidden struct{ text string }

func (h hidden) Reveal() string { return h.text }

func (h *hidden) UnmarshalText(text []byte) error {
	h.text = string(text)
	return nil
}

type shade struct{}

func (*shade) DecodeNode(yamlpos.Node) diag.List { return nil }

func (shade) Describe() yamlpos.Spec {
	return yamlpos.Spec{Type: yamlpos.EnumType, Values: []string{"dark", "light"}}
}

type room struct {
	thing
	Key   hidden         `yaml:"key,required" doc:"Opens it." example:"${KEY}"`
	Keys  []hidden       `yaml:"keys,single" values:"a,b" default:"a"`
	Shade *shade         `yaml:"shade"`
	Door  *part          `yaml:"door"`
	Lamps map[string]int `yaml:"lamps"`
	Open  bool           `yaml:"open"`
	Size2 float64        `yaml:"size2" type:"any"`
	Notes yamlpos.Node   `yaml:"notes"`
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	text := yamlpos.Spec{Type: yamlpos.TextType}
	part := []yamlpos.Spec{{Name: "to", Type: yamlpos.TextType, Required: true}}
	want := yamlpos.Spec{Type: yamlpos.ObjectType, Fields: []yamlpos.Spec{
		{Name: "name", Type: yamlpos.TextType, Required: true},
		{Name: "count", Type: yamlpos.WholeType},
		{Name: "wait", Type: yamlpos.DurationType},
		{Name: "from", Type: yamlpos.ListType, Item: &text, Single: true},
		{Name: "size", Type: yamlpos.SizeType, Example: "10MB"},
		{Name: "rate", Type: yamlpos.RateType, Example: "5/s"},
		{Name: "parts", Type: yamlpos.ListType, Item: &yamlpos.Spec{Type: yamlpos.ObjectType, Open: true, Fields: part}},
		{Name: "env", Type: yamlpos.MappingType, Item: &text},
		{Name: "when", Type: yamlpos.TextType},
		{Name: "key", Type: yamlpos.TextType, Secret: true, Required: true, Doc: "Opens it.", Example: "${KEY}"},
		{Name: "keys", Type: yamlpos.ListType, Single: true, Secret: true, Default: "a", Item: &yamlpos.Spec{Type: yamlpos.EnumType, Secret: true, Values: []string{"a", "b"}}},
		{Name: "shade", Type: yamlpos.EnumType, Values: []string{"dark", "light"}},
		{Name: "door", Type: yamlpos.ObjectType, Open: true, Fields: part},
		{Name: "lamps", Type: yamlpos.MappingType, Item: &yamlpos.Spec{Type: yamlpos.WholeType}},
		{Name: "open", Type: yamlpos.BoolType},
		{Name: "size2", Type: yamlpos.AnyType},
		{Name: "notes", Type: yamlpos.AnyType},
	}}
	got := yamlpos.Describe[room]()
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	got.Field("key").Doc = "Changed."
	if got.Field("key").Doc != "Changed." || got.Field("inner") != nil {
		t.Errorf("got %+v", got)
	}
}
