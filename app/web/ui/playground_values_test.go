package ui

import (
	"encoding/json"
	"testing"
)

// A value that is chosen takes the place of the one that is asked for, or is asked for
// besides; what could not be compared is not offered.
func TestAsking(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ when, want string }{
		{"", `data.a == "x"`},
		{`data.a == "y"`, `data.a == "x"`},
		{`data.b == 1 and data.a=="y"`, `data.b == 1 and data.a=="x"`},
		{`data.a == "y" or data.a == "z"`, `(data.a == "y" or data.a == "z") and data.a == "x"`},
		{`data.a.b == "y"`, `data.a.b == "y" and data.a == "x"`},
		{`x.data.a == "y"`, `x.data.a == "y" and data.a == "x"`},
		{`data.a in ["y"]`, `data.a in ["y"] and data.a == "x"`},
		{`data.b ? true : false`, `(data.b ? true : false) and data.a == "x"`},
	} {
		if got := asking(c.when, "data.a", `"x"`); got != c.want {
			t.Errorf("%s: got %s, want %s", c.when, got, c.want)
		}
	}
	for raw, want := range map[string]bool{`"Done"`: true, `7`: true, `false`: true, `null`: false, `"••••"`: false, `"long…"`: false, `{"a":1}`: false, `"a\"b"`: false} {
		if _, _, ok := literalOf(json.RawMessage(raw)); ok != want {
			t.Errorf("%s: offered %t, want %t", raw, ok, want)
		}
	}
}
