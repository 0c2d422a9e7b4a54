package api

import (
	"context"
	"fmt"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"hookgate/internal/schema"
)

// Surveyor tells what the events of a source or form look like, on demand:
// event.ErrNotFound for a name that there is not.
type Surveyor interface {
	Fields(ctx context.Context, name string, form bool) (schema.Source, error)
}

// sourceFields answers GET /sources/:name/fields.
func (h *handler) sourceFields(c *fiber.Ctx) error { return h.fields(c, "source", false) }

// formFields answers GET /forms/:name/fields.
func (h *handler) formFields(c *fiber.Ctx) error { return h.fields(c, "form", true) }

func (h *handler) fields(c *fiber.Ctx, noun string, form bool) error {
	if p := newParameters(c, h.now()); p.err != nil {
		return p.err
	}
	name, err := url.PathUnescape(c.Params("name"))
	if err != nil {
		return &badRequest{fmt.Sprintf("%q is not a name", c.Params("name"))}
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), readTimeout)
	defer cancel()
	origin, err := h.service.Fields(ctx, name, form)
	if err != nil {
		return missing(err, fmt.Sprintf("there is no %s %q", noun, name))
	}
	if origin.Documented == nil {
		origin.Documented = []schema.Payload{}
	}
	if origin.Seen == nil {
		origin.Seen = []schema.Payload{}
	}
	return c.JSON(origin)
}
