package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"hookgate/app/ingest"
	"hookgate/app/ingest/source"
	"hookgate/app/web/api"
	"hookgate/db"
	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/rules"
)

// service is what the administration API offers: api.Service.
type service struct{ *App }

// Events lists stored events.
func (a service) Events(ctx context.Context, f event.Filter) ([]event.Event, error) {
	return a.store.Events(ctx, f)
}

// Event is one stored event; event.ErrNotFound if there is none.
func (a service) Event(ctx context.Context, id event.ID) (event.Event, error) {
	return a.store.Event(ctx, id)
}

// Why explains an event by the rules that judged it.
func (a service) Why(ctx context.Context, e *event.Event) (*api.JudgedBy, []rules.Trace) {
	if len(e.Results) == 0 { // no rule saw it
		return nil, nil
	}
	judge, version, err := a.judgeOf(ctx, e.Plan)
	if err != nil && !errors.Is(err, ErrNoSource) {
		a.opt.Logger.WarnContext(ctx, "an event cannot be explained", "event", e.ID, "error", err)
	}
	by := &api.JudgedBy{
		Config: configOf(version), Since: version.Created, InForce: e.Plan == a.plan.Load().ID, Known: judge != nil,
	}
	if judge == nil {
		return by, nil
	}
	by.Gone = judge.Gone
	return by, judge.Explain(e)
}

// Deliveries lists stored deliveries.
func (a service) Deliveries(ctx context.Context, f event.DeliveryFilter) ([]event.Delivery, error) {
	return a.store.Deliveries(ctx, f)
}

// Attempts lists what was tried.
func (a service) Attempts(ctx context.Context, ids ...event.DeliveryID) ([]event.Attempt, error) {
	return a.store.Attempts(ctx, ids...)
}

// Count counts deliveries, those with an ordering key, and the keys.
func (a service) Count(ctx context.Context, f event.DeliveryFilter) (count, keyed, keys int, err error) {
	return a.store.Count(ctx, f)
}

// Retry sends failed deliveries again.
func (a service) Retry(ctx context.Context, f event.DeliveryFilter) (int, error) {
	n, connections, err := a.store.Retry(ctx, f)
	a.wake(connections)
	return n, err
}

// Cancel ends deliveries without sending them.
func (a service) Cancel(ctx context.Context, f event.DeliveryFilter) (int, error) {
	n, connections, err := a.store.Cancel(ctx, f)
	a.wake(connections) // what waited for their keys may go
	return n, err
}

func (a *App) wake(connections []string) {
	for _, c := range connections {
		a.lanes.BacklogAdded(c)
	}
}

// Send accepts a body as if the source's sender had sent it.
func (a service) Send(_ context.Context, name, contentType string, body []byte) (ingest.Ack, error) {
	plan := &a.plan.Load().Plan
	src := plan.Sources[name]
	if src == nil {
		return ingest.Ack{}, fmt.Errorf("source %q: %w", name, event.ErrNotFound)
	}
	return a.intake.Event(src, plan, &ingest.Request{
		Request: source.Request{Method: "POST", ContentType: contentType, Body: slices.Clone(body), Now: a.opt.Now()},
		Headers: map[string]string{"content-type": contentType},
	})
}

// Status tells how the process is.
func (a service) Status(ctx context.Context) (api.Status, error) {
	plan := a.plan.Load()
	s := api.Status{
		Version: a.opt.Version, Config: plan.Hash, Loaded: plan.since, Tests: plan.tested, Started: a.started, Ready: true, Queues: a.queues(ctx),
	}
	if err := a.notReady(); err != nil {
		s.Ready, s.NotReady = false, err.Error()
	}
	return s, nil
}

// Replicas lists the processes on the database.
func (a service) Replicas(ctx context.Context) (api.Replicas, error) {
	list, shared, err := a.store.Replicas(ctx)
	if err != nil {
		return api.Replicas{}, err
	}
	out := api.Replicas{Shared: shared, Items: make([]api.Replica, len(list))}
	for i, r := range list {
		if !shared { // the database knows nothing of its one process
			r.Version, r.Started, r.Heard = a.opt.Version, a.started, a.opt.Now()
			if name, err := os.Hostname(); err == nil {
				r.Name = name
			}
		}
		if r.Holds == nil {
			r.Holds = map[string]int{}
		}
		out.Items[i] = api.Replica{
			ID: r.ID, Name: r.Name, Version: r.Version, Started: r.Started, Heartbeat: r.Heard, LeaseLeftMS: r.Left.Milliseconds(),
			Alive: r.Alive, Self: r.Self, Holds: r.Holds,
		}
	}
	out.LeftAlone, err = a.leftAlone(ctx)
	return out, err
}

// Reload reads the configuration again.
func (a service) Reload(context.Context) (api.Reloaded, error) {
	report, err := a.App.Reload() //nolint:contextcheck // what it starts outlives the request
	out := api.Reloaded{OK: err == nil && report.Err() == nil, Config: a.plan.Load().Hash, Diagnostics: report.List}
	if err != nil {
		out.Diagnostics = append(out.Diagnostics, diag.Diagnostic{
			Severity: diag.Error, Code: "restart", Position: diag.Position{File: a.path}, Message: err.Error(),
		})
	}
	return out, nil
}

// queues counts what is not delivered yet, by connection.
func (a *App) queues(ctx context.Context) map[string]int {
	depths := map[string]int{}
	for _, c := range a.plan.Load().connections {
		depths[c.Name.Value] = 0
	}
	for connection, b := range a.backlogs(ctx) {
		depths[connection] = b.Open
	}
	return depths
}

// oldestWaiting is how long the first of what is not delivered has waited.
func (a *App) oldestWaiting(ctx context.Context) time.Duration {
	oldest := a.opt.Now()
	for b := range maps.Values(a.backlogs(ctx)) {
		if b.Oldest.Before(oldest) {
			oldest = b.Oldest
		}
	}
	return a.opt.Now().Sub(oldest)
}

func (a *App) backlogs(ctx context.Context) map[string]db.Backlog {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	backlogs, err := a.store.Backlogs(ctx)
	if err != nil {
		a.opt.Logger.WarnContext(ctx, "the backlogs cannot be read", "error", err)
	}
	return backlogs
}
