package web

import (
	"errors"
	"io"
	"net/netip"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"hookgate/app/web/api"
	"hookgate/forms"
)

const (
	// firstRead is how much memory a body gets before any of it has come: more
	// than most need, and little enough to give to everybody.
	firstRead = 4 << 10

	// prefetch is how many bytes of a body fasthttp reads before the route is
	// known. It takes no less.
	prefetch = 1

	// maxUploads is how many posts with files are read at one time.
	maxUploads = 128

	// progress is how much of a post with files has to come within each
	// Limits.Progress: telephones send photos over slow networks.
	progress = 256 << 10
)

// A route decides by the header alone who may post and how much, and reads the
// body itself: whole by readBody, or as a stream (uploadStream). What it
// refuses it leaves unread, and finish sees to the connection.

// readBody reads the whole body of a request into memory of its own, at most
// limit bytes. Where the header says that it is longer, nothing is read. Its
// errors are those of protocolProblem.
func (s *Server) readBody(ctx *fasthttp.RequestCtx, limit int64) ([]byte, error) {
	stream := ctx.RequestBodyStream()
	if stream == nil {
		return nil, nil
	}
	length := ctx.Request.Header.ContentLength()
	if int64(length) > limit {
		return nil, fasthttp.ErrBodyTooLarge
	}
	if length > slowest {
		if err := ctx.Conn().SetReadDeadline(time.Now().Add(s.cfg.Limits.bodyTimeout(length))); err != nil {
			return nil, err
		}
	}
	content, err := readAll(stream, length, int(limit))
	if err != nil {
		leave(ctx)
		return nil, err
	}
	ctx.Request.SetBodyRaw(content)
	return content, nil
}

// readAll reads a body of the length that its header says, -1 where it comes
// in chunks. One that is longer than limit is fasthttp.ErrBodyTooLarge.
func readAll(stream io.Reader, length, limit int) ([]byte, error) {
	first := firstRead
	if length >= 0 {
		first = min(length, firstRead)
	}
	// One byte more than the body: so that its end is found without growing.
	content := make([]byte, 0, first+1)
	for {
		if len(content) == cap(content) {
			grown := make([]byte, len(content), min(4*cap(content), limit+1)+1)
			copy(grown, content)
			content = grown
		}
		n, err := stream.Read(content[len(content):cap(content)])
		content = content[:len(content)+n]
		switch {
		case len(content) > limit:
			return nil, fasthttp.ErrBodyTooLarge
		case errors.Is(err, io.EOF) && length >= 0 && len(content) < length:
			return nil, io.ErrUnexpectedEOF
		case errors.Is(err, io.EOF):
			return content, nil
		case err != nil:
			return nil, err
		}
	}
}

// wholeBody is the middleware of routes that take a body as large as a
// request may be, and find it in the request.
func (s *Server) wholeBody(c *fiber.Ctx) error {
	limit := s.settings.Load().MaxBody
	if _, err := s.readBody(c.Context(), limit); err != nil {
		return s.unread(c.Context(), "", err, limit)
	}
	return c.Next()
}

// pageBody is the size in bytes of what a page posts: a few fields.
const pageBody = 64 << 10

// smallBody is the middleware of pages: what they post is short.
func (s *Server) smallBody(c *fiber.Ctx) error {
	if _, err := s.readBody(c.Context(), pageBody); err != nil {
		return s.unread(c.Context(), "", err, pageBody)
	}
	return c.Next()
}

// unread answers a request to a source, or to no place in particular (""),
// whose body was not read to its end.
func (s *Server) unread(ctx *fasthttp.RequestCtx, source string, err error, limit int64) error {
	p := protocolProblem(err, limit)
	s.refusedUnread(ctx, source, p)
	return api.WriteProblem(ctx, p)
}

// finish leaves the connection fit for the next request, or has it closed: what
// follows a body that was not read to its end is not a request. What has come
// of a short one already is passed over; nothing is waited for.
func (s *Server) finish(ctx *fasthttp.RequestCtx) {
	stream := ctx.RequestBodyStream()
	if stream == nil || ctx.Response.ConnectionClose() {
		return
	}
	if ctx.Conn().SetReadDeadline(past) == nil {
		if _, err := io.CopyN(io.Discard, stream, headerBuffer); errors.Is(err, io.EOF) {
			return
		}
	}
	leave(ctx)
}

// past is a deadline that is over: only what is in memory can be read.
var past = time.Unix(1, 0)

// leave has the connection closed after a request whose body was not read.
func leave(ctx *fasthttp.RequestCtx) {
	if conn, ok := ctx.Conn().(*guardedConn); ok {
		conn.Linger()
	}
	ctx.SetConnectionClose()
}

// uploadStream is the body of a post with files. It knows what broke it off.
type uploadStream struct {
	stream io.Reader
	conn   *guardedConn // nil where the listener is not ours

	counted  bool       // among Server.uploads
	from     netip.Addr // whose place it takes there
	patience time.Duration
	due      int    // bytes that have to come within patience
	arrived  func() // is called when all of it has come; nil: nobody wants to know

	err error
}

// Read reads on. What was read does not count as memory: it goes to the disk.
func (u *uploadStream) Read(p []byte) (int, error) {
	n, err := u.stream.Read(p)
	if u.conn != nil {
		u.conn.release()
		if u.due -= n; u.due <= 0 && err == nil {
			u.due = progress
			err = u.conn.SetReadDeadline(time.Now().Add(u.patience))
		}
	}
	switch {
	case errors.Is(err, io.EOF):
		if u.arrived != nil {
			u.arrived()
		}
	case err != nil:
		u.err = err
	}
	return n, err
}

// newUpload gets ready to read the body of a post with files. Its errors are
// those of protocolProblem; the caller calls endUpload in any case.
func (s *Server) newUpload(ctx *fasthttp.RequestCtx, settings *Settings, f *forms.Form) (*uploadStream, error) {
	u := &uploadStream{stream: ctx.RequestBodyStream()}
	u.conn, _ = ctx.Conn().(*guardedConn)
	if int64(ctx.Request.Header.ContentLength()) > f.MaxUpload() {
		return u, fasthttp.ErrBodyTooLarge
	}
	from := network(settings.client(ctx))
	if !s.uploads.take(from, false) {
		return u, errTooManyUploads
	}
	u.counted, u.from = true, from
	u.patience, u.due = s.cfg.Limits.Progress, progress
	return u, ctx.Conn().SetReadDeadline(time.Now().Add(u.patience))
}

// endUpload ends the reading of a post with files.
func (s *Server) endUpload(ctx *fasthttp.RequestCtx, u *uploadStream) {
	if u.counted {
		s.uploads.give(u.from)
	}
	if u.err != nil {
		leave(ctx)
	}
}
