package planner_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"hookgate/app/planner"
	"hookgate/test/planned"
)

// BenchmarkLook is what it takes to make what comes after a delivery that has ended,
// where many have: by one process, and by one of three.
func BenchmarkLook(b *testing.B) {
	const text = `
sources: { shop: { type: webhook, token: abcdefghijklmnopqrstuv } }
connections: { billing: { type: webhook, url: "https://billing.example/" } }
rules:
  - name: chain
    from: shop
    then:
      - { step: one, to: billing, text: "${{ data.n }}" }
      - { step: two, to: billing, after: one, text: "${{ data.n }}" }
`
	for _, c := range []struct {
		engine   string
		planners int
	}{{"sqlite", 1}, {"postgres", 1}, {"postgres", 3}} {
		b.Run(fmt.Sprintf("%s/planners=%d", c.engine, c.planners), func(b *testing.B) {
			g := newGateway(b, c.engine)
			g.configure(planned.Must(b, text), text)
			planners := []*planner.Planner{g.Planner}
			for len(planners) < c.planners {
				_, another := g.replica()
				planners = append(planners, another)
			}
			atOnce(b.N, func(n int) { g.post(fmt.Sprintf(`{"n":%d}`, n)) })
			for claimed := g.claim(); len(claimed) > 0; claimed = g.claim() {
				atOnce(len(claimed), func(i int) { g.send(&claimed[i]) })
			}
			b.ResetTimer()
			ctx, stop := context.WithCancel(b.Context())
			defer stop()
			var all sync.WaitGroup
			for _, p := range planners {
				all.Go(func() { p.Run(ctx) })
			}
			for g.due(g.clock()) {
				time.Sleep(10 * time.Millisecond)
			}
			b.StopTimer()
			stop()
			all.Wait()
		})
	}
}

// atOnce does n things, many of them at a time: their commits share flushes.
func atOnce(n int, do func(int)) {
	var all errgroup.Group
	all.SetLimit(256)
	for i := range n {
		all.Go(func() error { do(i); return nil })
	}
	_ = all.Wait()
}
