package lang_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

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

// A near miss by the fast route must be one by the plain route, and of the same part.
//
// Negative control: quicken without the reads.
func TestNearMiss_routes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, text := drawnScope(t, 2)
		p, source := drawnPredicate(t, "%s and %s", "(%s) and (%s)", "(%s) and not (%s)")
		if p == nil {
			return
		}
		if rapid.Bool().Draw(t, "evaluated before") {
			_, _ = p.Eval(s)
		}
		part, ok := p.NearMiss(s)
		if wanted, want := lang.PlainNearMiss(p, s); ok != want || ok && part != wanted {
			t.Fatalf("%s over %s: part %d, %v; by the plain route %d, %v", source, text, part, ok, wanted, want)
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
