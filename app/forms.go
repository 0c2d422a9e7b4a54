package app

import (
	"context"
	"strings"
	"time"

	"hookgate/app/ingest"
	"hookgate/app/web/api"
	"hookgate/internal/event"
)

// Forms counts the posts of the forms in force, in the order of the file.
func (a service) Forms(ctx context.Context, since time.Time) ([]api.FormCount, error) {
	plan := a.plan.Load()
	counts, err := a.store.FormCounts(ctx, since)
	if err != nil {
		return nil, err
	}
	list := make([]api.FormCount, 0, len(plan.Forms))
	for _, entry := range plan.Config.Forms {
		f := plan.Forms[entry.Name.Value]
		if f == nil {
			continue
		}
		by := counts[f.Name]
		list = append(list, api.FormCount{
			Name: f.Name, Title: f.Title(), Fields: f.FieldNames(),
			Address: strings.TrimRight(plan.Config.Server.PublicURL, "/") + "/f/" + f.Name,
			Posts:   by[event.Routed] + by[event.NoMatch] + by[event.RuleError],
			Spam:    by[event.Spam], Repeats: by[event.Duplicate],
		})
	}
	return list, nil
}

// NotSpam gives a kept post to the rules in force.
func (a service) NotSpam(ctx context.Context, id event.ID) (ingest.Ack, error) {
	e, err := a.store.Event(ctx, id)
	if err != nil {
		return ingest.Ack{}, err
	}
	ack, err := a.intake.NotSpam(&e, &a.plan.Load().Plan)
	if err == nil {
		a.opt.Logger.InfoContext(ctx, "a kept form post was released by hand", "event", id, "form", e.Source, "kept_for", e.Cause, "state", ack.State)
	}
	return ack, err
}
