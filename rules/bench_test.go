package rules_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"hookgate/internal/jsondoc"
	"hookgate/rules"
	"hookgate/rules/lang"
)

// twenty are rules of every kind, of which the seed payload matches two.
var twenty = []string{
	`event.type == "website_status_changed" && data.website.status == "Done"`,
	`event.type == "website_created"`,
	`event.type == "todo_created" && data.website.id > 1000`,
	`event.type == "log_created"`,
	`data.website.status == "Assign"`,
	`data.website.status in ["Interest", "Preparation"]`,
	`data.website.closed_by.role == "Designer"`,
	`data.previousStatus == "Publish" && data.website.closed_by.role == "Sales" && data.website.id > 1000`,
	`data.website.domain endsWith ".de"`,
	`data.website.title contains "Pizza"`,
	`event.type == "domain_created" || event.type == "website_todo_assignee_changed"`,
	`data.website.published_status == false`,
	`data.website.designed_by.id == 999`,
	`data.website.serviced_by.email matches ".*@other\\.com$"`,
	`data.website.id < 1000`,
	`data.website.designed_by.email == "a@b.c"`,
	`data.website.status == "Done" && data.previousStatus == "Review"`,
	`data.website.following == true`,
	`data.website.designed_by.role == "Admin" && data.website.serviced_by.role == "Sales"`,
	`event.type startsWith "billing_"`,
}

func twentyRules(b *testing.B) *rules.Set {
	b.Helper()
	var yaml strings.Builder
	yaml.WriteString("rules:\n")
	for i, when := range twenty {
		fmt.Fprintf(&yaml, `  - name: r%d
    from: sitejet
    when: '%s'
    then:
      - to: billing
        ordering_key: data.website.id
        json:
          action: activate
          website_id: ${{ data.website.id }}
          customer: ${{ data.website.title }}
          sold_by: ${{ data.website.closed_by?.email }}
          reference: sitejet-${{ data.website.id }}
`, i, when)
	}
	return mustCompile(b, yaml.String())
}

// BenchmarkMatch is what intake does with a body: parse it, judge it by 20
// rules, render the outputs of the 2 that match.
func BenchmarkMatch(b *testing.B) { benchmark(b, twentyRules(b), 2) }

// BenchmarkNearMiss is what the page Rules does with an event: judge it, and tell of each
// rule that did not match whether one part of its condition is to blame.
func BenchmarkNearMiss(b *testing.B) {
	set := twentyRules(b)
	misses := 0
	judge(b, func(sc *lang.Scope) {
		out := set.Match(sc)
		set.NearMisses(sc, &out, func(int, func() lang.Part) { misses++ })
	})
	if misses == 0 {
		b.Fatal("none")
	}
}

// BenchmarkPassOn is what a rule costs that sends all that came: as it is
// written, and, beside it, decoded and written anew.
func BenchmarkPassOn(b *testing.B) {
	for name, value := range map[string]string{"written": "data", "decoded": "merge(data)"} {
		b.Run(name, func(b *testing.B) {
			benchmark(b, mustCompile(b, "rules:\n  - name: all\n    from: sitejet\n    then:\n      - {to: billing, json: '${{ "+value+" }}'}\n"), 1)
		})
	}
}

// benchmark parses the seed payload and judges it; so many outputs are made.
func benchmark(b *testing.B, set *rules.Set, deliveries int) {
	b.Helper()
	judge(b, func(sc *lang.Scope) {
		if out := set.Match(sc); len(out.Deliveries) != deliveries || len(out.Errors) != 0 {
			b.Fatalf("%+v", out)
		}
	})
}

// judge parses the seed payload again and again and does with it what is asked for.
func judge(b *testing.B, each func(*lang.Scope)) {
	b.Helper()
	text := seed(b)
	meta := lang.Meta{ID: "evt_7q2", Type: "website_status_changed", Source: "sitejet", Time: time.Unix(0, 0)}
	b.ReportAllocs()
	for b.Loop() {
		doc, err := jsondoc.Parse(text)
		if err != nil {
			b.Fatal(err)
		}
		sc := lang.NewScope(doc, meta, nil, nil)
		each(sc)
		sc.Release()
		doc.Release()
	}
}

func BenchmarkParseDoc(b *testing.B) {
	text := seed(b)
	b.ReportAllocs()
	for b.Loop() {
		doc, err := jsondoc.Parse(text)
		if err != nil {
			b.Fatal(err)
		}
		doc.Release()
	}
}

func BenchmarkExplain(b *testing.B) {
	set, text := twentyRules(b), seed(b)
	sc := scope(b, text, "sitejet", "website_status_changed")
	defer sc.Release()
	b.ReportAllocs()
	for b.Loop() {
		if len(set.Explain(sc)) != len(twenty) {
			b.Fatal("a rule is missing")
		}
	}
}
