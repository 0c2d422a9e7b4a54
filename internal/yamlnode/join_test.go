package yamlnode_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/internal/yamlnode"
)

// The values of several documents stand in one, and each tells its own place.
func TestJoin(t *testing.T) {
	t.Parallel()
	var roots []yamlnode.Node
	for _, f := range []struct{ name, text string }{
		{"a", "version: 1\nmap: { x: 1 }\nlist: [&l { k: 1 }]\nempty:\nonly: 5\n"},
		{"b", "\nmap: &m\n  <<: { y: 2 }\n  x: 3\nlist:\n  - k: 2\n    of: *m\nempty: [7]\nonly: [1]\n"},
		{"c", "list: [9]\nmap: [1]\nmore: { z: text }\n"},
	} {
		n, list := yamlnode.Parse(f.name, []byte(f.text))
		if list.Err() != nil {
			t.Fatal(list)
		}
		roots = append(roots, n)
	}
	whole := yamlnode.Join(roots...)
	if diff := cmp.Diff(map[string]any{
		"version": 1, "map": map[string]any{"x": 3, "y": 2}, "list": []any{map[string]any{"k": 1}, map[string]any{"k": 2, "of": map[string]any{"x": 3, "y": 2}}, 9},
		"empty": []any{7}, "only": 5, "more": map[string]any{"z": "text"},
	}, whole.Any()); diff != "" {
		t.Error(diff)
	}
	var at []string
	for _, f := range whole.Get("map").Fields() {
		at = append(at, fmt.Sprintf("%s %s %s", f.Key.Value, f.Key.Pos(), f.Value.Pos()))
	}
	items := whole.Get("list").Items()
	for _, n := range []yamlnode.Node{items[0].Get("k"), items[1].Get("k"), items[1].Get("of").Get("y"), items[2], whole.Get("empty").Items()[0], whole.Get("more").Get("z"), whole.Get("map")} {
		at = append(at, n.Path()+" "+n.Pos().String())
	}
	if diff := cmp.Diff([]string{
		"x a:2:8 a:2:11", "x b:4:3 b:4:6", "y b:3:9 b:3:12",
		"list[0].k a:3:16", "list[1].k b:6:8", "list[1].of.y b:3:12", "list[2] c:1:8", "empty[0] b:8:9", "more.z c:3:12", "map a:2:1",
	}, at); diff != "" {
		t.Error(diff)
	}
	whole.Get("more").Get("z").Replace("new")
	if n := roots[2].Get("more").Get("z"); n.Text().Value != "new" || n.Text().Written() != "text" {
		t.Error("the joined nodes are others than those that were joined")
	}
}

func TestNode_Without(t *testing.T) {
	t.Parallel()
	n, _ := yamlnode.Parse("a", []byte("a: 1\nb: 2\nc: 3\n"))
	if diff := cmp.Diff(map[string]any{"a": 1, "c": 3}, n.Without("b", "d").Any()); diff != "" || n.Get("b").IsZero() {
		t.Error(diff)
	}
}
