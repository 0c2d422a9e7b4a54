package client

import (
	"context"
	"net/url"

	"hookgate/app/admin"
	"hookgate/internal/event"
)

// Deliveries lists deliveries, newest first; Page.Next goes into the next f.Before.
func (c *Client) Deliveries(ctx context.Context, f event.DeliveryFilter) (page admin.Page[admin.Delivery], err error) {
	q := url.Values{}
	for _, id := range f.IDs {
		q.Add("id", id.String())
	}
	for _, state := range f.States {
		q.Add("state", string(state))
	}
	set(q, "connection", f.Connection)
	set(q, "rule", f.Rule)
	set(q, "cause", f.Cause)
	if f.Event != 0 {
		q.Set("event", f.Event.String())
	}
	setTime(q, "since", f.Since)
	if f.Before != 0 {
		q.Set("before", f.Before.String())
	}
	if f.Next != nil {
		q.Set("order", "moment")
		if f.Next.ID != 0 {
			after, err := f.Next.MarshalText()
			if err != nil {
				return page, err
			}
			q.Set("after", string(after))
		}
	}
	setLimit(q, f.Limit)
	if f.Rendered {
		q.Set("rendered", "true")
	}
	if f.Stale {
		q.Set("stale", "true")
	}
	if f.NotOvertaken {
		q.Set("skip_overtaken", "true")
	}
	return page, c.get(ctx, "/deliveries", q, &page)
}

// Causes groups the deliveries that f selects by why they failed.
func (c *Client) Causes(ctx context.Context, f event.DeliveryFilter) (causes admin.Causes, err error) {
	q := url.Values{}
	for _, state := range f.States {
		q.Add("state", string(state))
	}
	set(q, "connection", f.Connection)
	set(q, "rule", f.Rule)
	setTime(q, "since", f.Since)
	return causes, c.get(ctx, "/deliveries/causes", q, &causes)
}

// Delivery gives one delivery with its output and all its attempts.
func (c *Client) Delivery(ctx context.Context, id event.DeliveryID) (d admin.Delivery, err error) {
	return d, c.get(ctx, "/deliveries/"+id.String(), nil, &d)
}

// Retry sends the selected deliveries again, or counts them with DryRun.
func (c *Client) Retry(ctx context.Context, s admin.Selection) (changed admin.Changed, err error) {
	return changed, c.post(ctx, "/deliveries/retry", s, &changed)
}

// Cancel cancels the selected deliveries, or counts them with DryRun. Where
// neither a state nor ids are given, all that have not ended are meant.
func (c *Client) Cancel(ctx context.Context, s admin.Selection) (changed admin.Changed, err error) {
	return changed, c.post(ctx, "/deliveries/cancel", s, &changed)
}
