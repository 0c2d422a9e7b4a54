package app_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"
)

// A clock that is set by whoever runs the server, as the demo does after its made-up past,
// is the clock that what is scheduled goes by: it is not taken for a database's clock that
// jumped.
//
// Negative control: Passed with time.Now.
func TestMoments_clockOfTheServer(t *testing.T) {
	t.Parallel()
	url, got := sink(t)
	path := mustWrite(t, fmt.Sprintf(`
version: 1
server: { listen: 127.0.0.1:0 }
storage: { path: hookgate.db }
sources: { s: { type: webhook, token: %s } }
connections: { sink: { type: webhook, url: %q } }
outbound: { allow_private: [127.0.0.0/8] }
rules: [{ name: later, from: s, then: [{ to: sink, delay: 2d, json: { n: "${{ data.n }}" } }] }]
`, token, url))
	var ahead atomic.Int64
	a := startAt(t, path, func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) })
	if status := post(t, a, `{"n":1}`); status != 202 {
		t.Fatal(status)
	}
	ahead.Store(int64(31 * 24 * time.Hour))
	await(t, got, `{"n":1}`)
}
