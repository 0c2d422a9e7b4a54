package lang_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// jsonText draws a JSON value whose keys are few, so that paths meet them.
func jsonText(depth int) *rapid.Generator[string] {
	scalar := rapid.SampledFrom([]string{`null`, `true`, `false`, `0`, `7`, `-3`, `1.5`, `1e3`, `9007199254740993`, `99999999999999999999`, `""`, `"a"`, `"ä\n"`, `"7"`, "\"\xffa\"", `"\ufffda"`})
	if depth == 0 {
		return scalar
	}
	return rapid.Custom(func(t *rapid.T) string {
		inner := jsonText(depth - 1)
		switch rapid.IntRange(0, 3).Draw(t, "shape") {
		case 0:
			return scalar.Draw(t, "scalar")
		case 1:
			return "[" + strings.Join(rapid.SliceOfN(inner, 0, 3).Draw(t, "items"), ",") + "]"
		}
		var fields []string
		for range rapid.IntRange(0, 4).Draw(t, "fields") {
			key := rapid.SampledFrom([]string{`a`, `b`, `c`, `\u0061`, `a b`, `0`}).Draw(t, "key")
			fields = append(fields, fmt.Sprintf(`"%s": %s`, key, inner.Draw(t, "value")))
		}
		return "{" + strings.Join(fields, ", ") + "}"
	})
}

// code draws an expression, most of it paths.
func code(depth int) *rapid.Generator[string] {
	chain := rapid.Custom(func(t *rapid.T) string {
		s := rapid.SampledFrom([]string{"data", "data", "data", "data", "event", "headers", "query"}).Draw(t, "root")
		for range rapid.IntRange(0, 4).Draw(t, "steps") {
			key := rapid.SampledFrom([]string{".a", ".b", ".c", "?.a", "?.b", `["a b"]`, `["0"]`, `?.["b"]`, "[0]", "[1]", "?.[0]", "[-1]"}).Draw(t, "step")
			if s == "event" && strings.Contains(key, `.`) {
				key = ".type"
			}
			s += key
			if rapid.IntRange(0, 5).Draw(t, "wrap") == 0 {
				s = "(" + s + ")"
			}
		}
		return s
	})
	if depth == 0 {
		return chain
	}
	return rapid.Custom(func(t *rapid.T) string {
		x := code(depth - 1)
		a, b := x.Draw(t, "x"), x.Draw(t, "y")
		form := rapid.SampledFrom([]string{
			"%s", "%s", "%s == %s", "%s != %s", "%s == 7", `%s in ["a", 7]`, "%s in %s", "%s and %s", "%s or %s", "not (%s)", "(%s ?? %s)",
			"%s < %s", "%s + %s", "len(%s)", "any(%s, # == 7)", "map(%s, #)", "filter(%s, #.a == 7)", "%s[%s]", "keys(%s)", "string(%s)",
			`%s contains "a"`, "%s matches \"a\"", "[%s, %s]", `{"k": %s}.k`, "(%s) ? 1 : (%s)", "let v = %s; v == %s", "(%s)?.a.b", "(%s).a?.b.c", "sum(%s)",
			"%s[0:1]", "toJSON(%s)", "%s == true", "%s != nil", `%s == "a"`, `"7" != %s`, `%s in [7, "a", nil, true]`, `%s not in ["7", 0]`, `%s == "\ufffda"`,
			`%s in ["\ufffda", "x"]`, "%s >= 7", "%s < 8 and %s > -4", "not %s", `%s startsWith ""`, `%s endsWith "a"`, `%s startsWith "\ufffd"`,
			`%s matches "."`, `%s matches "\ufffda"`, `%s == "b" or len(%s) > 1`, "%s == 7 && %s || %s", "%s | type()", "1 < %s < 9", "concat(%s, %s)", "uniq(%s)", "first(%s)", "max(%s, 1)",
		}).Draw(t, "form")
		switch strings.Count(form, "%s") {
		case 1:
			return fmt.Sprintf(form, a)
		case 3:
			return fmt.Sprintf(form, a, b, a)
		}
		return fmt.Sprintf(form, a, b)
	})
}

// The fast route must mean what the plain one means, value and error.
func TestRoutes_agree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, text := drawnScope(t, 3)
		compiler := lang.NewCompiler()
		for range 3 { // several expressions share what the scope resolved
			source := code(2).Draw(t, "code")
			e, list := compiler.Expression(yamlnode.Plain(source))
			if list.Err() != nil {
				continue
			}
			fast, fastErr := lang.EvalFast(e, s)
			plain, plainErr := lang.EvalPlain(e, s)
			if (fastErr == nil) != (plainErr == nil) || (fastErr != nil && fastErr.Error() != plainErr.Error()) {
				t.Fatalf("%s over %s: fast %v, plain %v", source, text, fastErr, plainErr)
			}
			if diff := cmp.Diff(plain, fast); diff != "" {
				t.Fatalf("%s over %s:\n%s", source, text, diff)
			}
		}
	})
}

// Explain must come to the verdict that Eval comes to, also part by part.
func TestExplain_agrees(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, _ := drawnScope(t, 2)
		p, source := drawnPredicate(t, "%s and %s", "%s or %s", "(%s) and (%s)", "(%s) or not (%s)")
		if p == nil {
			return
		}
		verdict, evalErr := p.Eval(s)
		trace := p.Explain(s)
		want := map[bool]lang.Verdict{true: lang.True, false: lang.False}[verdict]
		if evalErr != nil {
			want = lang.Failed
		}
		if trace.Verdict != want {
			t.Fatalf("%s: Explain says %s, Eval %v %v", source, trace.Verdict, verdict, evalErr)
		}
		if joined := join(trace.Parts); joined != want {
			t.Fatalf("%s: the parts come to %s, Eval to %v %v\n%+v", source, joined, verdict, evalErr, trace.Parts)
		}
	})
}

// join is the verdict of the last part at the top that was evaluated: it
// settled the matter.
func join(parts []lang.Part) lang.Verdict {
	last := lang.NotEvaluated
	for _, p := range parts {
		if p.Depth == 0 && p.Verdict != lang.NotEvaluated {
			last = p.Verdict
		}
	}
	return last
}

// Decoding must agree with encoding/json, numbers as documented.
func TestParseDoc_agrees(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) { compareJSON(t, jsonText(4).Draw(t, "json")) })
}

func compareJSON(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, text string,
) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var want any
	if err := decoder.Decode(&want); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	doc, err := lang.ParseDoc([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	defer doc.Release()
	if got := doc.Value(); !same(want, got) {
		t.Fatalf("%s: got %#v, want %#v", text, got, want)
	}
}

// same compares what encoding/json decoded, with its numbers as text, to ours.
func same(want, got any) bool {
	switch w := want.(type) {
	case json.Number:
		switch g := got.(type) {
		case int:
			return fmt.Sprint(g) == w.String() || w == "-0"
		case float64:
			f, err := w.Float64()
			return err == nil && f == g
		}
		return want == got
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return false
		}
		for i := range w {
			if !same(w[i], g[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok || len(g) != len(w) {
			return false
		}
		for k := range w {
			if !same(w[k], g[k]) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(want, got)
}
