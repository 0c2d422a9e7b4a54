package api

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
)

// Connections are where deliveries go.
type Connections interface {
	Connections(ctx context.Context) (admin.Page[admin.Connection], error)
	Connection(ctx context.Context, name string) (admin.Connection, error)
	Pause(ctx context.Context, name string, p admin.Pausing) (admin.Connection, error)
	Resume(ctx context.Context, name string, r admin.Resuming) (admin.Connection, error)
	TestConnection(ctx context.Context, name string, confirm bool) (admin.Tested, error)
}

// TestRequest is the body of a test; it may be left out.
type TestRequest struct {
	Confirm bool `json:"confirm"`
}

func (h *handler) connectionRoutes(r fiber.Router) {
	r.Get("/connections", h.answer(h.connections))
	r.Get("/connections/:name", h.answer(h.connection))
	r.Post("/connections/:name/pause", h.act(h.pause))
	r.Post("/connections/:name/resume", h.act(h.resume))
	r.Post("/connections/:name/test", h.act(h.testConnection))
}

// connections answers GET /connections.
func (h *handler) connections(c *fiber.Ctx) error {
	return respond(c, readTimeout, h.service.Connections)
}

// connection answers GET /connections/:name.
func (h *handler) connection(c *fiber.Ctx) error {
	return respond(c, readTimeout, func(ctx context.Context) (admin.Connection, error) {
		return h.service.Connection(ctx, c.Params("name"))
	})
}

const unknownBody = "the body is not understood"

// pause answers POST /connections/:name/pause; the body may be left out.
func (h *handler) pause(c *fiber.Ctx) error {
	var asked admin.Pausing
	if err := decodeOptional(c, &asked, unknownBody); err != nil {
		return err
	}
	return respond(c, readTimeout, func(ctx context.Context) (admin.Connection, error) {
		return h.service.Pause(ctx, string([]byte(c.Params("name"))), asked)
	})
}

// resume answers POST /connections/:name/resume; the body may be left out.
func (h *handler) resume(c *fiber.Ctx) error {
	var asked admin.Resuming
	if err := decodeOptional(c, &asked, unknownBody); err != nil {
		return err
	}
	return respond(c, readTimeout, func(ctx context.Context) (admin.Connection, error) {
		return h.service.Resume(ctx, string([]byte(c.Params("name"))), asked)
	})
}

// testConnection answers POST /connections/:name/test. Without confirm it does
// not send a message, and says in Done that it did not.
func (h *handler) testConnection(c *fiber.Ctx) error {
	var asked TestRequest
	if err := decodeOptional(c, &asked, unknownBody); err != nil {
		return err
	}
	return respond(c, testTimeout, func(ctx context.Context) (admin.Tested, error) {
		return h.service.TestConnection(ctx, string([]byte(c.Params("name"))), asked.Confirm)
	})
}
