package lang_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// Places in a text are characters everywhere: in len, indexOf and x[from:to].
// Counting bytes would cut an umlaut in two.
func TestSlices(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]any{
		`data.s`:                               "Café Grün",
		`len(data.s)`:                          9,
		`data.s[0:4]`:                          "Café",
		`data.s[5:]`:                           "Grün",
		`data.s[:-1]`:                          "Café Grü",
		`data.s[-4:]`:                          "Grün",
		`data.s[3:3]`:                          "",
		`data.s[7:3]`:                          "",
		`data.s[-99:99]`:                       "Café Grün",
		`data.s[99:]`:                          "",
		`indexOf(data.s, "G")`:                 5,
		`indexOf(data.s, "x")`:                 -1,
		`lastIndexOf(data.s, "n")`:             8,
		`data.s[indexOf(data.s, " ") + 1:]`:    "Grün",
		`data.list[1:]`:                        []any{2, 3},
		`data.list[:-1]`:                       []any{1, 2},
		`(1..5)[1:3]`:                          []int{2, 3},
		`map(0..2, data.s[# * 4:(# + 1) * 4])`: []any{"Café", " Grü", "n"},
		`data.o?.x?.y[0:2]`:                    `data.o?.x?.y[0:2]: only a text or a list has parts, not null`,
		`(data.o?.x ?? "-")[0:2]`:              "-",
		`data.s[0:1.5]`:                        `data.s[0:1.5]: a part goes from one whole number to another: x[0:10]`,
		`data.n[0:1]`:                          `data.n[0:1]: only a text or a list has parts, not number`,
		`data.none[0:1]`:                       `data.none[0:1]: only a text or a list has parts, not null`,
		`indexOf(data.n, "x")`:                 `indexOf(data.n, "x"): indexOf needs a text, but got number`,
	} {
		e, list := lang.NewCompiler().Expression(yamlnode.Plain(code))
		if len(list) > 0 {
			t.Errorf("%s: %v", code, list)
			continue
		}
		got, err := e.Eval(newScope(t, `{"s":"Café Grün","list":[1,2,3],"n":7,"none":null,"o":null}`))
		if err != nil {
			got = err.Error()
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s\n%s", code, diff)
		}
	}
	for _, code := range []string{`indexOf(data.s)`, `lastIndexOf(data.s, "a", 1)`} {
		if _, list := lang.NewCompiler().Expression(yamlnode.Plain(code)); len(list) == 0 {
			t.Errorf("%s: no fault", code)
		}
	}
}
