package client

import (
	"context"
	"net/http"
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

// IfNotSpam tells what NotSpam would do.
func (c *Client) IfNotSpam(ctx context.Context, id event.ID) (plan admin.ReleasePlan, err error) {
	return plan, c.get(ctx, "/events/"+id.String()+"/notspam", nil, &plan)
}

// SetRead notes that a form post was read, or is new again.
func (c *Client) SetRead(ctx context.Context, id event.ID, read bool) (mark admin.ReadMark, err error) {
	act := "/unread"
	if read {
		act = "/read"
	}
	return mark, c.post(ctx, "/events/"+id.String()+act, nil, &mark)
}

// Posts lists what a form got, the oldest first, with its data.
func (c *Client) Posts(ctx context.Context, pq admin.PostQuery) (page admin.Page[admin.Post], err error) {
	q := url.Values{}
	setTime(q, "since", pq.Since)
	setTime(q, "until", pq.Until)
	if pq.After != 0 {
		q.Set("after", pq.After.String())
	}
	setLimit(q, pq.Limit)
	return page, c.get(ctx, "/forms/"+url.PathEscape(pq.Form)+"/posts", q, &page)
}

// FormFiles lists the files that a form got, those of the newest posts first.
func (c *Client) FormFiles(ctx context.Context, form string, before event.ID, limit int) (page admin.Page[admin.FormFile], err error) {
	q := url.Values{}
	if before != 0 {
		q.Set("before", before.String())
	}
	setLimit(q, limit)
	return page, c.get(ctx, "/forms/"+url.PathEscape(form)+"/files", q, &page)
}

// Snippet writes a form for a page of a website.
func (c *Client) Snippet(ctx context.Context, form, kind, lang string) (snippet admin.Snippet, err error) {
	q := url.Values{"kind": {kind}}
	if lang != "" {
		q.Set("lang", lang)
	}
	return snippet, c.get(ctx, "/forms/"+url.PathEscape(form)+"/snippet", q, &snippet)
}

// DeletePost deletes a form post for good.
func (c *Client) DeletePost(ctx context.Context, id event.ID) (record admin.Erasure, err error) {
	return record, c.call(ctx, http.MethodDelete, "/events/"+id.String(), nil, nil, &record)
}

// Fields tells what the events of a source or form look like.
func (c *Client) Fields(ctx context.Context, name string, form bool) (known schema.Source, err error) {
	path := "/sources/"
	if form {
		path = "/forms/"
	}
	return known, c.get(ctx, path+url.PathEscape(name)+"/fields", nil, &known)
}
