package lang_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/expr-lang/expr/builtin"

	"hookgate/internal/calendar"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// libraryScope is what the examples of the library see.
func libraryScope(t testing.TB) *lang.Scope { return newScope(t, lang.ExampleData) }

func exampleCalendars(t testing.TB) map[string]*calendar.Calendar {
	t.Helper()
	var d calendar.Definition
	if err := json.Unmarshal([]byte(lang.ExampleCalendar), &d); err != nil {
		t.Fatal(err)
	}
	office, err := calendar.New(d)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]*calendar.Calendar{"office": office, "broken": nil}
}

// placed is an expression in the zone and the language of the examples.
func placed(t testing.TB, code, language string) *lang.Expression {
	t.Helper()
	zone, err := time.LoadLocation(lang.ExampleZone)
	if err != nil {
		t.Fatal(err)
	}
	c := lang.NewCompiler()
	c.SetPlace(zone, language)
	c.SetTables(lang.ExampleTables())
	c.SetCalendars(exampleCalendars(t))
	e, list := c.Expression(yamlnode.Plain(code))
	if err := list.Err(); err != nil {
		t.Fatalf("%s: %v", code, err)
	}
	return e
}

// Every example is what it says, by both routes.
func TestFunctions_examples(t *testing.T) {
	t.Parallel()
	s := libraryScope(t)
	for _, f := range lang.Functions() {
		for _, x := range f.Examples {
			e := placed(t, x.Code, lang.ExampleLang)
			for _, eval := range []func(*lang.Expression, *lang.Scope) (any, error){lang.EvalFast, lang.EvalPlain} {
				if got, err := eval(e, s); err != nil || lang.JSONOf(got) != x.Value {
					t.Errorf("%s: got %s, %v, want %s", x.Code, lang.JSONOf(got), err, x.Value)
				}
			}
		}
	}
}

// Every function says all there is to say, what it makes of null is true, and
// none of expr's is forgotten.
func TestFunctions_areWhole(t *testing.T) {
	t.Parallel()
	s := libraryScope(t)
	seen := map[string]bool{}
	for _, f := range lang.Functions() {
		if f.Group == "" || f.Doc == "" || f.Null == "" || len(f.Examples) == 0 || !strings.HasPrefix(f.Signature, f.Name+"(") || !strings.HasSuffix(f.Doc, ".") || seen[f.Name] {
			t.Errorf("%+v lacks something, or stands twice", f)
		}
		seen[f.Name] = true
		if f.Null == "the next value" || f.Name == "rows" {
			continue
		}
		call := nullCall(&f)
		got, err := placed(t, call, "en").Eval(s)
		shown := lang.JSONOf(got)
		if err != nil {
			shown = "error"
		}
		if shown != f.Null {
			t.Errorf("%s gives %s, %v, and its page says %s", call, shown, err, f.Null)
		}
	}
	for _, name := range builtin.Names {
		if name != "now" && !strings.HasPrefix(name, "bit") && !seen[name] {
			t.Errorf("the builtin %s is not in the library", name)
		}
	}
}

// nullCall is a call with null as the first argument, and some value for each
// other that cannot be left out.
func nullCall(f *lang.Function) string {
	if f.Group == "Tables" { // the table is a name in the expression
		if f.Name == "rows" {
			return `rows("plans")`
		}
		return f.Name + `("plans", data.missing)`
	}
	values := map[string]string{
		"condition": "true", "expression": "#", "list": "[]", "b": "[]", "n": "1", "length": "1", "digits": "1", "size": "1", "unit": `"day"`, "amount": `"1d"`,
		"clock": `"09:00"`, "what": `"url"`, "currency": `"EUR"`, "pattern": `"d"`,
	}
	_, rest, _ := strings.Cut(strings.TrimSuffix(f.Signature, ")"), "(")
	arguments := []string{"data.missing"}
	for _, parameter := range strings.Split(rest, ", ")[1:] {
		name, _, optional := strings.Cut(parameter, " = ")
		if optional || strings.HasSuffix(name, "?") || name == "…" || f.Name == "max" || f.Name == "min" {
			continue
		}
		value := values[name]
		if value == "" {
			value = `"x"`
		}
		arguments = append(arguments, value)
	}
	return f.Name + "(" + strings.Join(arguments, ", ") + ")"
}

// What check can tell of a call, it tells with the argument's place.
func TestFunctions_faults(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		`title(5)`:                          `title needs a text, but got number`,
		`title()`:                           `title takes 1 argument, not 0`,
		`title("a", "b")`:                   `title takes 1 argument, not 2`,
		`truncate(data.s)`:                  `truncate takes 2 to 3 arguments, not 1`,
		`truncate(data.s, "5")`:             `truncate needs a whole number as length, but got text`,
		`truncate(data.s, 1.5)`:             `needs a whole number as length, but got number`,
		`words(data.s) + 1`:                 `mismatched types`,
		`title(data.s) > 3`:                 `mismatched types`,
		`upper(words(data.s))`:              `cannot use list as argument`,
		`join_text("a")`:                    `needs a list, but got text`,
		`omit([1], "a")`:                    `needs an object, but got list`,
		`start_of(data.t, "fortnight")`:     `a unit is one of minute, hour, day, week, month, quarter, year, not "fortnight"`,
		`time(data.t, "Berlin")`:            `"Berlin" is no name of the IANA database`,
		`number(data.n, "klingon")`:         `the language "klingon" is not known`,
		`match(data.s, "(")`:                "not a regular expression: missing closing )",
		`add_time(data.t, "soon")`:          `"soon" is no length of time`,
		`at(data.t, "25:00")`:               `"25:00" is no time of day`,
		`format_time(data.t, "DD.MM.YYYY")`: `"DD" says nothing in a pattern; dd is the day of the month`,
		`format_time(data.t, "d. 'of")`:     `lacks its other one`,
		`format_money(data.n, "Euro")`:      `"Euro" is no currency's code`,
		`phone(data.s, "Germany")`:          `"Germany" is no country's code`,
		`extract(data.s, "iban")`:           `what is one of email, url, number, phone, not "iban"`,
		`titel(data.s)`:                     `unknown function "titel"`,
		`strftime(data.t, "%d")`:            `unknown function "strftime"`,
	} {
		_, list := lang.NewCompiler().Expression(yamlnode.Plain(code))
		if err := list.Err(); err == nil || !strings.Contains(list[0].Error(), want) {
			t.Errorf("%s: got %v, want %s", code, list, want)
		}
	}
	for code, want := range map[string]string{
		`is_open("offise", data.t)`:           `no calendar is called "offise" (did you mean "office"?)`,
		`[1] | map(next_open("x", #))`:        `no calendar is called "x"`,
		`is_open(5, data.t)`:                  `is_open needs the name of a calendar, but got number`,
		`add_open_days("office", data.t)`:     `add_open_days takes 3 arguments, not 2`,
		`add_open_days("office", data.t, "")`: `add_open_days needs a whole number as n, but got text`,
	} {
		c := lang.NewCompiler()
		c.SetCalendars(exampleCalendars(t))
		if _, list := c.Expression(yamlnode.Plain(code)); len(list) != 1 || !strings.Contains(list.Error(), want) {
			t.Errorf("%s: got %v, want %s", code, list, want)
		}
	}
	for code, hint := range map[string]string{`titel(data.s)`: `did you mean "title"?`, `strftime(data.t, "%d")`: `format_time`, `title(5)`: `write title(text)`} {
		_, list := lang.NewCompiler().Expression(yamlnode.Plain(code))
		if len(list) == 0 || !strings.Contains(list[0].Hint, hint) {
			t.Errorf("%s: got %+v, want the hint %s", code, list, hint)
		}
	}
	node, _ := yamlnode.Parse("c.yaml", []byte(`when: title(data.a) == truncate("abc", "2")`))
	if _, list := lang.NewCompiler().Predicate(node.Get("when").Text()); len(list) != 1 || list[0].Line != 1 || list[0].Column != 40 {
		t.Errorf("got %+v, want a fault at the argument", list)
	}
	// Their names are good names for variables and keys, as they were before there were functions.
	for _, code := range []string{`let number = data.n; number == nil`, `let time = 1; time + 1`, `{"title": data.title}.title`, `let at = data.x; at?.match`} {
		if _, list := lang.NewCompiler().Expression(yamlnode.Plain(code)); list.Err() != nil {
			t.Errorf("%s: %v", code, list)
		}
	}
}

// What is wrong only when it is evaluated is told in the same words.
func TestFunctions_errors(t *testing.T) {
	t.Parallel()
	s := newScope(t, `{"n": 5, "s": "a", "list": [1], "big": 12345678901234567890, "unit": "eon", "p": "("}`)
	for code, want := range map[string]string{
		`title(data.n)`:                       `title(data.n): title needs a text, but got number`,
		`truncate(data.s, data.s)`:            `truncate needs a whole number as length, but got text`,
		`truncate(data.s, data.none)`:         `truncate needs a whole number as length, but got null`,
		`format_number(data.list)`:            `format_number needs a number, but got list`,
		`format_number(data.big)`:             `it is too large a number`,
		`number("12345678901234567890")`:      `the result is too large for a whole number`,
		`round_to(9223372036854775807, -1)`:   `the result is too large for a whole number`,
		`start_of(data.n, data.unit)`:         `a unit is one of`,
		`match(data.s, data.p)`:               `match cannot take the pattern: not a regular expression`,
		`match(data.s, "a", 1)`:               `the pattern has 0 groups, so it has no group 1`,
		`int("12.5")`:                         `write number(…)`,
		`float("12,5")`:                       `write number(…)`,
		`duration("soon")`:                    `"soon" is no duration, such as "90m"`,
		`join([1, 2])`:                        `join_text`,
		`chunk([1], 0)`:                       `at least 1 item`,
		`to_csv([1])`:                         `needs objects or lists as rows, but got number`,
		`query_string({"a": {"b": 1}})`:       `needs a text or a number, but got object`,
		`add_time("9999-12-31", "1d")`:        `the year 10000 is too far away`,
		`is_open(data.s, "2026-03-10")`:       `is_open finds no calendar that is called "a"`,
		`is_open(data.n, "2026-03-10")`:       `is_open needs the name of a calendar, but got number`,
		`add_open_days("office", 0, 10001)`:   `add_open_days takes at most 10000 days`,
		`markdown_to_html(repeat("[", 2000))`: `the Markdown is too long, or nested too deep`,
	} {
		if got, err := placed(t, code, "en").Text(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, %v, want %s", code, got, err, want)
		}
	}
}

// What is null or no time gives null, and so does an opening that never comes.
func TestFunctions_calendarsOfNull(t *testing.T) {
	t.Parallel()
	s := newScope(t, `{"n": null}`)
	for _, code := range []string{
		`is_open("office", data.n)`, `is_open("office", "soon")`, `is_open(data.n, "2026-03-10")`, `next_open("office", data.n)`, `add_open_days("office", data.n, 1)`,
	} {
		if got, err := placed(t, code, "en").Eval(s); err != nil || got != nil {
			t.Errorf("%s: got %v, %v, want null", code, got, err)
		}
	}
	if got, err := placed(t, `add_open_days("office", data.n, 10001)`, "en").Eval(s); err == nil {
		t.Errorf("too many days: got %v", got)
	}
}
