package api

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/live"
	"hookgate/app/replay"
	"hookgate/internal/event"
)

// Searcher looks into stored events.
type Searcher interface {
	// Search lists at most f.Limit events, as Events does, of which q holds.
	// It looks into a bounded number of them. next is where the following page
	// begins; 0 at the end.
	Search(ctx context.Context, f event.Filter, q *replay.Query) (list []event.Event, how Search, next event.ID, err error)
	// Replays tells what was done with an event after it was accepted.
	Replays(ctx context.Context, id event.ID) ([]Replay, error)
	// Watch gives what comes in from now on and wants chooses, as PresentLive
	// writes it.
	Watch(wants func(*event.Event) bool) *live.Watcher
}

// Replayer puts stored events through the rules in force. Besides
// event.ErrNotFound its errors are those of Refuse, and *ExpressionFault.
type Replayer interface {
	// Preview counts what a replay would do, a part of it at a time.
	Preview(ctx context.Context, r ReplayRequest) (ReplayPreview, error)
	// CreateRun begins a replay of what is stored now; StepRun does it, for a
	// moment or until limit events are replayed (0: no limit).
	CreateRun(ctx context.Context, s EventSelection, by string) (ReplayRun, error)
	StepRun(ctx context.Context, id event.RunID, limit int) (ReplayRun, error)
	Runs(ctx context.Context, limit int) ([]ReplayRun, error) // the newest first
	Run(ctx context.Context, id event.RunID) (ReplayRun, error)
	// Compare tells what other rules would do with stored events, a part of
	// them at a time. Nothing is sent.
	Compare(ctx context.Context, r CompareRequest) (Comparison, error)
}

// replayRoutes adds the routes of replays.
func (h *handler) replayRoutes(r fiber.Router) {
	r.Get("/replays", h.answer(h.replays))
	r.Post("/replays", h.answer(h.createReplay))
	r.Post("/replays/preview", h.answer(h.previewReplay))
	r.Post("/replays/diff", h.answer(h.compareReplay))
	r.Get("/replays/:run", h.answer(h.replay))
	r.Post("/replays/:run/step", h.answer(h.stepReplay))
}

// search answers GET /events where it looks into the events.
func (h *handler) search(c *fiber.Ctx, f event.Filter, where, text string) error {
	q, faults := replay.NewQuery(where, text)
	if faults.Err() != nil {
		return &ExpressionFault{List: faults}
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), readTimeout)
	defer cancel()
	list, how, next, err := h.service.Search(ctx, f, q)
	if err != nil {
		return fmt.Errorf("cannot search the events: %w", err)
	}
	page := Page[Event]{Items: make([]Event, 0, len(list)), Search: &how}
	for i := range list {
		item, err := h.eventItem(ctx, &list[i], false)
		if err != nil {
			return err
		}
		page.Items = append(page.Items, item)
	}
	if next != 0 {
		page.Next = next.String()
	}
	return c.JSON(page)
}

// replays answers GET /replays.
func (h *handler) replays(c *fiber.Ctx) error {
	p := newParameters(c, h.now(), "limit")
	limit := p.limit()
	if p.err != nil {
		return p.err
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), readTimeout)
	defer cancel()
	list, err := h.service.Runs(ctx, limit)
	if err != nil {
		return fmt.Errorf("cannot list the replays: %w", err)
	}
	return c.JSON(Page[ReplayRun]{Items: list})
}

// replay answers GET /replays/:run.
func (h *handler) replay(c *fiber.Ctx) error {
	return h.onRun(c, func(ctx context.Context, id event.RunID) (ReplayRun, error) { return h.service.Run(ctx, id) })
}

// stepReplay answers POST /replays/:run/step.
func (h *handler) stepReplay(c *fiber.Ctx) error {
	var step ReplayStep
	if body := c.BodyRaw(); len(body) > 0 {
		if err := json.Unmarshal(body, &step); err != nil {
			return &badRequest{"the body is not what a step takes: " + err.Error()}
		}
	}
	return h.onRun(c, func(ctx context.Context, id event.RunID) (ReplayRun, error) {
		return h.service.StepRun(ctx, id, step.Limit)
	})
}

func (h *handler) onRun(c *fiber.Ctx, do func(context.Context, event.RunID) (ReplayRun, error)) error {
	text := c.Params("run")
	id, err := event.ParseRunID(text)
	if err != nil {
		return &noRecord{fmt.Sprintf("there is no replay %q", text)}
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), readTimeout)
	defer cancel()
	run, err := do(ctx, id)
	if err != nil {
		return missing(err, fmt.Sprintf("there is no replay %s: it never was, or retention has removed it", id))
	}
	return c.JSON(run)
}

// createReplay answers POST /replays.
func (h *handler) createReplay(c *fiber.Ctx) error {
	var r ReplayRequest
	if err := decodeSelection(c, &r); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), readTimeout)
	defer cancel()
	run, err := h.service.CreateRun(ctx, r.EventSelection, who(c))
	if err != nil {
		return err
	}
	return c.Status(fiber.StatusCreated).JSON(run)
}

// previewReplay answers POST /replays/preview.
func (h *handler) previewReplay(c *fiber.Ctx) error {
	var r ReplayRequest
	if err := decodeSelection(c, &r); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), readTimeout)
	defer cancel()
	preview, err := h.service.Preview(ctx, r)
	if err != nil {
		return err
	}
	return c.JSON(preview)
}

// compareReplay answers POST /replays/diff. It may look at everything: it
// changes nothing.
func (h *handler) compareReplay(c *fiber.Ctx) error {
	r := CompareRequest{Limit: defaultLimit}
	if err := json.Unmarshal(c.BodyRaw(), &r); err != nil {
		return &badRequest{"the body is not what a comparison takes: " + err.Error()}
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), readTimeout)
	defer cancel()
	comparison, err := h.service.Compare(ctx, r)
	if err != nil {
		return err
	}
	return c.JSON(comparison)
}

// decodeSelection reads the body of a replay. A selection without any
// criterion is refused, as it is a slip: since says how far back to go.
func decodeSelection(c *fiber.Ctx, r *ReplayRequest) error {
	if err := json.Unmarshal(c.BodyRaw(), r); err != nil {
		return &badRequest{"the body is not a selection of events: " + err.Error()}
	}
	s := &r.EventSelection
	if len(s.IDs) == 0 && s.Source == "" && s.Type == "" && len(s.States) == 0 && s.Since.IsZero() && s.Until.IsZero() && s.Where == "" && s.Text == "" {
		return &badRequest{"say which events: by ids, source, type, states, since, until, where or text"}
	}
	if len(s.IDs) > maxLimit {
		return &badRequest{fmt.Sprintf("at most %d ids at once", maxLimit)}
	}
	return nil
}
