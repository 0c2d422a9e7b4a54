package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"hookgate/app/config"
	"hookgate/app/ingest/files"
	"hookgate/connectors"
	"hookgate/db"
	"hookgate/forms"
	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/rules/lang"
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

// folder is where the files of form posts are, from the moment that a
// configuration needs it, or that there are files in it.
type folder struct {
	store  *db.Store
	logger *slog.Logger
	now    func() time.Time

	dir   atomic.Pointer[files.Dir]
	swept time.Time // only tidy uses it
}

// withoutFolder is the error that a form takes files and nobody knows where to.
func withoutFolder(doc *config.Config, f *forms.Form, e config.Entry) diag.List {
	if !f.TakesFiles() || doc.Storage.Files != "" {
		return nil
	}
	return diag.List{e.Name.Diag("no-files-folder", "set storage.files to a folder that all replicas share",
		"the form %q takes files, and with storage.url there is no folder beside the database to keep them in", f.Name)}
}

// open opens the folder if the configuration needs one, or if the
// database knows of files; else it is nil.
func (f *folder) open(loaded *Plan) (*files.Dir, error) {
	if dir := f.dir.Load(); dir != nil {
		return dir, nil
	}
	path := loaded.Config.Storage.Files
	needed := false
	for _, form := range loaded.Forms {
		needed = needed || form.TakesFiles()
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
	if err := f.claim(context.Background(), dir); err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	f.dir.Store(dir)
	return dir, nil
}

// claim makes sure that the folder is the database's own: a folder that
// another database uses would be swept clean of its files, and one that is not
// mounted, or not shared by all replicas, would swallow new ones.
func (f *folder) claim(ctx context.Context, dir *files.Dir) error {
	number, made, err := dir.Mark()
	if err != nil {
		return err
	}
	adopted, err := dir.Adopted()
	if err != nil {
		return err
	}
	before, err := f.store.FilesFolder(ctx)
	switch {
	case err != nil:
		return err
	case before == number:
		return nil
	case adopted:
		f.logger.WarnContext(ctx, "another folder for files is used from now on: the files that were in the one before are lost", "folder", dir.Path())
	case before == 0 && !made:
		used, err := dir.Used()
		if err != nil {
			return err
		}
		if used {
			return fmt.Errorf("%s holds files of another database: set storage.files to a folder of its own", dir.Path())
		}
	case before != 0:
		if err := f.replaces(ctx, dir); err != nil {
			return err
		}
	}
	return f.store.SetFilesFolder(number)
}

// replaces refuses to change the folder while the one before is needed.
func (f *folder) replaces(ctx context.Context, dir *files.Dir) error {
	has, err := f.store.HasFiles(ctx)
	if err != nil {
		return err
	}
	replicas, shared, err := f.store.Replicas(ctx)
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

// close gives the folder up, if it was opened.
func (f *folder) close(context.Context) error {
	if dir := f.dir.Load(); dir != nil {
		return dir.Close()
	}
	return nil
}

// RemoveContents removes the contents of files that no event has any longer.
func (f *folder) RemoveContents(ctx context.Context) error {
	dir := f.dir.Load()
	if dir == nil {
		return nil
	}
	for ctx.Err() == nil {
		ids, err := f.store.RemovableFiles(ctx, tidyBatch)
		if err == nil && len(ids) > 0 {
			if _, err = dir.Remove(ids...); err == nil {
				err = f.store.EraseFiles(ids)
			}
		}
		if err != nil || len(ids) < tidyBatch {
			return err
		}
	}
	return ctx.Err()
}

// tidy removes the contents of files that no event has any longer, and
// from time to time what a process that died has left in the folder. shared says that other
// processes use it too.
func (f *folder) tidy(ctx context.Context, shared bool) {
	dir := f.dir.Load()
	if dir == nil {
		return
	}
	if err := f.RemoveContents(ctx); err != nil {
		f.logger.WarnContext(ctx, "files could not be removed, trying again later", "error", err)
		return
	}
	now := time.Now() // files have the time of the machine
	if now.Sub(f.swept) < sweepEvery {
		return
	}
	if shared {
		now = now.Add(-orphanAge)
	}
	removed, err := dir.Sweep(ctx, now, f.store.KnownFiles)
	if err != nil {
		f.logger.WarnContext(ctx, "files without an event could not be removed, trying again later", "error", err)
		return
	}
	f.swept = time.Now()
	if removed > 0 {
		f.logger.InfoContext(ctx, "files without an event removed", "count", removed)
	}
}

// storedFiles are the files of form posts as connectors see them.
type storedFiles struct{ *folder }

// Open opens the content of a file.
func (f storedFiles) Open(ctx context.Context, id string) (io.ReadCloser, connectors.FileInfo, error) {
	file, content, err := f.File(ctx, id)
	if errors.Is(err, event.ErrNotFound) {
		err = fmt.Errorf("%w: %w", connectors.ErrNoFile, err)
	}
	if err != nil {
		return nil, connectors.FileInfo{}, err
	}
	return content, connectors.FileInfo{Name: file.Name, Type: file.Type, Size: file.Size}, nil
}

// File opens a file that belongs to an event; event.ErrNotFound if none does.
func (f *folder) File(ctx context.Context, id string) (event.File, io.ReadCloser, error) {
	file, err := f.store.File(ctx, id)
	if err != nil {
		return file, nil, err
	}
	dir := f.dir.Load()
	if dir == nil {
		return file, nil, fmt.Errorf("file %s: there is no folder for files: %w", id, event.ErrNotFound)
	}
	content, err := dir.Open(id)
	if err != nil {
		return file, nil, err
	}
	return file, content, nil
}

// links makes the links of file_url. Those of an event of an earlier day begin
// today: who replays it wants links that open. Within a day they stay the same.
func (f *folder) links(public string) lang.Links {
	return func(id string, at time.Time, good time.Duration) string {
		dir := f.dir.Load()
		if dir == nil {
			return public + "/files/" + id
		}
		if today := f.now().Truncate(24 * time.Hour); at.Before(today) {
			at = today
		}
		until := at.Add(good)
		query := url.Values{"expires": {strconv.FormatInt(until.Unix(), 10)}, "sig": {dir.Sign(id, until)}}
		return public + "/files/" + id + "?" + query.Encode()
	}
}

// Download opens the file that a link leads to: event.ErrNotFound for a link
// that was not made here, event.ErrExpired for one whose time is over.
func (f *folder) Download(ctx context.Context, id string, until time.Time, sig string) (event.File, io.ReadCloser, error) {
	dir := f.dir.Load()
	if dir == nil || !dir.Signed(id, until, sig) {
		return event.File{}, nil, fmt.Errorf("the link to file %q: %w", id, event.ErrNotFound)
	}
	if !f.now().Before(until) {
		return event.File{}, nil, fmt.Errorf("the link to file %s: %w", id, event.ErrExpired)
	}
	return f.File(ctx, id)
}
