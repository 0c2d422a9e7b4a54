package api

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
)

// Views are lists of events that people keep under a name.
type Views interface {
	Views(ctx context.Context) (admin.Page[admin.View], error)
	SetView(ctx context.Context, r admin.ViewRequest) (admin.View, error)
	DeleteView(ctx context.Context, name string) (admin.View, error)
}

func (h *handler) viewRoutes(r fiber.Router) {
	r.Get("/views", h.answer(h.views))
	r.Post("/views", h.act(h.setView))
	r.Delete("/views", h.act(h.deleteView))
}

// views answers GET /views.
func (h *handler) views(c *fiber.Ctx) error { return respond(c, readTimeout, h.service.Views) }

// setView answers POST /views.
func (h *handler) setView(c *fiber.Ctx) error {
	var r admin.ViewRequest
	if err := decode(c, &r, "the body should be a JSON object with name and query"); err != nil {
		return err
	}
	return respond(c, changeTimeout, func(ctx context.Context) (admin.View, error) { return h.service.SetView(ctx, r) })
}

// deleteView answers DELETE /views?name=.
func (h *handler) deleteView(c *fiber.Ctx) error {
	p := newParameters(c, h.now(), "name")
	name := p.text("name")
	if p.err != nil {
		return p.err
	}
	return respond(c, changeTimeout, func(ctx context.Context) (admin.View, error) { return h.service.DeleteView(ctx, name) })
}
