package yamlnode_test

import (
	"testing"
	"time"

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

type oven struct {
	Heat  int             `yaml:"heat" default:"180" min:"50" max:"250" hint:"ask a cook"`
	Time  time.Duration   `yaml:"time" above:"0"`
	Waits []time.Duration `yaml:"waits" default:"[1m, 2m]" max:"1h"`
	Tray  *yamlnode.Size  `yaml:"tray" min:"1KB"`
	Name  string          `yaml:"name" default:"oven"`
}

// What the tags say is said once: the decoder, its messages and the Spec read it.
func TestTags(t *testing.T) {
	t.Parallel()
	var o oven
	yamlnode.Defaults(&o)
	if d := cmp.Diff(oven{Heat: 180, Waits: []time.Duration{time.Minute, 2 * time.Minute}, Name: "oven"}, o); d != "" {
		t.Error(d)
	}
	var got []string
	for _, text := range []string{
		"{ heat: 50, time: 1ns, waits: [1h], tray: 1KB }", "{ heat: 250 }",
		"{ heat: 49, time: 0s, waits: [1s, 61m], tray: 1 }", "{ heat: 251 }", "{ heat: hot }",
	} {
		for _, d := range mustParse(t, text).Decode("an oven", &o) {
			got = append(got, d.Error())
		}
	}
	want := []string{
		`error[bad-value] c.yaml:1:9: "heat" must be from 50 to 250 (ask a cook)`,
		`error[bad-value] c.yaml:1:19: "time" must be more than 0`,
		`error[bad-value] c.yaml:1:35: "waits[1]" must be at most 1h`,
		`error[bad-value] c.yaml:1:47: "tray" must be at least 1KB`,
		`error[bad-value] c.yaml:1:9: "heat" must be from 50 to 250 (ask a cook)`,
		`error[wrong-type] c.yaml:1:9: "heat" must be a whole number, not "hot"`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	spec := yamlnode.Describe[oven]()
	if heat, waits := spec.Field("heat"), spec.Field("waits"); heat.Within.String() != "from 50 to 250" || heat.Default != "180" || waits.Item.Within.String() != "at most 1h" || spec.Field("name").Within.String() != "" {
		t.Errorf("got %+v", spec)
	}
}
