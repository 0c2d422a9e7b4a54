package lang_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

func readsOf(a *lang.Analysis) string {
	var out []string
	for _, r := range a.Reads {
		text := strings.Join(append([]string{r.Root}, r.Keys()...), ".")
		if r.Guarded {
			text += "?"
		}
		out = append(out, text)
	}
	return strings.Join(out, " ")
}

func comparesOf(a *lang.Analysis) string {
	var out []string
	for _, c := range a.Compares {
		var values []string
		for _, l := range c.Literals {
			values = append(values, fmt.Sprint(l.Value))
		}
		out = append(out, strings.Join(c.Read.Keys(), ".")+" "+c.Operator+" "+strings.Join(values, ","))
	}
	return strings.Join(out, "; ")
}

func TestPredicate_Analyse(t *testing.T) {
	t.Parallel()
	for code, want := range map[string][2]string{
		`data.a.b == "x"`:                                  {"data.a.b", "a.b == x"},
		`"x" == data.a`:                                    {"data.a", "a == x"},
		`5 < data.a and -5 < data.b`:                       {"data.a data.b", "a > 5; b > -5"},
		`data.a in ["x", 1, nil]`:                          {"data.a", "a in x,1,<nil>"},
		`data.a not in ["x"]`:                              {"data.a", "a in x"},
		`data["1.3"].b[0].c != true`:                       {"data.1.3.b.[].c", "1.3.b.[].c != true"},
		`data.a?.b == 1`:                                   {"data.a.b?", "a.b == 1"},
		`(data.a ?? data.b) == "x"`:                        {"data.a? data.b", ""},
		`(data.a ?? data.b ?? "") == "x"`:                  {"data.a? data.b?", ""},
		`coalesce(data.a, data.b) == "x"`:                  {"data.a? data.b?", ""},
		`is_empty(data.a) or title(data.b) == "X"`:         {"data.a? data.b", ""},
		`data.a == nil or nil != data.b`:                   {"data.a? data.b?", "a == <nil>; b != <nil>"},
		`"x" in data.a`:                                    {"data.a", ""},
		`data.a == data.b`:                                 {"data.a data.b", ""},
		`any(data.items, .price > 100)`:                    {"data.items data.items.[].price", "items.[].price > 100"},
		`any(data.items, any(#.tags, # == "x"))`:           {"data.items data.items.[].tags data.items.[].tags.[]", "items.[].tags.[] == x"},
		`let w = data.website; w.status == "Done"`:         {"data.website data.website.status", "website.status == Done"},
		`data[data.key] == "x"`:                            {"data.key", ""},
		`data.a[data.key].b == "x"`:                        {"data.a data.key", ""},
		`len(data.a) > 2 and lower(data.b) contains "x"`:   {"data.a data.b", ""},
		`headers["x-a"] == "b" and event.type == "c"`:      {"headers.x-a event.type", "x-a == b; type == c"},
		`data.t ? data.a == 1 : data.b == 2`:               {"data.t data.a data.b", "a == 1; b == 2"},
		`date(data.day).Year() == 2026`:                    {"data.day", ""},
		`any(filter(data.items, .ok), .n == 1)`:            {"data.items data.items.[].ok", ""},
		`let a = data.x; any(a, #.b == 1) and a[0] == "z"`: {"data.x data.x data.x.[].b data.x.[]", "x.[].b == 1; x.[] == z"},
	} {
		p, list := lang.NewCompiler().Predicate(yamlnode.Plain(code))
		if list.Err() != nil {
			t.Fatalf("%s: %v", code, list)
		}
		a := p.Analyse()
		if got := [2]string{readsOf(&a), comparesOf(&a)}; got != want {
			t.Errorf("%s\n got %q\nwant %q", code, got, want)
		}
		if len(a.Faults) > 0 {
			t.Errorf("%s: %v", code, a.Faults)
		}
	}
}

func TestPredicate_Analyse_faults(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		`data.a == "x" and data.b == 1 and data.a == "y"`:           `contradiction this and data.a == "x" are never true at once (write or)`,
		`data.a == "x" and data.a != "x"`:                           `contradiction this and data.a == "x" are never true at once (write or)`,
		`data.a in ["x", "y"] and data.a == "z"`:                    `contradiction this and data.a in ["x", "y"] are never true at once`,
		`(data.a == "x" or data.a == "y") and data.a == "z"`:        `contradiction this and (data.a == "x" or data.a == "y") are never true at once`,
		`data.a == "x" and not (data.a in ["x", "y"])`:              `contradiction this and data.a == "x" are never true at once`,
		`data.n > 5 and data.n < 5`:                                 `contradiction this and data.n > 5 are never true at once`,
		`data.n > 5 and data.n == 5.0`:                              `contradiction this and data.n > 5 are never true at once`,
		`data.a and not data.a`:                                     `contradiction this and data.a are never true at once (write or)`,
		`data.t or (data.a == "x" and data.a == "y")`:               `contradiction this and data.a == "x" are never true at once (write or)`,
		`any(data.items, .a == "x" and .a == "y")`:                  `contradiction this and .a == "x" are never true at once (write or)`,
		`let a = data.a; a == 1 and data.a == 2`:                    `contradiction this and a == 1 are never true at once (write or)`,
		`data.a != "x" or data.a != "y"`:                            `always-true one of this and data.a != "x" is always true (write and)`,
		`data.a == "x" or data.a != "x"`:                            `always-true one of this and data.a == "x" is always true (write and)`,
		`true`:                                                      `constant-condition this is true for every event (leave the key out for always)`,
		`false`:                                                     `constant-condition this is true for no event (take the rule out, or put # before its lines)`,
		`1 + 1 == 2`:                                                `constant-condition this reads nothing of the event: it is always the same (compare something of data or event)`,
		`data.a == 1 or true`:                                       `constant-condition true beside or is of no use (take it out)`,
		`data.a >= 5 and data.a <= 5`:                               ``,
		`data.a == 9007199254740993 and data.a == 9007199254740993`: ``,
		`data.a == "x" or data.a == "y"`:                            ``,
		`data.a != "x" and data.a != "y"`:                           ``,
		`data.a > 5 or data.a < 3`:                                  ``,
		`data.a > 5 or not (data.a > 5)`:                            ``,
		`any(data.a, # == 1) and any(data.a, # == 2)`:               ``,
		`data.a[0] == 1 and data.a[1] == 2`:                         ``,
		`data.a == "x" and (data.b == "y" or data.a == "z")`:        ``,
		`data.a == 1 and data.a == "1" ? true : false`:              `contradiction this and data.a == 1 are never true at once (write or)`,
		`data.day > "2026-01-01"`:                                   ``,
	} {
		p, list := lang.NewCompiler().Predicate(yamlnode.Plain(code))
		if list.Err() != nil {
			t.Fatalf("%s: %v", code, list)
		}
		var got []string
		for _, d := range p.Analyse().Faults {
			line := d.Code + " " + d.Message
			if d.Hint != "" {
				line += " (" + d.Hint + ")"
			}
			got = append(got, line)
		}
		if diff := cmp.Diff(want, strings.Join(got, "\n")); diff != "" {
			t.Errorf("%s\n%s", code, diff)
		}
	}
}

// What a kept table says changes by itself; a fixed one always says the same.
func TestAnalyse_tables(t *testing.T) {
	t.Parallel()
	c := lang.NewCompiler()
	tables := lang.ExampleTables()
	tables["projects"] = &lang.Table{Keep: time.Hour}
	c.SetTables(tables)
	c.AllowKept(true)
	for code, want := range map[string]int{
		`len(filter(rows("projects"), .status != "Done")) > 0`: 0, `lookup("projects", "7")?.status == "Done"`: 0, `lookup("plans", "s").price == 49`: 1,
	} {
		p, list := c.Predicate(yamlnode.Plain(code))
		if len(list) > 0 {
			t.Fatalf("%s: %v", code, list)
		}
		if got := p.Analyse().Faults; len(got) != want {
			t.Errorf("%s: %v", code, got)
		}
	}
}

// The places of what is warned of, in the file.
func TestAnalyse_places(t *testing.T) {
	t.Parallel()
	n, list := yamlnode.Parse("c.yaml", []byte("when: data.website.stauts == \"Done\" and data.website.stauts in [\"x\"]\n"))
	if len(list) > 0 {
		t.Fatal(list)
	}
	p, list := lang.NewCompiler().Predicate(n.Get("when").Text())
	if len(list) > 0 {
		t.Fatal(list)
	}
	a := p.Analyse()
	var got []string
	for _, place := range []lang.Place{
		a.Reads[0].Steps[0].Place, a.Reads[0].Steps[1].Place, a.Reads[0].Place, a.Compares[0].Literals[0].Place, a.Compares[1].Place,
	} {
		d := place.Warn("x", "", "%s", place.Text())
		got = append(got, fmt.Sprintf("%d+%d %s", d.Column, d.Width, d.Message))
	}
	got = append(got, fmt.Sprintf("%d+%d", a.Faults[0].Column, a.Faults[0].Width))
	want := []string{"12+7 website", "20+6 stauts", "7+19 data.website.stauts", `30+6 "Done"`, `41+28 data.website.stauts in ["x"]`, "41+28"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTemplate_Blanks(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`${{ data.a }}`: "data.a", `${{ data.a }}${{ data.b?.c }}`: "data.a data.b?.c", `${{ data.a ?? "x" }}`: "", `x ${{ data.a }}`: "",
		`x`: "", `${{ data.a }} `: "", `${{ lower(data.a) }}`: "", `${{ raw(data.a) }}`: "data.a",
	} {
		n, list := yamlnode.Parse("c.yaml", []byte("'"+text+"'"))
		if len(list) > 0 {
			t.Fatal(list)
		}
		tmpl, list := lang.NewCompiler().Template(n, lang.Input{Name: "text", Kind: lang.TextInput})
		if len(list) > 0 {
			t.Fatal(list)
		}
		var got []string
		for _, r := range tmpl.Blanks("") {
			got = append(got, r.Place.Text())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}
