package ruletest_test

import (
	"strings"
	"testing"
)

// A test moves the clock: what waits is nothing yet, and comes when its moment
// does, beside what later events send.
func TestLater(t *testing.T) {
	t.Parallel()
	r, tests := runnable(t, `
sources:
  shop: { type: webhook, token: 0123456789abcdef, event_type: data.type }
rules:
  - name: remind
    from: shop
    events: [order]
    then: [{ to: billing, delay: 7d, text: "${{ data.n }}" }]
  - name: paid
    from: shop
    events: [paid]
    then: [{ to: billing, text: "${{ event.time }}" }]
`, `tests:
  - name: right
    at: 2026-03-24T09:00
    event: { source: shop, data: { type: order, n: 7 } }
    expect: []
    later:
      - { in: 2d, event: { source: shop, data: { type: paid } }, expect: paid/billing, assert: 'output["paid/billing"].text startsWith "2026-03-26T09:00"' }
      - { in: 6d23h, expect: [] }
      - { in: 7d, expect: [remind/billing], assert: 'output["remind/billing"].text == "7"' }
      - { in: 8d, expect: [] }
  - name: wrong
    at: 2026-03-24T09:00
    event: { source: shop, data: { type: order, n: 7 } }
    expect: [remind/billing]
    later: [{ in: 7d, expect: [] }]
`)
	if got := r.Run(tests[0]); !got.OK {
		t.Errorf("right: %+v", got.Findings)
	}
	var said []string
	for _, f := range r.Run(tests[1]).Findings {
		said = append(said, f.String())
	}
	want := "missing remind/billing: it waits until Tue 31 Mar 09:00\nunexpected remind/billing: after 7d: the rule matched: it has no condition"
	if got := strings.Join(said, "\n"); got != want {
		t.Errorf("wrong:\n%s\nwant:\n%s", got, want)
	}
}

// What can't be a time, or a part of a test, is told with its place.
func TestLater_faults(t *testing.T) {
	t.Parallel()
	_, list := compileTests(t, "", `tests:
  - name: one
    at: soon
    event: { source: shop }
    expect: []
    later:
      - { in: never, expect: [] }
      - { in: 1d }
      - { in: 1d, event: { source: shp }, expect: [zzz/x] }
`)
	var codes []string
	for _, d := range list {
		codes = append(codes, d.Code)
	}
	if got := strings.Join(codes, " "); got != "bad-value bad-value missing-key unknown-source unknown-action" {
		t.Errorf("got %s: %v", got, list)
	}
}
