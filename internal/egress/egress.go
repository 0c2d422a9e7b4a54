// Package egress is the one way out: every outbound connection of hookgate is
// dialled here, and no address that is not public is reached unless the
// operator allowed it (outbound.allow_private).
//
// The check is made on the address that is about to be connected to, after
// name resolution. So it does not matter how the address was written, what DNS
// answered, or whether DNS answers differently the next time.
package egress

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// Limits of every outbound connection and answer.
const (
	// MaxHeaderBytes is how large the headers of an answer may be.
	MaxHeaderBytes = 64 << 10

	idlePerHost  = 1024 // not below the concurrency that a connection can have
	idleTotal    = 4096
	idleFor      = 90 * time.Second
	dialWithin   = 30 * time.Second // an attempt's own timeout is usually shorter
	keepAliveGap = 30 * time.Second
	// writeBuffer is per connection. What fits in leaves in one write;
	// net/http's own 4 KB cut larger events in two. In bytes.
	writeBuffer = 8 << 10
)

// Config is what an operator decides about outbound connections.
type Config struct {
	// AllowPrivate are the prefixes that may be reached although they are not
	// public.
	AllowPrivate []netip.Prefix
	// Resolver looks names up; nil is the system's.
	Resolver *net.Resolver
}

// Client makes guarded connections and HTTP requests. It is safe for
// concurrent use; one Client is meant to serve the whole process, because idle
// connections are kept in it.
type Client struct {
	guard     *guard
	dialer    *net.Dialer
	transport *http.Transport
}

// New makes a Client.
func New(cfg Config) *Client {
	c := &Client{guard: newGuard(cfg.AllowPrivate)}
	c.dialer = &net.Dialer{
		Timeout: dialWithin, KeepAlive: keepAliveGap, Resolver: cfg.Resolver, Control: c.guard.control,
	}
	c.transport = &http.Transport{
		DialContext:            c.dialer.DialContext,
		Proxy:                  nil, // a proxy from the environment would dial in our place, unguarded
		ForceAttemptHTTP2:      true,
		DisableCompression:     true, // answers are kept and limited as they were sent
		MaxIdleConns:           idleTotal,
		MaxIdleConnsPerHost:    idlePerHost,
		IdleConnTimeout:        idleFor,
		TLSHandshakeTimeout:    dialWithin,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: MaxHeaderBytes,
		WriteBufferSize:        writeBuffer,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
	}
	return c
}

// RoundTripper is the guarded transport: it follows no redirect and has no
// timeout but the request's context. Its errors may name an address, never a
// URL; one that wraps ErrRefused says that the guard refused the address.
func (c *Client) RoundTripper() http.RoundTripper { return c.transport }

// RoundTripperTLS is a guarded transport of its own with another TLS
// configuration. Its idle connections end by themselves.
func (c *Client) RoundTripperTLS(config *tls.Config) http.RoundTripper {
	transport := c.transport.Clone()
	transport.TLSClientConfig = config
	return transport
}

// HTTP is the transport as an http.Client, for libraries that want one. It
// returns a redirect as the answer. The errors of an http.Client hold the URL:
// pass them through Cause before they are shown or stored.
func (c *Client) HTTP(timeout time.Duration) *http.Client {
	return &http.Client{Transport: c.transport, Timeout: timeout, CheckRedirect: NoRedirect}
}

// DialContext connects to address ("host:port") by TCP, for protocols other
// than HTTP.
func (c *Client) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return c.dialer.DialContext(ctx, network, address)
}

// Check returns the error that a connection to addr would be refused with, nil
// when it is allowed.
func (c *Client) Check(addr netip.Addr) error { return c.guard.check(addr) }

// Close ends the idle connections.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// NoRedirect makes an http.Client return a redirect as the answer: following
// 301 and 302 would turn a POST into a GET, and 307 and 308 would carry
// headers to a place that the operator did not name.
func NoRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
