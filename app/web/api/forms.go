package api

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
	"hookgate/forms"
	"hookgate/internal/event"
	"hookgate/internal/schema"
)

// Forms are the forms of the configuration, and what they and the sources got.
type Forms interface { //nolint:interfacebloat // a resource with what is done to its posts
	Forms(ctx context.Context, since time.Time) (admin.FormCounts, error)
	// NotSpam gives a kept post to the rules: event.ErrNotKept where it is
	// neither spam nor a repeat.
	NotSpam(ctx context.Context, id event.ID) (admin.Released, error)
	// IfNotSpam tells what NotSpam would do, and does nothing.
	IfNotSpam(ctx context.Context, id event.ID) (admin.ReleasePlan, error)
	// SetRead notes that a form post was read, or is new again.
	SetRead(ctx context.Context, id event.ID, read bool) (admin.ReadMark, error)
	// Posts lists what a form got, the oldest first, with its data.
	Posts(ctx context.Context, q admin.PostQuery) (admin.Page[admin.Post], error)
	// FormFiles lists the files of a form, those of the newest posts first.
	FormFiles(ctx context.Context, form string, before event.ID, limit int) (admin.Page[admin.FormFile], error)
	// Snippet writes a form for a page of a website.
	Snippet(ctx context.Context, form, kind, lang string) (admin.Snippet, error)
	// DeletePost deletes a form post for good.
	DeletePost(ctx context.Context, id event.ID) (admin.Erasure, error)
	// Fields tells what the events of a source or form look like.
	Fields(ctx context.Context, name string, form bool) (schema.Source, error)
}

func (h *handler) formRoutes(r fiber.Router) {
	r.Get("/forms", h.answer(h.forms))
	r.Post("/events/:id/notspam", h.act(h.notSpam))
	r.Get("/events/:id/notspam", h.answer(h.ifNotSpam))
	r.Post("/events/:id/read", h.act(h.setRead(true)))
	r.Post("/events/:id/unread", h.act(h.setRead(false)))
	r.Delete("/events/:id", h.act(h.deletePost))
	r.Get("/forms/:name/posts", h.answer(h.posts))
	r.Get("/forms/:name/files", h.answer(h.formFiles))
	r.Get("/forms/:name/snippet", h.answer(h.snippet))
	r.Get("/sources/:name/fields", h.answer(func(c *fiber.Ctx) error { return h.fields(c, false) }))
	r.Get("/forms/:name/fields", h.answer(func(c *fiber.Ctx) error { return h.fields(c, true) }))
}

// forms answers GET /forms?since=….
func (h *handler) forms(c *fiber.Ctx) error {
	p := newParameters(c, h.now(), "since")
	since := p.time("since")
	if p.err != nil {
		return p.err
	}
	return respond(c, readTimeout, func(ctx context.Context) (admin.FormCounts, error) { return h.service.Forms(ctx, since) })
}

// notSpam answers POST /events/:id/notspam: 202 once the rules have had the
// post, 409 where it is not kept from them.
func (h *handler) notSpam(c *fiber.Ctx) error {
	id, err := eventID(c)
	if err != nil {
		return err
	}
	c.Status(http.StatusAccepted)
	return respond(c, readTimeout, func(ctx context.Context) (admin.Released, error) { return h.service.NotSpam(ctx, id) })
}

// ifNotSpam answers GET /events/:id/notspam.
func (h *handler) ifNotSpam(c *fiber.Ctx) error {
	id, err := eventID(c)
	if err != nil {
		return err
	}
	return respond(c, readTimeout, func(ctx context.Context) (admin.ReleasePlan, error) { return h.service.IfNotSpam(ctx, id) })
}

// setRead answers POST /events/:id/read and POST /events/:id/unread.
func (h *handler) setRead(read bool) fiber.Handler {
	return func(c *fiber.Ctx) error {
		id, err := eventID(c)
		if err != nil {
			return err
		}
		return respond(c, readTimeout, func(ctx context.Context) (admin.ReadMark, error) { return h.service.SetRead(ctx, id, read) })
	}
}

// deletePost answers DELETE /events/:id.
func (h *handler) deletePost(c *fiber.Ctx) error {
	id, err := eventID(c)
	if err != nil {
		return err
	}
	return respond(c, changeTimeout, func(ctx context.Context) (admin.Erasure, error) { return h.service.DeletePost(ctx, id) })
}

// posts answers GET /forms/:name/posts.
func (h *handler) posts(c *fiber.Ctx) error {
	p := newParameters(c, h.now(), "since", "until", "after", "limit")
	q := admin.PostQuery{Since: p.time("since"), Until: p.time("until"), After: p.eventID("after"), Limit: p.limit()}
	if p.err != nil {
		return p.err
	}
	var err error
	if q.Form, err = pathName(c); err != nil {
		return err
	}
	return respond(c, readTimeout, func(ctx context.Context) (admin.Page[admin.Post], error) { return h.service.Posts(ctx, q) })
}

// formFiles answers GET /forms/:name/files.
func (h *handler) formFiles(c *fiber.Ctx) error {
	p := newParameters(c, h.now(), "before", "limit")
	before, limit := p.eventID("before"), p.limit()
	if p.err != nil {
		return p.err
	}
	name, err := pathName(c)
	if err != nil {
		return err
	}
	return respond(c, readTimeout, func(ctx context.Context) (admin.Page[admin.FormFile], error) {
		return h.service.FormFiles(ctx, name, before, limit)
	})
}

// snippet answers GET /forms/:name/snippet?kind=….
func (h *handler) snippet(c *fiber.Ctx) error {
	p := newParameters(c, h.now(), "kind", "lang")
	kind, lang := cmp.Or(p.text("kind"), string(forms.PlainSnippet)), p.text("lang")
	if p.err != nil {
		return p.err
	}
	name, err := pathName(c)
	if err != nil {
		return err
	}
	return respond(c, readTimeout, func(ctx context.Context) (admin.Snippet, error) { return h.service.Snippet(ctx, name, kind, lang) })
}

// fields answers GET /sources/:name/fields and GET /forms/:name/fields.
func (h *handler) fields(c *fiber.Ctx, form bool) error {
	if p := newParameters(c, h.now()); p.err != nil {
		return p.err
	}
	name, err := pathName(c)
	if err != nil {
		return err
	}
	return respond(c, readTimeout, func(ctx context.Context) (schema.Source, error) { return h.service.Fields(ctx, name, form) })
}
