package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// File opens the content of a file of a form post; ErrNotFound if there is
// none. The caller closes it.
func (c *Client) File(ctx context.Context, id string) (io.ReadCloser, error) {
	return c.open(ctx, c.http, "/files/"+url.PathEscape(id), nil)
}

// open opens what is at path.
func (c *Client) open(ctx context.Context, by *http.Client, path string, query url.Values) (io.ReadCloser, error) {
	target := c.base + "/api/v1" + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return nil, fmt.Errorf("cannot ask %s: %w", c.where, err)
	}
	c.authorize(req)
	res, err := by.Do(req)
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	if res.StatusCode == http.StatusOK {
		return res.Body, nil
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	return nil, c.fault(res, answer, nil)
}
