package lang_test

import (
	"strings"
	"testing"

	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

const numbers = `{"one": 1.0, "price": 19.90, "most": 1e308, "least": 1e-400, "long": 12345678901234567890.123456789, "zero": -0, "none0": 0, "long2": 18446744073709551615, "big": 9223372036854775807,
	"list": [1.10, {"n": 2.50}], "items": [{"p": 1.50, "q": 2}, {"p": 19.90, "q": 0.10}], "text": "[1.0]", "name": "Ümit", "min": -9223372036854775808}`

// What is passed on keeps its spelling, by whichever way; what is computed is a
// number.
func TestNumbers_keepTheirSpelling(t *testing.T) {
	t.Parallel()
	s := newScope(t, numbers)
	for code, want := range map[string]string{
		`data.one`: "1.0", `data.price`: "19.90", `data.most`: "1e308", `data.least`: "1e-400", `data.long`: "12345678901234567890.123456789", `data.zero`: "-0",
		`data.list`: `[1.10,{"n":2.50}]`, `data.list[1]`: `{"n":2.50}`, `[data.one, {"k": data.price}]`: `[1.0,{"k":19.90}]`,
		`data?.one`: "1.0", `data.none?.x ?? data.one`: "1.0", `data.one ?? 2`: "1.0", `data.price > 1 ? data.price : 0`: "19.90",
		`map(data.items, .p)`: "[1.50,19.90]", `filter(data.items, .p > 1.5)`: `[{"p":19.90,"q":0.10}]`, `find(data.items, .q == 2).p`: "1.50",
		`map(sortBy(data.items, .p, "desc"), .p)`: "[19.90,1.50]", `first(data.list)`: "1.10", `concat(data.list, [data.one])`: `[1.10,{"n":2.50},1.0]`,
		`merge({"a": data.one}, {"b": 2})`: `{"a":1.0,"b":2}`, `toJSON(data.list)`: `"[1.10,{\"n\":2.50}]"`, `string(data.most)`: `"1e308"`,
		`fromJSON(data.text)`: "[1.0]", `fields({"Price": data.price})`: `"Price: 19.90"`, `let p = data.price; [p, p > 19]`: "[19.90,true]",
		`reduce(data.items, #acc.p > #.p ? #acc : #).p`: "19.90", `data["pri" + "ce"]`: "19.90", `data.items[0:1]`: `[{"p":1.50,"q":2}]`,
		`get(data, "one")`: "1.0", `values({"a": data.one})`: "[1.0]",
		// Computed.
		`data.one + 1`: "2", `data.price * 2`: "39.8", `data.one == 1`: "true", `data.one in [1]`: "true", `data.price in [19.9, 3]`: "true", `-data.one`: "-1",
		`data.most > 1e307`: "true", `data.list == [1.1, {"n": 2.5}]`: "true", `1.1 in data.list`: "true", `sum(data.items, .p)`: "21.4", `sum(map(data.items, .p))`: "21.4",
		`max(map(data.items, .p))`: "19.9", `any(data.items, .p == 19.9)`: "true", `count(data.items, .q < 1)`: "1", `fromJSON(data.text)[0] + 1`: "2",
		`data.items[0].p + 1`: "2.5", `(data?.one) + 1`: "2", `round(data.price)`: "20", `data.most * 1`: "1e+308", `1 / data.most * 1e300`: "1e-8", `data.zero + 0`: "0",
		`map(data.items, .p + .q)`: "[3.5,20]", `reduce(data.items, #acc + #.p, 0)`: "21.4", `let p = data.one; p + p`: "2",
		`3 ** 39`: "4052555153018976267", `2 ^ 3`: "8", `(-2) ** 63`: "-9223372036854775808", `(-1) ** 9223372036854775807`: "-1", `0 ** 0`: "1", `2 ** -1`: "0.5", `data.one ** 0.5`: "1", `data.big ** 1`: "9223372036854775807",
		`data.big * 1`: "9223372036854775807", `data.big - 1`: "9223372036854775806", `-data.big`: "-9223372036854775807", `data.name[0]`: `"Ü"`, `data.name[-1]`: `"t"`,
		`data?.name[1]`: `"m"`, `map([data.name], #[0])`: `["Ü"]`, `data.name[0] == "Ü"`: "true", `int(data.price)`: "19", `abs(data.min + 1)`: "9223372036854775807",
	} {
		for _, way := range []string{"%s", "%s ?? nil"} { // by the flat route, and by the machine
			source := strings.ReplaceAll(way, "%s", "("+code+")")
			if way == "%s" {
				source = code
			}
			tpl, list := lang.NewCompiler().Template(value(t, "v: '${{ "+strings.ReplaceAll(source, "'", "''")+" }}'"), lang.Input{Kind: lang.ValueInput})
			if err := list.Err(); err != nil {
				t.Fatalf("%s: %v", source, err)
			}
			if got, _, err := tpl.AppendJSON(nil, s); err != nil || string(got) != want {
				t.Errorf("%s: got %s, %v, want %s", source, got, err, want)
			}
		}
	}
	tpl, list := lang.NewCompiler().Template(value(t, "v: 'v=${{ data.one }} ${{ data.most }} ${{ data.list }}'"), lang.Input{})
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	if got, _, err := tpl.AppendJSON(nil, s); err != nil || string(got) != `"v=1.0 1e308 [1.10,{\"n\":2.50}]"` {
		t.Errorf("got %s, %v", got, err)
	}
}

// A whole number that is too large is an error, never another number.
func TestNumbers_neverWrapRound(t *testing.T) {
	t.Parallel()
	s := newScope(t, numbers)
	const tooLarge = "the result is too large for a whole number"
	for code, want := range map[string]string{
		`data.big + 1`: tooLarge, `data.min - 1`: tooLarge, `data.big * 2`: tooLarge, `data.min * -1`: tooLarge, `-1 * data.min`: tooLarge, `-data.min`: tooLarge,
		`abs(data.min)`: tooLarge, `sum([data.big, 1])`: tooLarge, `sum(data.items, data.big)`: tooLarge, `reduce([1, 2], #acc + data.big, 0)`: tooLarge,
		`2 ** 63`: tooLarge, `data.big ** 2`: tooLarge, `3 ^ 41`: tooLarge, `data.name ** 2`: "cannot work out text ** number",
		`9223372036854775807 + 1`: tooLarge, `int(data.most)`: tooLarge, `data.least > 0`: "data.least > 0: a number in it is too large or too small", `data.long2 + 1`: "too large or too small", `1 < data.long2`: "too large or too small",
		`1 / data.none0`: "division by zero", `data.one / 0`: "division by zero", `0 / 0 > 1`: "division by zero", `1 / (data.one - 1) > 5`: "division by zero", `data.price / 0.0`: "division by zero",
		`sum(data.items, .p) / (data.one - 1)`: "division by zero", `data.name / 2`: "cannot work out text / number", `duration("100000h") * 1000000`: "the duration is too long",
		`data.name[4]`: "has 4 characters, so it has no [4]", `data.name?.[0]`: "is written [0:1]", `[data.name?.[0]]`: "is written [0:1]", `data.name?.[0] == "Ü"`: "is written [0:1]",
		`abs(data.name)`: "cannot take text", `-data.name`: "invalid operation: - text", `data.name * 2`: "cannot work out text * number",
	} {
		e, list := lang.NewCompiler().Expression(yamlnode.Plain(code))
		if err := list.Err(); err != nil {
			t.Errorf("%s: %v", code, err)
			continue
		}
		if got, err := e.Text(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, %v, want %s", code, got, err, want)
		}
	}
}
