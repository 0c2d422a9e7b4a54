package yamlnode_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/internal/yamlnode"
)

func TestNode_Comments(t *testing.T) {
	t.Parallel()
	n, list := yamlnode.Parse("c.yaml", []byte(`# x one
a: 1 # x two
# y no
b: "# x no" # x three
c: '# x no'
d: a#x no
# x four

# y
e: |    # x five
  # x no
   text

  # x no
f: >-
  # x no
# x six
g: "text
  # x no
  end" # x seven
h: [1, 2] # x eight
i: plain
  goes on
ä: "ü" # x nine
# x ten`))
	if len(list) > 0 {
		t.Fatal(list)
	}
	var got []string
	for _, c := range n.Comments("x") {
		got = append(got, fmt.Sprintf("%d:%d+%d %s: %d-%d", c.Line, c.Column, c.Width, c.Text, c.From, c.To))
	}
	want := []string{
		"1:1+7 x one: 2-2", "2:6+7 x two: 2-2", "4:13+9 x three: 4-4", "7:1+8 x four: 10-14", "10:9+8 x five: 10-14",
		"17:1+7 x six: 18-20", "20:8+9 x seven: 20-20", "21:11+9 x eight: 21-21", "24:8+8 x nine: 24-24", "25:1+7 x ten: 26-26",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := (yamlnode.Node{}).Comments(""); got != nil {
		t.Errorf("of no file: %v", got)
	}
}
