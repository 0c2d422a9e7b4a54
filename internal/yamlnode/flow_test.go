package yamlnode_test

import (
	"testing"

	"pgregory.net/rapid"

	"hookgate/internal/yamlnode"
)

func TestQuote(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a b": "a b", "https://x.example/a:b": "https://x.example/a:b", "10:30": "10:30", "": `""`, " a": `" a"`, "a: b": `"a: b"`, "a:": `"a:"`,
		"12": `"12"`, "0x1f": `"0x1f"`, "true": `"true"`, "no": `"no"`, "~": `"~"`, "- a": `"- a"`, "-": `"-"`, "a, b": `"a, b"`, "2026-03-10": `"2026-03-10"`,
		`a "b"`: `"a \"b\""`, "a\nb": `"a\nb"`,
	} {
		if got := yamlnode.Quote(text); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		n, list := yamlnode.Parse("t", []byte("- { k: "+yamlnode.Quote(text)+", n: [1.50, true, null] }\n"))
		if list.Err() != nil || n.Items()[0].Get("k").Any() != text {
			t.Fatalf("%q: %s, %v", text, yamlnode.Quote(text), list)
		}
		again, list := yamlnode.Parse("t", []byte(n.Flow()))
		if list.Err() != nil || again.Flow() != n.Flow() || again.Items()[0].Get("k").Any() != text {
			t.Fatalf("%s is read as %s: %v", n.Flow(), again.Flow(), list)
		}
	})
}
