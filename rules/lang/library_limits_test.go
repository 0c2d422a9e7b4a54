package lang_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/expr-lang/expr/builtin"

	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
	"hookgate/test/lab"
)

// hostileTexts are texts that cost more than others.
var hostileTexts = map[string]string{
	"letters": "a", "tags": "<p><a href='x'>", "entities": "&lt;&#x41;", "marks": "**a_[`", "quotes": `"`, "table": "a,b;c\n", "lines": "\n", "digits": "1.2,3 ", "mails": "a@b", "links": "http://",
	"phones": "+49(", "wide": "Ä\u0308Щ", "percent": "%41", "query": "&a=b;", "nested": "> - ",
}

// Each function of the library, over the largest and the worst that it takes,
// ends soon and in little memory. Without the meter in function.run, or without
// the bounds of each function, some take seconds, or hundreds of MB.
func TestLimits_functions(t *testing.T) { //nolint:paralleltest // it measures time and memory
	const allowedTime, allowedMemory, size = 100 * time.Millisecond, 32 << 20, 1 << 20
	data, object, list, rows := map[string]any{}, map[string]any{}, make([]any, 10_000), make([]any, 10_000)
	for name, part := range hostileTexts {
		data[name] = strings.Repeat(part, size/len(part))
		data["short_"+name] = strings.Repeat(part, 20_000/len(part))
	}
	for i := range list {
		key := "k" + string(rune('a'+i%26)) + strings.Repeat("x", i%50)
		object[key+strings.Repeat("y", i%7)] = strings.Repeat("v", 100)
		list[i], rows[i] = strings.Repeat("v", 100), map[string]any{key: "v", "k": []any{"v", i}}
	}
	data["object"], data["list"], data["rows"] = object, list, rows
	text, err := json.Marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	s := newScope(t, string(text))
	if _, err := mustExpression(t, `data`).Eval(s); err != nil { // decode once, for it is not the expression's cost
		t.Fatal(err)
	}
	made, took := map[string]uint64{}, map[string]time.Duration{}
	for _, f := range lang.Functions() {
		for name := range data {
			_, isBuiltin := builtin.Index[f.Name] // those of expr have bounds and tests of their own
			if isBuiltin && hostileTexts[name] != "a" && name != "list" || strings.HasPrefix(name, "short_") && f.Group != "Markup" {
				continue
			}
			code := strings.Replace(nullCall(&f), "data.missing", "data."+name, 1)
			c := lang.NewCompiler()
			c.SetTables(lang.ExampleTables())
			e, list := c.Expression(yamlnode.Plain(code))
			if err := list.Err(); err != nil {
				t.Fatal(err)
			}
			var bytes uint64
			needed := lab.CPU(func() { bytes = allocated(func() { _, _ = e.Eval(s) }) })
			made[f.Name] = max(made[f.Name], bytes)
			took[f.Name] = max(took[f.Name], needed)
			if needed > 30*allowedTime || bytes > allowedMemory {
				t.Errorf("%s took %v and %d KB", code, needed, bytes>>10)
			}
		}
		if took[f.Name] > allowedTime/2 {
			t.Logf("%s: %v, %d KB", f.Name, took[f.Name], made[f.Name]>>10)
		}
	}
}

// Patterns that look at all of a text for each match end by the clock, and
// what they would make is bounded before it is made. Without pattern.count the
// first ones take minutes.
func TestLimits_patterns(t *testing.T) { //nolint:paralleltest // it measures time and memory
	// It makes 10 MB; some 40 with the race detector, under which pools forget.
	const allowedTime, allowedMemory = 100 * time.Millisecond, 96 << 20
	s := newScope(t, hostile())
	for code, want := range map[string]string{
		`match_all(data.s[0:90000], "a(a*b)?")`:                                    "",
		`replace_match(data.s[0:90000], "a(a*b)?", "x")`:                           "",
		`match_all(data.s, "a")`:                                                   "the pattern matches at more than 10000 places",
		`match_all(data.s[0:5000], "")`:                                            "",
		`match_all(data.s[0:9000], "` + strings.Repeat("()", 100) + `a")`:          "the pattern matches at more than 1980 places",
		`replace_match(data.s[0:9000], "a", data.s)`:                               "replace_match would make a text longer than 1 MB",
		`replace_match(data.s[0:9000], "a+", "` + strings.Repeat("$0", 400) + `")`: "replace_match would make a text longer than 1 MB",
		`match(data.s, "(a?){300}b")`:                                              "too long for this regular expression",
		`match(data.text, "a")`:                                                    "takes a text of at most 1024 KB",
		`pad_left("a", 100000000)`:                                                 "pad_left would make a text longer than 1 MB",
		`escape_html(repeat("<", 500000))`:                                         "escape_html would make a text longer than 1 MB",
		`join_text(map(data.list, data.s))`:                                        "longer than 1 MB",
		`len(map(data.list, title(data.s)))`:                                       "it made more than 4 MB",
		`difference(map(data.list, data.s), [])`:                                   "it made more than 4 MB",
	} {
		e, list := lang.NewCompiler().Expression(yamlnode.Plain(code))
		if err := list.Err(); err != nil {
			t.Fatal(err)
		}
		var err error
		var made uint64
		took := lab.CPU(func() { made = allocated(func() { _, err = e.Eval(s) }) })
		if want != "" && (err == nil || !strings.Contains(err.Error(), want) && !strings.Contains(err.Error(), "longer than")) {
			t.Errorf("%s: got %v, want an error with %q", code, err, want)
		}
		if took > 30*allowedTime || made > allowedMemory {
			t.Errorf("%s took %v and %d KB", code, took, made>>10)
		}
		t.Logf("%v %d KB %v", took, made>>10, code[:min(60, len(code))])
	}
}
