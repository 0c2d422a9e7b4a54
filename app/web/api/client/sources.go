package client

import (
	"context"
	"net/http"
	"net/url"

	"hookgate/app/admin"
)

// Inbounds lists the sources and forms, with their addresses but for the secrets.
func (c *Client) Inbounds(ctx context.Context) (page admin.Page[admin.Inbound], err error) {
	return page, c.get(ctx, "/sources", nil, &page)
}

// Address gives the whole address of a source or form.
func (c *Client) Address(ctx context.Context, name string) (address admin.Address, err error) {
	return address, c.call(ctx, http.MethodPost, "/sources/"+url.PathEscape(name)+"/url", nil, nil, &address)
}
