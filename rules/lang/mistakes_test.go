package lang_test

import (
	"strings"
	"testing"

	"hookgate/rules/lang"
)

// What beginners write, from other languages and tools, is told with its place,
// its cause and the remedy.
func TestMistakes_conditions(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		`data.website.status in "Done"`:           `error[expr-type] c.yaml:1:30: "in" needs a list, and this is a text (write data.website.status == "Done", or in ["Done", …])`,
		`data.x or "Do" in "Done"`:                `error[expr-type] c.yaml:1:25: "in" needs a list, and this is a text (write "Done" contains "Do")`,
		`data.n in 7`:                             `error[expr-type] c.yaml:1:17: "in" needs a list, and this is a number (write data.n == 7, or in [7, …])`,
		`event == "website_created"`:              `error[expr-type] c.yaml:1:7: "event" is an object, and equal to no single value (write event.type)`,
		`data.x and "a" == event`:                 `error[expr-type] c.yaml:1:25: "event" is an object, and equal to no single value (write event.type)`,
		`event.type == ["a"]`:                     `error[expr-type] c.yaml:1:13: event.type is a text, and equal to no list (write event.type in ["a"])`,
		`data.x and event.source != ["a", "b"]`:   `error[expr-type] c.yaml:1:24: event.source is a text, and equal to no list (write event.source not in ["a", "b"])`,
		`if data.a == 1`:                          `error[expr-syntax] c.yaml:1:20: the expression ends too early (leave out the word "if")`,
		`data.a matches "*x"`:                     "error[expr-type] c.yaml:1:14: not a regular expression: missing argument to repetition operator: `*` (a pattern is a regular expression, in which .* is any text)",
		`event in ["a", "b"]`:                     `error[expr-type] c.yaml:1:7: "event" is an object, and equal to no single value (write event.type)`,
		`headers contains "a"`:                    `error[expr-type] c.yaml:1:7: "headers" is an object, and equal to no single value (write headers["x-name"])`,
		`data.a == "x" or "y"`:                    `error[expr-type] c.yaml:1:24: "y" alone is not true or false (write data.a in ["x", "y"])`,
		`data.b and data.a != "x" and "y"`:        `error[expr-type] c.yaml:1:36: "y" alone is not true or false (write … and data.a != "y")`,
		`not ("y" or data.a == "x")`:              `error[expr-type] c.yaml:1:12: "y" alone is not true or false (write the comparison on both sides)`,
		`startsWith(data.title, "H")`:             `error[expr-syntax] c.yaml:1:7: "startsWith" is an operator, not a function (write data.title startsWith "H")`,
		`data.x and contains(lower(data.t), "h")`: `error[expr-syntax] c.yaml:1:18: "contains" is an operator, not a function (write lower(data.t) contains "h")`,
		`data.title | upcase`:                     `error[expr-syntax] c.yaml:1:20: "upcase" stands behind | without parentheses (write upper(data.title))`,
		`data.title | default`:                    `error[expr-syntax] c.yaml:1:20: "default" stands behind | without parentheses (write (data.title ?? "…"))`,
	} {
		if got := predicateFaults(t, "when: "+code).Error(); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", code, got, want)
		}
	}
	for _, code := range []string{
		`event != nil`, `data == "x"`, `data.a in data.b`, `data.a in ["x"]`, `data.a or data.b == "x"`, `data.a == "x" or true`, `data.title | upper() startsWith "H"`,
		`data.title startsWith ("H")`, `(data.title) contains "x"`, `data.contains("x") == 1 or true`,
	} {
		if list := predicateFaults(t, "when: "+code); list.Err() != nil && !strings.Contains(code, "data.contains") {
			t.Errorf("%s: %v", code, list)
		}
	}
}

// How other tools put a value into a text is no error: it may be meant. It is a
// warning that says what to write.
func TestMistakes_texts(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a ${data.x} b":         `"${data.x}" is sent as it stands (write ${{ data.x }})`,
		"{{1.title}}":           `"{{1.title}}" is sent as it stands (write ${{ data.title }})`,
		"{{ $json.x.y }}":       `"{{ $json.x.y }}" is sent as it stands (write ${{ data.x.y }})`,
		"x {data.x}":            `"{data.x}" is sent as it stands (write ${{ data.x }})`,
		"{{ data.x }}":          `"{{ data.x }}" is sent as it stands (write ${{ data.x }})`,
		"{{title}} ${{ data }}": `"{{title}}" is sent as it stands (write ${{ data.title }})`,
		"{{#if x}}":             `"{{#if x}}" is sent as it stands (write ${{ … }} to put a value in)`,
		"{{ name":               `"{{" is sent as it stands (write ${{ … }} to put a value in)`,
		"<%= data.x %>":         `"<%= data.x %>" is sent as it stands (write ${{ data.x }})`,
		"a $(data.x)":           `"$(data.x)" is sent as it stands (write ${{ data.x }})`,
		"%data.x.y% b":          `"%data.x.y%" is sent as it stands (write ${{ data.x.y }})`,
		"[data.x]":              `"[data.x]" is sent as it stands (write ${{ data.x }})`,
		"a $data.x":             `"$data.x" is sent as it stands (write ${{ data.x }})`,
		"data.website.title":    `"data.website.title" is sent as it stands (write ${{ data.website.title }})`,
		"event.type":            `"event.type" is sent as it stands (write ${{ event.type }})`,
		"data.csv 100% [x] $5.00 $x 50%data.x read data.website.title [data] (data.x)": "",
		"{a: 1} {x} $5 {} ${{ data.x }} ${{ {a: data.x} }} {{}}":                       "",
	} {
		_, list := lang.NewCompiler().Template(value(t, "v: '"+text+"'"), lang.Input{Kind: lang.ValueInput})
		got := ""
		for _, d := range list {
			got = d.Error()
			if !strings.HasPrefix(d.Error(), "warn[literal-braces]") {
				t.Errorf("%s: %s", text, d.Error())
			}
		}
		if !strings.HasSuffix(got, want) || (got == "") != (want == "") {
			t.Errorf("%s\ngot  %s\nwant %s", text, got, want)
		}
	}
}
