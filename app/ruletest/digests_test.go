package ruletest_test

import (
	"strings"
	"testing"
)

// A test's clock closes digests, as that of the server does: at their time, and when
// they are full.
func TestLater_digests(t *testing.T) {
	t.Parallel()
	r, tests := runnable(t, `
sources:
  shop: { type: webhook, token: 0123456789abcdef }
rules:
  - name: leads
    from: shop
    then: [{ to: billing, digest: { key: data.team, cron: 0 17 * * mon-fri, max: 3 }, text: "${{ len(items) }} of ${{ data.team }}: ${{ join(map(items, .data.n), \",\") }}" }]
`, `tests:
  - name: right
    at: 2026-03-24T09:00
    event: { source: shop, data: { team: a, n: one } }
    expect: []
    later:
      - { in: 1h, event: { source: shop, data: { team: b, n: two } }, expect: [] }
      - { in: 2h, event: { source: shop, data: { team: a, n: three } }, expect: [] }
      - { in: 8h, expect: [leads/billing], assert: 'output["leads/billing"][0].text == "2 of a: one,three" and output["leads/billing"][1].text == "1 of b: two"' }
      - { in: 1d, event: { source: shop, data: { team: a, n: "4" } }, expect: [] }
      - { in: 1d1h, event: { source: shop, data: { team: a, n: "5" } }, expect: [] }
      - { in: 1d2h, event: { source: shop, data: { team: a, n: "6" } }, expect: leads/billing, assert: 'output["leads/billing"].text == "3 of a: 4,5,6"' }
      - { in: 2d, expect: [] }
  - name: wrong
    at: 2026-03-24T09:00
    event: { source: shop, data: { team: a, n: one } }
    expect: [leads/billing]
`)
	if got := r.Run(tests[0]); !got.OK {
		t.Errorf("right: %+v", got.Findings)
	}
	if got := r.Run(tests[1]).Findings; len(got) != 1 || !strings.HasSuffix(got[0].String(), "it waits until Tue 24 Mar 17:00") {
		t.Errorf("wrong: %v", got)
	}
}

// A digest that closes while its calendar is closed is rendered when it closes, as by the
// server: what is remembered until it goes changes nothing. Break: render it when it goes.
func TestLater_digestHours(t *testing.T) {
	t.Parallel()
	const document = `
calendars: { office: { days: mon-fri, hours: 09:00-17:00, timezone: UTC } }
sources:
  shop: { type: webhook, token: 0123456789abcdef, dedupe: off }
tables: { sites: {} }
rules:
  - name: gather
    from: shop
    when: data.n == 1
    then: [{ to: billing, digest: { wait: 10m }, only_during: office, text: 'n is ${{ lookup("sites", "s")?.n }}' }]
  - { name: keep, from: shop, then: [{ remember: { table: sites, key: '"s"', set: { n: "${{ data.n }}" } } }] }
`
	r, tests := runnable(t, document, `tests:
  - name: at night
    at: 2026-03-24T20:00
    event: { source: shop, data: { n: 1 } }
    expect: []
    later:
      - { in: 1h, event: { source: shop, data: { n: 2 } }, expect: [] }
      - { in: 12h59m, expect: [] }
      - { in: 13h, expect: gather/billing, assert: 'output["gather/billing"].text == "n is 1"' }
`)
	if got := r.Run(tests[0]); !got.OK {
		t.Errorf("%+v", got.Findings)
	}
}
