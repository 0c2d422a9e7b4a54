package rules_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/internal/jsondoc"
	"hookgate/internal/yamlnode"
	"hookgate/rules"
	"hookgate/rules/lang"
)

// What must not come out empty is not sent then, and the missing value is
// named; a default stands in for what is left out, not for what is empty.
func TestMatch_notEmpty(t *testing.T) {
	t.Parallel()
	target := lang.Action{Noun: "an action", Inputs: []lang.Input{
		{Name: "text", Kind: lang.TextInput, NotEmpty: true, Unless: []string{"blocks"}, Default: "all: ${{ data.all }}"},
		{Name: "blocks", Kind: lang.ValueInput},
	}}
	for action, want := range map[string][2]string{
		"text: ${{ data.missing }}":              {`{"text":""}`, "text is empty: data.missing is missing"},
		"text: '  ${{ data.missing }} '":         {`{"text":"   "}`, "text is empty: data.missing is missing"},
		"text: ${{ data.blank }}":                {`{"text":"\n\t "}`, "text is empty"},
		"text: x ${{ data.missing }}":            {`{"text":"x "}`, ""},
		"text: ${{ data.missing }}\nblocks: [1]": {`{"text":"","blocks":[1]}`, ""},
		"blocks: [1]":                            {`{"blocks":[1]}`, ""},
		"when: true":                             {`{"text":"all: 7"}`, ""},
	} {
		n, list := yamlnode.Parse("c.yaml", []byte("to: c\n"+action))
		if err := list.Err(); err != nil {
			t.Fatal(err)
		}
		var a rules.Action
		if err := a.DecodeNode(n).Err(); err != nil {
			t.Fatal(err)
		}
		set, list := rules.Compile(lang.NewCompiler(), []rules.Rule{{Name: yamlnode.Plain("r"), From: []yamlnode.Text{yamlnode.Plain("s")}, Then: []rules.Action{a}}},
			rules.Origins{"s": nil}, rules.Targets{"c": target})
		if err := list.Err(); err != nil {
			t.Fatal(err)
		}
		doc, err := jsondoc.Parse([]byte(`{"all":7,"blank":"\n\t "}`))
		if err != nil {
			t.Fatal(err)
		}
		sc := lang.NewScope(doc, lang.Meta{Source: "s"}, nil, nil)
		got := set.Match(sc).Deliveries[0]
		if diff := cmp.Diff(want, [2]string{string(got.Output), got.Err}); diff != "" {
			t.Errorf("%s\n%s", action, diff)
		}
		sc.Release()
		doc.Release()
	}
}
