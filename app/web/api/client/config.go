package client

import (
	"context"
	"strconv"

	"hookgate/app/admin"
)

// ConfigFile reads and checks the server's configuration file as it stands now.
func (c *Client) ConfigFile(ctx context.Context) (f admin.ConfigFile, err error) {
	return f, c.get(ctx, "/config", nil, &f)
}

// ConfigChange tells what a reload of the file would change.
func (c *Client) ConfigChange(ctx context.Context) (change admin.ConfigChange, err error) {
	return change, c.get(ctx, "/config/change", nil, &change)
}

// ConfigVersions lists the versions that were in force.
func (c *Client) ConfigVersions(ctx context.Context) (page admin.Page[admin.ConfigVersion], err error) {
	return page, c.get(ctx, "/config/versions", nil, &page)
}

// ConfigVersion shows one of them, and how it differs from the one before.
func (c *Client) ConfigVersion(ctx context.Context, id int64) (v admin.ConfigVersionDetail, err error) {
	return v, c.get(ctx, "/config/versions/"+strconv.FormatInt(id, 10), nil, &v)
}
