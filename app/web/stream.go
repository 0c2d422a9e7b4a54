package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/valyala/fasthttp"

	"hookgate/forms"
)

const (
	// firstRead is how much memory a body gets before any of it has come: more
	// than most need, and little enough to give to everybody.
	firstRead = 16 << 10

	// maxUploads is how many posts with files are read at one time.
	maxUploads = 128

	// slowestUpload is the rate in bytes per second at which a post with files
	// may come in, and longestUpload what it may take at most: telephones send
	// photos over slow networks.
	slowestUpload = 32 << 10
	longestUpload = 20 * time.Minute
)

// Bodies are read by the handlers, and by nobody else (fasthttp's
// StreamRequestBody), so that a post with files need not fit into memory. A
// connection on which a body was not read to its end must be closed: what
// follows there is not the next request.

// readBody reads the whole body of a request into memory, as all handlers but
// that of posts with files want it. It answers what it refuses.
func (s *Server) readBody(ctx *fasthttp.RequestCtx) (refused bool) {
	stream := ctx.RequestBodyStream()
	if stream == nil {
		return false
	}
	content, err := readAll(stream, ctx.Request.Header.ContentLength(), int(s.settings.Load().MaxBody))
	if err != nil {
		s.cutOff(ctx, err)
		return true
	}
	ctx.Request.SetBodyRaw(content)
	return false
}

// readAll reads a body of the length that its header says, -1 where it comes
// in chunks. One that is longer than limit is fasthttp.ErrBodyTooLarge, before
// it is read where that is known.
func readAll(stream io.Reader, length, limit int) ([]byte, error) {
	if length > limit {
		return nil, fasthttp.ErrBodyTooLarge
	}
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

// cutOff answers a request whose body was not read to its end.
func (s *Server) cutOff(ctx *fasthttp.RequestCtx, err error) {
	if !errors.Is(err, fasthttp.ErrBodyTooLarge) || !s.formTooLarge(ctx) {
		s.protocolError(ctx, err)
	}
	ctx.SetConnectionClose()
}

// formTooLarge answers a form post that is too large to be read: its visitor
// is told in the way of the form's other answers. It reports whether it is one.
func (s *Server) formTooLarge(ctx *fasthttp.RequestCtx) bool {
	name, ok := bytes.CutPrefix(ctx.Path(), []byte("/f/"))
	form := s.cfg.Plan().Forms[string(name)]
	if !ok || !ctx.IsPost() || form == nil || form.Webhook() {
		return false
	}
	header := &ctx.Request.Header
	lang := form.Language("", string(header.Peek(fasthttp.HeaderAcceptLanguage)))
	s.refused(form.Name, "too_large")
	if conn, ok := ctx.Conn().(*guardedConn); ok {
		conn.Linger()
	}
	ctx.Response.Reset()
	set := func(list []forms.Header) {
		for _, h := range list {
			ctx.Response.Header.Set(h.Name, h.Value)
		}
	}
	set(form.CORS(string(header.Peek(fasthttp.HeaderOrigin))))
	ctx.SetStatusCode(fasthttp.StatusRequestEntityTooLarge)
	detail := form.TooLarge(lang, 0)
	if forms.WantsJSON(func(name string) string { return string(header.Peek(name)) }) {
		text, err := json.Marshal(forms.ErrorAnswer(lang, fasthttp.StatusRequestEntityTooLarge, detail))
		set([]forms.Header{{Name: fasthttp.HeaderContentType, Value: "application/problem+json"}, {Name: fasthttp.HeaderCacheControl, Value: "no-store"}})
		ctx.Response.SetBodyRaw(text)
		return err == nil
	}
	set(forms.PageHeaders(form, lang))
	return form.RenderError(ctx, lang, fasthttp.StatusRequestEntityTooLarge, detail) == nil
}

// isUpload reports whether a request is a form post whose body the handler
// reads by itself.
func (s *Server) isUpload(ctx *fasthttp.RequestCtx) bool {
	name, ok := bytes.CutPrefix(ctx.Path(), []byte("/f/"))
	if !ok || !ctx.IsPost() || !bytes.HasPrefix(ctx.Request.Header.ContentType(), []byte("multipart/form-data")) {
		return false
	}
	form := s.cfg.Plan().Forms[string(name)]
	return form != nil && form.TakesFiles()
}

// uploadStream is the body of a post with files. It knows whether it was read
// to its end, and what broke it off.
type uploadStream struct {
	stream  io.Reader
	conn    *guardedConn // nil where the listener is not ours
	counted bool         // among Server.uploads
	ended   bool
	err     error
}

// Read reads on. What was read does not count as memory: it goes to the disk.
func (u *uploadStream) Read(p []byte) (int, error) {
	if u.ended {
		return 0, io.EOF
	}
	n, err := u.stream.Read(p)
	if u.conn != nil {
		u.conn.release()
	}
	switch {
	case errors.Is(err, io.EOF):
		u.ended = true
	case err != nil:
		u.err = err
	}
	return n, err
}

// uploadKey is the request's value that holds its *uploadStream.
type uploadKey struct{}

// uploadOf is the body of a post with files; nil for all other requests.
func uploadOf(ctx *fasthttp.RequestCtx) *uploadStream {
	u, _ := ctx.UserValue(uploadKey{}).(*uploadStream)
	return u
}

// newUpload leaves the body of a post with files to its handler; nil for all
// other requests.
func (s *Server) newUpload(ctx *fasthttp.RequestCtx) *uploadStream {
	stream := ctx.RequestBodyStream()
	if stream == nil || !s.isUpload(ctx) {
		return nil
	}
	u := &uploadStream{stream: stream}
	u.conn, _ = ctx.Conn().(*guardedConn)
	ctx.SetUserValue(uploadKey{}, u)
	return u
}

// admitUpload gets ready to read a post with files, if it is one. A status
// other than 0 says why it is not to be read, and wait when it may come again.
func (s *Server) admitUpload(ctx *fasthttp.RequestCtx, f *forms.Form) (wait time.Duration, status int) {
	u := uploadOf(ctx)
	if u == nil {
		return 0, 0
	}
	length, limit := int64(ctx.Request.Header.ContentLength()), f.MaxUpload()
	if length > limit {
		s.refused(f.Name, "too_large")
		return 0, fasthttp.StatusRequestEntityTooLarge
	}
	u.counted = true
	if s.uploads.Add(1) > maxUploads {
		s.refused(f.Name, "busy")
		return busyRetry, fasthttp.StatusServiceUnavailable
	}
	if length >= 0 {
		limit = length
	}
	whole := min(longestUpload, s.cfg.Limits.ReadTimeout+time.Duration(limit/slowestUpload)*time.Second)
	_ = ctx.Conn().SetReadDeadline(time.Now().Add(whole)) // else the shorter one stays
	return 0, 0
}

// endUpload ends the reading of a post with files.
func (s *Server) endUpload(ctx *fasthttp.RequestCtx, u *uploadStream) {
	if u.counted {
		s.uploads.Add(-1)
	}
	if !u.ended {
		if u.conn != nil {
			u.conn.upload.Store(true)
		}
		leave(ctx)
	}
}

// leave has the connection closed after a request whose body was not read.
func leave(ctx *fasthttp.RequestCtx) {
	if conn, ok := ctx.Conn().(*guardedConn); ok {
		conn.Linger()
	}
	ctx.SetConnectionClose()
}
