package yamlnode_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

func mustParse(t *testing.T, text string) yamlnode.Node {
	t.Helper()
	n, list := yamlnode.Parse("c.yaml", []byte(text))
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestText_At(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		yaml, find   string
		line, column int
	}{
		"plain":          {"k: abc def", "def", 1, 8},
		"umlaut before":  {"ü: äbc def", "def", 1, 8},
		"single quoted":  {"k: 'it''s def'", "def", 1, 11},
		"double quoted":  {`k: "a\"\u00e4 def"`, "def", 1, 15},
		"literal":        {"k: |\n  abc\n  x def\n", "def", 3, 5},
		"literal indent": {"k: |\n  abc\n    def\n", "def", 3, 5},
		"folded":         {"k: >\n  abc\n  x def\n", "def", 3, 5},
		"plain folded":   {"k: abc\n   x def\n", "def", 2, 6},
		"quoted folded":  {"k: \"abc\n   x def\"\n", "def", 2, 6},
		"flow":           {"k: {k: \"abc def\"}", "def", 1, 13},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			node := mustParse(t, c.yaml).Fields()[0].Value
			if node.Kind() == yamlnode.Map {
				node = node.Get("k")
			}
			text := node.Text()
			i := strings.Index(text.Value, c.find)
			got := text.At(i, i+len(c.find))
			want := diag.Position{File: "c.yaml", Line: c.line, Column: c.column, Width: len(c.find)}
			if got != want {
				t.Errorf("%q in %q: got %+v, want %+v", c.find, text.Value, got, want)
			}
		})
	}
}

type thing struct {
	Name  string            `yaml:"name,required"`
	Count int               `yaml:"count"`
	Wait  time.Duration     `yaml:"wait"`
	From  []string          `yaml:"from,single"`
	Size  yamlnode.Size     `yaml:"size"`
	Rate  yamlnode.Rate     `yaml:"rate"`
	Parts []part            `yaml:"parts"`
	Env   map[string]string `yaml:"env"`
	When  yamlnode.Text     `yaml:"when"`
}

type part struct {
	To   string           `yaml:"to,required"`
	Rest []yamlnode.Field `yaml:",rest"`
}

func (part) Noun() string { return "a part" }

func TestDecode(t *testing.T) {
	t.Parallel()
	var got thing
	list := mustParse(t, "name: a\ncount: 3\nwait: 1d12h\nfrom: x\nsize: 10MB\nrate: 5/s\nparts: [{to: y, text: z}]\nenv: {A: b}\nwhen: x == 1\n").Decode("a thing", &got)
	if len(list) > 0 {
		t.Fatal(list)
	}
	if got.Wait != 36*time.Hour || got.Size != 10<<20 || got.Rate != (yamlnode.Rate{Count: 5, Per: time.Second}) ||
		len(got.From) != 1 || got.Parts[0].Rest[0].Key.Value != "text" || got.Env["A"] != "b" || got.When.Value != "x == 1" {
		t.Errorf("got %+v", got)
	}
}

func TestDecode_faults(t *testing.T) {
	t.Parallel()
	var got thing
	list := mustParse(t, "nam: a\ncount: lots\nwait: soon\nfrom: {}\nparts:\n  - text: z\nsize: #leads\nrate: 5\n").Decode("a thing", &got)
	var lines []string
	for _, d := range list {
		lines = append(lines, d.Error())
	}
	want := []string{
		`error[unknown-key] c.yaml:1:1: a thing has no key "nam" (did you mean "name"?)`,
		`error[wrong-type] c.yaml:2:8: "count" must be a whole number, not "lots"`,
		`error[bad-value] c.yaml:3:7: "wait": a duration is written like 500ms, 30s, 5m, 2h, 7d or 2w`,
		`error[wrong-type] c.yaml:4:1: "from" must be a text, not a mapping`,
		`error[missing-key] c.yaml:6:5: a part needs "to"`,
		`error[empty-value] c.yaml:7:7: "size" is empty: " #" starts a YAML comment (write "#leads" in quotes)`,
		`error[bad-value] c.yaml:8:7: "rate": a rate is written like 5/s, 100/m or 1000/h`,
		`error[missing-key] c.yaml:1:1: a thing needs "name"`,
	}
	if g, w := strings.Join(lines, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
}

// What cannot be read is said once, and is not there: nobody has to tell an
// element that is empty from one that could not be read.
func TestDecode_elements(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"from: {a: b}": 0, "from: [~]": 0, "from: [[x]]": 0, "from: [{}, x]": 1, "from: x": 1, "from: [x, y]": 2, `from: ""`: 1} {
		var got struct {
			From []yamlnode.Text `yaml:"from,single"`
		}
		list := mustParse(t, text+"\n").Decode("a thing", &got)
		if faults := len(list); len(got.From) != want || got.From == nil != (want == 0) || faults != map[bool]int{true: 1}[strings.ContainsAny(text, "{~") || strings.Contains(text, "[[")] {
			t.Errorf("%s: %v, %v", text, got.From, list)
		}
	}
	var got struct {
		From []yamlnode.Text `yaml:"from,single"`
	}
	if list := mustParse(t, "from: []\n").Decode("a thing", &got); len(list) > 0 || got.From == nil || len(got.From) != 0 {
		t.Errorf("an empty list: %v, %v", got.From, list)
	}
}

func TestParse_faults(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"a: [", "a: b: c", "\ta: 1", "a: 1\na: 2\n", "a: &x [*x]"} {
		if _, list := yamlnode.Parse("c.yaml", []byte(text)); list.Err() == nil || list[0].Line == 0 {
			t.Errorf("%q: got %v, want an error with its line", text, list)
		}
	}
}

// What YAML takes out of a value without quotes is said with its place and the
// remedy, whatever the sign; what is meant so passes.
func TestParse_swallowed(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a: !x.y":                     "error[yaml-tag] c.yaml:1:4: YAML takes !x.y for a tag (put the whole value in quotes)",
		"a: ! x.y":                    "error[yaml-tag] c.yaml:1:4: YAML takes ! for a tag (put the whole value in quotes)",
		"a: !!x.y":                    "error[yaml-tag] c.yaml:1:4: YAML takes !!x.y for a tag (put the whole value in quotes)",
		"a: [b, &x.y c]":              "warn[yaml-anchor] c.yaml:1:8: YAML takes &x.y for an anchor, and nothing refers to it (put the whole value in quotes)",
		"a: Ä #1 ${{ x }}\nb: 1":      "warn[yaml-comment] c.yaml:1:6: YAML takes \"#1 ${{ x }}\" for a comment (put the whole value in quotes)",
		"a: !!str 1\nb: &x 1\nc: *x":  "",
		"a: x # y\nb: 'x' # ${{ y }}": "",
		"# ${{ x }}\na: '! &x #1'":    "",
	} {
		_, list := yamlnode.Parse("c.yaml", []byte(text))
		got := ""
		for _, d := range list {
			got += d.Error()
		}
		if got != want {
			t.Errorf("%q\ngot  %s\nwant %s", text, got, want)
		}
	}
}

// A document that is too large is told from one whose aliases blow up.
func TestParse_bounds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ yaml, code string }{
		"deep":         {"k: " + strings.Repeat("[", 99) + strings.Repeat("]", 99), ""},
		"too deep":     {"k: " + strings.Repeat("[", 101) + strings.Repeat("]", 101), "yaml-size"},
		"too long":     {"k: [" + strings.Repeat("1,", 200_000) + "]", "yaml-size"},
		"aliases":      {"a: &a [1, 2]\nb: [*a, *a]", ""},
		"many aliases": {"a: &a [" + strings.Repeat("1,", 1000) + "]\nb: [" + strings.Repeat("*a,", 1000) + "]", "yaml-alias"},
	} {
		_, list := yamlnode.Parse("c.yaml", []byte(c.yaml))
		got := ""
		for _, d := range list {
			got += d.Code
		}
		if got != c.code {
			t.Errorf("%s: %q, want %q", name, got, c.code)
		}
	}
}

// A value that is refused is as if it were left out, so that what stands beside it
// is not compared with it.
func TestPlaced(t *testing.T) {
	t.Parallel()
	type settings struct {
		Rows  yamlnode.Placed[int]           `yaml:"rows" min:"1" max:"50" example:"6"`
		Size  yamlnode.Placed[yamlnode.Size] `yaml:"size" above:"0" example:"1MB"`
		Score yamlnode.Placed[float64]       `yaml:"score" min:"0" max:"1"`
	}
	decode := func(text string) (settings, string) {
		n, list := yamlnode.Parse("c.yaml", []byte(text))
		var s settings
		list = append(list, n.Decode("a field", &s)...)
		if len(list) == 0 {
			return s, ""
		}
		return s, fmt.Sprintf("%s %d:%d %s | %s", list[0].Code, list[0].Line, list[0].Column, list[0].Message, list[0].Hint)
	}
	s, fault := decode("rows: 50\nsize: 2KB\nscore: 0.5")
	if fault != "" || s.Rows.Value != 50 || s.Size.Value != 2048 || s.Score.Value != 0.5 || s.Size.Pos().Line != 2 {
		t.Errorf("%+v %s", s, fault)
	}
	for text, want := range map[string]string{
		"rows: 51":       `bad-value 1:7 "rows" must be from 1 to 50 | `,
		"rows: many":     `wrong-type 1:7 "rows" must be a whole number, not "many" | such as 6`,
		"rows: []":       `wrong-type 1:1 "rows" must be a whole number, not a list | such as 6`,
		"size: 0":        `bad-value 1:7 "size" must be more than 0 | `,
		"size: { a: 1 }": `wrong-type 1:1 "size" must be a size, not a mapping | such as 1MB`,
		"size:":          `empty-value 1:1 "size" is empty: it must be a size | such as 1MB`,
		"score: .nan":    `bad-value 1:8 "score" must be from 0 to 1 | `,
	} {
		s, fault := decode(text)
		if !s.Rows.IsZero() || !s.Size.IsZero() || !s.Score.IsZero() || s.Rows.Value != 0 || s.Size.Value != 0 {
			t.Errorf("%s: kept %+v", text, s)
		}
		if fault != want {
			t.Errorf("%s:\n%s, want\n%s", text, fault, want)
		}
	}
	described := yamlnode.Describe[settings]()
	if f := described.Field("rows"); f.Type != yamlnode.WholeType || f.Within != (yamlnode.Range{Min: "1", Max: "50"}) {
		t.Errorf("described as %+v", f)
	}
}

// What stands as a mapping where a list is meant is told how to become one.
func TestDecode_listed(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"rules:\n  won: { when: a }\n  lost: { when: b }\n": `write "- name: won" in place of "won:"`,
		"rules:\n  name: won\n  when: a\n":                  `begin each of its items with "- "`,
		"rules: { name: won, when: a }\n":                   `put it in [ ]`,
	} {
		var got struct {
			Rules []struct {
				Name string `yaml:"name"`
				When string `yaml:"when"`
			} `yaml:"rules"`
		}
		if list := mustParse(t, text).Decode("a thing", &got); len(list) != 1 || list[0].Code != "wrong-type" || list[0].Hint != want {
			t.Errorf("%s%v, want the hint %s", text, list, want)
		}
	}
}
