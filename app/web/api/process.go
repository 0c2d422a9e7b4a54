package api

import (
	"context"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
)

// Process is the server itself.
type Process interface {
	Status(ctx context.Context) (admin.Status, error)
	Replicas(ctx context.Context) (admin.Replicas, error)
	// Reload reads the configuration again. A refused one is no error: OK is
	// false, and Diagnostics say why.
	Reload(ctx context.Context) (admin.Reloaded, error)
	// Prune deletes what retention no longer keeps, or only counts it.
	Prune(ctx context.Context, dryRun bool) (admin.Pruned, error)
	// AcceptClock says that the database's clock is right.
	AcceptClock(ctx context.Context) (admin.Clock, error)
}

func (h *handler) processRoutes(r fiber.Router) {
	r.Get("/openapi.json", h.answer(h.describe))
	r.Get("/status", h.answer(h.status))
	r.Get("/replicas", h.answer(h.replicas))
	r.Post("/reload", h.act(h.reload))
	r.Post("/prune", h.act(h.prune))
	r.Post("/clock/accept", h.act(h.acceptClock))
}

// acceptClock answers POST /clock/accept.
func (h *handler) acceptClock(c *fiber.Ctx) error {
	return respond(c, changeTimeout, h.service.AcceptClock)
}

// status answers GET /status.
func (h *handler) status(c *fiber.Ctx) error { return respond(c, readTimeout, h.service.Status) }

// replicas answers GET /replicas.
func (h *handler) replicas(c *fiber.Ctx) error { return respond(c, readTimeout, h.service.Replicas) }

// reload answers POST /reload: 200 when the configuration is in force, 422
// with its diagnostics when it was refused.
func (h *handler) reload(c *fiber.Ctx) error {
	return respond(c, readTimeout, func(ctx context.Context) (admin.Reloaded, error) {
		reloaded, err := h.service.Reload(ctx)
		if err == nil && !reloaded.OK {
			c.Status(http.StatusUnprocessableEntity)
		}
		return reloaded, err
	})
}

// prune answers POST /prune?dry_run=true.
func (h *handler) prune(c *fiber.Ctx) error {
	p := newParameters(c, h.now(), "dry_run")
	dryRun := p.yes("dry_run")
	if p.err != nil {
		return p.err
	}
	return respond(c, changeTimeout, func(ctx context.Context) (admin.Pruned, error) { return h.service.Prune(ctx, dryRun) })
}
