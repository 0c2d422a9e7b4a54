package yamlnode_test

import (
	"strings"
	"testing"

	"hookgate/internal/yamlnode"
)

// Another text takes the place of one, written as that is; all else stays, and what
// could mean something else is refused.
func TestNode_With(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ file, text, want string }{
		"plain":                    {"a: x\nb: old # why\nc: y\n", "new one", "a: x\nb: new one # why\nc: y\n"},
		"plain that needs quotes":  {"b: old # why\n", "x: y", "b: \"x: y\" # why\n"},
		"what looks like a number": {"b: old\n", "5", "b: \"5\"\n"},
		"what looks like a truth":  {"b: old\n", "no", "b: \"no\"\n"},
		"a number stays one":       {"b: 5\n", "6", "b: 6\n"},
		"plain gets lines":         {"l:\n  - b: old # why\n    c: y\n", "one\n\ntwo", "l:\n  - b: |- # why\n      one\n\n      two\n    c: y\n"},
		"double":                   {"{ a: x, b: \"o\\\"ld\", c: 'y' }\n", "Grüße \"q\"\nb", "{ a: x, b: \"Grüße \\\"q\\\"\\nb\", c: 'y' }\n"},
		"single":                   {"{ ä: 'ü', b: 'o''ld', c: \"y\" }\n", "it's", "{ ä: 'ü', b: 'it''s', c: \"y\" }\n"},
		"flow needs quotes":        {"{ b: old, c: y }\n", "a, b", "{ b: \"a, b\", c: y }\n"},
		"flow gets lines":          {"{ b: old, c: y }\n", "a\nb", "{ b: \"a\\nb\", c: y }\n"},
		"quotes over lines":        {"b: \"one\n  two\" # why\nc: y\n", "x", "b: \"x\" # why\nc: y\n"},
		"plain over lines":         {"b: one\n  two\nc: y\n", "x", "b: x\nc: y\n"},
		"literal":                  {"b: | # why\n   one\n   two\n\n# of c\nc: y\n", "a\n\n b\n", "b: | # why\n   a\n\n    b\n\n# of c\nc: y\n"},
		"literal without its end":  {"b: |\n  one\nc: y\n", "a", "b: |-\n  a\nc: y\n"},
		"literal before less":      {"long: x\nb: |\n  o\n", "a\n", "long: x\nb: |\n  a\n"},
		"folded":                   {"b: >-\n  one\n  two\nc: y\n", "a\nb", "b: |-\n  a\n  b\nc: y\n"},
		"a block cannot hold it":   {"b: |\n  one\nc: y\n", " a\nb\a", "b: \" a\\nb\\a\"\nc: y\n"},
		"to nothing":               {"b: old\nc: y\n", "", "b: \"\"\nc: y\n"},
		"an alias":                 {"x: &o old\nb: *o\n", "new", ""},
		"what others share":        {"b: &o old\nc: *o\n", "new", ""},
		"a tag":                    {"b: !!str old\n", "new", ""},
		"a list":                   {"b: [old]\n", "new", ""},
		"not there":                {"c: y\n", "new", ""},
	} {
		root, list := yamlnode.Parse("c.yaml", []byte(c.file))
		if list.Err() != nil {
			t.Fatalf("%s: %v", name, list)
		}
		part := root.Get("b")
		if part.IsZero() && root.Kind() == yamlnode.Map && len(root.Get("l").Items()) > 0 {
			part = root.Get("l").Items()[0].Get("b")
		}
		got, ok := root.With(part, c.text)
		if got != c.want || ok != (c.want != "") {
			t.Errorf("%s: got\n%s, %t, want\n%s", name, got, ok, c.want)
		}
	}
	root, _ := yamlnode.Parse("c.yaml", []byte("a: 1\nb: |\n  x\n  y\n\nc: \"z\n  z\"\n"))
	for key, want := range map[string][2]int{"a": {1, 1}, "b": {2, 4}, "c": {6, 7}} {
		if first, last := root.Get(key).Lines(); [2]int{first, last} != want {
			t.Errorf("%s: lines %d to %d, want %v", key, first, last, want)
		}
	}
}

// Whatever the text, it is there afterwards as it was given.
func FuzzNode_With(f *testing.F) {
	for _, text := range []string{"", "x", "a: b", "#", "é\n\n x ", "\t", "'\"", "%", "- x", "null", "\u0085"} {
		f.Add(text)
	}
	styles := []string{"old", "'old'", `"old"`, "|\n  old\n  old", ">-\n  old\n\n  old"}
	f.Fuzz(func(t *testing.T, text string) {
		for _, style := range styles {
			root, _ := yamlnode.Parse("c.yaml", []byte("# why\na: "+style+"\nb: [x] # because\n"))
			content, ok := root.With(root.Get("a"), text)
			if !ok {
				continue
			}
			again, list := yamlnode.Parse("c.yaml", []byte(content))
			if list.Err() != nil || again.Get("a").Text().Value != text || !strings.HasPrefix(content, "# why\na: ") || !strings.HasSuffix(content, "\nb: [x] # because\n") {
				t.Errorf("%q in %q: %q", text, style, content)
			}
		}
	})
}
