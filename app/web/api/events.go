package api

import (
	"context"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
	"hookgate/internal/event"
)

// Events are stored events, and new ones by hand.
type Events interface {
	Events(ctx context.Context, f event.Search) (admin.Page[admin.Event], error)
	Event(ctx context.Context, id event.ID) (admin.EventDetail, error)
	Send(ctx context.Context, source, contentType string, body []byte) (admin.Accepted, error)
}

func (h *handler) eventRoutes(r fiber.Router) {
	r.Get("/events", h.answer(h.events))
	r.Post("/events/send", h.act(h.send))
	r.Get("/events/stream", h.answer(h.stream))
	r.Get("/events/:id", h.answer(h.event))
}

// events answers GET /events.
func (h *handler) events(c *fiber.Ctx) error {
	p := newParameters(c, h.now(), "source", "type", "state", "rule", "since", "until", "where", "text", "before", "limit")
	f := p.search()
	f.Since, f.Until, f.Before, f.Limit = p.time("since"), p.time("until"), p.eventID("before"), p.limit()
	if p.err != nil {
		return p.err
	}
	return respond(c, readTimeout, func(ctx context.Context) (admin.Page[admin.Event], error) { return h.service.Events(ctx, f) })
}

// search is what selects events whenever they come.
func (p *parameters) search() event.Search {
	return event.Search{
		Filter: event.Filter{Source: p.text("source"), Type: p.text("type"), States: oneOf(p, "state", event.States()), Rule: p.text("rule")},
		Where:  p.text("where"), Text: p.text("text"),
	}
}

// event answers GET /events/:id.
func (h *handler) event(c *fiber.Ctx) error {
	id, err := eventID(c)
	if err != nil {
		return err
	}
	return respond(c, readTimeout, func(ctx context.Context) (admin.EventDetail, error) { return h.service.Event(ctx, id) })
}

// send answers POST /events/send?source=NAME: the body is taken as if the
// source's sender had sent it.
func (h *handler) send(c *fiber.Ctx) error {
	p := newParameters(c, h.now(), "source")
	source := p.text("source")
	switch {
	case p.err != nil:
		return p.err
	case source == "":
		return badRequest("say which source the event is for: ?source=NAME")
	}
	c.Status(http.StatusAccepted)
	return respond(c, readTimeout, func(ctx context.Context) (admin.Accepted, error) {
		return h.service.Send(ctx, source, string(c.Context().Request.Header.ContentType()), c.BodyRaw())
	})
}
