package api

import (
	"context"
	"errors"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
	"hookgate/internal/event"
)

// Deliveries are what is sent, and is sent again or given up.
type Deliveries interface {
	Deliveries(ctx context.Context, f event.DeliveryFilter) (admin.Page[admin.Delivery], error)
	Causes(ctx context.Context, f event.DeliveryFilter) (admin.Causes, error)
	Delivery(ctx context.Context, id event.DeliveryID) (admin.Delivery, error)
	Retry(ctx context.Context, s admin.Selection) (admin.Changed, error)
	Cancel(ctx context.Context, s admin.Selection) (admin.Changed, error)
}

var errOrder = errors.New("order=moment lists what is scheduled, the next to go first, and after= goes with it alone")

func (h *handler) deliveryRoutes(r fiber.Router) {
	r.Get("/deliveries", h.answer(h.deliveries))
	r.Get("/deliveries/causes", h.answer(h.causes))
	r.Post("/deliveries/retry", h.act(h.retry))
	r.Post("/deliveries/cancel", h.act(h.cancel))
	r.Get("/deliveries/:id", h.answer(h.delivery))
}

// deliveries answers GET /deliveries.
func (h *handler) deliveries(c *fiber.Ctx) error {
	p := newParameters(c, h.now(), "id", "state", "connection", "rule", "cause", "event", "since", "before", "limit", "rendered", "stale", "skip_overtaken", "order", "after")
	f := event.DeliveryFilter{
		States:     oneOf(p, "state", event.DeliveryStates()),
		Connection: p.text("connection"),
		Rule:       p.text("rule"),
		Cause:      p.text("cause"),
		Event:      p.eventID("event"),
		Since:      p.time("since"),
		Before:     p.deliveryID("before", p.text("before")),
		Limit:      p.limit(),
		Rendered:   p.yes("rendered"),
		Stale:      p.yes("stale"),

		NotOvertaken: p.yes("skip_overtaken"),
	}
	switch order, after := p.text("order"), p.text("after"); {
	case order == "moment":
		f.Next = &event.Turn{}
		if after != "" {
			p.fault(f.Next.UnmarshalText([]byte(after)))
		}
	case order != "" || after != "":
		p.fault(errOrder)
	}
	for _, text := range p.list("id") {
		f.IDs = append(f.IDs, p.deliveryID("id", text))
	}
	if p.err != nil {
		return p.err
	}
	return respond(c, readTimeout, func(ctx context.Context) (admin.Page[admin.Delivery], error) { return h.service.Deliveries(ctx, f) })
}

// causes answers GET /deliveries/causes.
func (h *handler) causes(c *fiber.Ctx) error {
	p := newParameters(c, h.now(), "state", "connection", "rule", "since")
	f := event.DeliveryFilter{States: oneOf(p, "state", event.DeliveryStates()), Connection: p.text("connection"), Rule: p.text("rule"), Since: p.time("since")}
	if p.err != nil {
		return p.err
	}
	return respond(c, readTimeout, func(ctx context.Context) (admin.Causes, error) { return h.service.Causes(ctx, f) })
}

// delivery answers GET /deliveries/:id.
func (h *handler) delivery(c *fiber.Ctx) error {
	id, err := pathID(c, "delivery", event.ParseDeliveryID)
	if err != nil {
		return err
	}
	return respond(c, readTimeout, func(ctx context.Context) (admin.Delivery, error) { return h.service.Delivery(ctx, id) })
}

// retry answers POST /deliveries/retry.
func (h *handler) retry(c *fiber.Ctx) error { return h.change(c, h.service.Retry) }

// cancel answers POST /deliveries/cancel.
func (h *handler) cancel(c *fiber.Ctx) error { return h.change(c, h.service.Cancel) }

func (h *handler) change(c *fiber.Ctx, act func(context.Context, admin.Selection) (admin.Changed, error)) error {
	var s admin.Selection
	if err := decode(c, &s, "the body is not a selection of deliveries"); err != nil {
		return err
	}
	return respond(c, changeTimeout, func(ctx context.Context) (admin.Changed, error) { return act(ctx, s) })
}
