package client

import (
	"context"
	"net/http"

	"hookgate/app/admin"
	"hookgate/internal/event"
)

// Digests lists the digests that are open.
func (c *Client) Digests(ctx context.Context) (page admin.Page[admin.Digest], err error) {
	return page, c.get(ctx, "/digests", nil, &page)
}

// Digest shows an open digest.
func (c *Client) Digest(ctx context.Context, id event.DigestID) (d admin.DigestDetail, err error) {
	return d, c.get(ctx, "/digests/"+id.String(), nil, &d)
}

// SendDigest closes a digest now.
func (c *Client) SendDigest(ctx context.Context, id event.DigestID) (d admin.Digest, err error) {
	return d, c.call(ctx, http.MethodPost, "/digests/"+id.String()+"/send", nil, nil, &d)
}

// CancelDigest gives a digest up.
func (c *Client) CancelDigest(ctx context.Context, id event.DigestID) (d admin.Digest, err error) {
	return d, c.call(ctx, http.MethodPost, "/digests/"+id.String()+"/cancel", nil, nil, &d)
}
