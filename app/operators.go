package app

import (
	"context"
	"errors"
	"io/fs"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"hookgate/app/admin"
	"hookgate/app/backup"
	"hookgate/app/ingest"
	"hookgate/db"
	"hookgate/internal/calendar"
	"hookgate/internal/disk"
	"hookgate/internal/event"
)

// operators wires what operators do with the gateway.
func (a *App) operators() *admin.Service {
	opt := admin.Options{
		Store: a.store, Workers: a.dispatcher, Arrivals: &a.arrivals, Intake: a.intake, Feed: a.feed, Files: &a.files, Access: a.access, Logger: a.opt.Logger, Now: a.opt.Now,
		Process:            a.process(),
		InForce:            func() *admin.InForce { return &a.plan.Load().operators },
		Reload:             a.reload,
		ReadFile:           a.readFile,
		Prune:              a.prune,
		PauseStatesChanged: a.pauses.load,
	}
	if a.limits.shared != nil {
		opt.Limits = a.limits.shared
	}
	return admin.New(opt)
}

// process is what this process says of itself.
func (a *App) process() admin.Process {
	return admin.Process{
		Version: a.opt.Version, Started: a.started, NotReady: a.notReady, Queues: a.queues, Oldest: a.oldestWaiting,
		Refused: a.refused.Load, Storage: a.stored, Quotas: a.quotas, Untrusted: a.untrustedProxy,
		Backup: func() (*backup.Last, error) {
			return backup.ReadLast(strings.TrimSuffix(SocketPath(a.plan.Load().Config), ".sock"))
		},
	}
}

// untrustedProxy is the proxy that visitors come through and that the
// configuration in force does not trust, "" where there is none.
func (a *App) untrustedProxy() string {
	proxy := a.proxy.Load()
	if proxy == nil || slices.ContainsFunc(a.plan.Load().Config.Server.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(*proxy) }) {
		return ""
	}
	return proxy.String()
}

// stored tells where the data is, and how full the disk.
func (a *App) stored() (admin.Storage, error) {
	s := a.plan.Load().Config.Storage
	out := admin.Storage{Kind: backup.SQLite, Path: s.Path}
	folder := filepath.Dir(s.Path)
	if !s.URL.IsZero() {
		out.Kind, out.Path, folder = backup.Postgres, "", s.Files
	}
	size, err := a.store.Size()
	out.Bytes = size
	if folder != "" {
		usage, failed := disk.Of(folder)
		if failed == nil {
			out.Disk = &usage
		} else if s.URL.IsZero() || !errors.Is(failed, fs.ErrNotExist) { // of uploads there may be none yet
			err = errors.Join(err, failed)
		}
	}
	return out, err
}

// quotas are what forms that take files have stored today.
func (a *App) quotas() []admin.Quota {
	plan := a.plan.Load()
	var list []admin.Quota
	for _, name := range plan.Names() {
		if f := plan.Forms[name]; f != nil && f.TakesFiles() {
			list = append(list, admin.Quota{Form: name, Used: a.intake.StoredToday(name, a.opt.Now()), Limit: f.Quota()})
		}
	}
	return list
}

// forOperators is what operators ask about the configuration, once it is in
// force.
func (l *Plan) forOperators(tests admin.Tests, since time.Time) admin.InForce {
	out := admin.InForce{
		Plan: &l.Plan, Since: since, Tests: tests, PublicURL: l.Config.Server.PublicURL, BaseURL: l.Config.Server.BaseURL(), Known: l.Origins(),
		KeepFiles: min(l.Config.Retention.Files, l.Config.Retention.Submissions),
		Compile:   func(source []byte) (*ingest.RuleSet, error) { return ruleSetOf(source, l.Kinds, l.Records) },
	}
	routes := l.Routes()
	for _, c := range l.connections {
		out.Connections = append(out.Connections, admin.ConnectionSettings{
			Name: c.Name.Value, Type: c.kind.Name, Timeout: c.Timeout.String(), Concurrency: c.Concurrency, RateLimit: c.RateLimit.String(),
			OnlyDuring: c.OnlyDuring.Value, Hours: c.hours,
			Rules: routes.rulesTo(c.Name.Value),
		})
	}
	for _, r := range routes.Routes {
		if r.Rule == event.AutoreplyRule {
			out.Replies = append(out.Replies, admin.Reply{Form: r.From, To: r.Connection})
		}
	}
	out.File, out.Changed = filepath.Base(l.Config.Path), l.changed
	out.Rules, out.Findings = l.ruleSettings(), l.findings()
	out.RuleText, out.TextOf = ruleTextOf(named(l.Config)), storedText
	for _, e := range l.Config.Sources {
		out.Sources = append(out.Sources, e.Name.Value)
	}
	out.Tables = map[string]time.Duration{}
	for _, t := range l.Config.Tables {
		if t.Fixed == nil {
			out.Tables[t.Name.Value] = t.Keep
		}
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
		out.Diagnostics = append(out.Diagnostics, a.restart(err))
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

// hoursByConnection are the calendars of those connections that keep to one.
func (l *Plan) hoursByConnection() map[string]*calendar.Calendar {
	all := map[string]*calendar.Calendar{}
	for i := range l.connections {
		if c := &l.connections[i]; c.hours != nil {
			all[c.Name.Value] = c.hours
		}
	}
	return all
}

// oldestWaiting is how long the first of what is not delivered has waited, at a
// connection that is open.
func (a *App) oldestWaiting(ctx context.Context) time.Duration {
	now := a.opt.Now()
	oldest := now
	hours := a.plan.Load().hoursByConnection()
	for name, b := range a.backlogs(ctx) {
		since := b.Oldest
		if c := hours[name]; c != nil && !since.IsZero() { // what is held by its hours is not late
			if since = c.OpenSince(since, now); since.IsZero() {
				continue
			}
		}
		if since.Before(oldest) {
			oldest = since
		}
	}
	return now.Sub(oldest)
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
