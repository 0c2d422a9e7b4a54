package client

import (
	"context"
	"net/url"

	"hookgate/app/admin"
	"hookgate/app/web/api"
)

// Connections tells how all connections are.
func (c *Client) Connections(ctx context.Context) (page admin.Page[admin.Connection], err error) {
	return page, c.get(ctx, "/connections", nil, &page)
}

// Connection tells how one connection is.
func (c *Client) Connection(ctx context.Context, name string) (connection admin.Connection, err error) {
	return connection, c.get(ctx, "/connections/"+url.PathEscape(name), nil, &connection)
}

// Pause holds what goes to a connection.
func (c *Client) Pause(ctx context.Context, name string, p admin.Pausing) (connection admin.Connection, err error) {
	return connection, c.post(ctx, "/connections/"+url.PathEscape(name)+"/pause", p, &connection)
}

// Resume lets a connection go on.
func (c *Client) Resume(ctx context.Context, name string, r admin.Resuming) (connection admin.Connection, err error) {
	return connection, c.post(ctx, "/connections/"+url.PathEscape(name)+"/resume", r, &connection)
}

// TestConnection tries a connection. One whose test sends a message is only
// tried with confirm.
func (c *Client) TestConnection(ctx context.Context, name string, confirm bool) (tested admin.Tested, err error) {
	return tested, c.post(ctx, "/connections/"+url.PathEscape(name)+"/test", api.TestRequest{Confirm: confirm}, &tested)
}
