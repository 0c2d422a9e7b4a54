package client

import (
	"context"
	"net/http"

	"hookgate/app/web/api"
)

// Forget deletes what is stored of a person, or counts it with DryRun, a part
// at a time.
func (c *Client) Forget(ctx context.Context, r api.ForgetRequest) (api.Forgotten, error) {
	var part api.Forgotten
	err := c.post(ctx, "/forget", r, &part)
	return part, err
}

// Forgettings lists what was deleted by Forget, newest first.
func (c *Client) Forgettings(ctx context.Context) (api.Forgettings, error) {
	var list api.Forgettings
	err := c.call(ctx, http.MethodGet, "/forget", nil, nil, &list)
	return list, err
}
