package app

import (
	"context"
	"maps"
	"time"

	"hookgate/app/ingest"

	"hookgate/app/admin"
	"hookgate/db"
	"hookgate/internal/diag"
)

// operators wires what operators do with the gateway.
func (a *App) operators() *admin.Service {
	opt := admin.Options{
		Store: a.store, Workers: a.dispatcher, Intake: a.intake, Feed: a.feed, Files: &a.files, Access: a.access, Logger: a.opt.Logger, Now: a.opt.Now,
		Process:            admin.Process{Version: a.opt.Version, Started: a.started, NotReady: a.notReady, Queues: a.queues},
		InForce:            func() *admin.InForce { return &a.plan.Load().operators },
		Reload:             a.reload,
		PauseStatesChanged: a.pauses.load,
	}
	if a.limits.shared != nil {
		opt.Limits = a.limits.shared
	}
	return admin.New(opt)
}

// forOperators is what operators ask about the configuration, once it is in
// force.
func (l *Plan) forOperators(tests admin.Tests, since time.Time) admin.InForce {
	out := admin.InForce{
		Plan: &l.Plan, Since: since, Tests: tests, PublicURL: l.Config.Server.PublicURL, BaseURL: l.Config.Server.BaseURL(), Known: l.Origins(),
		Compile: func(source []byte) (*ingest.RuleSet, error) { return NewRuleSet(source, l.Kinds) },
	}
	routes := l.Routes()
	for _, c := range l.connections {
		out.Connections = append(out.Connections, admin.ConnectionSettings{
			Name: c.Name.Value, Type: c.kind.Name, Timeout: c.Timeout.String(), Concurrency: c.Concurrency, RateLimit: c.RateLimit.String(),
			Rules: routes.rulesTo(c.Name.Value),
		})
	}
	for _, e := range l.Config.Sources {
		out.Sources = append(out.Sources, e.Name.Value)
	}
	for _, f := range l.Config.Forms {
		out.Forms = append(out.Forms, f.Name.Value)
	}
	return out
}

// reload reads the configuration again for operators: why it cannot be used is
// among the diagnostics.
func (a *App) reload() (admin.Reloaded, error) {
	report, err := a.Reload()
	out := admin.Reloaded{OK: err == nil && report.Err() == nil, Config: a.plan.Load().Hash, Diagnostics: report.List}
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
