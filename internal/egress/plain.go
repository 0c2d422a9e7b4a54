package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/net/http/httpguts"
)

// plainBody is the largest body that a plain request may have, in bytes.
// Request and body then fit into the buffers of any connection, so that
// writing waits for nobody, not even for a receiver that answers unread.
const plainBody = 16 << 10

// plain makes the usual request over http:// in the goroutine that asked for
// it. net/http needs two more for each connection, and handing over to them
// and back is half of what a request costs. All that is not the usual request
// it leaves to net/http; the words on the wire are net/http's, too: requests
// are written by http.Request.Write and answers read by http.ReadResponse.
type plain struct {
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	other   http.RoundTripper // for what is not plain
	idle    idleConns
	buffers sync.Pool // of *wire
}

func newPlain(dial func(context.Context, string, string) (net.Conn, error), other http.RoundTripper) *plain {
	return &plain{dial: dial, other: other, buffers: sync.Pool{New: func() any { return new(wire) }}}
}

// wire holds a request as it is sent. Who writes into it looks for all three
// of its methods.
type wire struct{ bytes []byte }

// Write implements io.Writer.
func (w *wire) Write(p []byte) (int, error) {
	w.bytes = append(w.bytes, p...)
	return len(p), nil
}

// WriteString implements io.StringWriter: texts are copied once more otherwise.
func (w *wire) WriteString(text string) (int, error) {
	w.bytes = append(w.bytes, text...)
	return len(text), nil
}

// WriteByte implements io.ByteWriter: Request.Write buffers once more
// otherwise.
func (w *wire) WriteByte(b byte) error {
	w.bytes = append(w.bytes, b)
	return nil
}

// RoundTrip implements http.RoundTripper. A request over a kept connection is
// sent once more, over a new one, on net/http's terms: the connection ended
// before the first byte of an answer, and either nothing was sent or the
// request says that it may be repeated.
func (p *plain) RoundTrip(req *http.Request) (*http.Response, error) {
	if !isPlain(req) {
		return p.other.RoundTrip(req)
	}
	out := p.buffers.Get().(*wire)
	defer p.buffers.Put(out)
	out.bytes = out.bytes[:0]
	if err := req.Write(out); err != nil { // it closes the body, always
		return nil, err
	}
	ctx := req.Context()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if c := p.idle.get(req.URL.Host); c != nil {
		resp, err := c.exchange(ctx, req, out.bytes)
		if !mayRepeat(req, err) || ctx.Err() != nil {
			return resp, err
		}
	}
	c, err := p.connect(ctx, req)
	if err != nil {
		return nil, err
	}
	return c.exchange(ctx, req, out.bytes)
}

// CloseIdleConnections ends the connections that nobody uses, and those that
// are in use now when they are done with.
func (p *plain) CloseIdleConnections() {
	p.idle.close()
	if other, ok := p.other.(interface{ CloseIdleConnections() }); ok {
		other.CloseIdleConnections()
	}
}

// connect makes a new connection for req.
func (p *plain) connect(ctx context.Context, req *http.Request) (*plainConn, error) {
	port := req.URL.Port()
	if port == "" {
		port = "80"
	}
	conn, err := p.dial(ctx, "tcp", net.JoinHostPort(req.URL.Hostname(), port))
	switch {
	case err == nil:
		return newPlainConn(conn, req.URL.Host, &p.idle), nil
	case ctx.Err() != nil && !errors.Is(err, ErrRefused):
		return nil, context.Cause(ctx)
	}
	return nil, err
}

// isPlain reports whether req is one that needs nothing of net/http's client.
// What that client would refuse is not plain either: it is left to say so.
func isPlain(req *http.Request) bool {
	u := req.URL
	switch {
	case u == nil || u.Scheme != "http" || u.Opaque != "" || !isASCII(u.Host) || u.Hostname() == "",
		!slices.Contains(plainMethods(), req.Method),
		req.Header == nil || req.Trailer != nil || len(req.TransferEncoding) > 0,
		req.Close || req.Cancel != nil, //nolint:staticcheck // deprecated, and to be honoured all the same
		req.ContentLength < 0 || req.ContentLength > plainBody,
		req.ContentLength == 0 && req.Body != nil && req.Body != http.NoBody, // of unknown length
		httptrace.ContextClientTrace(req.Context()) != nil:
		return false
	}
	for name, values := range req.Header {
		if !plainHeader(name) || slices.ContainsFunc(values, invalidValue) {
			return false
		}
	}
	return true
}

func plainMethods() []string { return []string{"POST", "GET", "PUT", "PATCH", "DELETE", "HEAD"} }

// plainHeader reports whether a header can be sent as it is and changes
// nothing about the connection or the way that the request is sent.
func plainHeader(name string) bool {
	switch name {
	case "Connection", "Upgrade", "Expect", "Te", "Trailer", "Transfer-Encoding", "Keep-Alive", "Proxy-Connection":
		return false
	}
	return httpguts.ValidHeaderFieldName(name) && http.CanonicalHeaderKey(name) == name
}

func invalidValue(value string) bool { return !httpguts.ValidHeaderFieldValue(value) }

func isASCII(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// unanswered is a connection that failed before the first byte of an answer.
type unanswered struct {
	err  error
	sent bool // something of the request
}

func (e *unanswered) Error() string { return fmt.Sprintf("no answer: %v", e.err) }
func (e *unanswered) Unwrap() error { return e.err }

// mayRepeat reports whether a request that failed over a kept connection, with
// err, may be sent again: most likely the receiver had closed the connection.
func mayRepeat(req *http.Request, err error) bool {
	failed, ok := errors.AsType[*unanswered](err)
	if !ok {
		return false
	}
	if !failed.sent || req.Method == http.MethodGet || req.Method == http.MethodHead {
		return true
	}
	return len(req.Header["Idempotency-Key"]) > 0 || len(req.Header["X-Idempotency-Key"]) > 0
}
