package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"hookgate/app/admin"
	"hookgate/internal/event"
)

// Tables lists the kept tables.
func (c *Client) Tables(ctx context.Context) (page admin.Page[admin.Table], err error) {
	return page, c.get(ctx, "/tables", nil, &page)
}

// Records lists the records of a table after a key, in the order of their keys.
func (c *Client) Records(ctx context.Context, table, after string, limit int) (page admin.Page[admin.Record], err error) {
	q := url.Values{"limit": {strconv.Itoa(limit)}}
	set(q, "after", after)
	return page, c.get(ctx, "/tables/"+url.PathEscape(table), q, &page)
}

// Record shows a record.
func (c *Client) Record(ctx context.Context, k event.RecordKey) (r admin.Record, err error) {
	return r, c.get(ctx, recordPath(k), url.Values{"key": {k.Key}}, &r)
}

// SetRecord sets fields of a record.
func (c *Client) SetRecord(ctx context.Context, k event.RecordKey, change admin.RecordChange) (r admin.Record, err error) {
	text, err := json.Marshal(change)
	if err != nil {
		return r, fmt.Errorf("cannot write the request: %w", err)
	}
	return r, c.call(ctx, http.MethodPost, recordPath(k), url.Values{"key": {k.Key}}, &content{typ: "application/json", bytes: text}, &r)
}

// DeleteRecord deletes a record.
func (c *Client) DeleteRecord(ctx context.Context, k event.RecordKey) (gone admin.Removed, err error) {
	return gone, c.call(ctx, http.MethodDelete, recordPath(k), url.Values{"key": {k.Key}}, nil, &gone)
}

func recordPath(k event.RecordKey) string { return "/tables/" + url.PathEscape(k.Table) + "/record" }
