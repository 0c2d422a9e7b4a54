package api

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/gofiber/fiber/v2"

	"hookgate/internal/event"
)

// deliveries answers GET /deliveries.
func (h *handler) deliveries(c *fiber.Ctx) error {
	p := newParameters(c, h.now(), "id", "state", "connection", "rule", "event", "since", "before", "limit", "rendered")
	f := event.DeliveryFilter{
		States:     oneOf(p, "state", deliveryStates()),
		Connection: p.text("connection"),
		Rule:       p.text("rule"),
		Event:      p.eventID("event"),
		Since:      p.since(),
		Before:     p.deliveryID("before", p.text("before")),
		Limit:      p.limit(),
		Rendered:   p.text("rendered") == "true",
	}
	for _, text := range p.list("id") {
		f.IDs = append(f.IDs, p.deliveryID("id", text))
	}
	if p.err != nil {
		return p.err
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), readTimeout)
	defer cancel()
	list, err := h.service.Deliveries(ctx, f)
	if err != nil {
		return fmt.Errorf("cannot list deliveries: %w", err)
	}
	items, err := h.deliveryItems(ctx, list, false)
	if err != nil {
		return err
	}
	page := Page[Delivery]{Items: items}
	if len(list) == f.Limit {
		page.Next = list[len(list)-1].ID.String()
	}
	return c.JSON(page)
}

// delivery answers GET /deliveries/:id.
func (h *handler) delivery(c *fiber.Ctx) error {
	text := c.Params("id")
	id, err := event.ParseDeliveryID(text)
	if err != nil {
		return &noRecord{fmt.Sprintf("there is no delivery %q", text)}
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), readTimeout)
	defer cancel()
	list, err := h.service.Deliveries(ctx, event.DeliveryFilter{IDs: []event.DeliveryID{id}, Limit: 1})
	if err != nil {
		return fmt.Errorf("cannot look up %s: %w", id, err)
	}
	if len(list) == 0 {
		return &noRecord{fmt.Sprintf("there is no delivery %s: it never was, or retention has removed it", id)}
	}
	items, err := h.deliveryItems(ctx, list, true)
	if err != nil {
		return err
	}
	return c.JSON(items[0])
}

// deliveryItems presents deliveries with their last attempt, and with details
// their output and all attempts.
func (h *handler) deliveryItems(ctx context.Context, list []event.Delivery, details bool) ([]Delivery, error) {
	items := make([]Delivery, 0, len(list))
	if len(list) == 0 {
		return items, nil
	}
	ids := make([]event.DeliveryID, len(list))
	for i := range list {
		ids[i] = list[i].ID
	}
	attempts, err := h.service.Attempts(ctx, ids...)
	if err != nil {
		return nil, fmt.Errorf("cannot list attempts: %w", err)
	}
	of := map[event.DeliveryID][]event.Attempt{}
	for _, a := range attempts {
		of[a.Delivery] = append(of[a.Delivery], a)
	}
	for i := range list {
		items = append(items, deliveryOf(&list[i], of[list[i].ID], details))
	}
	return items, nil
}

// retry answers POST /deliveries/retry. Without a state it takes failed ones;
// those that are retrying go at once, and cancelled ones are taken up again,
// only where that is asked for. What was delivered is not sent again by it,
// and what waits already or is under way needs no retry.
func (h *handler) retry(c *fiber.Ctx) error {
	allowed := []event.DeliveryState{event.Failed, event.Retrying, event.Cancelled}
	f, dry, err := selection(c, allowed, allowed[:1], "retried")
	if err != nil {
		return err
	}
	f.Rendered = true // what is counted beforehand is what is sent
	return h.change(c, f, dry, h.service.Retry)
}

// cancel answers POST /deliveries/cancel. Without a state it ends what is
// open; failed ones are history, and ended only where that is asked for. What
// is being sent right now may still arrive, but is not tried again.
func (h *handler) cancel(c *fiber.Ctx) error {
	open := []event.DeliveryState{event.Waiting, event.Sending, event.Retrying, event.Held}
	f, dry, err := selection(c, append([]event.DeliveryState{event.Failed}, open...), open, "cancelled")
	if err != nil {
		return err
	}
	return h.change(c, f, dry, h.service.Cancel)
}

// selection reads the body of a bulk action. The states it may name are
// allowed; usual stands for none. Deliveries named by id may be in any allowed
// state. A selection without any criterion is refused: it is a slip.
func selection(c *fiber.Ctx, allowed, usual []event.DeliveryState, done string) (event.DeliveryFilter, bool, error) {
	var s Selection
	if err := json.Unmarshal(c.BodyRaw(), &s); err != nil {
		return event.DeliveryFilter{}, false, &badRequest{"the body is not a selection of deliveries: " + err.Error()}
	}
	f := event.DeliveryFilter{
		IDs: s.IDs, Connection: s.Connection, Rule: s.Rule, Event: s.Event, Since: s.Since, States: usual,
	}
	switch {
	case s.State != "" && !slices.Contains(allowed, s.State):
		return f, false, &badRequest{fmt.Sprintf("only deliveries that are %s can be %s, not %q", joined(allowed), done, s.State)}
	case s.State != "":
		f.States = []event.DeliveryState{s.State}
	case len(s.IDs) > 0:
		f.States = allowed
	case s.Connection == "" && s.Rule == "" && s.Event == 0 && s.Since.IsZero():
		return f, false, &badRequest{"say which deliveries: by ids, state, connection, rule, event or since"}
	}
	return f, s.DryRun, nil
}

// change does a bulk action, or counts what it would change.
func (h *handler) change(c *fiber.Ctx, f event.DeliveryFilter, dry bool,
	act func(context.Context, event.DeliveryFilter) (int, error),
) error {
	ctx, cancel := context.WithTimeout(c.UserContext(), changeTimeout)
	defer cancel()
	if dry {
		count, keyed, keys, err := h.service.Count(ctx, f)
		if err != nil {
			return fmt.Errorf("cannot count the deliveries: %w", err)
		}
		return c.JSON(Changed{Count: count, Keyed: keyed, Keys: keys})
	}
	n, err := act(ctx, f)
	if err != nil {
		return fmt.Errorf("cannot change the deliveries: %w", err)
	}
	h.logger.Info("deliveries changed", "path", c.Path(), "count", n)
	return c.JSON(Changed{Count: n})
}
