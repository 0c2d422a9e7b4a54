package forms_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestForm_Shape(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, `
fields:
  name: { type: text, required: true }
  budget: { type: number }
  size: { type: select, options: [small, large], required: true }
  topics: { type: checkbox, options: [a, b] }
  consent: { type: checkbox }
  day: { type: date }
  plans: { type: select, multiple: true, options: [{ value: s, label: Small }] }
  address[city]: {}
  items[][qty]: { type: number, required: true }
  tags[]: {}
`)
	shapes := f.Shape()
	if len(shapes) != 1 || shapes[0].Type != "form_submitted" || !shapes[0].Complete {
		t.Fatalf("got %+v", shapes)
	}
	var got []string
	for _, field := range shapes[0].Fields {
		values, err := json.Marshal(field.Values)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %s %s", field.Path, strings.Join(field.Types, "|"), values))
	}
	want := []string{
		"data.address null|object null", "data.address.city null|text null", "data.budget null|number null", "data.consent true or false null", "data.day null|text null", "data.extra null|object null",
		"data.items list|null null", "data.items[] object null", "data.items[].qty number null",
		"data.name text null", "data.plans list null", `data.plans[] text ["s"]`, `data.size text ["small","large"]`, "data.tags list|null null", "data.tags[] text null", "data.topics list null", `data.topics[] text ["a","b"]`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := mustCompile(t, "fields: any").Shape(); got != nil {
		t.Errorf("with any fields: %+v", got)
	}
}
