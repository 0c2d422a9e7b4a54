package api

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
)

// Rules are the rules in force.
type Rules interface {
	Rules(ctx context.Context) (admin.RuleList, error)
	Try(ctx context.Context, r admin.TryRequest) (admin.Tried, error)
}

func (h *handler) ruleRoutes(r fiber.Router) {
	r.Get("/rules", h.answer(h.rules))
	r.Post("/rules/try", h.answer(h.try))
}

// rules answers GET /rules.
func (h *handler) rules(c *fiber.Ctx) error {
	if p := newParameters(c, h.now()); p.err != nil {
		return p.err
	}
	return respond(c, readTimeout, h.service.Rules)
}

// try answers POST /rules/try. It may look at everything: it changes nothing.
func (h *handler) try(c *fiber.Ctx) error {
	var r admin.TryRequest
	if err := decode(c, &r, "the body is not what a trial takes"); err != nil {
		return err
	}
	return respond(c, readTimeout, func(ctx context.Context) (admin.Tried, error) { return h.service.Try(ctx, r) })
}
