package planner_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hookgate/internal/event"
	"hookgate/test/planned"
)

// gathering is a rule with a digest that closes so, which tells who is in it.
func gathering(closes string) string {
	return `
sources:
  shop: { type: webhook, token: 0123456789abcdef, dedupe: off }
rules:
  - name: leads
    from: shop
    then: [{ to: billing, digest: { key: data.k, ` + closes + ` }, text: '${{ data.k }}: ${{ join(map(items, string(.data.n)), ",") }}' }]
`
}

// Each digest closes at its time, or where it is full, and never for nothing: by the
// planner, from the event to the receiver.
//
// Promise: F2.
func TestDigest(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", 3<<20)
	for name, tc := range map[string]struct {
		closes string
		events []string // k and n, and so many minutes after nine they come
		want   []string // what is sent, and when
	}{
		"wait":  {"wait: 30m", []string{"a1 0", "b2 10", "a3 29", "a4 30"}, []string{"a: 1,3 at 30", "b: 2 at 40", "a: 4 at 60"}},
		"quiet": {"quiet: 20m, max_wait: 50m", []string{"a1 0", "a2 15", "a3 30", "a4 45", "a5 60"}, []string{"a: 1,2,3,4 at 50", "a: 5 at 80"}},
		"cron":  {"cron: '30 * * * *'", []string{"a1 0", "b2 5", "a3 30", "a4 31"}, []string{"a: 1 at 30", "b: 2 at 30", "a: 3,4 at 90"}},
		"max":   {"wait: 30m, max: 2", []string{"a1 0", "a2 1", "a3 2"}, []string{"a: 1,2 at 1", "a: 3 at 32"}},
		"8 MB":  {"wait: 30m", []string{"a1 0 large", "a2 1 large", "a3 2 large"}, []string{"a: 1,2 at 2", "a: 3 at 32"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forEachEngine(t, func(t *testing.T, g *gateway) {
				text := gathering(tc.closes)
				g.configure(planned.Must(t, text), text)
				nine := g.clock()
				var got []string
				until := func(minute int) {
					g.advance(nine.Add(time.Duration(minute) * time.Minute))
					for _, d := range g.took() {
						got = append(got, fmt.Sprintf("%s at %.0f", d.Output[9:len(d.Output)-2], d.at.Sub(nine).Minutes()))
						if d.Flow&event.Digest == 0 {
							t.Errorf("%s is no digest's", d.ID)
						}
					}
				}
				for _, e := range tc.events {
					var kn, rest string
					var minute int
					_, _ = fmt.Sscan(e, &kn, &minute, &rest)
					until(minute)
					if rest != "" {
						rest = large
					}
					g.post(fmt.Sprintf(`{"k":%q,"n":%s,"rest":%q}`, kn[:1], kn[1:], rest))
				}
				until(200)
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Error(diff)
				}
				if n, err := g.store.CountDigests(t.Context()); n != 0 || err != nil {
					t.Errorf("%d are open, %v", n, err)
				}
			})
		})
	}
}

// What is sent for a digest is made by the rules that accepted the newest event in it,
// and what cannot be made is failed, with the reason.
func TestDigest_versions(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, g *gateway) {
		before := gathering("wait: 30m")
		g.configure(planned.Must(t, before), before)
		g.post(`{"k":"a","n":1}`)
		after := strings.Replace(gathering("quiet: 1h"), "text: '", "text: 'anew ", 1)
		g.configure(planned.Must(t, after), after)
		g.post(`{"k":"a","n":2}`)
		broken := strings.Replace(before, "text: '", "text: '${{ data.missing.x }}", 1)
		g.configure(planned.Must(t, broken), broken)
		id := g.post(`{"k":"b","n":3}`)
		g.advance(g.clock().Add(30 * time.Minute))
		var got []string
		for _, d := range g.took() {
			got = append(got, string(d.Output))
		}
		if diff := cmp.Diff([]string{`{"text":"anew a: 1,2"}`}, got); diff != "" {
			t.Error(diff)
		}
		list, err := g.store.Deliveries(t.Context(), event.DeliveryFilter{Event: id})
		if err != nil || len(list) != 1 || list[0].State != event.Failed || !strings.Contains(list[0].Error, "data.missing") {
			t.Errorf("what cannot be made: %+v, %v", list, err)
		}
	})
}
