package egress

import (
	"context"
	"net"
	"net/http"
)

// NetHTTP is net/http's guarded transport, beside what RoundTripper gives.
func (c *Client) NetHTTP() http.RoundTripper { return c.transport }

// Plain is the plain transport over connections that dial makes; other gets
// what is not plain.
func Plain(dial func(ctx context.Context, network, address string) (net.Conn, error), other http.RoundTripper) http.RoundTripper {
	return newPlain(dial, other)
}

// PlainBody is the largest body of a plain request.
const PlainBody = plainBody
