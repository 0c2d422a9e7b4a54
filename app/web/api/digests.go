package api

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
	"hookgate/internal/event"
)

// Digests are those that are open.
type Digests interface {
	Digests(ctx context.Context) (admin.Page[admin.Digest], error)
	Digest(ctx context.Context, id event.DigestID) (admin.DigestDetail, error)
	SendDigest(ctx context.Context, id event.DigestID) (admin.Digest, error)
	CancelDigest(ctx context.Context, id event.DigestID) (admin.Digest, error)
}

func (h *handler) digestRoutes(r fiber.Router) {
	r.Get("/digests", h.answer(h.digests))
	r.Get("/digests/:id", h.answer(h.digest))
	r.Post("/digests/:id/send", h.act(h.sendDigest))
	r.Post("/digests/:id/cancel", h.act(h.cancelDigest))
}

// digests answers GET /digests.
func (h *handler) digests(c *fiber.Ctx) error { return respond(c, readTimeout, h.service.Digests) }

// digest answers GET /digests/:id.
func (h *handler) digest(c *fiber.Ctx) error {
	id, err := pathID(c, "digest", event.ParseDigestID)
	if err != nil {
		return err
	}
	return respond(c, readTimeout, func(ctx context.Context) (admin.DigestDetail, error) { return h.service.Digest(ctx, id) })
}

// sendDigest answers POST /digests/:id/send.
func (h *handler) sendDigest(c *fiber.Ctx) error { return h.endDigest(c, h.service.SendDigest) }

// cancelDigest answers POST /digests/:id/cancel.
func (h *handler) cancelDigest(c *fiber.Ctx) error { return h.endDigest(c, h.service.CancelDigest) }

func (h *handler) endDigest(c *fiber.Ctx, act func(context.Context, event.DigestID) (admin.Digest, error)) error {
	id, err := pathID(c, "digest", event.ParseDigestID)
	if err != nil {
		return err
	}
	return respond(c, changeTimeout, func(ctx context.Context) (admin.Digest, error) { return act(ctx, id) })
}
