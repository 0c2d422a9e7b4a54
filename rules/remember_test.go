package rules_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/internal/table"
	"hookgate/internal/yamlnode"
	"hookgate/rules"
	"hookgate/rules/lang"
)

func compileTables(t *testing.T, yaml string) (*rules.Set, []string) {
	t.Helper()
	node, list := yamlnode.Parse("config.yaml", []byte(yaml))
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	var f file
	list = node.Decode("the file", &f)
	fixed, err := table.New("code", []string{"code"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := lang.NewCompiler()
	c.SetTables(map[string]*lang.Table{"sites": {Keep: time.Hour}, "counts": {Keep: time.Hour}, "plans": {Fixed: fixed}})
	set, faults := rules.Compile(c, f.Rules, origins(), targets())
	list = append(list, faults...)
	list.Sort()
	var texts []string
	for _, d := range list {
		texts = append(texts, d.Error())
	}
	return set, texts
}

func TestRemember_faults(t *testing.T) {
	t.Parallel()
	_, got := compileTables(t, `rules:
  - name: r
    from: shop
    then:
      - { remember: { table: sights, key: data.id, set: { a: 1 } } }
      - { remember: { table: plans, key: data.id, set: { a: 1 } } }
      - { remember: { table: sites, key: data.id, set: { a: 1 }, add: { n: 1 } } }
      - { remember: { table: sites, key: data.id } }
      - { remember: { table: sites, key: "${{ data.id }}", value: { a: 1 } } }
      - { to: slack, text: a, remember: { table: sites, key: data.id, set: { a: 1 } } }
      - { remember: { table: sites, key: data.id, set: { a: 1 } }, delay: 5m, ordering_key: data.id }
      - { text: a }
`)
	want := []string{
		`"sights"`, "unknown-table", "fixed-table", `has either "set" or "add"`, `needs "set"`, "template-in-when", `has no key "value"`, `either "to" or "remember"`,
		`"ordering_key" is for what is sent`, "a record is written at once", `an action needs "to"`,
	}
	all := strings.Join(got, "\n")
	for _, w := range want {
		if !strings.Contains(all, w) {
			t.Errorf("no %q in\n%s", w, all)
		}
	}
}

// What rules remember is all of an event or nothing of a rule that fails, and
// two that say different things of one field both fail.
func TestRemember_outcome(t *testing.T) {
	t.Parallel()
	set, faults := compileTables(t, `rules:
  - name: status
    from: shop
    then:
      - { remember: { table: sites, key: data.id, set: { status: "${{ data.status }}", gone: "${{ data.nothing }}" } } }
      - { when: data.amount != nil, remember: { table: counts, key: '"all"', add: { n: 1, total: "${{ data.amount }}" } } }
      - { to: slack, text: hello }
  - { name: same, from: shop, then: [{ remember: { table: sites, key: data.id, set: { status: "${{ data.same }}" } } }] }
  - { name: fails, from: shop, when: data.fail == true, then: [{ remember: { table: sites, key: data.id, set: { x: 1 } } }, { to: slack, when: data.no.thing, text: a }] }
`)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	for _, tc := range []struct {
		data   string
		writes string
		errors int
		sent   int
	}{
		{`{"id":7,"status":"Done","same":"Done"}`, `sites/7 {"gone":null,"status":"Done"}; sites/7 {"status":"Done"}`, 0, 1},
		{`{"id":"x","status":"Done","same":"Done","amount":"12.50"}`, `sites/x {"gone":null,"status":"Done"}; counts/all {"n":1,"total":"12.50"}; sites/x {"status":"Done"}`, 0, 1},
		{`{"id":7,"status":"Done","same":"Draft"}`, ``, 2, 0},
		{`{"status":"Done","amount":1}`, `counts/all {"n":1,"total":1}`, 0, 1},
		{`{"id":7,"status":"Done","same":"Done","amount":"much"}`, `sites/7 {"status":"Done"}`, 1, 0},
		{`{"id":[7],"status":"Done","same":"Done"}`, ``, 2, 0},
		{`{"id":7,"status":"a","same":"a","fail":true}`, `sites/7 {"gone":null,"status":"a"}; sites/7 {"status":"a"}`, 1, 1},
	} {
		out := set.Match(scope(t, []byte(tc.data), "shop", "order"))
		var writes []string
		for _, w := range out.Records {
			fields := w.Set
			if w.Add != nil {
				fields = w.Add
			}
			text, err := json.Marshal(fields)
			if err != nil || w.Keep != time.Hour {
				t.Fatal(err, w.Keep)
			}
			writes = append(writes, w.Table+"/"+w.Key+" "+string(text))
		}
		if diff := cmp.Diff(tc.writes, strings.Join(writes, "; ")); diff != "" || len(out.Errors) != tc.errors || len(out.Deliveries) != tc.sent {
			t.Errorf("%s: %d errors %v, %d deliveries (-want +got)\n%s", tc.data, len(out.Errors), out.Errors, len(out.Deliveries), diff)
		}
	}
}

// The rules say which tables they look up and set, and so which events must be
// judged one at a time.
func TestRemember_shared(t *testing.T) {
	t.Parallel()
	set, faults := compileTables(t, `rules:
  - { name: reads, from: sitejet, events: [website_created], when: 'lookup("sites", data.id)?.a == 1', then: [{ to: slack, text: a }] }
  - { name: sets, from: [sitejet, shop], then: [{ remember: { table: sites, key: data.id, set: { a: 1 } } }] }
  - { name: counts, from: shop, when: 'lookup("counts", "x")?.n != 3', then: [{ remember: { table: counts, key: '"x"', add: { n: 1 } } }] }
`)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	for at, want := range map[[2]string][]string{
		{"sitejet", "website_created"}: {"sites"}, {"sitejet", "website_status_changed"}: nil, {"shop", "order"}: nil,
	} {
		if diff := cmp.Diff(want, set.Shared(at[0], at[1])); diff != "" {
			t.Errorf("%v: (-want +got)\n%s", at, diff)
		}
	}
	if diff := cmp.Diff([]string{"counts", "sites"}, set.Kept()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"reads", "sets"}, set.Using([]string{"sites"})); diff != "" {
		t.Error(diff)
	}
	plain := mustCompile(t, `rules: [{ name: r, from: shop, then: [{ to: slack, text: a }] }]`)
	if plain.Kept() != nil || plain.Shared("shop", "order") != nil {
		t.Error("a plain rule uses tables")
	}
}

// What cannot be remembered after a step is refused.
func TestRemember_afterFaults(t *testing.T) {
	t.Parallel()
	_, got := compileTables(t, `rules:
  - name: r
    from: shop
    then:
      - { step: a, to: slack, text: x }
      - { after: a, remember: { table: sites, key: outputs.a.id, set: { a: '${{ lookup("sites", "x")?.a }}' } } }
      - { after: a, remember: { table: sites, key: 'lookup("sites", "x")?.a', add: { n: '${{ lookup("counts", "x")?.n }}' } } }
      - { step: c, after: a, remember: { table: sites, key: data.id, set: { a: 1 } } }
      - { after: a, delay: 5m, remember: { table: sites, key: data.id, set: { a: 1 } } }
      - { after: b, remember: { table: sites, key: data.id, set: { a: 1 } } }
      - { remember: { table: sites, key: data.id, set: { a: "${{ outputs.a.id }}" } } }
`)
	want := []string{
		`cannot look up the kept table "sites"`, "nothing comes after it", "a record is written at once", `has no step "b"`, "outputs",
	}
	all := strings.Join(got, "\n")
	for _, w := range want {
		if !strings.Contains(all, w) {
			t.Errorf("no %q in\n%s", w, all)
		}
	}
	if n := strings.Count(all, "cannot look up"); n != 1 {
		t.Errorf("%d cannot look up, want 1:\n%s", n, all)
	}
}
