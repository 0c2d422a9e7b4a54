package lang_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

func TestPredicate_Explain(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]lang.Trace{
		`data.previousStatus == "Interest" and data.website.status == "Preparation"`: {Verdict: lang.False, Parts: []lang.Part{
			{Text: `data.previousStatus == "Interest"`, Verdict: lang.False, Note: `it is "Publish"`},
			{Text: `data.website.status == "Preparation"`, Verdict: lang.NotEvaluated},
		}},
		`data.website.status == "Done"`: {Verdict: lang.True, Parts: []lang.Part{
			{Text: `data.website.status == "Done"`, Verdict: lang.True},
		}},
		`data.website.status in ["Assign","Done"]`: {Verdict: lang.True, Parts: []lang.Part{
			{Text: `data.website.status in ["Assign","Done"]`, Verdict: lang.True, Note: `it is "Done"`},
		}},
		`data.yes and (data.f > 2 or any(data.items, (.n) == 2)) and not (data.f == 1)`: {Verdict: lang.True, Parts: []lang.Part{
			{Text: `data.yes`, Verdict: lang.True},
			{Text: `data.f > 2 or any(data.items, (.n) == 2)`, Verdict: lang.True},
			{Text: `data.f > 2`, Depth: 1, Verdict: lang.False, Note: "it is 1.5"},
			{Text: `any(data.items, (.n) == 2)`, Depth: 1, Verdict: lang.True},
			{Text: `not (data.f == 1)`, Verdict: lang.True},
		}},
		`(data.f + 1) * 2 == data.website.id or data.website.tags[0] != "a"`: {Verdict: lang.False, Parts: []lang.Part{
			{Text: `(data.f + 1) * 2 == data.website.id`, Verdict: lang.False, Note: `(data.f + 1) * 2 is 5, data.website.id is 321654`},
			{Text: `data.website.tags[0] != "a"`, Verdict: lang.False, Note: `it is "a"`},
		}},
		`data.yes and data.website.assigned_to.x == 1 and data.yes`: {
			Verdict: lang.Failed, Error: `data.website.assigned_to is null, so it has no "x" (write assigned_to?.x)`,
			Parts: []lang.Part{
				{Text: `data.yes`, Verdict: lang.True},
				{
					Text: `data.website.assigned_to.x == 1`, Verdict: lang.Failed,
					Error: `data.website.assigned_to is null, so it has no "x" (write assigned_to?.x)`,
				},
				{Text: `data.yes`, Verdict: lang.NotEvaluated},
			},
		},
		`let s = data.website.status; s == "Done" and s == "x"`: {Verdict: lang.False, Parts: []lang.Part{
			{Text: `let s = data.website.status; s == "Done" and s == "x"`, Verdict: lang.False},
		}},
		`data.nothing == "x" or data.website.status not in ["Done"]`: {Verdict: lang.False, Parts: []lang.Part{
			{Text: `data.nothing == "x"`, Verdict: lang.False, Note: "it is null or missing"},
			{Text: `data.website.status not in ["Done"]`, Verdict: lang.False},
		}},
		`1 < data.f < 1.2`: {Verdict: lang.False, Parts: []lang.Part{
			{Text: `1 < data.f`, Verdict: lang.True, Note: "it is 1.5"},
			{Text: `data.f < 1.2`, Verdict: lang.False, Note: "it is 1.5"},
		}},
		`data.website.title | lower() | len() == 1`: {Verdict: lang.False, Parts: []lang.Part{
			{Text: `data.website.title | lower() | len() == 1`, Verdict: lang.False, Note: "it is 22"},
		}},
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			p, list := lang.NewCompiler().Predicate(yamlnode.Plain(code))
			if err := list.Err(); err != nil {
				t.Fatal(err)
			}
			got := p.Explain(newScope(t, sample))
			if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(lang.Part{}, "Value")); diff != "" {
				t.Error(diff)
			}
		})
	}
}
