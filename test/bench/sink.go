package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"hookgate/internal/egress"
)

// receive is the program's part as the sink: it answers 200 to every post and
// counts them; GET tells the number.
func receive(addr string) error {
	var count atomic.Int64
	server := &fasthttp.Server{
		NoDefaultServerHeader: true,
		Handler: func(c *fasthttp.RequestCtx) {
			if c.IsPost() {
				count.Add(1)
				return
			}
			c.SetBodyString(strconv.FormatInt(count.Load(), 10))
		},
	}
	return server.ListenAndServe(addr)
}

// post is the program's part as the client alone: it posts to the sink through
// the same guarded transport that the connectors use, and prints the CPU time
// of one post. It is the other half of the yardstick for a delivery.
func post(sink string, n int) error {
	client := egress.New(egress.Config{AllowPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	transport := client.RoundTripper()
	body := make([]byte, 120)
	work := make(chan struct{}, n)
	for range n {
		work <- struct{}{}
	}
	close(work)
	errs := make(chan error, 16)
	before := cpuTime(os.Getpid())
	for range cap(errs) {
		go func() { errs <- drain(transport, sink, body, work) }()
	}
	for range cap(errs) {
		if err := <-errs; err != nil {
			return err
		}
	}
	used := cpuTime(os.Getpid()) - before
	return json.NewEncoder(os.Stdout).Encode(used / time.Duration(n))
}

func drain(transport http.RoundTripper, sink string, body []byte, work <-chan struct{}) error {
	for range work {
		req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, sink, bytesReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/json")
		res, err := transport.RoundTrip(req)
		if err != nil {
			return fmt.Errorf("the post: %w", err)
		}
		if err := res.Body.Close(); err != nil {
			return err
		}
	}
	return nil
}
