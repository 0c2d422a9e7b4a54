package api

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
	"hookgate/internal/event"
)

// RetryRuns are retries of many deliveries, step by step.
type RetryRuns interface {
	BeginRetry(ctx context.Context, q admin.RetryRequest) (admin.RetryRun, error)
	RetryRun(ctx context.Context, id event.RunID) (admin.RetryRun, error)
	RetryRuns(ctx context.Context, f event.RunFilter) (admin.Page[admin.RetryRun], error)
	SteerRetry(ctx context.Context, id event.RunID, to event.RetryState) (admin.RetryRun, error)
}

func (h *handler) retryRunRoutes(r fiber.Router) {
	r.Get("/deliveries/runs", h.answer(h.retryRuns))
	r.Post("/deliveries/runs", h.act(h.beginRetry))
	r.Get("/deliveries/runs/:id", h.answer(h.retryRun))
	r.Post("/deliveries/runs/:id/pause", h.act(h.steerRetry(event.RetryPaused)))
	r.Post("/deliveries/runs/:id/resume", h.act(h.steerRetry(event.RetryRunning)))
	r.Post("/deliveries/runs/:id/stop", h.act(h.steerRetry(event.RetryStopped)))
}

// retryRuns answers GET /deliveries/runs.
func (h *handler) retryRuns(c *fiber.Ctx) error {
	p := newParameters(c, h.now(), "before", "limit", "left")
	f := event.RunFilter{Before: p.runID("before"), Limit: p.limit(), Left: p.yes("left")}
	if p.err != nil {
		return p.err
	}
	return respond(c, readTimeout, func(ctx context.Context) (admin.Page[admin.RetryRun], error) { return h.service.RetryRuns(ctx, f) })
}

// beginRetry answers POST /deliveries/runs.
func (h *handler) beginRetry(c *fiber.Ctx) error {
	var q admin.RetryRequest
	if err := decode(c, &q, "the body is not a selection of deliveries"); err != nil {
		return err
	}
	if !q.DryRun {
		c.Status(fiber.StatusCreated)
	}
	return respond(c, readTimeout, func(ctx context.Context) (admin.RetryRun, error) { return h.service.BeginRetry(ctx, q) })
}

// retryRun answers GET /deliveries/runs/:id.
func (h *handler) retryRun(c *fiber.Ctx) error {
	id, err := pathID(c, "retry run", event.ParseRunID)
	if err != nil {
		return err
	}
	return respond(c, readTimeout, func(ctx context.Context) (admin.RetryRun, error) { return h.service.RetryRun(ctx, id) })
}

// steerRetry answers POST /deliveries/runs/:id/pause, resume and stop.
func (h *handler) steerRetry(to event.RetryState) fiber.Handler {
	return func(c *fiber.Ctx) error {
		id, err := pathID(c, "retry run", event.ParseRunID)
		if err != nil {
			return err
		}
		return respond(c, readTimeout, func(ctx context.Context) (admin.RetryRun, error) { return h.service.SteerRetry(ctx, id, to) })
	}
}
