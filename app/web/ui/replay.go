package ui

import (
	"context"
	"slices"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
	"hookgate/internal/event"
)

// replayService is what puts events through today's rules again.
type replayService interface {
	PreviewReplay(ctx context.Context, r admin.ReplayRequest) (admin.ReplayPreview, error)
	CreateReplay(ctx context.Context, sel admin.EventSelection) (admin.ReplayRun, error)
	StepReplay(ctx context.Context, id event.RunID, limit int) (admin.ReplayRun, error)
	Replay(ctx context.Context, id event.RunID) (admin.ReplayRun, error)
	Replays(ctx context.Context, f event.RunFilter) (admin.Page[admin.ReplayRun], error)
}

// replayPlan is what putting an event through today's rules would send.
type replayPlan struct {
	Missing admin.ReplayPreview // without what was delivered, or is on its way
	All     admin.ReplayPreview
}

// planReplay is nil for events that rules have not judged: there is nothing that
// could be replayed.
func (u *UI) planReplay(ctx context.Context, e *admin.EventDetail) (*replayPlan, error) {
	if !slices.Contains(event.JudgedStates(), e.State) {
		return nil, nil
	}
	var p replayPlan
	var err error
	if p.All, err = u.cfg.Service.PreviewReplay(ctx, admin.ReplayRequest{EventSelection: oneEvent(e.ID, false)}); err != nil {
		return nil, err
	}
	p.Missing, err = u.cfg.Service.PreviewReplay(ctx, admin.ReplayRequest{EventSelection: oneEvent(e.ID, true)})
	return &p, err
}

func oneEvent(id event.ID, unfinished bool) admin.EventSelection {
	return admin.EventSelection{IDs: []event.ID{id}, Unfinished: unfinished}
}

// replay puts an event through today's rules.
func (u *UI) replay(c *fiber.Ctx) error {
	var id event.ID
	if err := id.UnmarshalText([]byte(c.Params("id"))); err != nil {
		return u.notFound(c, noSuchEvent)
	}
	ctx := u.acts(c)
	if _, err := u.cfg.Service.Event(ctx, id); err != nil {
		return u.fail(c, err)
	}
	missing := c.FormValue("how") != "all"
	run, err := u.cfg.Service.CreateReplay(ctx, oneEvent(id, missing))
	for err == nil && !run.Done {
		run, err = u.cfg.Service.StepReplay(ctx, run.ID, 0)
	}
	if err != nil {
		return u.fail(c, err)
	}
	l := languageOf(c)
	said := l.text("Today's rules made %d deliveries of it.", run.Deliveries)
	switch {
	case run.Deliveries > 0:
	case missing:
		said = l.text("Nothing: all that today's rules send was delivered, or is on its way.")
	default:
		said = l.text("Today's rules send nothing for it.")
	}
	return u.done(c, prefix+"/events/"+id.String()+"?tab=replays", "ok", said)
}
