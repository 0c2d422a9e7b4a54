package lang_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
	"hookgate/test/lab"
)

// hostile builds an event whose lists and texts are as large as hookgate lets in.
func hostile() string {
	list := "[" + strings.TrimSuffix(strings.Repeat("1,", 10_000), ",") + "]"
	long := "[" + strings.TrimSuffix(strings.Repeat("[],", 50_000), ",") + "]"
	return fmt.Sprintf(`{"list": %s, "long": %s, "text": %q, "s": %q}`, list, long, strings.Repeat("a", 2<<20), strings.Repeat("a", 200_000))
}

// Expressions that want too much end soon, in little memory, and say why.
//
// Promise: T11.
func TestLimits(t *testing.T) { //nolint:paralleltest // it measures time and memory
	const allowedTime, allowedMemory = 100 * time.Millisecond, 32 << 20
	s := newScope(t, hostile())
	if _, err := mustExpression(t, `data`).Eval(s); err != nil { // decode once, for it is not the expression's cost
		t.Fatal(err)
	}
	for code, want := range map[string]string{
		`count(data.list, count(data.list, # > 0) == 10000) == 10000`: "longer than",
		`all(data.list, all(data.list, # in data.list))`:              "longer than",
		`sum(data.list, sum(data.list, # + 1)) > 0`:                   "", // by the clock or by its lists
		`any(data.long, # == 1)`:                                      "a list of 50000 items is too long here: 10000 is the most",
		`len(sort(data.long))`:                                        "too long here",
		`len(uniq(data.list))`:                                        "too long here: 1000 is the most",
		`len(flatten(data.long))`:                                     "too long here",
		`len(repeat("x", 100000000))`:                                 "repeat would make a text longer than 1 MB",
		`len(repeat(data.s, 100000))`:                                 "repeat would make a text longer than 1 MB",
		`len(repeat(data.s, 9223372036854775807))`:                    "repeat would make a text longer than 1 MB",
		`len(replace(data.s, "a", data.s))`:                           "replace would make a text longer than 1 MB",
		`len(replace(data.s, "", data.s))`:                            "replace would make a text longer than 1 MB",
		`len(split(data.s, ""))`:                                      "split would make a list of more than 10000 items",
		`len(split(data.s, "a"))`:                                     "split would make a list of more than 10000 items",
		`len(join(map(data.list, data.s)))`:                           "join would make a text longer than 1 MB",
		`len(map(data.list, upper(data.s)))`:                          "it made more than 4 MB of texts and lists",
		`len(map(data.list, data.s + data.s))`:                        "it made more than 4 MB of texts and lists",
		`len(map(data.list, [#, #, #, #, #, #, #, #, #, #, #, #, #, #, #, #, #, #, #, #, #, #, #, #, #, #, #, #, #, #, #, #]))`: "lists and objects have more than 300000 items",
		`len(map(1..10000, toJSON(data.list)))`:          "it made more than 4 MB of texts and lists",
		`len(1..(data.list[0] + 100000))`:                "a range of more than 10000 numbers is too long",
		`data.text matches "(a+)+$b"`:                    "too long for this regular expression",
		`data.s matches "(a?){900}b"`:                    "too long for this regular expression",
		`data.s matches data.s`:                          "a regular expression of more than 1000 bytes is too long",
		`reduce(data.list, #acc + data.s, "") == ""`:     "it made more than 4 MB of texts and lists",
		`len(groupBy(data.long, #))`:                     "too long here",
		strings.Repeat("len(toJSON(data)) + ", 30) + "0": "", // either bound may end it
	} {
		t.Run(code[:min(len(code), 60)], func(t *testing.T) { //nolint:paralleltest // as above
			e, list := lang.NewCompiler().Expression(yamlnode.Plain(code))
			if err := list.Err(); err != nil {
				if !strings.Contains(err.Error(), want) {
					t.Fatal(err)
				}
				return
			}
			var value any
			var err error
			var made uint64
			took := lab.CPU(func() { made = allocated(func() { value, err = e.Eval(s) }) })
			// On a slow machine the clock may be first.
			if err == nil || (!strings.Contains(err.Error(), want) && !strings.Contains(err.Error(), "longer than")) {
				t.Errorf("got %v, %v; want an error with %q", value, err, want)
			}
			// Many times the time: with the race detector all takes longer, and the
			// clock is looked at between steps.
			if took > 30*allowedTime || made > allowedMemory {
				t.Errorf("it took %v and %d KB", took, made>>10)
			}
		})
	}
}

// When the time for explaining is over, what is left is not evaluated part by
// part, and the verdict is right all the same.
func TestLimits_explain(t *testing.T) {
	t.Parallel()
	p, list := lang.NewCompiler().Predicate(yamlnode.Plain(`data.s == "x" and (data.yes or data.s == "y")`))
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]lang.Verdict{`{"s":"x","yes":true}`: lang.True, `{"s":"z"}`: lang.False, `{"s":"x","yes":1}`: lang.Failed} {
		trace := lang.ExplainUntil(p, newScope(t, text), time.Now().Add(-time.Second))
		if trace.Verdict != want || len(trace.Parts) != 4 {
			t.Errorf("%s: %+v, want %s and 4 parts", text, trace, want)
		}
		for _, part := range trace.Parts {
			if part.Verdict != lang.NotEvaluated || (part.Note == "") != (part.Text == "data.yes or data.s == \"y\"") {
				t.Errorf("%s: %+v", text, part)
			}
		}
	}
}

// What is sent is bounded, in time: a few names of a large value make an output
// of any size. The rest of it is rendered all the same.
//
// Promise: T11.
func TestLimits_output(t *testing.T) { //nolint:paralleltest // it measures memory
	const mostMade = 256 << 20
	// On a busy machine the clock may end first what would become too large.
	refused := func(err error, want string) bool {
		return err != nil && (strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "it took longer than"))
	}
	s := newScope(t, `{"long": "`+strings.Repeat("x", 6<<20)+`", "quotes": "`+strings.Repeat(`\"`, 4<<20)+`"}`)
	if _, err := mustExpression(t, `data`).Eval(s); err != nil { // decode once, for it is not the output's cost
		t.Fatal(err)
	}
	for yaml, want := range map[string]string{
		"v: [ '${{ data.long }}', '${{ data.long }}', '${{ data.long }}', 1 ]": `null,1]`,
		"v: [ 'a ${{ data.long }} ${{ data.long }} ${{ data.long }}', 1 ]":     `["",1]`,
		"v: [ 'a ${{ data }}', 1 ]":                                                        `["",1]`,
		"v: [ '${{ data.long }}', '${{ data.long }}', 1 ]":                                 `,1]`,
		"v: [ 'a" + strings.Repeat(" ${{ data.long }}", 100) + "', 1 ]":                    `["",1]`,
		"v: [ '${{ map(1..10000, data.long) }}', 1 ]":                                      `[null,1]`,
		"v: [ '${{ {\"a\": map(1..10000, data.long)} }}', 1 ]":                             `[null,1]`,
		"v: [ 'a ${{ map(1..10000, data.long) }}', 1 ]":                                    `["",1]`,
		"v: [ '${{ groupBy(map(1..10000, data.long), \"a\") }}', 1 ]":                      `[null,1]`,
		"v: [ 'a ${{ map(1..10000, [data.long]) }}${{ map(1..10000, [data.long]) }}', 1 ]": `["",1]`,
	} {
		for name, escape := range map[string]func(string) string{"as it is": nil, "escaped": func(text string) string { return text + "." }} {
			tpl, list := lang.NewCompiler().Template(value(t, yaml), lang.Input{Kind: lang.ValueInput, Escape: escape})
			if err := list.Err(); err != nil {
				t.Fatal(err)
			}
			var out []byte
			var err error
			made := allocated(func() { out, _, err = tpl.AppendJSON(nil, s) })
			if (want == ",1]") != (err == nil) || err != nil && !refused(err, "larger than 16 MB") {
				t.Errorf("%.80s, %s: got %v", yaml, name, err)
			}
			// The part of a text that comes to an end by the clock is left out, not the text.
			end := want
			if err != nil && strings.Contains(err.Error(), "it took longer than") {
				end = strings.TrimPrefix(want, `[""`)
			}
			if len(out) > lang.MaxOutput || !strings.HasSuffix(string(out), end) {
				t.Errorf("%.80s, %s: %d bytes that end with %s", yaml, name, len(out), out[max(0, len(out)-20):])
			}
			if made > mostMade {
				t.Errorf("%.80s, %s: it took %d MB", yaml, name, made>>20)
			}
		}
	}
	// Nor does a function make the whole of a text that it refuses.
	for code, want := range map[string]string{
		`string(map(1..10000, data.long))`:            "it made more than 4 MB of texts and lists",
		`toJSON(map(1..10000, data.long))`:            "toJSON would make a text longer than 1 MB",
		`fields({"a": map(1..10000, data.long)})`:     "fields would make a text longer than 1 MB",
		`fields(map(1..10000, [[data.long]]))`:        "fields would make a text longer than 1 MB",
		`join(map(1..10000, data.long))`:              "join would make a text longer than 1 MB",
		`map(map(1..10000, data.long), trim(# + ""))`: "it made more than 4 MB of texts and lists",
		`map(1..10000, data.long)`:                    "larger than 16 MB",
	} {
		e := mustExpression(t, code)
		made := allocated(func() {
			if text, err := e.Text(s); !refused(err, want) {
				t.Errorf("%s: got %d bytes and %.200v, want %s", code, len(text), err, want)
			}
		})
		if made > mostMade {
			t.Errorf("%s: it took %d MB", code, made>>20)
		}
	}
}

// allocated is the memory, in bytes, that f asks for.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
