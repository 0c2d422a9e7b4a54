package lang_test

import (
	"strings"
	"testing"

	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// Expressions over other names than an event's, as recipes have them.
func TestValues(t *testing.T) {
	t.Parallel()
	c := lang.NewCompilerFor(lang.Name{Name: "settings", Keys: []string{"list_id", "key"}}, lang.Name{Name: "input"})
	scope := lang.NewValues(map[string]any{
		"settings": map[string]any{"list_id": "l1"},
		"input":    map[string]any{"email": "A@b.de", "n": 7, "fields": map[string]any{"b": 1, "a": "x"}},
	})
	for code, want := range map[string]string{
		`settings.list_id`:                        "l1",
		`settings.key ?? "none"`:                  "none",
		`input.n + 1`:                             "8",
		`md5(lower(input.email))`:                 "e5c1d6ea2af32dbecfb13454db124189",
		`sha256("abc")`:                           "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		`urlencode("a b&c/ü")`:                    "a+b%26c%2F%C3%BC",
		`merge(input.fields, {b: 2}, nil)`:        `{"a":"x","b":2}`,
		`map(toPairs(input.fields), ({K: #[0]}))`: `[{"K":"a"},{"K":"b"}]`,
		`let list = input.fields; list.a == "x"`:  "true",
	} {
		e, list := c.Expression(yamlnode.Plain(code))
		if err := list.Err(); err != nil {
			t.Errorf("%s: %v", code, err)
			continue
		}
		if got, err := e.Text(scope); err != nil || got != want {
			t.Errorf("%s: got %s, %v, want %s", code, got, err, want)
		}
	}
	for code, want := range map[string]string{
		`settings.lst_id`: `settings has no "lst_id" (did you mean "list_id"?)`,
		`settings.zzz`:    `settings has no "zzz" (it has list_id, key)`,
		`data.x`:          `unknown name "data" (here is settings, input)`,
		`setings.key`:     `unknown name "setings" (did you mean "settings"?)`,
		`md6("x")`:        `unknown function "md6" (did you mean "md5"?)`,
	} {
		if _, list := c.Expression(yamlnode.Plain(code)); list.Err() == nil || !strings.Contains(list[0].Error(), want) {
			t.Errorf("%s: got %v, want %s", code, list, want)
		}
	}
	for code, want := range map[string]string{
		`md5(input.n)`:       "md5 needs a text, but got number",
		`merge(input.email)`: "merge needs objects, but got text",
		`input.x.y`:          `input.x is null, so it has no "y" (write x?.y)`,
	} {
		e, list := c.Expression(yamlnode.Plain(code))
		if err := list.Err(); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Eval(scope); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", code, err, want)
		}
	}
}
