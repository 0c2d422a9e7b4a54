package client

import (
	"context"

	"hookgate/app/admin"
)

// Rules lists the rules in force, judged by what came in.
func (c *Client) Rules(ctx context.Context) (list admin.RuleList, err error) {
	return list, c.get(ctx, "/rules", nil, &list)
}

// Try tells what a rule would do with what came in if it were another one.
func (c *Client) Try(ctx context.Context, r admin.TryRequest) (tried admin.Tried, err error) {
	return tried, c.post(ctx, "/rules/try", r, &tried)
}
