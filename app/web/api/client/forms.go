package client

import (
	"context"
	"net/url"
	"time"

	"hookgate/app/admin"
	"hookgate/internal/event"
	"hookgate/internal/schema"
)

// Forms tells what the forms of the server's configuration got since then.
func (c *Client) Forms(ctx context.Context, since time.Time) (counts admin.FormCounts, err error) {
	q := url.Values{}
	setTime(q, "since", since)
	return counts, c.get(ctx, "/forms", q, &counts)
}

// NotSpam gives a post that was kept as spam to the rules.
func (c *Client) NotSpam(ctx context.Context, id event.ID) (released admin.Released, err error) {
	return released, c.post(ctx, "/events/"+id.String()+"/notspam", nil, &released)
}

// SetRead notes that a form post was read, or is new again.
func (c *Client) SetRead(ctx context.Context, id event.ID, read bool) (mark admin.ReadMark, err error) {
	act := "/unread"
	if read {
		act = "/read"
	}
	return mark, c.post(ctx, "/events/"+id.String()+act, nil, &mark)
}

// Fields tells what the events of a source or form look like.
func (c *Client) Fields(ctx context.Context, name string, form bool) (known schema.Source, err error) {
	path := "/sources/"
	if form {
		path = "/forms/"
	}
	return known, c.get(ctx, path+url.PathEscape(name)+"/fields", nil, &known)
}
