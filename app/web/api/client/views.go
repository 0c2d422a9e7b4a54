package client

import (
	"context"
	"net/http"
	"net/url"

	"hookgate/app/admin"
)

// Views lists the views of events that people keep.
func (c *Client) Views(ctx context.Context) (page admin.Page[admin.View], err error) {
	return page, c.get(ctx, "/views", nil, &page)
}

// SetView keeps a view.
func (c *Client) SetView(ctx context.Context, r admin.ViewRequest) (v admin.View, err error) {
	return v, c.post(ctx, "/views", r, &v)
}

// DeleteView deletes a view.
func (c *Client) DeleteView(ctx context.Context, name string) (v admin.View, err error) {
	return v, c.call(ctx, http.MethodDelete, "/views", url.Values{"name": {name}}, nil, &v)
}
