package lang_test

import (
	"fmt"

	"pgregory.net/rapid"

	"hookgate/internal/jsondoc"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
	"hookgate/test/drawn"
)

// drawnScope is an event with drawn data of a depth, which ends with the test.
func drawnScope(t *rapid.T, depth int) (s *lang.Scope, text string) {
	text = drawn.JSON(depth).Draw(t, "data")
	doc, err := jsondoc.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	t.Cleanup(doc.Release)
	s = lang.NewScope(doc, lang.Meta{ID: "evt_1", Type: "a", Source: "b"}, map[string]string{"a": "x"}, map[string]any{"a": "7", "b": []any{"1", "2"}})
	t.Cleanup(s.Release)
	return s, text
}

// drawnPredicate is a condition of a few parts, put together by the forms that
// are given; nil where what was drawn means nothing.
func drawnPredicate(t *rapid.T, joints ...string) (p *lang.Predicate, source string) {
	source = code(1).Draw(t, "first")
	for range rapid.IntRange(0, 3).Draw(t, "joints") {
		source = fmt.Sprintf(rapid.SampledFrom(joints).Draw(t, "joint"), source, code(1).Draw(t, "next"))
	}
	p, list := lang.NewCompiler().Predicate(yamlnode.Plain(source))
	if list.Err() != nil {
		return nil, source
	}
	return p, source
}
