package client

import (
	"context"
	"net/url"

	"hookgate/app/admin"
)

// Statistics counts what came in and went out within the time of that name.
func (c *Client) Statistics(ctx context.Context, name string) (s admin.Statistics, err error) {
	return s, c.get(ctx, "/stats", url.Values{"range": {name}}, &s)
}

// QuietSources are those that send nothing though they are used to.
func (c *Client) QuietSources(ctx context.Context) ([]admin.Quiet, error) {
	var page admin.Page[admin.Quiet]
	err := c.get(ctx, "/stats/quiet", nil, &page)
	return page.Items, err
}
