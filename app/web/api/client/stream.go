package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"hookgate/app/admin"
	"hookgate/internal/event"
)

// maxLine bounds one event of the stream.
const maxLine = 16 << 20

// Tail calls show for each event that comes in and each later end of a
// delivery, and dropped where the server left something out, until ctx ends,
// the stream does, or show fails. connected is called once it listens.
func (c *Client) Tail(ctx context.Context, f event.Search, connected func(), show func(admin.Live) error, dropped func(int)) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/api/v1/events/stream?"+searchQuery(f).Encode(), nil)
	if err != nil {
		return fmt.Errorf("cannot ask %s: %w", c.where, err)
	}
	c.authorize(req)
	endless := *c.http
	endless.Timeout = 0
	res, err := endless.Do(req)
	if err != nil {
		return c.unreachable(ctx, err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
		if err != nil {
			return c.unreachable(ctx, err)
		}
		return c.fault(res, answer, nil)
	}
	connected()
	return c.readStream(ctx, res.Body, show, dropped)
}

// readStream reads server-sent events, of which each has one line of data.
func (c *Client) readStream(ctx context.Context, from io.Reader, show func(admin.Live) error, dropped func(int)) error {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, maxLine)
	kind := ""
	for lines.Scan() {
		name, value, _ := bytes.Cut(lines.Bytes(), []byte(": "))
		switch string(name) {
		case "event":
			kind = string(value)
			continue
		case "data":
		default:
			continue
		}
		var err error
		switch kind {
		case "event":
			var item admin.Live
			if err = json.Unmarshal(value, &item); err == nil {
				if err := show(item); err != nil {
					return err
				}
			}
		case "dropped":
			var d admin.Dropped
			if err = json.Unmarshal(value, &d); err == nil {
				dropped(d.Count)
			}
		}
		if err != nil {
			return fmt.Errorf("%s gave an answer that is not understood: %w", c.where, err)
		}
	}
	if err := lines.Err(); err != nil {
		return c.unreachable(ctx, err)
	}
	return c.unreachable(ctx, io.ErrUnexpectedEOF)
}
