package api

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
	"hookgate/internal/event"
)

// Tables are the records of kept tables.
type Tables interface {
	Tables(ctx context.Context) (admin.Page[admin.Table], error)
	Records(ctx context.Context, table, after string, limit int) (admin.Page[admin.Record], error)
	Record(ctx context.Context, k event.RecordKey) (admin.Record, error)
	SetRecord(ctx context.Context, k event.RecordKey, c admin.RecordChange) (admin.Record, error)
	DeleteRecord(ctx context.Context, k event.RecordKey) (admin.Removed, error)
}

func (h *handler) tableRoutes(r fiber.Router) {
	r.Get("/tables", h.answer(h.tables))
	r.Get("/tables/:name", h.answer(h.records))
	r.Get("/tables/:name/record", h.answer(h.record))
	r.Post("/tables/:name/record", h.act(h.setRecord))
	r.Delete("/tables/:name/record", h.act(h.deleteRecord))
}

// tables answers GET /tables.
func (h *handler) tables(c *fiber.Ctx) error { return respond(c, readTimeout, h.service.Tables) }

// records answers GET /tables/:name.
func (h *handler) records(c *fiber.Ctx) error {
	p := newParameters(c, h.now(), "after", "limit")
	after, limit := p.text("after"), p.limit()
	if p.err != nil {
		return p.err
	}
	return respond(c, readTimeout, func(ctx context.Context) (admin.Page[admin.Record], error) {
		return h.service.Records(ctx, c.Params("name"), after, limit)
	})
}

// recordKey is the record that a request is about.
func (h *handler) recordKey(c *fiber.Ctx) (event.RecordKey, error) {
	p := newParameters(c, h.now(), "key")
	k := event.RecordKey{Table: c.Params("name"), Key: p.text("key")}
	if p.err == nil && k.Key == "" {
		p.err = badRequest("key= is missing: it names the record")
	}
	return k, p.err
}

// record answers GET /tables/:name/record?key=….
func (h *handler) record(c *fiber.Ctx) error {
	k, err := h.recordKey(c)
	if err != nil {
		return err
	}
	return respond(c, readTimeout, func(ctx context.Context) (admin.Record, error) { return h.service.Record(ctx, k) })
}

// setRecord answers POST /tables/:name/record?key=….
func (h *handler) setRecord(c *fiber.Ctx) error {
	k, err := h.recordKey(c)
	if err != nil {
		return err
	}
	var change admin.RecordChange
	if err := decodeOptional(c, &change, unknownBody); err != nil {
		return err
	}
	return respond(c, changeTimeout, func(ctx context.Context) (admin.Record, error) { return h.service.SetRecord(ctx, k, change) })
}

// deleteRecord answers DELETE /tables/:name/record?key=….
func (h *handler) deleteRecord(c *fiber.Ctx) error {
	k, err := h.recordKey(c)
	if err != nil {
		return err
	}
	return respond(c, changeTimeout, func(ctx context.Context) (admin.Removed, error) { return h.service.DeleteRecord(ctx, k) })
}
