package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"hookgate/app/web/api"
	"hookgate/internal/event"
	"hookgate/internal/schema"
)

// Events lists events, newest first; Page.Next goes into the next Filter's Before.
func (c *Client) Events(ctx context.Context, f event.Filter) (api.Page[api.Event], error) {
	return c.Search(ctx, event.Search{Filter: f})
}

// Search lists events as Events does, also by what is in them. Page.Search
// tells then how far the server has looked.
func (c *Client) Search(ctx context.Context, f event.Search) (api.Page[api.Event], error) {
	q := searchQuery(f)
	if f.Before != 0 {
		q.Set("before", f.Before.String())
	}
	setLimit(q, f.Limit)
	var page api.Page[api.Event]
	err := c.call(ctx, http.MethodGet, "/events", q, nil, &page)
	return page, err
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
func (c *Client) Event(ctx context.Context, id event.ID) (api.EventDetail, error) {
	var detail api.EventDetail
	err := c.call(ctx, http.MethodGet, "/events/"+id.String(), nil, nil, &detail)
	return detail, err
}

// Send posts a body as if source's sender had sent it, without authentication.
// A body that cannot be understood is a *Problem with the place and the id
// under which it was kept.
func (c *Client) Send(ctx context.Context, source, contentType string, body []byte) (api.Accepted, error) {
	var accepted api.Accepted
	err := c.call(ctx, http.MethodPost, "/events/send", url.Values{"source": {source}},
		&content{typ: contentType, bytes: body}, &accepted)
	return accepted, err
}

// Deliveries lists deliveries, newest first; Page.Next goes into the next filter's Before.
func (c *Client) Deliveries(ctx context.Context, f event.DeliveryFilter) (api.Page[api.Delivery], error) {
	q := url.Values{}
	for _, id := range f.IDs {
		q.Add("id", id.String())
	}
	for _, state := range f.States {
		q.Add("state", string(state))
	}
	set(q, "connection", f.Connection)
	set(q, "rule", f.Rule)
	if f.Event != 0 {
		q.Set("event", f.Event.String())
	}
	setTime(q, "since", f.Since)
	if f.Before != 0 {
		q.Set("before", f.Before.String())
	}
	setLimit(q, f.Limit)
	if f.Rendered {
		q.Set("rendered", "true")
	}
	var page api.Page[api.Delivery]
	err := c.call(ctx, http.MethodGet, "/deliveries", q, nil, &page)
	return page, err
}

// Delivery gives one delivery with its output and all its attempts.
func (c *Client) Delivery(ctx context.Context, id event.DeliveryID) (api.Delivery, error) {
	var d api.Delivery
	err := c.call(ctx, http.MethodGet, "/deliveries/"+id.String(), nil, nil, &d)
	return d, err
}

// Retry sends the selected deliveries again, or counts them with DryRun. Only
// failed ones can be.
func (c *Client) Retry(ctx context.Context, s api.Selection) (api.Changed, error) {
	return c.change(ctx, "/deliveries/retry", s)
}

// Cancel cancels the selected deliveries, or counts them with DryRun. Where
// neither a state nor ids are given, all that have not ended are meant.
func (c *Client) Cancel(ctx context.Context, s api.Selection) (api.Changed, error) {
	return c.change(ctx, "/deliveries/cancel", s)
}

func (c *Client) change(ctx context.Context, path string, s api.Selection) (api.Changed, error) {
	body, err := jsonContent(s)
	if err != nil {
		return api.Changed{}, err
	}
	var changed api.Changed
	err = c.call(ctx, http.MethodPost, path, nil, body, &changed)
	return changed, err
}

// Status tells what the server says of itself.
func (c *Client) Status(ctx context.Context) (api.Status, error) {
	var status api.Status
	err := c.call(ctx, http.MethodGet, "/status", nil, nil, &status)
	return status, err
}

// Replicas lists the processes on the server's database.
func (c *Client) Replicas(ctx context.Context) (api.Replicas, error) {
	var replicas api.Replicas
	err := c.call(ctx, http.MethodGet, "/replicas", nil, nil, &replicas)
	return replicas, err
}

// Fields tells what the events of a source or form look like.
func (c *Client) Fields(ctx context.Context, name string, form bool) (schema.Source, error) {
	path := "/sources/"
	if form {
		path = "/forms/"
	}
	var origin schema.Source
	err := c.call(ctx, http.MethodGet, path+url.PathEscape(name)+"/fields", nil, nil, &origin)
	return origin, err
}

// Forms tells what the forms of the server's configuration got since then.
func (c *Client) Forms(ctx context.Context, since time.Time) (api.FormCounts, error) {
	query := url.Values{}
	setTime(query, "since", since)
	var counts api.FormCounts
	err := c.call(ctx, http.MethodGet, "/forms", query, nil, &counts)
	return counts, err
}

// NotSpam gives a post that was kept as spam to the rules.
func (c *Client) NotSpam(ctx context.Context, id event.ID) (api.Released, error) {
	var released api.Released
	err := c.call(ctx, http.MethodPost, "/events/"+id.String()+"/notspam", nil, nil, &released)
	return released, err
}

// Reload has the server read its configuration again. A refused one is no
// error here: OK is false and Diagnostics say why.
func (c *Client) Reload(ctx context.Context) (api.Reloaded, error) {
	var reloaded api.Reloaded
	err := c.call(ctx, http.MethodPost, "/reload", nil, nil, &reloaded, http.StatusUnprocessableEntity)
	return reloaded, err
}

func set(q url.Values, key, value string) {
	if value != "" {
		q.Set(key, value)
	}
}

func setTime(q url.Values, key string, t time.Time) {
	if !t.IsZero() {
		q.Set(key, t.UTC().Format(time.RFC3339Nano))
	}
}

func setLimit(q url.Values, n int) {
	if n > 0 {
		q.Set("limit", strconv.Itoa(n))
	}
}
