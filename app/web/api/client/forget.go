package client

import (
	"context"
	"net/http"

	"hookgate/app/web/api"
)

// Erase deletes what is stored of a person, or counts it with DryRun, a part
// at a time.
func (c *Client) Erase(ctx context.Context, r api.EraseRequest) (api.Erased, error) {
	var part api.Erased
	err := c.post(ctx, "/forget", r, &part)
	return part, err
}

// Erasures lists what was deleted by Forget, newest first.
func (c *Client) Erasures(ctx context.Context) (api.Erasures, error) {
	var list api.Erasures
	err := c.call(ctx, http.MethodGet, "/forget", nil, nil, &list)
	return list, err
}
