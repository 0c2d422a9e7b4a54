package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"time"

	"hookgate/connectors"
	"hookgate/internal/event"
	"hookgate/rules/lang"
)

// storedFiles are the files of form posts as connectors see them.
type storedFiles struct{ *App }

// Open opens the content of a file.
func (a storedFiles) Open(ctx context.Context, id string) (io.ReadCloser, connectors.FileInfo, error) {
	f, content, err := a.file(ctx, id)
	if errors.Is(err, event.ErrNotFound) {
		err = fmt.Errorf("%w: %w", connectors.ErrNoFile, err)
	}
	if err != nil {
		return nil, connectors.FileInfo{}, err
	}
	return content, connectors.FileInfo{Name: f.Name, Type: f.Type, Size: f.Size}, nil
}

// file opens a file that belongs to an event; event.ErrNotFound if none does.
func (a *App) file(ctx context.Context, id string) (event.File, io.ReadCloser, error) {
	f, err := a.store.File(ctx, id)
	if err != nil {
		return f, nil, err
	}
	dir := a.files.dir.Load()
	if dir == nil {
		return f, nil, fmt.Errorf("file %s: there is no folder for files: %w", id, event.ErrNotFound)
	}
	content, err := dir.Open(id)
	if err != nil {
		return f, nil, err
	}
	return f, content, nil
}

// links makes the links of file_url. Those of an event of an earlier day begin
// today: who replays it wants links that open. Within a day they stay the same.
func (a *App) links(public string) lang.Links {
	return func(id string, at time.Time, good time.Duration) string {
		dir := a.files.dir.Load()
		if dir == nil {
			return public + "/files/" + id
		}
		if today := a.opt.Now().Truncate(24 * time.Hour); at.Before(today) {
			at = today
		}
		until := at.Add(good)
		query := url.Values{"expires": {strconv.FormatInt(until.Unix(), 10)}, "sig": {dir.Sign(id, until)}}
		return public + "/files/" + id + "?" + query.Encode()
	}
}

// Download opens the file that a link leads to: event.ErrNotFound for a link
// that was not made here, event.ErrExpired for one whose time is over.
func (a *App) Download(ctx context.Context, id string, until time.Time, sig string) (event.File, io.ReadCloser, error) {
	dir := a.files.dir.Load()
	if dir == nil || !dir.Signed(id, until, sig) {
		return event.File{}, nil, fmt.Errorf("the link to file %q: %w", id, event.ErrNotFound)
	}
	if !a.opt.Now().Before(until) {
		return event.File{}, nil, fmt.Errorf("the link to file %s: %w", id, event.ErrExpired)
	}
	return a.file(ctx, id)
}

// File opens a file for who may use the API.
func (a service) File(ctx context.Context, id string) (event.File, io.ReadCloser, error) {
	return a.file(ctx, id)
}
