package lang_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// Every comparison with a literal over a value of every kind.
func TestRoutes_agreeOnLiterals(t *testing.T) {
	t.Parallel()
	values := []string{
		`null`, `true`, `false`, `0`, `6`, `7`, `7.0`, `1e308`, `1e-400`, `7.5`, `8`, `-7`, `-0`, `7e0`, `9223372036854775807`, `9223372036854775808`, `""`, `"a"`, `"A"`,
		`"b"`, `"bab"`, `"7"`, `"\u0061"`, `"ä"`, "\"\xff\"", "\"a\xff\"", "\"\xffa\"", `"\ufffd"`, `"a\ufffd"`, `[]`, `[7, "a"]`, `{}`, `{"a": 7}`,
	}
	literals := []string{`nil`, `true`, `false`, `0`, `7`, `-7`, `7.0`, `9223372036854775807`, `""`, `"a"`, `"7"`, `"ä"`, `"\ufffd"`, `"a\ufffd"`}
	operators := []string{"==", "!=", "<", "<=", ">", ">=", "contains", "startsWith", "endsWith", "matches"}
	forms := []string{
		`data.v`, `not data.v`, `data.v and true`, `data.v or false`, `data.v == 7 or data.v`, `data.v != 7 and data.v`, `not (data.v == "a")`, `data.v in [7, "a"]`,
		`data.v in ["\ufffd", nil, true]`, `data.v not in [7, nil]`, `data.v in []`, `data.v == "a" or len(data.v) == 1`, `data.v == "a" and len(data.v) == 1`,
		`data.v matches "^[^a]$"`, `data.v matches "\ufffd"`, `data.v.x == nil`, `data.v?.x == nil`, `data.v?.x.y != 7`, `data.none == nil and data.v == 7`,
		`data.v == 7 ? "a" : "b"`, `headers.v == data.v`, `headers.h == "a"`, `headers.none == nil`, `query.q == "7"`, `query.list == nil`, `query.none in [nil]`,
		`event.type == "a"`, `event.time == ""`, `event.type startsWith "a" and data.v == 7`,
	}
	for _, literal := range literals {
		for _, operator := range operators {
			forms = append(forms, "data.v "+operator+" "+literal, literal+" "+operator+" data.v")
		}
	}
	scopes := map[string]*lang.Scope{}
	for _, value := range values {
		doc := mustDoc(t, `{"v": 1, "w": {"v": 1}, "v": `+value+`}`)
		defer doc.Release()
		s := lang.NewScope(doc, lang.Meta{Type: "a"}, map[string]string{"h": "a"}, map[string]any{"q": "7", "list": []any{"7"}})
		defer s.Release()
		scopes[value] = s
	}
	for _, source := range forms {
		e, list := lang.NewCompiler().Expression(yamlnode.Plain(source))
		if list.Err() != nil {
			continue // 7 contains data.v
		}
		for value, s := range scopes {
			fast, fastErr := lang.EvalFast(e, s)
			plain, plainErr := lang.EvalPlain(e, s)
			if diff := cmp.Diff(plain, fast); diff != "" || fmt.Sprint(fastErr) != fmt.Sprint(plainErr) {
				t.Errorf("%s over %s: fast %v, plain %v\n%s", source, value, fastErr, plainErr, diff)
			}
		}
	}
}

// What a template writes of a path, without decoding it, must be what the path
// means.
func TestTemplate_agrees(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, text := drawnScope(t, 2)
		source := code(0).Draw(t, "code")
		c := lang.NewCompiler()
		e, list := c.Expression(yamlnode.Plain(source))
		if list.Err() != nil {
			return
		}
		value, valueErr := lang.EvalPlain(e, s)
		asText, err := e.Text(s)
		if want, _ := lang.TextOf(value); valueErr == nil && (err != nil || asText != want) {
			t.Fatalf("%s over %s: Text gives %q, %v; want %q", source, text, asText, err, want)
		}
		node, list := yamlnode.Parse("t.yaml", fmt.Appendf(nil, "v: '${{ %s }}'", source))
		if list.Err() != nil {
			t.Fatal(list)
		}
		for name, in := range map[string]lang.Input{"value": {Kind: lang.ValueInput}, "text": {}, "escaped": {Escape: strings.ToUpper}} {
			tpl, list := c.Template(node.Get("v"), in)
			if list.Err() != nil {
				t.Fatalf("%s: %v", source, list)
			}
			// The text of an object is its JSON, whose keys keep their order where
			// it is passed on.
			if _, object := value.(map[string]any); object && name != "value" {
				continue
			}
			if _, list := value.([]any); list && name != "value" {
				continue
			}
			var want any = asText
			switch name {
			case "value":
				want = value
			case "escaped":
				want = strings.ToUpper(asText)
			}
			out, missing, err := tpl.AppendJSON(nil, s)
			if (err == nil) != (valueErr == nil) || len(missing) > 0 != (err == nil && value == nil) {
				t.Fatalf("%s over %s: got %v and missing %q, want %v of %v", source, text, err, missing, valueErr, value)
			}
			if err == nil && !sameJSON(string(out), lang.JSONOf(want)) {
				t.Fatalf("%s over %s: the %s is %s, want %s", source, text, name, out, lang.JSONOf(want))
			}
		}
	})
}

// sameJSON reports whether two JSON texts say the same, their numbers letter by
// letter.
func sameJSON(a, b string) bool {
	var values [2]any
	for i, text := range []string{a, b} {
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.UseNumber()
		if decoder.Decode(&values[i]) != nil {
			return false
		}
	}
	return cmp.Equal(values[0], values[1])
}
