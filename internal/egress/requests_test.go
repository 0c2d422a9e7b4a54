package egress_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hookgate/internal/egress"
)

func mustPost(ctx context.Context, t *testing.T, target, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// failed makes a request that is to fail.
func failed(transport http.RoundTripper, req *http.Request) error {
	resp, err := transport.RoundTrip(req)
	if err == nil {
		_ = resp.Body.Close()
	}
	return err
}

func allowing(t *testing.T) *egress.Client {
	t.Helper()
	c := egress.New(egress.Config{AllowPrivate: prefixes("127.0.0.0/8")})
	t.Cleanup(c.Close)
	return c
}

// A request whose context ends, ends: while it waits for an answer, and while
// the body is read. The error is the context's.
func TestRequests_contextEnds(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"before the answer": "", "in the headers": "HTTP/1.1 200 OK\r\nX-", "in the body": "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok", "in a chunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok",
	} {
		for _, want := range []error{context.Canceled, context.DeadlineExceeded} {
			t.Run(fmt.Sprint(name, want), func(t *testing.T) {
				t.Parallel()
				listener, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				defer listener.Close()
				ctx, cancel := context.WithCancel(t.Context())
				if errors.Is(want, context.DeadlineExceeded) {
					ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
				}
				defer cancel()
				gone := make(chan error, 1)
				go func() {
					conn, err := listener.Accept()
					if err != nil {
						gone <- err
						return
					}
					defer conn.Close()
					_, _ = io.ReadFull(conn, make([]byte, 20))
					_, _ = io.WriteString(conn, answer) // not before the request: net/http takes that for unsolicited
					if errors.Is(want, context.Canceled) {
						cancel()
					}
					_, err = io.Copy(io.Discard, conn) // until the client closes
					gone <- err
				}()
				resp, err := allowing(t).RoundTripper().RoundTrip(mustPost(ctx, t, "http://"+listener.Addr().String(), "{}"))
				if err == nil {
					_, err = io.ReadAll(resp.Body)
					_ = resp.Body.Close()
				}
				if !errors.Is(err, want) {
					t.Errorf("got %v, want %v", err, want)
				}
				<-gone // and the connection is closed
			})
		}
	}
}

// The end of a context after its request changes nothing for the next one over
// the same connection.
func TestRequests_contextEndsAfterwards(t *testing.T) {
	t.Parallel()
	tg := mustTarget(t, "127.0.0.1:0", ok)
	c := allowing(t)
	for range 50 {
		ctx, cancel := context.WithCancel(t.Context())
		resp, err := c.RoundTripper().RoundTrip(mustPost(ctx, t, tg.URL, "x"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.ReadAll(resp.Body)
		cancel()
		_ = resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
	}
	if n := tg.connections.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// Many at once, answers of different kinds, some cut short: everyone gets the
// answer to the own request.
func TestRequests_atOnce(t *testing.T) {
	t.Parallel()
	tg := mustTarget(t, "127.0.0.1:0", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.RawQuery == "flush" {
			w.(http.Flusher).Flush()
		}
		if r.URL.RawQuery == "close" {
			w.Header().Set("Connection", "close")
		}
		_, _ = w.Write(body)
	})
	c := allowing(t)
	var asking sync.WaitGroup
	for worker := range 8 {
		asking.Go(func() {
			for n := range 100 {
				want := strings.Repeat(fmt.Sprintf("%d-%d ", worker, n), 1+n*10)
				query := []string{"", "flush", "close"}[n%3]
				resp, err := c.RoundTripper().RoundTrip(mustPost(t.Context(), t, tg.URL+"/?"+query, want))
				if err != nil {
					t.Error(err)
					return
				}
				if n%7 == 0 {
					_ = resp.Body.Close()
					continue
				}
				got, err := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if err != nil || string(got) != want {
					t.Errorf("%d-%d: got %.20q, %v", worker, n, got, err)
				}
			}
		})
	}
	asking.Wait()
}

// A kept connection that the receiver ended while a request was on its way: it
// is sent again only if it may be.
func TestRequests_repeats(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		method, key string
		repeats     bool
	}{
		"a post": {"POST", "", false}, "a post that may be repeated": {"POST", "k", true}, "a get": {"GET", "", true}, "a delete": {"DELETE", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// The second request over a connection is heard and not answered.
			tk := mustTalk(t, "HTTP/1.1 204 No Content\r\n\r\n", "")
			c := allowing(t)
			var last error
			for range 2 {
				req, err := http.NewRequestWithContext(t.Context(), tc.method, tk.url, http.NoBody)
				if err != nil {
					t.Fatal(err)
				}
				if tc.key != "" {
					req.Header.Set("Idempotency-Key", tc.key)
				}
				var resp *http.Response
				if resp, last = c.RoundTripper().RoundTrip(req); last == nil {
					_ = resp.Body.Close()
				}
			}
			if heard := len(tk.requests()); tc.repeats != (last == nil) || heard != map[bool]int{true: 3, false: 2}[tc.repeats] {
				t.Errorf("%d requests were heard, the last one got %v", heard, last)
			}
		})
	}
}

// A new connection that ends without an answer is no reason to try again.
func TestRequests_noAnswerAtAll(t *testing.T) {
	t.Parallel()
	tk := mustTalk(t, "")
	req := mustPost(t.Context(), t, tk.url, "{}")
	req.Header.Set("Idempotency-Key", "k")
	if err := failed(allowing(t).RoundTripper(), req); !errors.Is(err, io.EOF) || len(tk.requests()) != 1 {
		t.Errorf("got %v after %d requests", err, len(tk.requests()))
	}
}

// Idle connections end with the client, and those in use when they are done with.
func TestRequests_close(t *testing.T) {
	t.Parallel()
	var open atomic.Int64
	closed := make(chan struct{}, 8)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(ok), ConnState: func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			open.Add(1)
		case http.StateClosed:
			closed <- struct{}{}
		default:
		}
	}}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	c := allowing(t)
	var bodies []io.ReadCloser
	for range 2 {
		resp, err := c.RoundTripper().RoundTrip(mustPost(t.Context(), t, "http://"+listener.Addr().String(), "x"))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		bodies = append(bodies, resp.Body)
	}
	if _, err := io.ReadAll(bodies[0]); err != nil {
		t.Fatal(err)
	}
	c.Close()
	<-closed
	if _, err := io.ReadAll(bodies[1]); err != nil {
		t.Error(err)
	}
	<-closed
	if open.Load() != 2 {
		t.Errorf("%d connections", open.Load())
	}
}

// closable counts how often it is closed.
type closable struct {
	io.Reader
	closed int
}

func (c *closable) Close() error { c.closed++; return nil }

// The body is closed whatever happens, and one that is not as long as it says
// is a failure, whatever is answered.
func TestRequests_requestBody(t *testing.T) {
	t.Parallel()
	for name, length := range map[string]int64{"as it says": 4, "too short": 5, "too long": 3} {
		tk := mustTalk(t, "HTTP/1.1 204 No Content\r\n\r\n")
		body := &closable{Reader: bytes.NewReader([]byte("body"))}
		req := mustPost(t.Context(), t, tk.url, "")
		req.Body, req.ContentLength = body, length
		resp, err := allowing(t).RoundTripper().RoundTrip(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		// net/http may have sent a part of it before it knows.
		if (err == nil) != (length == 4) || body.closed == 0 {
			t.Errorf("%s: %v, closed %d times, heard %v", name, err, body.closed, tk.requests())
		}
	}
	body := &closable{Reader: bytes.NewReader([]byte("body"))}
	req := mustPost(t.Context(), t, "http://10.0.0.1", "")
	req.Body, req.ContentLength = body, 4
	if err := failed(allowing(t).RoundTripper(), req); !errors.Is(err, egress.ErrRefused) || body.closed == 0 {
		t.Errorf("refused: %v, closed %d times", err, body.closed)
	}
}
