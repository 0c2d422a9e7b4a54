package api

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
)

// Sources are the sources and forms that senders post to.
type Sources interface {
	Inbounds(ctx context.Context) (admin.Page[admin.Inbound], error)
	Address(ctx context.Context, name string) (admin.Address, error)
}

func (h *handler) sourceRoutes(r fiber.Router) {
	r.Get("/sources", h.answer(h.inbounds))
	r.Post("/sources/:name/url", h.act(h.address))
}

// inbounds answers GET /sources: the sources and the forms.
func (h *handler) inbounds(c *fiber.Ctx) error {
	if p := newParameters(c, h.now()); p.err != nil {
		return p.err
	}
	return respond(c, readTimeout, h.service.Inbounds)
}

// address answers POST /sources/NAME/url, of a source or form. It holds a
// secret, so it is not for those who may only look.
func (h *handler) address(c *fiber.Ctx) error {
	return respond(c, readTimeout, func(ctx context.Context) (admin.Address, error) {
		return h.service.Address(ctx, c.Params("name"))
	})
}
