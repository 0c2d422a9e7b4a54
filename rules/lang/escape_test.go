package lang_test

import (
	"testing"

	"hookgate/rules/lang"
)

// A value that keeps its type is escaped like one within a text.
func TestTemplate_escapedValues(t *testing.T) {
	t.Parallel()
	for yaml, want := range map[string]string{
		"v: ${{ data.website.status }}":                           `"DONE"`,
		"v: [{ type: section, t: '${{ data.website.status }}' }]": `[{"type":"section","t":"DONE"}]`,
		"v: ${{ data.website.tags }}":                             `["A","B"]`,
		"v: ${{ data.website.closed_by }}":                        `{"name":"MARY","pending":false,"role":"SALES"}`,
		"v: ${{ raw(data.website.tags) }}":                        `["a","b"]`,
		"v: ${{ data.website.id }}":                               `321654`,
	} {
		tpl, list := lang.NewCompiler().Template(value(t, yaml), lang.Input{Name: "v", Kind: lang.ValueInput, Escape: upper})
		if err := list.Err(); err != nil {
			t.Fatal(err)
		}
		scope := newScope(t, sample)
		for range 2 { // the scope's own values are not changed
			if out, _, err := tpl.AppendJSON(nil, scope); err != nil || string(out) != want {
				t.Errorf("%s: got %s, %v, want %s", yaml, out, err, want)
			}
		}
	}
}
