package forms_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/forms"
	"hookgate/internal/body"
)

const order = `
fields:
  name: { required: true }
  address[city]: {}
  items[][sku]: { required: true }
  items[][qty]: { type: number, min: 1 }
  items[][tags][]: {}
  topics[]: { required: true }
`

// Names with brackets build objects and lists, typed and checked where the
// fields are declared; a JSON post of the same shape is the same.
func TestSubmit_nested(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, order)
	want := `{"name":"Ada","address":{"city":"Kiel"},"items":[{"sku":"a","qty":2,"tags":["x"]},{"sku":"b","qty":1}],"topics":["t"],` +
		`"extra":{"items":[{"note":"n"}],"meta":{"a":{"b":"c"}}}}`
	for name, posted := range map[string][]body.Field{
		"indexes": fields("name", "Ada", "address[city]", "Kiel", "items[0][sku]", "a", "items[0][qty]", "02", "items[0][tags][]", "x",
			"items[1][sku]", "b", "items[1][qty]", "1", "items[0][note]", "n", "topics[]", "t", "meta[a][b]", "c"),
		"JSON": {
			{Name: "name", Value: "Ada"},
			{Name: "address", Value: map[string]any{"city": "Kiel"}},
			{Name: "items", Value: []any{
				map[string]any{"sku": "a", "qty": "2", "tags": []any{"x"}, "note": "n"},
				map[string]any{"sku": "b", "qty": "1"},
			}},
			{Name: "topics", Value: "t"},
			{Name: "meta", Value: map[string]any{"a": map[string]any{"b": "c"}}},
		},
	} {
		r := f.Submit(posted)
		if diff := cmp.Diff(want, string(r.Data)); diff != "" || len(r.Problems) > 0 {
			t.Errorf("%s: problems %v, data (-want +got):\n%s", name, r.Problems, diff)
		}
	}
}

// Rows that a page has removed leave no gap where the rows are declared.
func TestSubmit_rows(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, "fields:\n  items[][sku]: {}")
	for _, c := range []struct {
		posted []body.Field
		want   string
	}{
		{fields("items[7][sku]", "b", "items[3][sku]", "a"), `{"items":[{"sku":"a"},{"sku":"b"}]}`},
		{fields("items[][sku]", "a", "items[][sku]", "b"), `{"items":[{"sku":"a"},{"sku":"b"}]}`},
		{fields("items[5][sku]", "a", "items[][sku]", "b"), `{"items":[{"sku":"a"},{"sku":"b"}]}`},
		{fields("items[x][sku]", "a"), `{"extra":{"items":{"x":{"sku":"a"}}}}`},
		{fields("items[99999999999][sku]", "a"), `{"extra":{"items":{"99999999999":{"sku":"a"}}}}`},
		{fields("a", "1", "a[b]", "2"), `{"extra":{"a":"1","a[b]":"2"}}`},
		{fields("a[b]", "2", "a", "1"), `{"extra":{"a":{"b":"2","":"1"}}}`},
		{fields("a[b", "2", "]", "3", "a[]b", "4", "[x]", "5"), `{"extra":{"a[b":"2","]":"3","a[]b":"4","[x]":"5"}}`},
		{fields("0", "x"), `{"extra":{"0":"x"}}`},
		{nil, `{}`},
	} {
		if got := string(f.Submit(c.posted).Data); got != c.want {
			t.Errorf("%v: got %s, want %s", c.posted, got, c.want)
		}
	}
}

// A problem names the control as the page calls it, and the page links to it.
func TestSubmit_nestedProblems(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, order)
	r := f.Submit(fields("name", "Ada", "items[0][sku]", "a", "items[0][qty]", "0", "items[4][qty]", "x"))
	want := []string{"items[0][qty] TOO_SMALL 1", "items[4][qty] TYPE_NUMBER ", "items[4][sku] REQUIRED ", "topics[] REQUIRED "}
	if diff := cmp.Diff(want, codes(r)); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	p := problems(t, f, forms.English, fields("items[0][sku]", "a", "items[4][qty]", "x"))
	checkControls(t, p)
	for _, name := range []string{"items[0][sku]", "items[4][sku]", "items[4][qty]", "items[4][tags][]", "address[city]", "topics[]"} {
		if n := len(p.find("input", "name", name)); n != 1 {
			t.Errorf("%d controls are called %s", n, name)
		}
	}
}

func TestSubmit_unknown(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, "unknown: refuse\nfields: { name: {} }")
	r := f.Submit(fields("name", "Ada", "utm", "x", "a[b]", "y", "_next", "/", "_charset_", "UTF-8", "_gotcha", ""))
	if diff := cmp.Diff([]string{"a[b] UNKNOWN_FIELD ", "utm UNKNOWN_FIELD "}, codes(r)); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if r := f.Submit(fields("name", "Ada")); len(r.Problems) > 0 {
		t.Errorf("problems %v", r.Problems)
	}
}

// What a page says about its post is no data, and can be read nevertheless.
func TestSubmit_said(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, "fields: any")
	r := f.Submit(fields("a", "1", "_subject", "Hi", "_replyto", "ada@example.com", "_cc", "", "_next", "/x", "cf-turnstile-response", "secret", "form-name", "c"))
	if diff := cmp.Diff(map[string]any{"_subject": "Hi", "_replyto": "ada@example.com", "form-name": "c"}, r.Said); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
	if string(r.Data) != `{"a":"1"}` {
		t.Errorf("data %s", r.Data)
	}
}
