package client

import (
	"context"

	"hookgate/app/web/api"
)

// Forget deletes what is stored of a person, or counts it with DryRun, a part
// at a time.
func (c *Client) Forget(ctx context.Context, r api.ForgetRequest) (api.Forgotten, error) {
	var part api.Forgotten
	err := c.post(ctx, "/forget", r, &part)
	return part, err
}
