package admin

import (
	"context"
	"io"

	"hookgate/internal/event"
)

// Files are the files of form posts.
type Files interface {
	File(ctx context.Context, id string) (event.File, io.ReadCloser, error) // event.ErrNotFound
	// RemoveContents removes the contents of files that no event has any longer.
	RemoveContents(ctx context.Context) error
}

// File opens a file of a form post.
func (s *Service) File(ctx context.Context, id string) (event.File, io.ReadCloser, error) {
	f, content, err := s.opt.Files.File(ctx, id)
	return f, content, missing(err, "there is no file %q: "+gone, id)
}
