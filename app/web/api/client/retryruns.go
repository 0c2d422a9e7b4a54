package client

import (
	"context"
	"net/url"

	"hookgate/app/admin"
	"hookgate/internal/event"
)

// BeginRetry begins a run that sends the selected deliveries again, or counts
// them with DryRun.
func (c *Client) BeginRetry(ctx context.Context, q admin.RetryRequest) (run admin.RetryRun, err error) {
	return run, c.post(ctx, "/deliveries/runs", q, &run)
}

// RetryRun tells how far a run is.
func (c *Client) RetryRun(ctx context.Context, id event.RunID) (run admin.RetryRun, err error) {
	return run, c.get(ctx, "/deliveries/runs/"+id.String(), nil, &run)
}

// RetryRuns lists runs, the newest first.
func (c *Client) RetryRuns(ctx context.Context, f event.RunFilter) (page admin.Page[admin.RetryRun], err error) {
	return page, c.get(ctx, "/deliveries/runs", runsQuery(f), &page)
}

func runsQuery(f event.RunFilter) url.Values {
	q := url.Values{}
	setLimit(q, f.Limit)
	if f.Before != 0 {
		q.Set("before", f.Before.String())
	}
	if f.Left {
		q.Set("left", "true")
	}
	return q
}

// SteerRetry pauses a run, stops it, or has it go on.
func (c *Client) SteerRetry(ctx context.Context, id event.RunID, to event.RetryState) (run admin.RetryRun, err error) {
	verbs := map[event.RetryState]string{event.RetryPaused: "pause", event.RetryRunning: "resume", event.RetryStopped: "stop"}
	return run, c.post(ctx, "/deliveries/runs/"+id.String()+"/"+verbs[to], nil, &run)
}
