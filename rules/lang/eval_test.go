package lang_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/internal/jsondoc"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

const sample = `{
	"event": "website_status_changed", "previousStatus": "Publish",
	"website": {"id": 321654, "big": 9007199254740993, "huge": 12345678901234567890, "million": 1000000, "price": 1e6,
		"title": "Harry's <Diner> & \"Co\"", "status": "Done", "due_date": null, "assigned_to": null,
		"closed_by": {"name": "Mary", "role": "Sales", "pending": false}, "tags": ["a", "b"], "meta": {}},
	"items": [{"n": 1, "ok": true}, {"n": 2, "ok": false}], "1.3": "Ada", "status": "first", "status": "last", "f": 1.5, "yes": true
}`

func mustDoc(t testing.TB, text string) *jsondoc.Doc {
	t.Helper()
	doc, err := jsondoc.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%.100s: %v", text, err)
	}
	return doc
}

func newScope(t testing.TB, text string) *lang.Scope {
	t.Helper()
	meta := lang.Meta{ID: "evt_1", Type: "website_status_changed", Source: "sitejet", Time: time.Date(2026, 3, 10, 10, 42, 7, 0, time.UTC)}
	s := lang.NewScope(mustDoc(t, text), meta, map[string]string{"webhook-id": "msg_1"}, map[string]any{"a": "1", "b": []any{"1", "2"}})
	t.Cleanup(s.Release)
	return s
}

func mustExpression(t testing.TB, code string) *lang.Expression {
	t.Helper()
	e, list := lang.NewCompiler().Expression(yamlnode.Plain(code))
	if err := list.Err(); err != nil {
		t.Fatalf("%s: %v", code, err)
	}
	return e
}

func TestExpression_Eval(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]any{
		`data.website.status`:                        "Done",
		`data.website.id`:                            321654,
		`data.website.id % 2`:                        0,
		`data.website.million == 1000000`:            true,
		`data.website.million == data.website.price`: true,
		`string(data.website.million)`:               "1000000",
		`string(data.website.price)`:                 "1e6",
		`string(data.website.huge)`:                  "12345678901234567890",
		`data.website.huge`:                          json.Number("12345678901234567890"),
		`data.website.big`:                           9007199254740993,
		`data["1.3"]`:                                "Ada",
		`data.status`:                                "last",
		`data.website.nothing`:                       nil,
		`data.website.closed_by?.role`:               "Sales",
		`data.website.assigned_to?.role`:             nil,
		`data.website.assigned_to?.role.name`:        nil,
		`data.website.assigned_to?.role ?? "none"`:   "none",
		`data.nothing?.x?.y`:                         nil,
		`data.items[1].n`:                            2,
		`data.items[-1].n`:                           2,
		`any(data.items, .n == 2)`:                   true,
		`filter(data.items, .ok)[0].n`:               1,
		`map(data.items, #.n)`:                       []any{1, 2},
		`sum(data.items, .n)`:                        3,
		`len(data.website.tags)`:                     2,
		`"a" in data.website.tags`:                   true,
		`"status" in data.website`:                   true,
		`data.website.id in ["a", "b"]`:              false,
		`data.website.status in ["Assign", "Done"]`:  true,
		`data.website.id in 1..10`:                   false,
		`5 in 1..10`:                                 true,
		`data[data.website.nothing ?? "f"]`:          1.5,
		`data.website.title matches "^Harry"`:        true,
		`data.website.due_date matches "x"`:          false,
		`data.website.status + "!"`:                  "Done!",
		`join(["a", "b"], "-")`:                      "a-b",
		`join(split("a,b,c", ","), ";")`:             "a;b;c",
		`replace("aXbX", "X", "-")`:                  "a-b-",
		`repeat("ab", 3)`:                            "ababab",
		`toJSON(data.items[0])`:                      `{"n":1,"ok":true}`,
		`fromJSON("{\"a\": 10000000}").a`:            10000000,
		`data.website.title | upper() | len()`:       len(`Harry's <Diner> & "Co"`),
		`let s = data.website.status; s == "Done"`:   true,
		`headers["webhook-id"]`:                      "msg_1",
		`headers["x-none"]`:                          nil,
		`query.a`:                                    "1",
		`query.b[1]`:                                 "2",
		`query.none`:                                 nil,
		`event.id + event.source`:                    "evt_1sitejet",
		`event.time`:                                 "2026-03-10T10:42:07.000Z",
		`date(event.time).Format("02.01.2006")`:      "10.03.2026",
		`1 < data.f < 2`:                             true,
		`data.yes ? "y" : "n"`:                       "y",
		`if data.yes { 1 } else { 2 }`:               1,
		`keys(data.website.closed_by) | sort()`:      []any{"name", "pending", "role"},
		`len(uniq([1, 1, data.f]))`:                  2,
		`{"a": data.f}`:                              map[string]any{"a": 1.5},
		`not (data.f > 2)`:                           true,
		`data.website.tags contains "a"`:             "error",
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			got, err := mustExpression(t, code).Eval(newScope(t, sample))
			if err != nil {
				got = "error"
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %v\n%s", code, err, diff)
			}
		})
	}
}

func TestExpression_Text(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		`data.website.id`: "321654", `data.website.price`: "1e6", `data.website.huge`: "12345678901234567890", `data.nothing`: "",
		`data.items[0]`: `{"n":1,"ok":true}`, `data.f`: "1.5", `data.yes`: "true", `date("2026-01-02")`: "2026-01-02T00:00:00Z",
		`duration("90m")`: "1h30m0s", `split("a b", " ")`: `["a","b"]`, `groupBy(data.items, .ok)`: `{"false":[{"n":2,"ok":false}],"true":[{"n":1,"ok":true}]}`,
	} {
		got, err := mustExpression(t, code).Text(newScope(t, sample))
		if err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", code, got, err, want)
		}
	}
}

// Any JSON value can be data.
func TestExpression_scalarData(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]any{`5`: 5, `"x"`: "x", `null`: nil, `[1,2]`: []any{1, 2}, `{}`: map[string]any{}, `true`: true} {
		got, err := mustExpression(t, `data`).Eval(newScope(t, text))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", text, err, diff)
		}
	}
	empty := lang.NewScope(nil, lang.Meta{}, nil, nil)
	defer empty.Release()
	if got, err := mustExpression(t, `[data, data?.x, headers["a"], query.b, len(headers), event.id]`).Eval(empty); err != nil ||
		!cmp.Equal(got, []any{nil, nil, nil, nil, 0, ""}) {
		t.Errorf("without a body: got %v, %v", got, err)
	}
}

// An event whose type is found by an expression gets it before the rules run.
func TestScope_eventChanges(t *testing.T) {
	t.Parallel()
	s := newScope(t, sample)
	e := mustExpression(t, `event.type`)
	for _, typ := range []string{"a", "b"} {
		s.Event.Type = typ
		if got, err := e.Eval(s); err != nil || got != typ {
			t.Errorf("got %v, %v; want %q", got, err, typ)
		}
	}
}

// One scope serves expressions of several compilers, whose paths have the same numbers.
func TestScope_severalCompilers(t *testing.T) {
	t.Parallel()
	s := newScope(t, sample)
	for range 2 {
		for code, want := range map[string]any{`data.status`: "last", `data.f`: 1.5, `data.nothing`: nil} {
			if got, err := mustExpression(t, code).Eval(s); err != nil || got != want {
				t.Errorf("%s: got %v, %v; want %v", code, got, err, want)
			}
		}
	}
}

func TestPredicate_errors(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		`data.website.assigned_to.role == "Sales"`: `data.website.assigned_to is null, so it has no "role" (write assigned_to?.role)`,
		`data.nothing.x == 1`:                      `data.nothing is null, so it has no "x" (write nothing?.x)`,
		`data.website.assigned_to["a b"] == 1`:     `data.website.assigned_to is null, so it has no "a b" (write assigned_to?.[…])`,
		`data.website.status.x == 1`:               `data.website.status is a list or a text, whose items are chosen by number`,
		`data.f.x == 1`:                            `data.f is a number, so it has no "x"`,
		`data.items[7].n == 1`:                     `data.items has 2 items, so it has no [7]`,
		`data.website[0] == 1`:                     `data.website is an object, whose values are chosen by name`,
		`data.website.due_date >= 5`:               `data.website.due_date >= 5: cannot work out null >= number`,
		`lower(data.nothing) == "x"`:               `lower(data.nothing): needs text, but got null`,
		`data.website.id contains "3"`:             `data.website.id contains "3": needs text, but got number`,
		`data.previousStatus`:                      `when gave "Publish" (text), not true or false`,
		`data.nothing`:                             `when gave null, not true or false`,
		`data.f and data.yes`:                      `data.f and data.yes: needs true or false, but got number`,
		`any(data.website.assigned_to, .x == 1)`:   `data.website.assigned_to: needs a list, but got null`,
		`any(data.website, true)`:                  `data.website: needs a list, but got object`,
		`1 % data.zero == 1`:                       `1 % data.zero: cannot work out number % null`,
		`1 % (data.website.id - 321654) == 1`:      `1 % (data.website.id - 321654): division by zero`,
		`1 in data.f`:                              `1 in data.f: "in" needs a list or an object, but got number`,
		`len(data.f) == 1`:                         `len(data.f): cannot take number`,
		`join(data.items) == ""`:                   `join(data.items): join needs a text, but got object; join_text takes any values`,
		`data.website.huge > 5`:                    `data.website.huge > 5: a number in it is too large or too small to work with; as text it is whole: string(…)`,
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			node, _ := yamlnode.Parse("c.yaml", []byte("when: '"+strings.ReplaceAll(code, "'", "''")+"'"))
			p, list := lang.NewCompiler().Predicate(node.Get("when").Text())
			if err := list.Err(); err != nil {
				t.Fatal(err)
			}
			if ok, err := p.Eval(newScope(t, sample)); err == nil || ok || err.Error() != want {
				t.Errorf("got %v, %v\nwant %s", ok, err, want)
			}
		})
	}
}
