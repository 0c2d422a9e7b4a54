package client

import (
	"context"
	"net/url"

	"hookgate/app/admin"
	"hookgate/internal/event"
)

// Erase deletes what is stored of a person, or counts it with DryRun, a part
// at a time.
func (c *Client) Erase(ctx context.Context, r admin.EraseRequest) (part admin.Erased, err error) {
	return part, c.post(ctx, "/forget", r, &part)
}

// Erasures lists deletions, newest first: those before one, limit at most.
func (c *Client) Erasures(ctx context.Context, before event.AuditID, limit int) (list admin.Page[admin.Erasure], err error) {
	q := url.Values{}
	if before != 0 {
		q.Set("before", before.String())
	}
	setLimit(q, limit)
	return list, c.get(ctx, "/forget", q, &list)
}
