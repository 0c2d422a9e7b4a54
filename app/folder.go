package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"hookgate/app/config"
	"hookgate/app/ingest/files"
	"hookgate/forms"
	"hookgate/internal/diag"
)

const (
	// sweepEvery is how often the folder is looked through for orphans; also
	// soon after the start, for what a process that died has left.
	sweepEvery = 12 * time.Hour
	// orphanAge is how old a file must be to be an orphan where other processes
	// use the folder too: longer than a post can take.
	orphanAge = 2 * time.Hour
	// tidyBatch is how many files are removed between two commits.
	tidyBatch = 200
)

// filesFolder is the folder for files, from the moment that a configuration
// needs it, or that there are files in it.
type filesFolder struct {
	dir   atomic.Pointer[files.Dir]
	swept time.Time // only maintain uses it
}

// withoutFolder is the error that a form takes files and nobody knows where to.
func withoutFolder(doc *config.Config, f *forms.Form, e config.Entry) diag.List {
	if !f.TakesFiles() || doc.Storage.Files != "" {
		return nil
	}
	return diag.List{e.Name.Diag("no-files-folder", "set storage.files to a folder that all replicas share",
		"the form %q takes files, and with storage.url there is no folder beside the database to keep them in", f.Name)}
}

// folder opens the folder for files if the configuration needs one, or if the
// database knows of files; else it is nil.
func (a *App) folder(loaded *Plan) (*files.Dir, error) {
	if dir := a.files.dir.Load(); dir != nil {
		return dir, nil
	}
	path := loaded.Config.Storage.Files
	needed := false
	for _, f := range loaded.Forms {
		needed = needed || f.TakesFiles()
	}
	if path == "" {
		return nil, nil
	}
	if _, err := os.Stat(path); !needed && errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	dir, err := files.Open(path)
	if err != nil {
		return nil, err
	}
	if err := a.claimFolder(context.Background(), dir); err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	a.files.dir.Store(dir)
	return dir, nil
}

// claimFolder makes sure that the folder is the database's own: a folder that
// another database uses would be swept clean of its files, and one that is not
// mounted, or not shared by all replicas, would swallow new ones.
func (a *App) claimFolder(ctx context.Context, dir *files.Dir) error {
	number, made, err := dir.Mark()
	if err != nil {
		return err
	}
	adopted, err := dir.Adopted()
	if err != nil {
		return err
	}
	before, err := a.store.FilesFolder(ctx)
	switch {
	case err != nil:
		return err
	case before == number:
		return nil
	case adopted:
		a.opt.Logger.WarnContext(ctx, "another folder for files is used from now on: the files that were in the one before are lost", "folder", dir.Path())
	case before == 0 && !made:
		used, err := dir.Used()
		if err != nil {
			return err
		}
		if used {
			return fmt.Errorf("%s holds files of another database: set storage.files to a folder of its own", dir.Path())
		}
	case before != 0:
		if err := a.otherFolder(ctx, dir); err != nil {
			return err
		}
	}
	return a.store.SetFilesFolder(number)
}

// otherFolder refuses to change the folder while the one before is needed.
func (a *App) otherFolder(ctx context.Context, dir *files.Dir) error {
	has, err := a.store.HasFiles(ctx)
	if err != nil {
		return err
	}
	replicas, shared, err := a.store.Replicas(ctx)
	if err != nil {
		return err
	}
	alive := 0
	for _, r := range replicas {
		if r.Alive {
			alive++
		}
	}
	if has || shared && alive > 1 {
		return fmt.Errorf("%s is not the folder that this database has its files in: is it mounted, and shared by all replicas? If those files are lost for good, put an empty file %s into it and start again",
			dir.Path(), files.AdoptName)
	}
	return nil
}

// closeFolder gives the folder up, if it was opened.
func (a *App) closeFolder(context.Context) error {
	if dir := a.files.dir.Load(); dir != nil {
		return dir.Close()
	}
	return nil
}

// removeFiles removes the contents of files that no event has any longer.
func (a *App) removeFiles(ctx context.Context) error {
	dir := a.files.dir.Load()
	if dir == nil {
		return nil
	}
	for ctx.Err() == nil {
		ids, err := a.store.RemovableFiles(ctx, tidyBatch)
		if err == nil && len(ids) > 0 {
			if _, err = dir.Remove(ids...); err == nil {
				err = a.store.EraseFiles(ids)
			}
		}
		if err != nil || len(ids) < tidyBatch {
			return err
		}
	}
	return ctx.Err()
}

// tidyFiles removes the contents of files that no event has any longer, and
// from time to time what a process that died has left in the folder.
func (a *App) tidyFiles(ctx context.Context) {
	dir := a.files.dir.Load()
	if dir == nil {
		return
	}
	if err := a.removeFiles(ctx); err != nil {
		a.opt.Logger.WarnContext(ctx, "files could not be removed, trying again later", "error", err)
		return
	}
	now := time.Now() // files have the time of the machine
	if now.Sub(a.files.swept) < sweepEvery {
		return
	}
	if !a.plan.Load().Config.Storage.URL.IsZero() {
		now = now.Add(-orphanAge)
	}
	removed, err := dir.Sweep(ctx, now, a.store.KnownFiles)
	if err != nil {
		a.opt.Logger.WarnContext(ctx, "files without an event could not be removed, trying again later", "error", err)
		return
	}
	a.files.swept = time.Now()
	if removed > 0 {
		a.opt.Logger.InfoContext(ctx, "files without an event removed", "count", removed)
	}
}
