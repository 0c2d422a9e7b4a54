package egress_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"testing"

	"hookgate/internal/egress"
)

// stub notes what it is asked.
type stub struct{ asked int }

func (s *stub) RoundTrip(req *http.Request) (*http.Response, error) {
	s.asked++
	return nil, errors.New("the other one")
}

// What is not the usual request is net/http's to make, or to refuse.
func TestPlain_leaves(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*http.Request){
		"https":             func(r *http.Request) { r.URL.Scheme = "https" },
		"no scheme":         func(r *http.Request) { r.URL.Scheme = "" },
		"no host":           func(r *http.Request) { r.URL.Host = "" },
		"a port alone":      func(r *http.Request) { r.URL.Host = ":80" },
		"no URL":            func(r *http.Request) { r.URL = nil },
		"no header":         func(r *http.Request) { r.Header = nil },
		"an opaque URL":     func(r *http.Request) { r.URL.Opaque = "//h/x" },
		"a foreign name":    func(r *http.Request) { r.URL.Host = "bücher.example" },
		"another method":    func(r *http.Request) { r.Method = "CONNECT" },
		"a bad method":      func(r *http.Request) { r.Method = "GET /" },
		"a bad header":      func(r *http.Request) { r.Header["X-A"] = []string{"a\r\nX-B: c"} },
		"a bad name":        func(r *http.Request) { r.Header["X-A: b\r\nX-B"] = []string{"c"} },
		"a name in lower":   func(r *http.Request) { r.Header["connection"] = []string{"close"} },
		"Connection":        func(r *http.Request) { r.Header.Set("Connection", "close") },
		"Expect":            func(r *http.Request) { r.Header.Set("Expect", "100-continue") },
		"Upgrade":           func(r *http.Request) { r.Header.Set("Upgrade", "h2c") },
		"Close":             func(r *http.Request) { r.Close = true },
		"Cancel":            func(r *http.Request) { r.Cancel = make(chan struct{}) }, //nolint:staticcheck // deprecated, not gone
		"a trailer":         func(r *http.Request) { r.Trailer = http.Header{"X-A": nil} },
		"a coding":          func(r *http.Request) { r.TransferEncoding = []string{"chunked"} },
		"an unknown length": func(r *http.Request) { r.ContentLength = -1 },
		"a length left out": func(r *http.Request) { r.ContentLength = 0 },
		"a large body":      func(r *http.Request) { r.ContentLength = egress.PlainBody + 1 },
		"somebody who looks": func(r *http.Request) {
			*r = *r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			other := &stub{}
			p := egress.Plain(func(context.Context, string, string) (net.Conn, error) {
				t.Error("a connection was made")
				return nil, net.ErrClosed
			}, other)
			req := mustPost(t.Context(), t, "http://127.0.0.1:1/x", "body")
			change(req)
			if err := failed(p, req); err == nil || other.asked != 1 {
				t.Errorf("got %v, asked %d times", err, other.asked)
			}
		})
	}
}

// closable counts how often it is closed.
type closable struct {
	io.Reader
	closed int
}

func (c *closable) Close() error { c.closed++; return nil }

// The body is closed whatever happens, and one that is not as long as it says
// is not sent.
func TestPlain_requestBody(t *testing.T) {
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
		if (err == nil) != (length == 4) || body.closed == 0 || (err != nil && len(tk.requests()) != 0) {
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
