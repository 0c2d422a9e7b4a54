package docs_test

import (
	"encoding/json"
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/internal/jsondoc"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

var update = flag.Bool("update", false, "write functions.md anew")

const functionsHead = `# Functions

What conditions and ` + "`${{ }}`" + ` can call. ` + "`hookgate functions`" + ` prints this list, ` + "`hookgate functions NAME`" + ` one of them, both with ` + "`--json`" + `.
This page is made from the code, and every example on it is a test.

- **No function looks at the clock, takes a chance or asks the network**: what was decided can be explained later as it was.
- **Time and language.** What says no zone is in ` + "`server.timezone`" + `, and numbers, money and dates are written and read as in ` + "`server.lang`" + `
  (` + "`en`" + ` unless set), unless the call says another. In recipes these are UTC and English.
- **Null.** Most functions give null where their first argument is null or cannot be read, so that ` + "`??`" + ` catches both:
  ` + "`number(data.budget) ?? 0`" + `. In a template null is a warning. The column *of null* says it for each. A value of a wrong type is an error.
- **Types.** ` + "`hookgate check`" + ` knows what each takes and gives, and the units, zones, patterns and currencies that stand in an expression.
- **Limits.** A text that a function makes is at most 1 MB, a list has at most 10,000 items, and one expression may take 100 ms.

The examples are run with ` + "`timezone: Europe/Berlin`, `lang: en`" + `, the calendar ` + "`office: " + lang.ExampleCalendar + "`" + ` and this data:

` + "```json" + `
`

// functionsPage is docs/functions.md.
func functionsPage() string {
	var b strings.Builder
	b.WriteString(functionsHead + lang.ExampleData + "\n```\n")
	group := ""
	for _, f := range lang.Functions() {
		if f.Group != group {
			group = f.Group
			b.WriteString("\n## " + group + "\n\n| function | what it gives | of null | examples |\n|---|---|---|---|\n")
		}
		examples := make([]string, len(f.Examples))
		for i, x := range f.Examples {
			examples[i] = cell("`"+x.Code+"`") + " → " + cell("`"+x.Value+"`")
		}
		null := f.Null
		if strings.ContainsAny(null, `"{[`) {
			null = "`" + null + "`"
		}
		b.WriteString("| " + cell("`"+f.Signature+"`") + " | " + cell(f.Doc) + " | " + null + " | " + strings.Join(examples, "<br>") + " |\n")
	}
	return b.String()
}

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// The page of functions is what the code says.
func TestFunctionsPage(t *testing.T) {
	t.Parallel()
	const path = "functions.md"
	want := functionsPage()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s is not what the code says, %v: go test ./docs -run %s -update", path, err, t.Name())
	}
}

var tableRow = regexp.MustCompile("(?m)^\\| ([^|`]+) \\| `((?:[^`|]|\\\\\\|)+)` \\| `([^`]+)` \\|$")

// Each expression in the tables of the page for those who come from Zapier
// gives what it says.
func TestFromZapier(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("from-zapier.md")
	if err != nil {
		t.Fatal(err)
	}
	zone, err := time.LoadLocation(lang.ExampleZone)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsondoc.Parse([]byte(lang.ExampleData))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(doc.Release)
	s := lang.NewScope(doc, lang.Meta{ID: "evt_1", Type: "a", Source: "b", Time: time.Date(2026, 3, 10, 13, 30, 0, 0, time.UTC).In(zone)}, nil, nil)
	t.Cleanup(s.Release)
	rows := tableRow.FindAllStringSubmatch(string(text), -1)
	for _, row := range rows {
		code := strings.ReplaceAll(row[2], `\|`, "|")
		c := lang.NewCompiler()
		c.SetPlace(zone, lang.ExampleLang)
		e, list := c.Expression(yamlnode.Plain(code))
		if err := list.Err(); err != nil {
			t.Errorf("%s: %v", code, err)
			continue
		}
		got, err := e.Eval(s)
		var want any
		if wrong := json.Unmarshal([]byte(row[3]), &want); wrong != nil {
			t.Errorf("%s: %s is no JSON", row[1], row[3])
		}
		shown, wrong := json.Marshal(got)
		var given any
		if err != nil || wrong != nil || json.Unmarshal(shown, &given) != nil || !cmp.Equal(given, want) {
			t.Errorf("%s: %s gives %s, %v, and the page says %s", row[1], code, shown, err, row[3])
		}
	}
	const operators, transforms = 19, 38
	if len(rows) < operators+transforms {
		t.Errorf("%d rows were found, want all of Zapier's operators and transforms", len(rows))
	}
}
