package api

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
	"hookgate/app/admin/access"
	"hookgate/internal/event"
)

// Logins are links that log a person in, and tokens that let programs in. Only
// who may open the socket makes them: a login must not be able to make another.
type Logins interface {
	LoginLink(ctx context.Context, r admin.LoginRequest) (admin.LoginLink, error)
	CreateToken(ctx context.Context, r admin.TokenRequest) (admin.Token, error)
	Tokens(ctx context.Context) (admin.Page[admin.Token], error)
	RevokeToken(ctx context.Context, id event.AuditID) (admin.Token, error)
}

func (h *handler) loginRoutes(r fiber.Router) {
	r.Post("/login-links", h.answer(h.local(h.loginLink)))
	r.Post("/tokens", h.answer(h.local(h.createToken)))
	r.Get("/tokens", h.answer(h.local(h.tokens)))
	r.Delete("/tokens/:id", h.answer(h.local(h.revokeToken)))
}

// local is for requests by the socket only.
func (h *handler) local(route fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if _, known := c.Locals(VisitorKey).(access.Visitor); known {
			return WriteProblem(c.Context(), Problem{Status: fiber.StatusForbidden, Detail: "this is done on the server's own machine: hookgate login, hookgate tokens"})
		}
		return route(c)
	}
}

// loginLink answers POST /login-links.
func (h *handler) loginLink(c *fiber.Ctx) error {
	var r admin.LoginRequest
	if err := decodeOptional(c, &r, "the body should be a JSON object with user"); err != nil {
		return err
	}
	return respond(c, readTimeout, func(ctx context.Context) (admin.LoginLink, error) { return h.service.LoginLink(ctx, r) })
}

// createToken answers POST /tokens.
func (h *handler) createToken(c *fiber.Ctx) error {
	var r admin.TokenRequest
	if err := decode(c, &r, "the body should be a JSON object with name and scope"); err != nil {
		return err
	}
	return respond(c, readTimeout, func(ctx context.Context) (admin.Token, error) { return h.service.CreateToken(ctx, r) })
}

// tokens answers GET /tokens.
func (h *handler) tokens(c *fiber.Ctx) error { return respond(c, readTimeout, h.service.Tokens) }

// revokeToken answers DELETE /tokens/{id}.
func (h *handler) revokeToken(c *fiber.Ctx) error {
	var id event.AuditID
	if err := id.UnmarshalText([]byte(c.Params("id"))); err != nil {
		return badRequest("%q is no id of a token: they begin with aud_", c.Params("id"))
	}
	return respond(c, readTimeout, func(ctx context.Context) (admin.Token, error) { return h.service.RevokeToken(ctx, id) })
}
