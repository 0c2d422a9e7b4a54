package api

import (
	"context"
	"fmt"

	"github.com/gofiber/fiber/v2"

	"hookgate/internal/event"
)

// events answers GET /events.
func (h *handler) events(c *fiber.Ctx) error {
	p := newParameters(c, h.now(), "source", "type", "state", "rule", "since", "until", "where", "text", "before", "limit")
	f := event.Filter{
		Source: p.text("source"),
		Type:   p.text("type"),
		States: oneOf(p, "state", eventStates()),
		Rule:   p.text("rule"),
		Since:  p.time("since"),
		Until:  p.time("until"),
		Before: p.eventID("before"),
		Limit:  p.limit(),
	}
	if p.err != nil {
		return p.err
	}
	if where, text := p.text("where"), p.text("text"); where != "" || text != "" {
		return h.search(c, f, where, text)
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), readTimeout)
	defer cancel()
	list, err := h.service.Events(ctx, f)
	if err != nil {
		return fmt.Errorf("cannot list events: %w", err)
	}
	page := Page[Event]{Items: make([]Event, 0, len(list))}
	for i := range list {
		item, err := h.eventItem(ctx, &list[i], false)
		if err != nil {
			return err
		}
		page.Items = append(page.Items, item)
	}
	if len(list) == f.Limit {
		page.Next = list[len(list)-1].ID.String()
	}
	return c.JSON(page)
}

// namedEvent is the event that the path names; what is no id names none.
func namedEvent(c *fiber.Ctx) (event.ID, error) {
	text := c.Params("id")
	id, err := event.ParseID(text)
	if err != nil {
		return id, &noRecord{fmt.Sprintf("there is no event %q", text)}
	}
	return id, nil
}

// event answers GET /events/:id.
func (h *handler) event(c *fiber.Ctx) error {
	id, err := namedEvent(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), readTimeout)
	defer cancel()
	e, err := h.service.Event(ctx, id)
	if err != nil {
		return missing(err, fmt.Sprintf("there is no event %s: it never was, or retention has removed it", id))
	}
	item, err := h.eventItem(ctx, &e, true)
	if err != nil {
		return err
	}
	detail := detailOf(item, &e)
	if detail.Replays, err = h.service.Replays(ctx, e.ID); err != nil {
		return fmt.Errorf("cannot list the replays of %s: %w", e.ID, err)
	}
	detail.JudgedBy, detail.Why = h.service.Why(ctx, &e)
	return c.JSON(detail)
}

// eventItem presents an event with its deliveries. The details are the
// outputs and all attempts; without them each delivery has its last attempt.
func (h *handler) eventItem(ctx context.Context, e *event.Event, details bool) (Event, error) {
	item := eventOf(e)
	// A matching rule makes deliveries, and a form's own reply is one.
	replied := e.Form && (e.State == event.NoMatch || e.State == event.RuleError)
	if e.State != event.Routed && !replied {
		return item, nil
	}
	list, err := h.service.Deliveries(ctx, event.DeliveryFilter{Event: e.ID, Limit: maxLimit})
	if err != nil {
		return Event{}, fmt.Errorf("cannot list the deliveries of %s: %w", e.ID, err)
	}
	item.Deliveries, err = h.deliveryItems(ctx, list, details)
	return item, err
}
