package ui

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/web/api"
	"hookgate/internal/event"
)

// postFile is a file of a post.
type postFile struct {
	ID, Name, Kind string
	Size           int64
	Gone           bool // retention has removed it, and not the post
}

// fileKinds are what people call types of files.
var fileKinds = map[string]string{
	"application/pdf": "PDF", "image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF", "image/webp": "WebP", "text/plain": "TXT", "text/csv": "CSV",
	"application/zip": "ZIP",
}

// fileKind is what people call a type of files, or the type.
func fileKind(mediaType string) string { return cmp.Or(fileKinds[mediaType], mediaType) }

// fileIn is the file that a value of a post's data stands for.
func fileIn(value any) (f postFile, ok bool) {
	m, _ := value.(map[string]any)
	f.ID, _ = m["id"].(string)
	f.Name, _ = m["name"].(string)
	mediaType, _ := m["type"].(string)
	f.Kind = fileKind(mediaType)
	if size, isNumber := m["size"].(interface{ Int64() (int64, error) }); isNumber {
		f.Size, _ = size.Int64()
	}
	return f, strings.HasPrefix(f.ID, "fil_") && m["sha256"] != nil
}

// filesIn are the files that a value is made of; ok is false where it is something
// else.
func filesIn(value any) (list []postFile, ok bool) {
	if f, ok := fileIn(value); ok {
		return []postFile{f}, true
	}
	items, _ := value.([]any)
	for _, item := range items {
		f, ok := fileIn(item)
		if !ok {
			return nil, false
		}
		list = append(list, f)
	}
	return list, len(list) > 0
}

// findGone notes which files there are no more.
func (u *UI) findGone(ctx context.Context, files []postFile) error {
	for i := range files {
		_, content, err := u.cfg.Service.File(ctx, files[i].ID)
		switch {
		case missing(err):
			files[i].Gone = true
		case err != nil:
			return err
		default:
			_ = content.Close() // it was only looked for
		}
	}
	return nil
}

// file gives a file of a post: to be saved, never to be shown.
func (u *UI) file(c *fiber.Ctx) error {
	f, content, err := u.cfg.Service.File(c.UserContext(), c.Params("id"))
	if missing(err) {
		return u.notFound(c, "There is no such file: it never was, or retention has removed it.")
	}
	if err != nil {
		return u.fail(c, err)
	}
	return api.SendFile(c, f, content)
}

// Size writes how large something is.
func (v *view) Size(bytes int64) string {
	switch {
	case bytes < 1000:
		return v.Number(bytes) + " B"
	case bytes < 1_000_000:
		return v.Number((bytes+500)/1000) + " kB"
	}
	return v.Number(float64(bytes)/1e6) + " MB"
}

// deletePostPage asks whether a post is to be deleted.
func (u *UI) deletePostPage(c *fiber.Ctx) error {
	p, err := u.postNamed(c)
	if err != nil {
		return u.refusedPost(c, err)
	}
	return u.renderPage(c, "postdelete", "forms", languageOf(c).text("Delete this post"), p)
}

// deletePost deletes a post for good.
func (u *UI) deletePost(c *fiber.Ctx) error {
	p, err := u.postNamed(c)
	if err != nil {
		return u.refusedPost(c, err)
	}
	record, err := u.cfg.Service.DeletePost(u.acts(c), p.ID)
	if err != nil {
		return u.refusedPost(c, err)
	}
	return u.done(c, p.Back(), "ok", languageOf(c).text("The post is deleted. This deletion has the number %s.", record.Record.String()))
}

// postNamed is the post that the path names.
func (u *UI) postNamed(c *fiber.Ctx) (*post, error) {
	id, err := event.ParseID(c.Params("id"))
	if err != nil {
		return nil, event.ErrNotFound
	}
	detail, err := u.cfg.Service.Event(c.UserContext(), id)
	if err == nil && detail.Type != event.FormSubmitted {
		err = event.ErrNotFound
	}
	return newPost(detail), err
}

func (u *UI) refusedPost(c *fiber.Ctx, err error) error {
	if missing(err) {
		return u.notFound(c, noSuchPost)
	}
	return u.fail(c, err)
}

// Back is the list that the post is in.
func (p *post) Back() string {
	path := fmt.Sprintf("%s/forms/%s", prefix, p.Source)
	if p.State == event.Spam || p.State == event.Duplicate {
		path += "/spam"
	}
	return path
}
