package faults

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"hookgate/test/lab"
	"hookgate/test/pgtest"
)

// askEvery is how often the balancer asks for health.
const askEvery = 500 * time.Millisecond

// balancer stands in front of gates as a reverse proxy does that sends round,
// keeps its connections, asks everybody for /readyz every askEvery, and repeats
// nothing. It returns its URL and whom it sends to.
func balancer(t *testing.T, gates []*lab.Gate) (string, []atomic.Bool) {
	t.Helper()
	proxies := make([]*httputil.ReverseProxy, len(gates))
	up := make([]atomic.Bool, len(gates))
	for n, g := range gates {
		target, err := url.Parse(g.URL)
		if err != nil {
			t.Fatal(err)
		}
		transport := &http.Transport{MaxIdleConnsPerHost: 64}
		t.Cleanup(transport.CloseIdleConnections)
		proxies[n] = &httputil.ReverseProxy{
			Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target); r.SetXForwarded() },
			Transport: transport,
			ErrorLog:  slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo),
		}
		up[n].Store(true)
	}
	ctx, cancel := context.WithCancel(t.Context())
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		ticker := time.NewTicker(askEvery)
		defer ticker.Stop()
		for ctx.Err() == nil {
			for n, g := range gates {
				up[n].Store(g.Probe("/readyz") == http.StatusOK)
			}
			select {
			case <-ticker.C:
			case <-ctx.Done():
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-watched })
	var turn atomic.Int64
	front := &httptest.Server{Listener: lab.Listen(t), Config: &http.Server{
		ReadHeaderTimeout: lab.Patience,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for range gates {
				if n := int(turn.Add(1)) % len(gates); up[n].Load() {
					proxies[n].ServeHTTP(w, r)
					return
				}
			}
			w.WriteHeader(http.StatusBadGateway)
		}),
	}}
	front.Start()
	t.Cleanup(front.Close)
	return front.URL, up
}

// TestRestartedBehindProxy restarts three replicas in turn behind a proxy that
// asks for their health: every single post is accepted, at the first try, and
// nothing comes twice.
//
// Negative control: handOver is zero. Then the proxy sends to replicas that are
// gone, and on connections that are just closed: 135 of 1,680 posts failed.
func TestRestartedBehindProxy(t *testing.T) {
	t.Parallel()
	c := newCluster(t, pgtest.Shared(t).URL(t), "", numbered)
	for n, g := range c.gates {
		g.Extra = "  trusted_proxies: [127.0.0.1]\n"
		if code := g.Stop(); code != 0 {
			t.Fatalf("exit status %d", code)
		}
		c.start(n)
	}
	front, up := balancer(t, c.gates)
	c.sender.URL, c.sender.Also = front+inPath, nil
	c.load(8)
	for round := range lab.Pick(3, 30) {
		n := round % 3
		c.grow(200)
		if code := c.gates[n].Stop(); code != 0 {
			t.Errorf("exit status %d after SIGTERM, want 0", code)
		}
		c.start(n)
		lab.Eventually(t, "the proxy sends to it again", up[n].Load)
	}
	c.finish(0)
	for status, count := range c.sender.Statuses() {
		if status != http.StatusAccepted && (status != 0 || count > 8) { // 0: those that were under way when the load ended
			t.Errorf("%d posts were answered with %d", count, status)
		}
	}
}
