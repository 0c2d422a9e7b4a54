package api

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
	"hookgate/internal/event"
)

// Replays put stored events through the rules again.
type Replays interface {
	PreviewReplay(ctx context.Context, r admin.ReplayRequest) (admin.ReplayPreview, error)
	CreateReplay(ctx context.Context, s admin.EventSelection) (admin.ReplayRun, error)
	StepReplay(ctx context.Context, id event.RunID, limit int) (admin.ReplayRun, error)
	Replays(ctx context.Context, f event.RunFilter) (admin.Page[admin.ReplayRun], error)
	Replay(ctx context.Context, id event.RunID) (admin.ReplayRun, error)
	Compare(ctx context.Context, r admin.CompareRequest) (admin.Comparison, error)
}

// ReplayStep asks to go on with a replay.
type ReplayStep struct {
	Limit int `json:"limit,omitempty"` // replay so many events at the most
}

func (h *handler) replayRoutes(r fiber.Router) {
	r.Get("/replays", h.answer(h.replays))
	r.Post("/replays", h.act(h.createReplay))
	r.Post("/replays/preview", h.answer(h.previewReplay))
	r.Post("/replays/diff", h.answer(h.compare))
	r.Get("/replays/:id", h.answer(h.replay))
	r.Post("/replays/:id/step", h.act(h.stepReplay))
}

// replays answers GET /replays.
func (h *handler) replays(c *fiber.Ctx) error {
	p := newParameters(c, h.now(), "before", "limit")
	f := event.RunFilter{Before: p.runID("before"), Limit: p.limit()}
	if p.err != nil {
		return p.err
	}
	return respond(c, readTimeout, func(ctx context.Context) (admin.Page[admin.ReplayRun], error) { return h.service.Replays(ctx, f) })
}

// replay answers GET /replays/:id.
func (h *handler) replay(c *fiber.Ctx) error {
	id, err := pathID(c, "replay", event.ParseRunID)
	if err != nil {
		return err
	}
	return respond(c, readTimeout, func(ctx context.Context) (admin.ReplayRun, error) { return h.service.Replay(ctx, id) })
}

// stepReplay answers POST /replays/:id/step.
func (h *handler) stepReplay(c *fiber.Ctx) error {
	var step ReplayStep
	if err := decodeOptional(c, &step, "the body is not what a step takes"); err != nil {
		return err
	}
	id, err := pathID(c, "replay", event.ParseRunID)
	if err != nil {
		return err
	}
	return respond(c, readTimeout, func(ctx context.Context) (admin.ReplayRun, error) {
		return h.service.StepReplay(ctx, id, step.Limit)
	})
}

// createReplay answers POST /replays.
func (h *handler) createReplay(c *fiber.Ctx) error {
	r, err := decodeSelection(c)
	if err != nil {
		return err
	}
	c.Status(fiber.StatusCreated)
	return respond(c, readTimeout, func(ctx context.Context) (admin.ReplayRun, error) {
		return h.service.CreateReplay(ctx, r.EventSelection)
	})
}

// previewReplay answers POST /replays/preview.
func (h *handler) previewReplay(c *fiber.Ctx) error {
	r, err := decodeSelection(c)
	if err != nil {
		return err
	}
	return respond(c, readTimeout, func(ctx context.Context) (admin.ReplayPreview, error) { return h.service.PreviewReplay(ctx, r) })
}

// compare answers POST /replays/diff. It may look at everything: it changes
// nothing.
func (h *handler) compare(c *fiber.Ctx) error {
	r := admin.CompareRequest{Limit: admin.DefaultLimit}
	if err := decode(c, &r, "the body is not what a comparison takes"); err != nil {
		return err
	}
	return respond(c, readTimeout, func(ctx context.Context) (admin.Comparison, error) { return h.service.Compare(ctx, r) })
}

// decodeSelection reads the body of a replay.
func decodeSelection(c *fiber.Ctx) (r admin.ReplayRequest, err error) {
	if err := decode(c, &r, "the body is not a selection of events"); err != nil {
		return r, err
	}
	if len(r.IDs) > admin.MaxLimit {
		return r, badRequest("at most %d ids at once", admin.MaxLimit)
	}
	return r, nil
}
