package api

import (
	"context"
	"io"
	"mime"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"hookgate/internal/event"
)

// Files gives the files of form posts to who may use the API.
type Files interface {
	File(ctx context.Context, id string) (event.File, io.ReadCloser, error) // event.ErrNotFound
}

func (h *handler) fileRoutes(r fiber.Router) { r.Get("/files/:id", h.answer(h.file)) }

// file answers GET /files/:id.
func (h *handler) file(c *fiber.Ctx) error {
	f, content, err := h.service.File(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	return SendFile(c, f, content)
}

// downloadTime is how long the answer with a file may take, stallTime how long its client
// may take nothing of it: what is open for it is somebody else's then.
const downloadTime, stallTime = 20 * time.Minute, 2 * time.Minute

// shown are the types of files that are sent as what they are; everything else
// as bytes. Programs that open a file after its download want to know, and none
// of these can do any harm.
var shown = []string{"application/pdf", "image/png", "image/jpeg", "image/gif", "image/webp", "text/plain", "text/csv", "application/x-ndjson"}

// SendFile answers with a file from a stranger: to be saved, never to be shown,
// and in no way a part of this site. It closes content.
func SendFile(c *fiber.Ctx, f event.File, content io.ReadCloser) error {
	mediaType := "application/octet-stream"
	if slices.Contains(shown, f.Type) {
		mediaType = f.Type
	}
	c.Set(fiber.HeaderContentType, mediaType)
	c.Set(fiber.HeaderContentDisposition, disposition(f.Name))
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; sandbox")
	c.Set("Cross-Origin-Resource-Policy", "same-origin")
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer")
	c.Set(fiber.HeaderCacheControl, "private, no-store")
	c.Context().Response.SetBodyStream(&download{ReadCloser: content, conn: c.Context().Conn()}, int(f.Size))
	return nil
}

// download is a file that is being sent.
type download struct {
	io.ReadCloser
	conn net.Conn
	end  time.Time // of the whole of it
}

// Read reads on, for a client that has taken what was read before. The server's own
// limit, which is set before the first call, is for answers of usual size.
func (d *download) Read(p []byte) (int, error) {
	if d.end.IsZero() {
		d.end = time.Now().Add(downloadTime)
	}
	n, err := d.ReadCloser.Read(p) // which may take long: the client does not
	limit := time.Now().Add(stallTime)
	if limit.After(d.end) {
		limit = d.end
	}
	if failure := d.conn.SetWriteDeadline(limit); err == nil {
		err = failure
	}
	return n, err
}

// disposition has the file saved under its name: in ASCII for old clients, and
// in full (RFC 6266, section 4.3).
func disposition(name string) string {
	plain := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || strings.ContainsRune(`"\\%;`, r) {
			return '_'
		}
		return r
	}, name)
	header := `attachment; filename="` + plain + `"`
	if plain == name {
		return header
	}
	if full := mime.FormatMediaType("attachment", map[string]string{"filename": name}); full != "" {
		if _, encoded, ok := strings.Cut(full, "filename*="); ok {
			return header + "; filename*=" + encoded
		}
	}
	return header
}
