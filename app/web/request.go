package web

import (
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"hookgate/app/ingest"
	"hookgate/app/ingest/source"
)

const (
	// maxKept and maxKeptBytes bound the header fields that are kept of a request.
	maxKept      = 50
	maxKeptBytes = 8 << 10
)

// newRequest makes a Request of its own memory, without its Headers and Body:
// they are worth copying and reading only for a request that is let in. Header alone points into
// the server's buffers, and must not be called after the handler.
func (s *Server) newRequest(c *fiber.Ctx, settings *Settings) *ingest.Request {
	ctx := c.Context()
	header := &ctx.Request.Header
	return &ingest.Request{
		Request: source.Request{
			Method:          c.Method(),
			URL:             settings.base(ctx) + c.OriginalURL(),
			ContentType:     string(header.ContentType()),
			ContentEncoding: string(header.ContentEncoding()),
			Header:          func(name string) string { return string(header.Peek(name)) },
			Now:             s.cfg.Now(),
		},
		RemoteIP: settings.client(ctx).String(),
		RawQuery: string(ctx.URI().QueryString()),
	}
}

// keptHeaders copies the header fields that keep allows, by lower-case names;
// repeated ones are joined with a comma (RFC 9110, section 5.3). All texts
// share one allocation.
func keptHeaders(h *fasthttp.RequestHeader, keep func(name string) bool) map[string]string {
	type field struct{ name, value, end int }
	var fields [maxKept]field
	n := 0
	buffer := make([]byte, 0, 512)
	for key, value := range h.All() {
		if n == maxKept || len(buffer)+len(key)+len(value) > maxKeptBytes {
			break
		}
		f := field{name: len(buffer)}
		for _, b := range key {
			if 'A' <= b && b <= 'Z' {
				b += 'a' - 'A'
			}
			buffer = append(buffer, b)
		}
		f.value = len(buffer)
		buffer = append(buffer, value...)
		f.end = len(buffer)
		fields[n] = f
		n++
	}
	text := string(buffer)
	kept := make(map[string]string, n)
	for _, f := range fields[:n] {
		name, value := text[f.name:f.value], text[f.value:f.end]
		if !keep(name) {
			continue
		}
		if before, repeated := kept[name]; repeated {
			value = before + ", " + value
		}
		kept[name] = strings.ToValidUTF8(value, "\uFFFD")
	}
	return kept
}
