package egress_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hookgate/internal/egress"
)

// target is an HTTP server that counts the connections made to it.
type target struct {
	*httptest.Server
	connections atomic.Int64
	port        string
}

func mustTarget(t *testing.T, addr string, handler http.HandlerFunc) *target {
	t.Helper()
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	tg := &target{Server: httptest.NewUnstartedServer(handler)}
	_ = tg.Listener.Close()
	tg.Listener = listener
	tg.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			tg.connections.Add(1)
		}
	}
	tg.Start()
	t.Cleanup(tg.Close)
	_, tg.port, _ = net.SplitHostPort(listener.Addr().String())
	return tg
}

func ok(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }

// get makes one request and gives the answer's status; refused addresses fail
// at once, so 5 s are ample.
func get(t *testing.T, c *egress.Client, target string) (int, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, http.NoBody)
	if err != nil {
		return 0, err
	}
	resp, err := c.RoundTripper().RoundTrip(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

func prefixes(texts ...string) []netip.Prefix {
	var list []netip.Prefix
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

func TestAllowPrivate(t *testing.T) {
	t.Parallel()
	tg := mustTarget(t, "127.0.0.1:0", ok)
	c := egress.New(egress.Config{
		AllowPrivate: prefixes("127.0.0.1/32"), Resolver: mustResolver(t, netip.MustParseAddr("127.0.0.1")),
	})
	for i, host := range []string{"127.0.0.1", "[::ffff:127.0.0.1]", "receiver.example", "0x7f.1"} {
		if _, err := get(t, c, "http://"+host+":"+tg.port+"/"); err != nil {
			t.Errorf("%s: %v", host, err)
		}
		if n := tg.connections.Load(); n != int64(i+1) {
			t.Errorf("%s: %d connections, want %d", host, n, i+1)
		}
	}
}

// A name that DNS gives a public look at first and a private one afterwards:
// the check and the connection use the same answer. 127.0.0.2 is allowed here
// and stands for the public address.
//
// Promise: T9.
func TestRebinding(t *testing.T) {
	t.Parallel()
	outside := mustTarget(t, "127.0.0.2:0", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		ok(w, r)
	})
	inside := mustTarget(t, "127.0.0.1:"+outside.port, ok)
	c := egress.New(egress.Config{
		AllowPrivate: prefixes("127.0.0.2/32"),
		Resolver:     mustResolver(t, netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("127.0.0.1")),
	})
	if _, err := get(t, c, "http://rebind.example:"+outside.port+"/"); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := get(t, c, "http://rebind.example:"+outside.port+"/"); !errors.Is(err, egress.ErrRefused) {
			t.Errorf("got %v, want a refusal", err)
		}
	}
	if o, i := outside.connections.Load(), inside.connections.Load(); o != 1 || i != 0 {
		t.Errorf("%d and %d connections, want 1 and 0", o, i)
	}
}

// Promise: T9.
func TestRedirect(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 302, 303, 307, 308} {
		inside := mustTarget(t, "127.0.0.1:0", ok)
		outside := mustTarget(t, "127.0.0.2:0", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, inside.URL, status)
		})
		c := egress.New(egress.Config{AllowPrivate: prefixes("127.0.0.0/8")})
		if got, err := get(t, c, outside.URL); err != nil || got != status {
			t.Errorf("%d: got %d, %v", status, got, err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, outside.URL, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.HTTP(5 * time.Second).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != status {
			t.Errorf("%d by http.Client: got %d", status, resp.StatusCode)
		}
		if n := inside.connections.Load(); n != 0 {
			t.Errorf("%d: was followed", status)
		}
	}
}

// Promise: T9.
func TestNoProxyFromEnvironment(t *testing.T) {
	proxy := mustTarget(t, "127.0.0.2:0", ok)
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"} {
		t.Setenv(name, proxy.URL)
	}
	tg := mustTarget(t, "127.0.0.1:0", ok)
	c := egress.New(egress.Config{
		AllowPrivate: prefixes("127.0.0.0/8"), Resolver: mustResolver(t, netip.MustParseAddr("127.0.0.1")),
	})
	if _, err := get(t, c, "http://receiver.example:"+tg.port); err != nil {
		t.Fatal(err)
	}
	if tg.connections.Load() != 1 || proxy.connections.Load() != 0 {
		t.Errorf("%d direct connections, %d to the proxy", tg.connections.Load(), proxy.connections.Load())
	}
}

func TestDialContext(t *testing.T) {
	t.Parallel()
	tg := mustTarget(t, "127.0.0.1:0", ok)
	refusing := egress.New(egress.Config{})
	for _, network := range []string{"tcp", "tcp4", "udp", "unix"} {
		if conn, err := refusing.DialContext(t.Context(), network, tg.Listener.Addr().String()); !errors.Is(err, egress.ErrRefused) {
			t.Errorf("%s: got %v, %v, want a refusal", network, conn, err)
		}
	}
	allowing := egress.New(egress.Config{AllowPrivate: prefixes("127.0.0.0/8")})
	conn, err := allowing.DialContext(t.Context(), "tcp", tg.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
}

// Promise: T10.
func TestHeaderLimit(t *testing.T) {
	t.Parallel()
	tg := mustTarget(t, "127.0.0.1:0", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Long", strings.Repeat("x", egress.MaxHeaderBytes+1))
	})
	c := egress.New(egress.Config{AllowPrivate: prefixes("127.0.0.0/8")})
	if _, err := get(t, c, tg.URL); err == nil {
		t.Error("an answer with endless headers was taken")
	}
}

func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	tg := mustTarget(t, "127.0.0.1:0", ok)
	c := egress.New(egress.Config{AllowPrivate: prefixes("127.0.0.0/8")})
	t.Cleanup(c.Close)
	for range 20 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, tg.URL, strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.RoundTripper().RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	if n := tg.connections.Load(); n != 1 {
		t.Errorf("%d connections for 20 requests", n)
	}
}

func TestCause(t *testing.T) {
	t.Parallel()
	const secret = "secretpath"
	inner := errors.New("connection refused")
	err := egress.Cause(&url.Error{Op: "Post", URL: "https://h/" + secret, Err: &url.Error{Op: "Get", URL: secret, Err: inner}})
	if !errors.Is(err, inner) || strings.Contains(err.Error(), secret) {
		t.Errorf("got %v", err)
	}
	if err := egress.Cause(inner); err == nil || err.Error() != "connection refused" {
		t.Errorf("another error became %v", err)
	}
}
