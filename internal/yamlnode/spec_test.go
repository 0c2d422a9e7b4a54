package yamlnode_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

type hidden struct{ text string }

func (h hidden) Reveal() string { return h.text }

func (h *hidden) UnmarshalText(text []byte) error {
	h.text = string(text)
	return nil
}

type shade struct{}

func (*shade) DecodeNode(yamlnode.Node) diag.List { return nil }

func (shade) Describe() yamlnode.Spec {
	return yamlnode.Spec{Type: yamlnode.EnumType, Values: []string{"dark", "light"}}
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
	Notes yamlnode.Node  `yaml:"notes"`
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	text := yamlnode.Spec{Type: yamlnode.TextType}
	part := []yamlnode.Spec{{Name: "to", Type: yamlnode.TextType, Required: true}}
	want := yamlnode.Spec{Type: yamlnode.ObjectType, Fields: []yamlnode.Spec{
		{Name: "name", Type: yamlnode.TextType, Required: true},
		{Name: "count", Type: yamlnode.WholeType},
		{Name: "wait", Type: yamlnode.DurationType},
		{Name: "from", Type: yamlnode.ListType, Item: &text, Single: true},
		{Name: "size", Type: yamlnode.SizeType, Example: "10MB"},
		{Name: "rate", Type: yamlnode.RateType, Example: "5/s"},
		{Name: "parts", Type: yamlnode.ListType, Item: &yamlnode.Spec{Type: yamlnode.ObjectType, Open: true, Fields: part}},
		{Name: "env", Type: yamlnode.MappingType, Item: &text},
		{Name: "when", Type: yamlnode.TextType},
		{Name: "key", Type: yamlnode.TextType, Secret: true, Required: true, Doc: "Opens it.", Example: "${KEY}"},
		{Name: "keys", Type: yamlnode.ListType, Single: true, Secret: true, Default: "a", Item: &yamlnode.Spec{Type: yamlnode.EnumType, Secret: true, Values: []string{"a", "b"}}},
		{Name: "shade", Type: yamlnode.EnumType, Values: []string{"dark", "light"}},
		{Name: "door", Type: yamlnode.ObjectType, Open: true, Fields: part},
		{Name: "lamps", Type: yamlnode.MappingType, Item: &yamlnode.Spec{Type: yamlnode.WholeType}},
		{Name: "open", Type: yamlnode.BoolType},
		{Name: "size2", Type: yamlnode.AnyType},
		{Name: "notes", Type: yamlnode.AnyType},
	}}
	got := yamlnode.Describe[room]()
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	got.Field("key").Doc = "Changed."
	if got.Field("key").Doc != "Changed." || got.Field("inner") != nil {
		t.Errorf("got %+v", got)
	}
}
