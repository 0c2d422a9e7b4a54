package client

import (
	"context"
	"io"
	"net/http"
	"net/url"

	"hookgate/app/admin"
	"hookgate/app/ingest/samples"
	"hookgate/internal/event"
)

// Events lists events, newest first; Page.Next goes into the next f.Before.
func (c *Client) Events(ctx context.Context, f event.Search) (page admin.Page[admin.Event], err error) {
	return page, c.get(ctx, "/events", pageQuery(f), &page)
}

// ExportEvents opens a file of the events that x selects. Where the server breaks off,
// reading fails. The caller closes it.
func (c *Client) ExportEvents(ctx context.Context, x admin.EventExport) (io.ReadCloser, error) {
	q := pageQuery(x.Search)
	q.Set("format", string(x.Format))
	if x.Delimiter != 0 {
		q.Set("delimiter", string(x.Delimiter))
	}
	endless := *c.http
	endless.Timeout = 0
	return c.open(ctx, &endless, "/events/export", q)
}

// pageQuery is a list that begins somewhere, of so many.
func pageQuery(f event.Search) url.Values {
	q := listQuery(f)
	if f.Before != 0 {
		q.Set("before", f.Before.String())
	}
	setLimit(q, f.Limit)
	return q
}

// Count counts the newest events that f selects; its Limit and Before are not asked for.
func (c *Client) Count(ctx context.Context, f event.Filter) (count admin.EventCount, err error) {
	return count, c.get(ctx, "/events/count", listQuery(event.Search{Filter: f}), &count)
}

// listQuery is what lists and counts of stored events have beside what selects them.
func listQuery(f event.Search) url.Values {
	q := searchQuery(f)
	set(q, "connection", f.Connection)
	set(q, "ordering_key", f.Key)
	for _, state := range f.Deliveries {
		q.Add("delivery", string(state))
	}
	return q
}

// searchQuery is what selects events, as a URL has it.
func searchQuery(f event.Search) url.Values {
	q := url.Values{}
	set(q, "source", f.Source)
	set(q, "type", f.Type)
	for _, state := range f.States {
		q.Add("state", string(state))
	}
	set(q, "rule", f.Rule)
	set(q, "where", f.Where)
	set(q, "text", f.Text)
	setTime(q, "since", f.Since)
	setTime(q, "until", f.Until)
	return q
}

// Event gives one event with its request, its body, its deliveries and their attempts.
func (c *Client) Event(ctx context.Context, id event.ID) (detail admin.EventDetail, err error) {
	return detail, c.get(ctx, "/events/"+id.String(), nil, &detail)
}

// Send posts a body as if the source's sender had sent it, without
// authentication. A body that cannot be understood is a *Problem with the place
// and the id under which it was kept.
func (c *Client) Send(ctx context.Context, in admin.Sending) (accepted admin.Accepted, err error) {
	q := url.Values{"source": {in.Source}}
	for name, value := range in.Headers {
		q.Add("header", name+": "+value)
	}
	if in.Fresh {
		q.Set("fresh", "true")
	}
	return accepted, c.call(ctx, http.MethodPost, "/events/send", q, &content{typ: in.ContentType, bytes: in.Body}, &accepted)
}

// Samples lists what can be sent to a source or form to try it.
func (c *Client) Samples(ctx context.Context, name string) (list []samples.Sample, err error) {
	return list, c.get(ctx, "/samples/"+url.PathEscape(name), nil, &list)
}
