package api

import (
	"cmp"
	"context"
	"io"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
	"hookgate/app/ingest/samples"
	"hookgate/internal/event"
)

// Events are stored events, and new ones by hand.
type Events interface {
	Events(ctx context.Context, f event.Search) (admin.Page[admin.Event], error)
	// Count counts the newest events that f selects.
	Count(ctx context.Context, f event.Filter) (admin.EventCount, error)
	Event(ctx context.Context, id event.ID) (admin.EventDetail, error)
	Send(ctx context.Context, in admin.Sending) (admin.Accepted, error)
	// Samples lists what can be sent to a source or form to try it.
	Samples(ctx context.Context, name string) ([]samples.Sample, error)
}

// Exports gives events as a file, which is made while it is read.
type Exports interface {
	ExportEvents(ctx context.Context, x admin.EventExport) (event.File, io.ReadCloser, error)
}

func (h *handler) eventRoutes(r fiber.Router) {
	r.Get("/events", h.answer(h.events))
	r.Post("/events/send", h.act(h.send))
	r.Get("/events/stream", h.answer(h.stream))
	r.Get("/events/count", h.answer(h.countEvents))
	r.Get("/events/export", h.answer(h.exportEvents))
	r.Get("/events/:id", h.answer(h.event))
	r.Get("/samples/:name", h.answer(h.samples))
}

// events answers GET /events.
func (h *handler) events(c *fiber.Ctx) error {
	p := newParameters(c, h.now(), "source", "type", "state", "rule", "connection", "delivery", "ordering_key", "since", "until", "where", "text", "before", "limit")
	f := p.search()
	p.narrow(&f.Filter)
	f.Before, f.Limit = p.eventID("before"), p.limit()
	if p.err != nil {
		return p.err
	}
	return respond(c, readTimeout, func(ctx context.Context) (admin.Page[admin.Event], error) { return h.service.Events(ctx, f) })
}

// countEvents answers GET /events/count.
func (h *handler) countEvents(c *fiber.Ctx) error {
	p := newParameters(c, h.now(), "source", "type", "state", "rule", "connection", "delivery", "ordering_key", "since", "until")
	f := p.search()
	p.narrow(&f.Filter)
	if p.err != nil {
		return p.err
	}
	return respond(c, readTimeout, func(ctx context.Context) (admin.EventCount, error) { return h.service.Count(ctx, f.Filter) })
}

// exportEvents answers GET /events/export with a file. Where it cannot be made to its
// end, the connection is closed before that of the answer.
func (h *handler) exportEvents(c *fiber.Ctx) error {
	p := newParameters(c, h.now(), "source", "type", "state", "rule", "connection", "delivery", "ordering_key", "since", "until", "where", "text", "before", "limit", "format", "delimiter")
	x := admin.EventExport{Search: p.search(), Format: admin.EventFormat(cmp.Or(p.text("format"), string(admin.EventsCSV))), Delimiter: p.character("delimiter")}
	p.narrow(&x.Filter)
	x.Before, x.Limit = p.eventID("before"), p.atMost(admin.MaxExported, admin.MaxExported)
	if p.err != nil {
		return p.err
	}
	f, content, err := h.service.ExportEvents(admin.As(c.UserContext(), who(c)), x)
	if err != nil {
		return err
	}
	return SendFile(c, f, content)
}

// narrow reads what lists and counts of stored events have beside what search selects.
func (p *parameters) narrow(f *event.Filter) {
	f.Connection, f.Deliveries = p.text("connection"), oneOf(p, "delivery", event.DeliveryStates())
	f.Key, f.Since, f.Until = p.text("ordering_key"), p.time("since"), p.time("until")
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
// source's sender had sent it. header=Name: value may be given several times,
// fresh=true says that it is no repeat.
func (h *handler) send(c *fiber.Ctx) error {
	p := newParameters(c, h.now(), "source", "header", "fresh")
	in := admin.Sending{
		Source: p.text("source"), ContentType: string(c.Context().Request.Header.ContentType()), Body: c.BodyRaw(),
		Headers: p.headers("header"), Fresh: p.yes("fresh"),
	}
	switch {
	case p.err != nil:
		return p.err
	case in.Source == "":
		return badRequest("say which source the event is for: ?source=NAME")
	}
	c.Status(http.StatusAccepted)
	return respond(c, readTimeout, func(ctx context.Context) (admin.Accepted, error) { return h.service.Send(ctx, in) })
}

// samples answers GET /samples/NAME, of a source or form.
func (h *handler) samples(c *fiber.Ctx) error {
	if p := newParameters(c, h.now()); p.err != nil {
		return p.err
	}
	name, err := pathName(c)
	if err != nil {
		return err
	}
	return respond(c, readTimeout, func(ctx context.Context) ([]samples.Sample, error) { return h.service.Samples(ctx, name) })
}
