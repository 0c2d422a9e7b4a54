package client

import (
	"context"

	"hookgate/app/admin"
	"hookgate/app/web/api"
	"hookgate/internal/event"
)

// PreviewReplay counts what a replay would do, a part of it at a time.
func (c *Client) PreviewReplay(ctx context.Context, r admin.ReplayRequest) (preview admin.ReplayPreview, err error) {
	return preview, c.post(ctx, "/replays/preview", r, &preview)
}

// CreateReplay begins a replay of what is stored now; StepReplay does it.
func (c *Client) CreateReplay(ctx context.Context, s admin.EventSelection) (run admin.ReplayRun, err error) {
	return run, c.post(ctx, "/replays", admin.ReplayRequest{EventSelection: s}, &run)
}

// StepReplay goes on with a replay for a moment, or until limit events are
// replayed; 0: no limit.
func (c *Client) StepReplay(ctx context.Context, id event.RunID, limit int) (run admin.ReplayRun, err error) {
	return run, c.post(ctx, "/replays/"+id.String()+"/step", api.ReplayStep{Limit: limit}, &run)
}

// Replay is one run of a replay.
func (c *Client) Replay(ctx context.Context, id event.RunID) (run admin.ReplayRun, err error) {
	return run, c.get(ctx, "/replays/"+id.String(), nil, &run)
}

// Replays lists runs, the newest first.
func (c *Client) Replays(ctx context.Context, f event.RunFilter) (page admin.Page[admin.ReplayRun], err error) {
	return page, c.get(ctx, "/replays", runsQuery(f), &page)
}

// Compare tells what other rules would do with stored events, a part of them
// at a time. Nothing is sent.
func (c *Client) Compare(ctx context.Context, r admin.CompareRequest) (out admin.Comparison, err error) {
	return out, c.post(ctx, "/replays/diff", r, &out)
}
