package api

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
)

// Statistics are counts of what came in and went out.
type Statistics interface {
	Statistics(ctx context.Context, name string) (admin.Statistics, error)
	QuietSources(ctx context.Context) ([]admin.Quiet, error)
}

func (h *handler) statsRoutes(r fiber.Router) {
	r.Get("/stats", h.answer(h.stats))
	r.Get("/stats/quiet", h.answer(h.quietSources))
}

// stats answers GET /stats.
func (h *handler) stats(c *fiber.Ctx) error {
	p := newParameters(c, h.now(), "range")
	if p.err != nil {
		return p.err
	}
	return respond(c, readTimeout, func(ctx context.Context) (admin.Statistics, error) {
		return h.service.Statistics(ctx, c.Query("range"))
	})
}

// quietSources answers GET /stats/quiet.
func (h *handler) quietSources(c *fiber.Ctx) error {
	return respond(c, readTimeout, func(ctx context.Context) (admin.Page[admin.Quiet], error) {
		list, err := h.service.QuietSources(ctx)
		return admin.Page[admin.Quiet]{Items: list}, err
	})
}
