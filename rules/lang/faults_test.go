package lang_test

import (
	"strings"
	"testing"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

func predicateFaults(t *testing.T, yaml string) diag.List {
	t.Helper()
	node, list := yamlnode.Parse("c.yaml", []byte(yaml))
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	_, list = lang.NewCompiler().Predicate(node.Get("when").Text())
	return list
}

func TestPredicate_faults(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		`data.website.status = "Done"`:              `error[expr-syntax] c.yaml:1:27: "=" is not an operator (write == to compare)`,
		`data.website.status === "Done"`:            `error[expr-syntax] c.yaml:1:27: "===" is not an operator (write == to compare)`,
		`data.a & data.b`:                           `error[expr-syntax] c.yaml:1:14: "&" is not an operator (write and)`,
		`data.a | data.b`:                           `error[expr-syntax] c.yaml:1:14: "|" is not an operator (write or)`,
		`data.a <> 1`:                               `error[expr-syntax] c.yaml:1:14: "<>" is not an operator (write != for not equal)`,
		`data.a == 1 AND data.b == 2`:               `error[expr-syntax] c.yaml:1:19: "AND" is not an operator (write and)`,
		`NOT data.a`:                                `error[expr-syntax] c.yaml:1:7: "NOT" is not an operator (write not)`,
		`data.a is "Done"`:                          `error[expr-syntax] c.yaml:1:14: "is" is not an operator (write == to compare)`,
		`data.t LIKE "x"`:                           `error[expr-syntax] c.yaml:1:14: "LIKE" is not an operator (write contains, startsWith, endsWith or matches)`,
		`data.s =~ "x"`:                             `error[expr-syntax] c.yaml:1:14: "=" is not an operator (write == to compare, matches for a pattern)`,
		`data.s == “x”`:                             `error[expr-syntax] c.yaml:1:17: "“" is not part of the language (write straight quotes: ")`,
		`data.x in (1, 2)`:                          `error[expr-syntax] c.yaml:1:19: unexpected "," (a list is written in brackets: [1, 2])`,
		`data.a == `:                                `error[expr-syntax] c.yaml:1:15: the expression ends too early`,
		`data.a == "x`:                              `error[expr-syntax] c.yaml:1:17: a text lacks its closing quote`,
		`data.a == 1 1`:                             `error[expr-syntax] c.yaml:1:19: unexpected "1"`,
		`data.a == 1)`:                              `error[expr-syntax] c.yaml:1:18: unexpected ")"`,
		`data.a ?? 1 == 1`:                          `error[expr-syntax] c.yaml:1:19: ?? cannot be mixed with other operators (put parentheses around it: (a ?? b) == c)`,
		`data.website.status == Done`:               `error[expr-name] c.yaml:1:30: unknown name "Done" (text needs quotes: "Done")`,
		`data.website.status in [Done, "x"]`:        `error[expr-name] c.yaml:1:31: unknown name "Done" (text needs quotes: "Done")`,
		`website.status == "Done"`:                  `error[expr-name] c.yaml:1:7: unknown name "website" (did you mean data.website.status?)`,
		`previousStatus == "Done"`:                  `error[expr-name] c.yaml:1:7: unknown name "previousStatus" (did you mean data.previousStatus?)`,
		`dta.x == 1`:                                `error[expr-name] c.yaml:1:7: unknown name "dta" (did you mean "data"?)`,
		`data.x == null`:                            `error[expr-name] c.yaml:1:17: unknown name "null" (write nil)`,
		`lowr(data.x) == "a"`:                       `error[expr-name] c.yaml:1:7: unknown function "lowr" (did you mean "lower"?)`,
		`now() == 1`:                                `error[expr-name] c.yaml:1:7: there is no now() (event.time is when the event arrived)`,
		`data.x.includes("a")`:                      `error[expr-name] c.yaml:1:14: values have no function "includes" (write x contains "…")`,
		`event.name == "x"`:                         `error[expr-name] c.yaml:1:13: event has no "name" (event has id, source, time and type; the body is data)`,
		`event.typ == "x"`:                          `error[expr-name] c.yaml:1:13: event has no "typ" (did you mean "type"?)`,
		`headers["X-A"] == "x"`:                     `error[expr-name] c.yaml:1:15: names of headers are lower-case here (write headers["x-a"])`,
		`let data = 1; data == 1`:                   `error[expr-name] c.yaml:1:11: "data" is taken (choose another name)`,
		`raw(data.x) == "x"`:                        `error[expr-name] c.yaml:1:7: raw(…) must be the whole of a ${{ } } (write ${{ raw(…) }})`,
		`$env.data == 1`:                            `error[expr-name] c.yaml:1:7: unknown name "$env" (did you mean data.$env.data?)`,
		`lower(data.x)`:                             `error[expr-type] c.yaml:1:7: "when" gives a text, not true or false (compare it with something)`,
		`5`:                                         `error[expr-type] c.yaml:1:7: "when" gives a number, not true or false (compare it with something)`,
		`1 + "a" == 2`:                              `error[expr-type] c.yaml:1:9: invalid operation: + (mismatched types number and text)`,
		`data.x matches "["`:                        `error[expr-type] c.yaml:1:14: `,
		`len(data.x, 1) == 2`:                       `error[expr-type] c.yaml:1:7: invalid number of arguments (expected 1, got 2)`,
		`any(data.a, any(data.b, any(data.c, .x)))`: `error[expr-limit] c.yaml:1:43: predicates may be nested 2 deep`,
		`data.x in 1..1000000`:                      `error[expr-limit] c.yaml:1:18: a range of more than 10000 numbers is too long (write x >= from and x <= to)`,
		`${{ data.website.status }} == "Done"`:      `error[template-in-when] c.yaml:1:7: "when" is already an expression (drop the ${{ }})`,
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			want = strings.ReplaceAll(want, "} }", "}}")
			got := predicateFaults(t, "when: "+code).Error()
			if !strings.HasPrefix(got, want) {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestPredicate_templateWidth(t *testing.T) {
	t.Parallel()
	list := predicateFaults(t, `when: ${{ data.website.status }} == "Done"`)
	if len(list) != 1 || list[0].Width != len(`${{ data.website.status }}`) {
		t.Errorf("got %+v", list)
	}
}

// What would blow up or hang at load is refused.
func TestPredicate_tooComplex(t *testing.T) {
	t.Parallel()
	nested := "data.x"
	for range 40 {
		nested = "((1 < " + nested + " < 2) ? 1 : 2)"
	}
	for name, code := range map[string]string{
		"long":    `data.x == "` + strings.Repeat("x", 20_000) + `"`,
		"parts":   "true" + strings.Repeat(" and true", 400),
		"doubled": nested + " == 1",
		"deep":    strings.Repeat("(", 4_000) + "true" + strings.Repeat(")", 4_000) + strings.Repeat(" or true", 400),
	} {
		_, list := lang.NewCompiler().Predicate(yamlnode.Plain(code))
		if len(list) != 1 || list[0].Code != "expr-limit" {
			t.Errorf("%s: got %v, want expr-limit", name, list)
		}
	}
}
