package client

import (
	"context"
	"net/http"

	"hookgate/app/web/api"
	"hookgate/internal/event"
)

// PreviewReplay counts what a replay would do, a part of it at a time.
func (c *Client) PreviewReplay(ctx context.Context, r api.ReplayRequest) (api.ReplayPreview, error) {
	var preview api.ReplayPreview
	err := c.post(ctx, "/replays/preview", r, &preview)
	return preview, err
}

// CreateReplay begins a replay of what is stored now; StepReplay does it.
func (c *Client) CreateReplay(ctx context.Context, s api.EventSelection) (api.ReplayRun, error) {
	var run api.ReplayRun
	err := c.post(ctx, "/replays", api.ReplayRequest{EventSelection: s}, &run)
	return run, err
}

// StepReplay goes on with a replay for a moment, or until limit events are
// replayed; 0: no limit.
func (c *Client) StepReplay(ctx context.Context, id event.RunID, limit int) (api.ReplayRun, error) {
	var run api.ReplayRun
	err := c.post(ctx, "/replays/"+id.String()+"/step", api.ReplayStep{Limit: limit}, &run)
	return run, err
}

// Replay is one run of a replay.
func (c *Client) Replay(ctx context.Context, id event.RunID) (api.ReplayRun, error) {
	var run api.ReplayRun
	err := c.call(ctx, http.MethodGet, "/replays/"+id.String(), nil, nil, &run)
	return run, err
}

// Replays lists the newest runs.
func (c *Client) Replays(ctx context.Context) ([]api.ReplayRun, error) {
	var page api.Page[api.ReplayRun]
	err := c.call(ctx, http.MethodGet, "/replays", nil, nil, &page)
	return page.Items, err
}

// Compare tells what other rules would do with stored events, a part of them
// at a time. Nothing is sent.
func (c *Client) Compare(ctx context.Context, r api.CompareRequest) (api.Comparison, error) {
	var out api.Comparison
	err := c.post(ctx, "/replays/diff", r, &out)
	return out, err
}

// post sends a JSON body and decodes the answer into out.
func (c *Client) post(ctx context.Context, path string, in, out any) error {
	body, err := jsonContent(in)
	if err != nil {
		return err
	}
	return c.call(ctx, http.MethodPost, path, nil, body, out)
}
