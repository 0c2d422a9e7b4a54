package web

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"hookgate/app/web/api"
)

// strict refuses what fasthttp reads and another server might read otherwise,
// and what Fiber cannot route. The connection is closed after it, for where
// the next request begins is in doubt.
func (s *Server) strict(ctx *fasthttp.RequestCtx) (refused bool) {
	p := api.Problem{}
	switch {
	case !knownVersion(ctx.Request.Header.Protocol()):
		p.Status = fasthttp.StatusHTTPVersionNotSupported
	case ambiguous(ctx.Request.Header.RawHeaders()):
		p.Status, p.Detail = fasthttp.StatusBadRequest, invalidHTTP
	case !knownMethod(ctx.Method()):
		p.Status = fasthttp.StatusNotImplemented
	default:
		return false
	}
	s.problem(ctx, p)
	leave(ctx)
	return true
}

const invalidHTTP = "this is no valid HTTP request"

// knownVersion reports the versions that are spoken here.
func knownVersion(protocol []byte) bool {
	return string(protocol) == "HTTP/1.1" || string(protocol) == "HTTP/1.0"
}

// knownMethod reports a method that Fiber can route.
func knownMethod(method []byte) bool {
	switch string(method) {
	case fiber.MethodPost, fiber.MethodGet, fiber.MethodPut, fiber.MethodHead, fiber.MethodOptions,
		fiber.MethodPatch, fiber.MethodDelete, fiber.MethodTrace, fiber.MethodConnect:
		return true
	default:
		return false
	}
}

// ambiguous reports header fields that servers do not all read alike (RFC 9112,
// sections 2.2, 5.2 and 6.1): a line that ends without CR or goes on in the
// next one, a body with both a length and a transfer coding, and a coding
// other than chunked. raw is all that follows the request line.
func ambiguous(raw []byte) bool {
	length, coding := false, false
	for len(raw) > 0 {
		end := bytes.IndexByte(raw, '\n')
		if end < 1 || raw[end-1] != '\r' || raw[0] == ' ' || raw[0] == '\t' {
			return true
		}
		line := raw[:end-1]
		raw = raw[end+1:]
		// Most lines begin with neither letter; that is cheaper than a comparison.
		if len(line) == 0 || (line[0]|0x20 != 'c' && line[0]|0x20 != 't') {
			continue
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch {
		case bytes.EqualFold(name, []byte(fasthttp.HeaderContentLength)):
			length = true
		case bytes.EqualFold(name, []byte(fasthttp.HeaderTransferEncoding)):
			if coding || !bytes.EqualFold(bytes.Trim(value, " \t"), []byte("chunked")) {
				return true
			}
			coding = true
		}
	}
	return length && coding
}

// protocolError answers for requests whose header could not be read. The
// connection is closed after it, so that what follows is never taken for a
// request.
func (s *Server) protocolError(ctx *fasthttp.RequestCtx, err error) {
	conn, guarded := ctx.Conn().(*guardedConn)
	if guarded {
		conn.Linger()
	}
	p := protocolProblem(err, 0)
	if !guarded || conn.held.Load() > 0 { // browsers open connections that they may need
		s.refusedUnread(ctx, "", p)
	}
	ctx.Response.Reset()
	s.problem(ctx, p)
}

// refusedUnread counts and logs a request that was not read to its end.
func (s *Server) refusedUnread(ctx *fasthttp.RequestCtx, source string, p api.Problem) {
	attrs := []slog.Attr{slog.String("remote_ip", s.settings.Load().client(ctx).String())}
	if p.Detail != "" {
		attrs = append(attrs, slog.String("reason", p.Detail))
	}
	s.refused(source, unreadResult(p.Status), attrs...)
}

// unreadResult is what the metrics call a request that was not read to its end.
func unreadResult(status int) string {
	switch status {
	case fasthttp.StatusRequestEntityTooLarge, fasthttp.StatusRequestHeaderFieldsTooLarge:
		return "too_large"
	case fasthttp.StatusServiceUnavailable:
		return "busy"
	case fasthttp.StatusRequestTimeout:
		return "timeout"
	default:
		return "not_http"
	}
}

// protocolProblem says what is wrong with a request that could not be read, of
// which limit bytes would have been taken.
func protocolProblem(err error, limit int64) api.Problem {
	p := api.Problem{Status: fasthttp.StatusBadRequest, Detail: invalidHTTP}
	var tooSmall *fasthttp.ErrSmallBuffer
	var timeout net.Error
	switch {
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		p.Status = fasthttp.StatusRequestEntityTooLarge
		p.Detail = fmt.Sprintf("the body is larger than %d bytes", limit)
	case errors.Is(err, errBodyMemory), errors.Is(err, errTooManyUploads):
		p.Status, p.Retry = fasthttp.StatusServiceUnavailable, busyRetry
		p.Detail = "too much is coming in at once"
	case errors.As(err, &tooSmall):
		p.Status = fasthttp.StatusRequestHeaderFieldsTooLarge
		p.Detail = fmt.Sprintf("the header is larger than %d bytes", headerBuffer)
	case errors.As(err, &timeout) && timeout.Timeout():
		p.Status, p.Detail = fasthttp.StatusRequestTimeout, "the request did not arrive in time"
	}
	return p
}
