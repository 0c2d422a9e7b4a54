package api

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
	"hookgate/internal/event"
)

// Erasures delete what is stored of a person, a part at a time.
type Erasures interface {
	Erase(ctx context.Context, r admin.EraseRequest) (admin.Erased, error)
	// Erasures are the records of deletions, newest first, those before one.
	Erasures(ctx context.Context, before event.AuditID, limit int) (admin.Page[admin.Erasure], error)
}

func (h *handler) erasureRoutes(r fiber.Router) {
	r.Post("/forget", h.act(h.erase))
	r.Get("/forget", h.answer(h.erasures))
}

// erase answers POST /forget. A key that it does not know is refused: who
// writes "dryrun" must not lose anything by it.
func (h *handler) erase(c *fiber.Ctx) error {
	var r admin.EraseRequest
	if err := declaredJSON(c); err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(c.BodyRaw()))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&r); err != nil {
		return badRequest("the body does not say whom to forget: %v", err)
	}
	return respond(c, changeTimeout, func(ctx context.Context) (admin.Erased, error) { return h.service.Erase(ctx, r) })
}

// erasures answers GET /forget.
func (h *handler) erasures(c *fiber.Ctx) error {
	p := newParameters(c, h.now(), "before", "limit")
	before, limit := p.auditID("before"), p.limit()
	if p.err != nil {
		return p.err
	}
	return respond(c, readTimeout, func(ctx context.Context) (admin.Page[admin.Erasure], error) {
		return h.service.Erasures(ctx, before, limit)
	})
}
