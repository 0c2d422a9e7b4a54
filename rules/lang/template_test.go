package lang_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

func value(t *testing.T, yaml string) yamlnode.Node {
	t.Helper()
	node, list := yamlnode.Parse("c.yaml", []byte(yaml))
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	return node.Get("v")
}

func upper(s string) string { return strings.ToUpper(s) }

func TestTemplate_AppendJSON(t *testing.T) {
	t.Parallel()
	for yaml, want := range map[string]struct {
		kind    lang.Kind
		json    string
		missing []string
		err     string
	}{
		"v: ${{ data.website.id }}":                       {lang.ValueInput, `321654`, nil, ""},
		"v: ${{ data.website.big }}":                      {lang.ValueInput, `9007199254740993`, nil, ""},
		"v: ${{ data.website.huge }}":                     {lang.ValueInput, `12345678901234567890`, nil, ""},
		"v: id ${{ data.website.id }}":                    {lang.ValueInput, `"id 321654"`, nil, ""},
		"v: ${{ data.website.id }}${{ data.f }}":          {lang.ValueInput, `"3216541.5"`, nil, ""},
		"v: ${{ data.website.tags }}":                     {lang.ValueInput, `["a","b"]`, nil, ""},
		"v: ${{ data.website.closed_by }}":                {lang.ValueInput, `{"name":"Mary","role":"Sales","pending":false}`, nil, ""},
		"v: ${{ data.website.title }}":                    {lang.ValueInput, `"Harry's <Diner> & \"Co\""`, nil, ""},
		"v: ${{ data.nothing }}":                          {lang.ValueInput, `null`, []string{"data.nothing"}, ""},
		"v: ${{ data.website.assigned_to?.email }}":       {lang.ValueInput, `null`, []string{"data.website.assigned_to?.email"}, ""},
		"v: a${{ data.nothing }}b":                        {lang.ValueInput, `"ab"`, []string{"data.nothing"}, ""},
		"v: ${{ data.nothing ?? 5 }}":                     {lang.ValueInput, `5`, nil, ""},
		"v: '${{ {\"a\": {\"b\": 1}} }}'":                 {lang.ValueInput, `{"a":{"b":1}}`, nil, ""},
		"v: '${{ \"}}\" }}'":                              {lang.ValueInput, `"}}"`, nil, ""},
		"v: '$${{ a }} ${{ data.f }}'":                    {lang.ValueInput, `"${{ a }} 1.5"`, nil, ""},
		"v: '$${{ a }}'":                                  {lang.ValueInput, `"${{ a }}"`, nil, ""},
		"v: {b: 1, a: [true, null, 1.50, \"2\", 1e6, x]}": {lang.ValueInput, `{"b":1,"a":[true,null,1.5,"2",1000000,"x"]}`, nil, ""},
		"v: {b: '${{ data.f }}', a: ['${{ data.yes }}']}": {lang.ValueInput, `{"b":1.5,"a":[true]}`, nil, ""},
		"v: ${{ lower(data.nothing) }}":                   {lang.ValueInput, `null`, nil, "${{ lower(data.nothing) }}: lower(data.nothing): needs text, but got null"},
		"v: ${{ 1 / 0 }}":                                 {lang.ValueInput, `null`, nil, "${{ 1 / 0 }}: 1 / 0: division by zero"},
		"v: ${{ 1e308 * 10 }}":                            {lang.ValueInput, `null`, nil, "${{ 1e308 * 10 }}: +Inf is not a number that JSON can hold"},
		"v: 5":                                            {lang.TextInput, `"5"`, nil, ""},
		"v: \"a\\\"b\\u2028<\"":                           {lang.TextInput, "\"a\\\"b\u2028<\"", nil, ""},
		"v: <b> ${{ data.website.status }}":               {lang.TextInput, `"<b> DONE"`, nil, ""},
		"v: ${{ raw(data.website.status) }} x":            {lang.TextInput, `"Done x"`, nil, ""},
		"v: ${{ data.website.status | raw() }}":           {lang.TextInput, `"Done"`, nil, ""},
		"v: |\n  a ${{ data.f }}\n  b\n":                  {lang.TextInput, `"a 1.5\nb\n"`, nil, ""},
		"v: ${{ data.items[0] }}":                         {lang.TextInput, `"{\"N\":1,\"OK\":TRUE}"`, nil, ""},
		"v:  ${{ data.nothing }}":                         {lang.TextInput, `""`, []string{"data.nothing"}, ""},
		"v: a ${{ data.f.x }} b":                          {lang.TextInput, `"a  b"`, nil, `${{ data.f.x }}: data.f is a number, so it has no "x"`},
	} {
		t.Run(yaml, func(t *testing.T) {
			t.Parallel()
			in := lang.Input{Name: "v", Kind: want.kind}
			if want.kind == lang.TextInput {
				in.Escape = upper // of a ValueInput: TestTemplate_escapedValues
			}
			tpl, list := lang.NewCompiler().Template(value(t, yaml), in)
			if err := list.Err(); err != nil {
				t.Fatal(err)
			}
			out, missing, err := tpl.AppendJSON([]byte("x"), newScope(t, sample))
			if string(out) != "x"+want.json || !cmp.Equal(missing, want.missing) {
				t.Errorf("got %s, missing %q\nwant %s, %q", out, missing, want.json, want.missing)
			}
			if (err == nil && want.err != "") || (err != nil && err.Error() != want.err) {
				t.Errorf("got %v, want %s", err, want.err)
			}
			if tpl.Static() != !strings.Contains(strings.ReplaceAll(yaml, "$${{", ""), "${{") {
				t.Errorf("Static is %v", tpl.Static())
			}
			if !json.Valid(out[1:]) {
				t.Errorf("%s is not JSON", out[1:])
			}
		})
	}
}

func TestTemplate_invalidUTF8(t *testing.T) {
	t.Parallel()
	tpl, list := lang.NewCompiler().Template(value(t, "v: ${{ data.a }}-${{ data.b }}"), lang.Input{Kind: lang.TextInput})
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	out, _, err := tpl.AppendJSON(nil, newScope(t, "{\"a\":\"x\xffy\",\"b\":\"\\ud800z\\u0001\"}"))
	if want := "\"x\ufffdy-\ufffdz\\u0001\""; err != nil || string(out) != want {
		t.Errorf("got %q, %v; want %q", out, err, want)
	}
}

func TestTemplate_faults(t *testing.T) {
	t.Parallel()
	for yaml, want := range map[string]string{
		"v: a ${{ data.x":                    `error[template-open] c.yaml:1:6: "${{" has no "}}" (close it, or write $${{ for the characters themselves)`,
		"v: a ${{ }}":                        `error[expr-syntax] c.yaml:1:6: ${{ }} holds no expression`,
		"v: a ${{ data.x = 1 }}":             `error[expr-syntax] c.yaml:1:17: "=" is not an operator (write == to compare)`,
		"v: {a: [1, \"${{ website.id }}\"]}": `error[expr-name] c.yaml:1:17: unknown name "website" (did you mean data.website.id?)`,
		"v: |\n  abc\n  ä ${{ dta.x }}\n":    `error[expr-name] c.yaml:3:9: unknown name "dta" (did you mean "data"?)`,
		"v: {\"${{ data.x }}\": 1}":          `error[template-in-key] c.yaml:1:5: a key cannot hold ${{ }} (write the key out)`,
		"v: ${{ \"a\" + raw(data.x) }}":      `error[expr-name] c.yaml:1:14: raw(…) must be the whole of a ${{ }} (write ${{ raw(…) }})`,
		"v: {a: .nan}":                       `error[bad-value] c.yaml:1:8: NaN is not a number that JSON can hold`,
		"v: {a: '${{ foo }}', b: '${{ uper() }}'}": "error[expr-name] c.yaml:1:13: unknown name \"foo\" (did you mean data.foo?)\n" +
			`error[expr-name] c.yaml:1:30: unknown function "uper" (did you mean "upper"?)`,
	} {
		_, list := lang.NewCompiler().Template(value(t, yaml), lang.Input{Kind: lang.ValueInput})
		if got := list.Error(); !strings.HasPrefix(got, want) {
			t.Errorf("%s\ngot  %s\nwant %s", yaml, got, want)
		}
	}
	for yaml, want := range map[string]string{
		"v: #leads": `error[empty-value] c.yaml:1:4: "v" is empty: " #" starts a YAML comment (write "#leads" in quotes)`,
		"v: [a]":    `error[wrong-type] c.yaml:1:1: "v" must be a text, not a list`,
	} {
		_, list := lang.NewCompiler().Template(value(t, yaml), lang.Input{Kind: lang.TextInput})
		if got := list.Error(); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", yaml, got, want)
		}
	}
}

// TestTemplate_otherLanguage: what looks like another language's template is
// sent as it stands, and said so.
func TestTemplate_otherLanguage(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"Hello {{ data.name }}": true, "{{name}}": true, "a {{.Name}} b": true,
		"Hello ${{ data.name }}": false, `{"a":{"b":{}}}`: false, "{{}}": false, "$${{ data.x }}": false,
	} {
		n, list := yamlnode.Parse("c.yaml", []byte("text: |-\n  "+text+"\n"))
		if err := list.Err(); err != nil {
			t.Fatal(err)
		}
		_, list = lang.NewCompiler().Template(n.Get("text"), lang.Input{Name: "text", Kind: lang.TextInput})
		warned := len(list) == 1 && list[0].Code == "literal-braces" && list[0].Severity == diag.Warning && list[0].Line == 2
		if warned != want || list.Err() != nil {
			t.Errorf("%s: got %v, want a warning: %v", text, list, want)
		}
	}
}
