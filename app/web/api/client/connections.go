package client

import (
	"context"
	"net/http"
	"net/url"

	"hookgate/app/web/api"
)

// Connections tells how all connections are.
func (c *Client) Connections(ctx context.Context) ([]api.Connection, error) {
	var page api.Page[api.Connection]
	err := c.call(ctx, http.MethodGet, "/connections", nil, nil, &page)
	return page.Items, err
}

// Connection tells how one connection is.
func (c *Client) Connection(ctx context.Context, name string) (api.Connection, error) {
	var connection api.Connection
	err := c.call(ctx, http.MethodGet, "/connections/"+url.PathEscape(name), nil, nil, &connection)
	return connection, err
}

// Pause holds what goes to a connection; note says why.
func (c *Client) Pause(ctx context.Context, name, note string) (api.Connection, error) {
	return c.setPauseState(ctx, name, "/pause", api.SwitchRequest{Note: note})
}

// Resume lets a connection go on, with what was held at rate, such as 5/s;
// "" is as quick as the connection may be.
func (c *Client) Resume(ctx context.Context, name, rate string) (api.Connection, error) {
	return c.setPauseState(ctx, name, "/resume", api.SwitchRequest{Rate: rate})
}

func (c *Client) setPauseState(ctx context.Context, name, verb string, asked api.SwitchRequest) (api.Connection, error) {
	var connection api.Connection
	body, err := jsonContent(asked)
	if err != nil {
		return connection, err
	}
	err = c.call(ctx, http.MethodPost, "/connections/"+url.PathEscape(name)+verb, nil, body, &connection)
	return connection, err
}

// TestConnection tries a connection. One whose test sends a message is only
// tried with confirm.
func (c *Client) TestConnection(ctx context.Context, name string, confirm bool) (api.Tested, error) {
	var tested api.Tested
	body, err := jsonContent(api.TestRequest{Confirm: confirm})
	if err != nil {
		return tested, err
	}
	err = c.call(ctx, http.MethodPost, "/connections/"+url.PathEscape(name)+"/test", nil, body, &tested)
	return tested, err
}
