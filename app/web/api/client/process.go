package client

import (
	"context"
	"net/http"
	"net/url"

	"hookgate/app/admin"
)

// Status tells what the server says of itself.
func (c *Client) Status(ctx context.Context) (status admin.Status, err error) {
	return status, c.get(ctx, "/status", nil, &status)
}

// Replicas lists the processes on the server's database.
func (c *Client) Replicas(ctx context.Context) (replicas admin.Replicas, err error) {
	return replicas, c.get(ctx, "/replicas", nil, &replicas)
}

// Reload has the server read its configuration again. A refused one is no
// error here: OK is false and Diagnostics say why.
func (c *Client) Reload(ctx context.Context) (reloaded admin.Reloaded, err error) {
	return reloaded, c.call(ctx, http.MethodPost, "/reload", nil, nil, &reloaded, http.StatusUnprocessableEntity)
}

// Prune deletes what retention no longer keeps, or with dryRun only counts it.
func (c *Client) Prune(ctx context.Context, dryRun bool) (out admin.Pruned, err error) {
	q := url.Values{}
	if dryRun {
		q.Set("dry_run", "true")
	}
	return out, c.call(ctx, http.MethodPost, "/prune", q, nil, &out)
}

// AcceptClock says that the database's clock is right.
func (c *Client) AcceptClock(ctx context.Context) (clock admin.Clock, err error) {
	return clock, c.call(ctx, http.MethodPost, "/clock/accept", nil, nil, &clock)
}
