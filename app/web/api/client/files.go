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
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/api/v1/files/"+url.PathEscape(id), nil)
	if err != nil {
		return nil, fmt.Errorf("cannot ask %s: %w", c.where, err)
	}
	c.authorize(req)
	res, err := c.http.Do(req)
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
