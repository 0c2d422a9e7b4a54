package app

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"

	"hookgate/app/config"
	"hookgate/app/intake"
)

// settle is how long the file must be left alone before it is loaded: editors
// write in several steps.
const settle = 200 * time.Millisecond

// errRestart refuses what only a start can change.
var errRestart = errors.New("needs a restart")

// use makes loaded the configuration in force. What was accepted before it
// keeps its deliveries as they are.
func (a *App) use(loaded *Loaded) error {
	connections, err := loaded.deliver(a.opt.Version, a.opt.Logger, a.opt.Now)
	if err != nil {
		return err
	}
	hash, err := loaded.planHash()
	if err != nil {
		return err
	}
	id, err := a.store.SavePlan(hash, loaded.Rules.Names())
	if err != nil {
		return err
	}
	// The lanes first: an event must find the connections that its rules name.
	// Those of connections that are gone are not needed by the new plan.
	a.lanes.Update(connections)
	a.plan.Store(&inForce{
		Plan:   intake.Plan{ID: id, Hash: loaded.Document.Hash, Sources: loaded.Sources, Forms: loaded.Forms, Rules: loaded.Rules},
		loaded: loaded, since: a.opt.Now(),
	})
	return nil
}

// Reload reads the configuration again. One with errors is refused
// whole, and the one before stays in force. The error says why it could not
// be used although it has none.
func (a *App) Reload() (*config.Report, error) {
	a.reloads.Lock()
	defer a.reloads.Unlock()
	loaded, report, err := Load(a.path)
	if err == nil {
		err = a.swap(loaded)
	}
	a.metrics.ConfigReload(err == nil)
	if err != nil {
		a.opt.Logger.Error("the configuration was refused, the one before stays in force", "config", a.plan.Load().Hash, "error", err)
		if report.Err() != nil {
			err = nil // the report says it
		}
		return report, err
	}
	a.opt.Logger.Info("configuration loaded", "config", loaded.Document.Hash, "rules", len(loaded.Document.Rules))
	return report, nil
}

func (a *App) swap(loaded *Loaded) error {
	before := a.plan.Load().loaded.Document
	switch {
	case loaded.Document.Server.Listen != before.Server.Listen:
		return fmt.Errorf("server.listen: %w", errRestart)
	case loaded.Document.Storage.Path != before.Storage.Path:
		return fmt.Errorf("storage.path: %w", errRestart)
	case loaded.Document.Storage.URL != before.Storage.URL:
		return fmt.Errorf("storage.url: %w", errRestart)
	case loaded.Document.Server.MaxBody != before.Server.MaxBody:
		return fmt.Errorf("server.max_body: %w", errRestart)
	}
	if err := a.use(loaded); err != nil {
		return err
	}
	a.server.Configure(settings(loaded.Document))
	return nil
}

// watch reloads when the file changes. It watches the folder, for editors and
// orchestrators replace files rather than write them.
func (a *App) watch(ctx context.Context) {
	watcher, err := fsnotify.NewWatcher()
	if err == nil {
		defer func() { _ = watcher.Close() }()
		err = watcher.Add(filepath.Dir(a.path))
	}
	if err != nil {
		a.opt.Logger.WarnContext(ctx, "changes of the configuration file are not noticed, send SIGHUP to reload", "error", err)
		return
	}
	timer := time.NewTimer(settle)
	timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case change := <-watcher.Events:
			if a.concerns(change) {
				timer.Reset(settle)
			}
		case err := <-watcher.Errors:
			a.opt.Logger.WarnContext(ctx, "watching the configuration file failed", "error", err)
		case <-timer.C:
			_, _ = a.Reload() //nolint:contextcheck // it logs what comes of it, and what it starts outlives the watching
		}
	}
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
	return false
}
