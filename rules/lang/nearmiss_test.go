package lang_test

import (
	"testing"

	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// An event misses a condition narrowly where all but one of the parts that and
// joins hold, also those behind the one that is false, which Eval never asks.
func TestPredicate_NearMiss(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		when, missed, note string
	}{
		{`data.a == 1 and data.b == 2`, "", ""},
		{`data.a == 2 and data.b == 2`, "data.a == 2", "it is 1"},
		{`data.a == 1 and data.b == 3 and data.c == "x"`, "data.b == 3", "it is 2"},
		{`data.a == 2 and data.b == 3`, "", ""},
		{`data.a == 2`, "", ""},
		{`data.a == 2 or data.b == 3`, "", ""},
		{`(data.a == 2 or data.b == 3) and data.c == "x"`, `data.a == 2 or data.b == 3`, ""},
		{`data.c == "y" and data.a + data.c == 2`, "", ""},
	} {
		p, faults := lang.NewCompiler().Predicate(yamlnode.Plain(c.when))
		if faults.Err() != nil {
			t.Fatal(faults)
		}
		s := newScope(t, `{"a":1,"b":2,"c":"x"}`)
		n, ok := p.NearMiss(s)
		if ok != (c.missed != "") {
			t.Errorf("%s: %v", c.when, ok)
			continue
		}
		if !ok {
			continue
		}
		if got := p.Missed(s, n); got.Text != c.missed || got.Note != c.note {
			t.Errorf("%s: missed %q, %q; want %q, %q", c.when, got.Text, got.Note, c.missed, c.note)
		}
	}
}
