package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"

	"hookgate/app/admin"
	"hookgate/app/config"
	"hookgate/app/deliver"
	"hookgate/internal/diag"
	"hookgate/internal/egress"
)

// settle is how long the file must be left alone before it is loaded: editors
// write in several steps.
const settle = 200 * time.Millisecond

// errRestart refuses what only a start can change.
var errRestart = errors.New("needs a restart")

// use makes loaded the configuration in force. What was accepted before it
// keeps its deliveries as they are.
func (a *App) use(loaded *Plan, tests admin.Tests) error {
	client, changed := a.outbound(loaded.Config.Outbound)
	connections, err := loaded.deliver(client, storedFiles{&a.files}, a.store, a.opt)
	if err != nil {
		return err
	}
	version, err := loaded.RuleSet()
	if err != nil {
		return err
	}
	folder, err := a.files.open(loaded)
	if err != nil {
		return err
	}
	before := int64(0)
	if replaced := a.plan.Load(); replaced != nil {
		before = replaced.ID
	}
	id, err := a.store.ReplacePlan(before, version)
	if err != nil {
		return err
	}
	plan := *loaded
	plan.ID, plan.Files, plan.FormKey = id, folder, a.formKey
	plan.client = client
	plan.Records = a.store
	plan.operators = plan.forOperators(tests, a.opt.Now())
	loaded.compiler.SetLinks(a.files.links(loaded.Config.Server.PublicURL))
	// At the start the plan first: what waits is sent at once, and what fails then has to
	// find who is told. Nothing comes in yet. At a reload the connections first: an event
	// must find those that its rules name. Those of connections that are gone are not
	// needed by the new plan.
	a.plan.CompareAndSwap(nil, &plan)
	a.dispatcher.Update(connections)
	if changed {
		if a.egress != nil {
			a.egress.Close() // only what is idle: attempts under way end on their own
		}
		a.egress = client
	}
	a.plan.Store(&plan)
	a.tellOrphans(connections)
	return nil
}

// tellOrphans warns of deliveries that nobody sends: those to connections that
// were renamed or taken out of the configuration while something was waiting.
func (a *App) tellOrphans(connections []deliver.Connection) {
	known := map[string]bool{}
	for _, c := range connections {
		known[c.Name] = true
	}
	for name, b := range a.backlogs(context.Background()) {
		if !known[name] {
			a.opt.Logger.Warn("deliveries wait for a connection that is not configured: bring it back, or give them up with hookgate deliveries cancel",
				"connection", name, "count", b.Open)
		}
	}
}

// Reload reads the configuration again. One with errors, or of which a test
// fails, is refused whole, and the one before stays in force. The error says why it could not
// be used although it has none.
func (a *App) Reload() (*config.Report, error) {
	a.reloads.Lock()
	defer a.reloads.Unlock()
	loaded, report, err := Load(a.path)
	if report != nil {
		a.parts.Store(&report.Parts)
	}
	var tests admin.Tests
	if err == nil {
		var failed diag.List
		tests, failed = a.test(loaded)
		report.Add(failed)
		err = report.Err()
	}
	if err == nil {
		var older diag.List
		older, err = a.notKnown(context.Background(), loaded)
		if report.Add(older); err == nil {
			err = report.Err()
		}
	}
	if err == nil {
		err = a.swap(loaded, tests)
	}
	a.metrics.ConfigReload(err == nil)
	a.refused.Store(a.refusal(report, err))
	a.tellRefused(err, report)
	if err != nil {
		a.opt.Logger.Error("the configuration was refused, the one before stays in force", "config", a.plan.Load().Hash, "error", err)
		if report.Err() != nil {
			err = nil // the report says it
		}
		return report, err
	}
	a.opt.Logger.Info("configuration loaded", "config", loaded.Config.Hash, "rules", len(loaded.Config.Rules), "tests", tests.Total)
	return report, nil
}

// refusal is what is told of a configuration that was refused; nil for one that
// was not.
func (a *App) refusal(report *config.Report, err error) *admin.Refusal {
	if err == nil {
		return nil
	}
	out := &admin.Refusal{At: a.opt.Now().UTC(), Diagnostics: diag.List{}}
	for _, d := range report.List {
		if d.Severity == diag.Error {
			out.Diagnostics = append(out.Diagnostics, d)
		}
	}
	if len(out.Diagnostics) == 0 {
		out.Diagnostics = diag.List{a.restart(err)}
	}
	return out
}

// restart is the fault of a configuration that only a start can bring into
// force.
func (a *App) restart(err error) diag.Diagnostic {
	return diag.Diagnostic{Severity: diag.Error, Code: "restart", Position: diag.Position{File: a.path}, Message: err.Error()}
}

// outbound is the client for what may be reached: the one in use, with its
// open connections, unless that has changed.
func (a *App) outbound(o config.Outbound) (client *egress.Client, changed bool) {
	if a.egress != nil && slices.Equal(a.plan.Load().Config.Outbound.AllowPrivate, o.AllowPrivate) {
		return a.egress, false
	}
	return egress.New(egress.Config{AllowPrivate: o.AllowPrivate}), true
}

// guarded sends requests by the client of the configuration in force.
type guarded func() *egress.Client

// RoundTrip sends a request.
func (g guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	return g().RoundTripper().RoundTrip(r)
}

// swap brings a configuration into force that needs no start for it.
func (a *App) swap(loaded *Plan, tests admin.Tests) error {
	if err := a.fits(loaded.Config); err != nil {
		return err
	}
	if err := a.use(loaded, tests); err != nil {
		return err
	}
	a.server.Configure(settings(loaded.Config))
	return nil
}

// fits reports what of a configuration only a start can bring into force.
func (a *App) fits(now *config.Config) error {
	before := a.plan.Load().Config
	switch {
	case now.Server.Listen != before.Server.Listen:
		return fmt.Errorf("server.listen: %w", errRestart)
	case now.Storage.Path != before.Storage.Path:
		return fmt.Errorf("storage.path: %w", errRestart)
	case now.Storage.URL != before.Storage.URL:
		return fmt.Errorf("storage.url: %w", errRestart)
	case now.Storage.Lease != before.Storage.Lease:
		return fmt.Errorf("storage.lease: %w", errRestart)
	case now.Storage.Files != before.Storage.Files:
		return fmt.Errorf("storage.files: %w", errRestart)
	case now.Server.MaxBody != before.Server.MaxBody:
		return fmt.Errorf("server.max_body: %w", errRestart)
	}
	return nil
}

// newWatcher watches the folder of the configuration file, for editors and
// orchestrators replace files rather than write them. It is nil where that
// cannot be done, which is logged.
func (a *App) newWatcher() *fsnotify.Watcher {
	watcher, err := fsnotify.NewWatcher()
	if err == nil {
		if err = watcher.Add(filepath.Dir(a.path)); err == nil {
			return watcher
		}
		_ = watcher.Close()
	}
	a.opt.Logger.Warn("changes of the configuration file are not noticed, send SIGHUP to reload", "error", err)
	return nil
}

// watch reloads when the file changes, until ctx ends; then it closes watcher.
func (a *App) watch(ctx context.Context, watcher *fsnotify.Watcher, target string) {
	defer func() { _ = watcher.Close() }()
	timer := time.NewTimer(settle)
	if !a.outdated() { // nothing changed between the loading and the watching
		timer.Stop()
	}
	for {
		select {
		case <-ctx.Done():
			return
		case change := <-watcher.Events:
			if a.concerns(change) || change.Op != fsnotify.Chmod && change.Name == target {
				timer.Reset(settle)
			}
		case err := <-watcher.Errors:
			a.opt.Logger.WarnContext(ctx, "watching the configuration file failed", "error", err)
		case <-timer.C:
			target = a.follow(watcher, target)
			a.followParts(watcher) // before it is read: a folder that is new is watched from before it is looked into
			_, _ = a.Reload()      //nolint:contextcheck // it logs what comes of it, and what it starts outlives the watching
			watched := len(watcher.WatchList())
			a.followParts(watcher)
			if len(watcher.WatchList()) > watched && a.outdated() {
				timer.Reset(settle) // what changed between the reading and the watching
			}
		}
	}
}

// outdated reports whether the file is another than the one in force.
func (a *App) outdated() bool {
	doc, _ := config.Load(a.path, config.LookupEnv)
	return doc == nil || doc.Hash != a.plan.Load().Hash
}

// follow has the watcher look at the file that the configuration file is a link
// to, if it is one, and returns its path. before is what it was until now.
func (a *App) follow(watcher *fsnotify.Watcher, before string) string {
	target, err := filepath.EvalSymlinks(a.path)
	if err != nil {
		return before // gone for a moment, or for good
	}
	if target == before || filepath.Dir(target) == filepath.Dir(a.path) {
		return target
	}
	if err := watcher.Add(filepath.Dir(target)); err != nil {
		a.opt.Logger.Warn("changes of the file that the configuration file links to are not noticed", "error", err)
	}
	return target
}

// concerns reports whether a change in the folder is one of the file, of its
// .env, or of the link that mounted files are swapped by.
func (a *App) concerns(change fsnotify.Event) bool {
	if change.Op == fsnotify.Chmod {
		return false
	}
	switch filepath.Base(change.Name) {
	case filepath.Base(a.path), ".env", "..data":
		return true
	}
	return a.parts.Load().Concern(change.Name)
}

// followParts has the watcher look at the folders of the other files that the
// configuration is made of. To look at one twice does no harm.
func (a *App) followParts(watcher *fsnotify.Watcher) {
	for _, folder := range a.parts.Load().Folders() {
		if err := watcher.Add(folder); err != nil {
			a.opt.Logger.Warn("changes of files that belong to the configuration are not noticed, send SIGHUP to reload", "folder", folder, "error", err)
		}
	}
}
