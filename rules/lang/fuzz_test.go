package lang_test

import (
	"encoding/json"
	"testing"
	"time"

	"hookgate/internal/diag"
	"hookgate/internal/jsondoc"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
	"hookgate/test/lab"
)

// seeds are expressions of every kind for the fuzzers to start from.
var seeds = []string{
	`data.website.status == "Done"`, `data.a?.b["c"].d ?? 1`, `any(data.items, .n in data.list) and not (1 < data.f <= 2)`,
	`let x = data.f; x ** 2 > 1`, `data.s matches "(a+)+$"`, `repeat(data.s, 9)`, `map(filter(data.items, .ok), {"k": #.n})`,
	`if data.yes { 1 } else { [1, 2][0] }`, `data.title | upper() | split(" ") | join("-")`, `date(event.time).Format("02.01.2006")`,
	`groupBy(data.items, .ok)`, `reduce(1..9, #acc + #)`, `data[data.k][1:2]`, `headers["a"] == query.a`, "`raw` + 'x'", `(((`, `title(data.s) | slug() | truncate(3)`, `match_all(data.s, "a(b)?", 1)`, `replace_match(data.s, "(a+)", "$1$1")`,
	`extract(data.s, "phone") ?? extract(data.s, "number")`, `number(data.s, "de") * 2`, `format_money(data.f, "EUR", "fr")`, `format_time(time(data.s), "EEEE ww XXX", "cs")`,
	`add_time(time(data.f), "1y 2mo -3d")`, `at(data.s, "02:30")`, `time_between(data.list, data.s, "month")`, `end_of(time(data.s), "quarter")`, `csv(data.s)`, `to_csv(data.items)`,
	`markdown_to_slack(data.s)`, `markdown_to_html(data.title)`, `html_to_text(data.s)`, `parse_url(data.s)?.query`, `phone(data.s, "DE")`, `last_name(data.s)`, `chunk(data.list, 2)`,
	`compact(data.list)`, `only(data, "a", ["s"])`, `pick(data.list, data.f)`, `coalesce(data.none, data.f) + 1`, `join_text(data.list, "", " ")`, `duration(data.s)`, `a = b`, `1..`,
}

const fuzzData = `{"website":{"status":"Done"},"a":{"b":{"c":{"d":1}}},"items":[{"n":1,"ok":true},{"n":2}],"list":[1,"x",null],"f":1.5,"s":"aaaa","yes":true,"title":"A b","k":"list"}`

// FuzzCompile: no expression panics or hangs the compiler, and what it refuses
// has a place and words.
func FuzzCompile(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, code string) {
		var p *lang.Predicate
		var list diag.List
		took := lab.CPU(func() { p, list = lang.NewCompiler().Predicate(yamlnode.Plain(code)) })
		if (p == nil) == (list.Err() == nil) && p == nil {
			t.Fatalf("%q: neither a predicate nor a fault", code)
		}
		for _, d := range list {
			if d.Code == "" || d.Message == "" {
				t.Fatalf("%q: %+v", code, d)
			}
		}
		if took > time.Second {
			t.Fatalf("%q took %v", code, took)
		}
	})
}

// FuzzEval: every evaluation ends in time, and both routes agree.
func FuzzEval(f *testing.F) {
	for _, s := range seeds {
		f.Add(s, fuzzData)
	}
	f.Fuzz(func(t *testing.T, code, data string) {
		doc, err := jsondoc.Parse([]byte(data))
		if err != nil {
			return
		}
		defer doc.Release()
		e, list := lang.NewCompiler().Expression(yamlnode.Plain(code))
		if list.Err() != nil {
			return
		}
		s := lang.NewScope(doc, lang.Meta{}, nil, nil)
		defer s.Release()
		var fast any
		var fastErr error
		if took := lab.CPU(func() { fast, fastErr = lang.EvalFast(e, s) }); took > time.Second { // 100 ms, and what is between two looks at the clock
			t.Fatalf("%q took %v", code, took)
		}
		plain, plainErr := lang.EvalPlain(e, s)
		if (fastErr == nil) != (plainErr == nil) {
			t.Fatalf("%q over %q: fast %v, plain %v", code, data, fastErr, plainErr)
		}
		a, aErr := json.Marshal(fast)
		b, bErr := json.Marshal(plain)
		if aErr == nil && bErr == nil && string(a) != string(b) {
			t.Fatalf("%q over %q: fast %s, plain %s", code, data, a, b)
		}
	})
}

// FuzzTemplate: what compiles renders to JSON, whatever the data.
func FuzzTemplate(f *testing.F) {
	for _, s := range seeds {
		f.Add("a ${{ "+s+" }} b", fuzzData)
		f.Add("${{"+s+"}}", `null`)
	}
	f.Add("$${{ ${{ '}}' }} {{ }}", `"x"`)
	f.Fuzz(func(t *testing.T, text, data string) {
		quoted, err := json.Marshal(text)
		if err != nil {
			return
		}
		node, list := yamlnode.Parse("f.yaml", append([]byte("v: "), quoted...))
		if list.Err() != nil {
			return
		}
		doc, err := jsondoc.Parse([]byte(data))
		if err != nil {
			return
		}
		defer doc.Release()
		s := lang.NewScope(doc, lang.Meta{}, nil, nil)
		defer s.Release()
		for _, kind := range []lang.Kind{lang.TextInput, lang.ValueInput} {
			tpl, list := lang.NewCompiler().Template(node.Get("v"), lang.Input{Kind: kind})
			if list.Err() != nil {
				continue
			}
			if out, _, _ := tpl.AppendJSON(nil, s); !json.Valid(out) {
				t.Fatalf("%q over %q: %q is not JSON", text, data, out)
			}
		}
	})
}
