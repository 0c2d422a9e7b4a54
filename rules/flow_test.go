package rules_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hookgate/rules"
	"hookgate/rules/lang"
)

// decide gives the names of what is sent, and the rules' results.
func decide(t *testing.T, set *rules.Set, data string) (results, sent string, out rules.Outcome) {
	t.Helper()
	sc := scope(t, []byte(data), "shop", "order")
	defer sc.Release()
	out = set.Match(sc)
	var names, told []string
	for i := range out.Deliveries {
		names = append(names, out.Deliveries[i].Name())
	}
	traces := set.Explain(sc)
	for i := range traces {
		for a := range traces[i].Sends() {
			if a.Sent && traces[i].Result == rules.Matched {
				told = append(told, a.Name)
			}
		}
		want := map[byte]string{'m': rules.Matched, 'n': rules.NotMatched, 'e': rules.Failed, '-': rules.Skipped}[out.Results[i]]
		if traces[i].Result != want {
			t.Errorf("%s: rule %d is explained as %s, and matched as %c", data, i, traces[i].Result, out.Results[i])
		}
	}
	if got, want := strings.Join(told, " "), strings.Join(names, " "); got != want {
		t.Errorf("%s: explained %q, matched %q", data, got, want)
	}
	return string(out.Results), strings.Join(names, " "), out
}

// The first branch that matches sends beside then, and no other.
func TestBranches(t *testing.T) {
	t.Parallel()
	set := mustCompile(t, `rules:
  - name: route
    from: shop
    then: [{ to: billing, json: {} }]
    branches:
      - { name: hot, when: data.budget > 5, then: [{ to: slack, text: hot }] }
      - { name: home, when: data.country == "DE", then: [{ to: slack, text: home }, { to: billing, json: {} }] }
      - { name: rest, then: [{ to: slack, text: rest }] }
  - name: only
    from: shop
    branches:
      - { name: a, when: data.country == "AT", then: [{ to: slack, text: a }] }
`)
	for data, want := range map[string]string{
		`{"budget": 9, "country": "DE"}`:   "mn route/billing route/slack",
		`{"budget": 1, "country": "DE"}`:   "mn route/billing route/slack#2 route/billing#2",
		`{"budget": 1, "country": "AT"}`:   "mm route/billing route/slack#3 only/slack",
		`{"budget": 1, "country": "FR"}`:   "mn route/billing route/slack#3",
		`{"budget": "x", "country": "AT"}`: "em only/slack",
	} {
		results, sent, _ := decide(t, set, data)
		if got := results + " " + sent; got != want {
			t.Errorf("%s: got %q, want %q", data, got, want)
		}
	}
	sc := scope(t, []byte(`{"budget": 1, "country": "DE"}`), "shop", "order")
	defer sc.Release()
	trace := set.Explain(sc)
	var branches []string
	for _, b := range trace[0].Branches {
		branches = append(branches, fmt.Sprintf("%s %s %d", b.Name, b.Result, len(b.Parts)))
	}
	if got, want := strings.Join(branches, ", "), "hot no 1, home match 1, rest not reached 0"; got != want {
		t.Errorf("branches: %s, want %s", got, want)
	}
	if trace[1].Reason != "no branch matches" {
		t.Errorf("reason: %q", trace[1].Reason)
	}
	coverage := set.Coverage()
	coverage.Observe(sc)
	report := coverage.Report()
	if want := (rules.Covered{Seen: 1, Total: 4}); report.Branches != want {
		t.Errorf("branches covered: %+v, want %+v", report.Branches, want)
	}
}

// A rule with for_each is judged for each element, which its condition, its branches
// and its templates see.
func TestForEach(t *testing.T) {
	t.Parallel()
	set := mustCompile(t, `rules:
  - name: people
    from: shop
    for_each: data.people
    when: item.mail != nil
    then:
      - { to: billing, ordering_key: item.mail, json: { mail: "${{ item.mail }}", n: "${{ index + 1 }}", of: "${{ len(data.people) }}" } }
    branches:
      - { name: vip, when: item.vip == true and index > 0, then: [{ to: slack, text: "${{ item.mail }}" }] }
  - { name: plain, from: shop, then: [{ to: slack, text: x }] }
`)
	for data, want := range map[string]string{
		`{"people": [{"mail": "a", "vip": true}, {}, {"mail": "b", "vip": true}]}`: "mm people/billing[0] people/billing[2] people/slack[2] plain/slack",
		`{"people": []}`:               "nm plain/slack",
		`{}`:                           "nm plain/slack",
		`{"people": [{}]}`:             "nm plain/slack",
		`{"people": "ada"}`:            "em plain/slack",
		`{"people": {"a": 1}}`:         "em plain/slack",
		`{"people": [{"mail": 1}, 2]}`: "em plain/slack",
	} {
		results, sent, _ := decide(t, set, data)
		if got := results + " " + sent; got != want {
			t.Errorf("%s: got %q, want %q", data, got, want)
		}
	}
	_, _, out := decide(t, set, `{"people": [{"mail": "a"}, {"mail": "b"}]}`)
	if d := out.Deliveries[1]; string(d.Output) != `{"json":{"mail":"b","n":2,"of":2}}` || d.Key != "b" || d.Element != 2 {
		t.Errorf("got %+v", d)
	}
	_, _, out = decide(t, set, `{"people": "ada"}`)
	if want := `for_each gave "ada" (text), not a list`; out.Errors[0].Message != want {
		t.Errorf("error: %s", out.Errors[0].Message)
	}
}

// 500 deliveries of an event go; one more, and nothing of the rules with for_each does.
func TestForEach_limit(t *testing.T) {
	t.Parallel()
	one := mustCompile(t, `rules: [{ name: one, from: shop, for_each: data.list, then: [{ to: slack, text: "${{ item }}" }] }, { name: plain, from: shop, then: [{ to: slack, text: x }] }]`)
	two := mustCompile(t, `rules: [{ name: one, from: shop, for_each: data.list, then: [{ to: slack, text: x }] }, { name: two, from: shop, for_each: data.list, then: [{ to: slack, text: x }] }]`)
	list := func(n int) string { return `{"list": [` + strings.TrimSuffix(strings.Repeat("1,", n), ",") + `]}` }
	for _, tc := range []struct {
		set     *rules.Set
		n, sent int
		results string
	}{{one, 500, 501, "mm"}, {one, 501, 1, "em"}, {one, 20_000, 1, "em"}, {two, 250, 500, "mm"}, {two, 251, 0, "ee"}} {
		results, _, out := decide(t, tc.set, list(tc.n))
		if len(out.Deliveries) != tc.sent || results != tc.results {
			t.Errorf("%d elements: %d deliveries, results %s; want %d, %s", tc.n, len(out.Deliveries), results, tc.sent, tc.results)
		}
	}
}

// The limit counts what is made of the elements and what a chain reserves ids for, and
// not what is remembered: explain counts the same. Break: count what is sent alone.
func TestForEach_limitCounts(t *testing.T) {
	t.Parallel()
	list := func(n int) []byte {
		return []byte(`{"list": [` + strings.TrimSuffix(strings.Repeat(`{"n":1},`, n), ",") + `]}`)
	}
	for _, tc := range []struct {
		then    string
		n       int
		results string
	}{
		{`{ remember: { table: counts, key: '"k"', add: { n: 1 } } }, { to: slack, text: x }`, 500, "m"},
		{`{ remember: { table: counts, key: '"k"', add: { n: 1 } } }, { to: slack, text: x }`, 501, "e"},
		{`{ step: a, to: slack, text: x }, { to: slack, after: a, when: item.n > 1, text: x }`, 250, "m"},
		{`{ step: a, to: slack, text: x }, { to: slack, after: a, when: item.n > 1, text: x }`, 251, "e"},
	} {
		set, faults := compileTables(t, `rules: [{ name: r, from: shop, for_each: data.list, then: [`+tc.then+`] }]`)
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		sc := scope(t, list(tc.n), "shop", "order")
		if got := string(set.Match(sc).Results); got != tc.results {
			t.Errorf("%s: %d elements: %s, want %s", tc.then, tc.n, got, tc.results)
		}
		want := map[string]string{"m": rules.Matched, "e": rules.Failed}[tc.results]
		if got := set.Explain(sc)[0]; got.Result != want {
			t.Errorf("%s: %d elements are explained as %s %s, want %s", tc.then, tc.n, got.Result, got.Error, want)
		}
		sc.Release()
	}
}

// slowRecords are records of which each takes long to read, as where the process stands
// still meanwhile.
type slowRecords struct{ noRecords }

type noRecords interface{ lang.Records }

func (slowRecords) Record(string, string) (any, error) { time.Sleep(time.Minute); return nil, nil }

// A list of a few elements is judged to its end on a machine that stands still, and a
// long one whose elements all take long is not. Break: compare the time that has passed.
func TestForEach_time(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		set, faults := compileTables(t, `rules: [{ name: r, from: shop, for_each: data.list, when: 'lookup("sites", item) == nil', then: [{ to: slack, text: x }] }]`)
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		for list, want := range map[string]string{`[1, 2, 3]`: "m", `[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]`: "e"} {
			sc := scope(t, []byte(`{"list": `+list+`}`), "shop", "order")
			sc.Records = slowRecords{}
			if got := string(set.Match(sc).Results); got != want {
				t.Errorf("%s: %s, want %s", list, got, want)
			}
			sc.Release()
		}
	})
}

// What is counted of a throttle is its action and its key; without its key, where it
// has one, nothing is.
func TestThrottle(t *testing.T) {
	t.Parallel()
	set := mustCompile(t, `rules:
  - name: welcome
    from: shop
    then:
      - { to: slack, text: x, throttle: { key: lower(data.mail ?? ""), within: 365d } }
      - { to: slack, text: x, throttle: { times: 3, within: 90m } }
`)
	_, _, out := decide(t, set, `{"mail": "ADA@x"}`)
	_, _, again := decide(t, set, `{"mail": "ada@x"}`)
	_, _, other := decide(t, set, `{"mail": "bob@x"}`)
	_, _, none := decide(t, set, `{}`)
	first, all := out.Deliveries[0].Once, out.Deliveries[1].Once
	if first.Reason != `throttle: one in 365 d for "ada@x"` || all.Reason != "throttle: 3 in 90 min" || all.Times != 3 {
		t.Errorf("got %+v and %+v", first, all)
	}
	if got := again.Deliveries[0].Once; *got != *first {
		t.Errorf("%+v and %+v are one key", got, first)
	}
	if got := other.Deliveries[0].Once; got.Key == first.Key || got.Scope != first.Scope || first.Scope == all.Scope {
		t.Errorf("%+v, %+v and %+v are three", got, first, all)
	}
	if d := none.Deliveries[0]; d.Once != nil || len(d.Warnings) != 1 || d.Err != "" {
		t.Errorf("without its key: %+v", d)
	}
}

func TestFlow_faults(t *testing.T) {
	t.Parallel()
	for yaml, want := range map[string]string{
		`{ name: r, from: shop }`:                                                            `a rule needs "then"`,
		`{ name: r, from: shop, branches: [] }`:                                              "no branch under branches",
		`{ name: r, from: shop, branches: [{ name: a, then: [] }] }`:                         "no action under then",
		`{ name: r, from: shop, branches: [{ name: a b, then: [{ to: slack, text: x }] }] }`: "bad-name",
		`{ name: r, from: shop, branches: [{ name: a, then: [{ to: slack, text: x }] }, { name: b, when: data.x == 1, then: [{ to: slack, text: x }] }] }`: "unreachable-branch",
		`{ name: r, from: shop, branches: [{ name: a, when: data.x == 1, then: [{ to: slack, text: x }] }, { name: a, then: [{ to: slack, text: x }] }] }`: "duplicate-name",
		`{ name: r, from: shop, for_each: '"abc"', then: [{ to: slack, text: x }] }`:                                                                       "gives a text, not a list",
		`{ name: r, from: shop, then: [{ to: slack, text: "${{ item }}" }] }`:                                                                              `unknown name "item"`,
		`{ name: r, from: shop, foreach: data.x, then: [{ to: slack, text: x }] }`:                                                                         `did you mean "for_each"?`,
		`{ name: r, from: shop, then: [{ to: slack, text: x, once: true }] }`:                                                                              "throttle: {",
		`{ name: r, from: shop, then: [{ to: slack, text: x, throttle: { key: data.x } }] }`:                                                               "within",
		`{ name: r, from: shop, then: [{ to: slack, text: x, throttle: { within: 1h, times: 0 } }] }`:                                                      "times",
		`{ name: r, from: shop, then: [{ to: slack, text: x, throttle: { within: 1h, count: 2 } }] }`:                                                      `did you mean "times"?`,
	} {
		_, list := compile(t, "rules: ["+yaml+"]")
		text := fmt.Sprint(list)
		for _, d := range list {
			text += d.Code + " " + d.Message + " " + d.Hint + "\n"
		}
		if !strings.Contains(text, want) {
			t.Errorf("%s: got %s, want %q", yaml, text, want)
		}
	}
}
