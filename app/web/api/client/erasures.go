package client

import (
	"context"

	"hookgate/app/admin"
)

// Erase deletes what is stored of a person, or counts it with DryRun, a part
// at a time.
func (c *Client) Erase(ctx context.Context, r admin.EraseRequest) (part admin.Erased, err error) {
	return part, c.post(ctx, "/forget", r, &part)
}

// Erasures lists what was deleted by Erase, newest first.
func (c *Client) Erasures(ctx context.Context) (list admin.Page[admin.Erasure], err error) {
	return list, c.get(ctx, "/forget", nil, &list)
}
