package rules_test

import (
	"fmt"
	"slices"
	"testing"
)

// What rules read is told by their texts: conditions of the rule, its branches and
// actions, ordering keys and outputs; what is beside data is not, nor are rules of
// others.
func TestUses(t *testing.T) {
	t.Parallel()
	set := mustCompile(t, `rules:
  - name: a
    from: sitejet
    when: data.website.status == "Done" and any(data.items, {.sku == "x"}) and event.type != ""
    then:
      - { to: billing, when: "data.paid", ordering_key: data.website.id, json: { t: "${{ data.website.title }}", h: "${{ headers.x }}", first: "${{ data.items[0].sku }}" } }
    branches:
      - { name: big, when: data.total > 5, then: [{ to: billing, json: "${{ data }}" }] }
  - { name: other, from: shop, when: data.elsewhere == 1, then: [{ to: billing, json: {} }] }
`)
	var got []string
	for _, use := range set.Uses("sitejet", "anything") {
		got = append(got, fmt.Sprintf("%s %s %d %s", use.Rule, use.Connection, use.Part, use.Path))
	}
	want := []string{
		"a  0 data.website.status", "a  0 data.items", "a  0 data.items[].sku", "a  0 data.total",
		"a billing 0 data.paid", "a billing 1 data.website.id", "a billing 2 data.website.title", "a billing 2 data.items[].sku", "a billing 2 data",
	}
	if slices.Sort(got); !slices.Equal(got, sorted(want)) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if more := set.Uses("nobody", ""); len(more) != 0 {
		t.Errorf("of a source that no rule listens to: %v", more)
	}
}

func sorted(list []string) []string { slices.Sort(list); return list }
