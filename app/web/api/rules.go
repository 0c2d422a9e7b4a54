package api

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
)

// Rules are the rules in force.
type Rules interface {
	Rules(ctx context.Context) (admin.RuleList, error)
}

func (h *handler) ruleRoutes(r fiber.Router) {
	r.Get("/rules", h.answer(h.rules))
}

// rules answers GET /rules.
func (h *handler) rules(c *fiber.Ctx) error {
	if p := newParameters(c, h.now()); p.err != nil {
		return p.err
	}
	return respond(c, readTimeout, h.service.Rules)
}
