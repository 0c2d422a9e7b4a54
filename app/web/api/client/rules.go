package client

import (
	"context"

	"hookgate/app/admin"
)

// Rules lists the rules in force, judged by what came in.
func (c *Client) Rules(ctx context.Context) (list admin.RuleList, err error) {
	return list, c.get(ctx, "/rules", nil, &list)
}
