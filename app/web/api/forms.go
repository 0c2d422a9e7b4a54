package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"hookgate/internal/event"
)

// countedSince is how far back GET /forms counts unless told.
const countedSince = 7 * 24 * time.Hour

// FormCount is what a form got in a time.
type FormCount struct {
	Name    string   `json:"name"`
	Title   string   `json:"title"`
	Address string   `json:"address"` // a path where server.public_url is not set
	Fields  []string `json:"fields"`  // null: any
	Posts   int      `json:"posts"`   // those that the rules saw
	Spam    int      `json:"spam"`
	Repeats int      `json:"repeats"`
}

// FormCounts is the answer of GET /forms.
type FormCounts struct {
	Items []FormCount `json:"items"`
	Since time.Time   `json:"since"`
}

// Released is the answer of POST /events/:id/notspam.
type Released struct {
	ID    event.ID    `json:"id"`
	State event.State `json:"state"`
}

// forms answers GET /forms?since=….
func (h *handler) forms(c *fiber.Ctx) error {
	p := newParameters(c, h.now(), "since")
	since := p.since()
	if p.err != nil {
		return p.err
	}
	if since.IsZero() {
		since = h.now().Add(-countedSince)
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), readTimeout)
	defer cancel()
	items, err := h.service.Forms(ctx, since)
	if err != nil {
		return fmt.Errorf("cannot count the posts of forms: %w", err)
	}
	if items == nil {
		items = []FormCount{}
	}
	return c.JSON(FormCounts{Items: items, Since: since.UTC()})
}

// notSpam answers POST /events/:id/notspam: 202 once the rules have had the
// post, 409 where it is not kept from them.
func (h *handler) notSpam(c *fiber.Ctx) error {
	id, err := namedEvent(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), readTimeout)
	defer cancel()
	ack, err := h.service.NotSpam(ctx, id)
	if errors.Is(err, event.ErrNotKept) {
		return WriteProblem(c.Context(), Problem{
			Status: http.StatusConflict, ID: id.String(),
			Detail: fmt.Sprintf("event %s is neither spam nor a repeat of a form post: there is nothing to release", id),
		})
	}
	if err != nil {
		return missing(err, fmt.Sprintf("there is no event %s: it never was, or retention has removed it", id))
	}
	return c.Status(http.StatusAccepted).JSON(Released{ID: ack.ID, State: ack.State})
}
