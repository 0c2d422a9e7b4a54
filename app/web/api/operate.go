package api

import (
	"context"
	"fmt"
	"net/http"

	"github.com/gofiber/fiber/v2"
)

// send answers POST /events/send?source=NAME: the body is taken as if the
// source's sender had sent it.
func (h *handler) send(c *fiber.Ctx) error {
	p := newParameters(c, h.now(), "source")
	source := p.text("source")
	switch {
	case p.err != nil:
		return p.err
	case source == "":
		return &badRequest{"say which source the event is for: ?source=NAME"}
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), readTimeout)
	defer cancel()
	contentType := string(c.Context().Request.Header.ContentType())
	ack, err := h.service.Send(ctx, source, contentType, c.BodyRaw())
	if err == nil {
		return c.Status(http.StatusAccepted).JSON(Accepted{ID: ack.ID})
	}
	problem, known := ProblemOf(missing(err, fmt.Sprintf("there is no source %q", source)))
	if !known {
		return fmt.Errorf("cannot accept the event: %w", err)
	}
	if ack.ID != 0 {
		problem.ID = ack.ID.String()
	}
	return WriteProblem(c.Context(), problem)
}

// status answers GET /status.
func (h *handler) status(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(c.UserContext(), readTimeout)
	defer cancel()
	status, err := h.service.Status(ctx)
	if err != nil {
		return fmt.Errorf("cannot tell the status: %w", err)
	}
	return c.JSON(status)
}

// replicas answers GET /replicas.
func (h *handler) replicas(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(c.UserContext(), readTimeout)
	defer cancel()
	replicas, err := h.service.Replicas(ctx)
	if err != nil {
		return fmt.Errorf("cannot tell the replicas: %w", err)
	}
	return c.JSON(replicas)
}

// reload answers POST /reload: 200 when the configuration is in force, 422
// with its diagnostics when it was refused.
func (h *handler) reload(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(c.UserContext(), readTimeout)
	defer cancel()
	reloaded, err := h.service.Reload(ctx)
	if err != nil {
		return fmt.Errorf("cannot reload: %w", err)
	}
	if !reloaded.OK {
		c.Status(http.StatusUnprocessableEntity)
	}
	return c.JSON(reloaded)
}
