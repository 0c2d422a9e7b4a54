package api

import (
	"context"
	"io"
	"mime"
	"slices"
	"strings"

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

// shown are the types of files that are sent as what they are; everything else
// as bytes. Programs that open a file after its download want to know, and none
// of these can do any harm.
var shown = []string{"application/pdf", "image/png", "image/jpeg", "image/gif", "image/webp", "text/plain", "text/csv"}

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
	c.Context().Response.SetBodyStream(content, int(f.Size))
	return nil
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
