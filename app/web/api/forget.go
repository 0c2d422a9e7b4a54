package api

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"github.com/gofiber/fiber/v2"

	"hookgate/internal/event"
)

// EraseRequest asks to delete what is stored of a person, a part at a time.
type EraseRequest struct {
	Address  string `json:"address"`            // the person's e-mail address
	Sources  bool   `json:"sources,omitempty"`  // events of sources too, not only form posts
	Mentions bool   `json:"mentions,omitempty"` // also events that hold it within a longer text only
	DryRun   bool   `json:"dry_run,omitempty"`  // count, and delete nothing
	// After is where it goes on, and Record which deletion it is: the Next and
	// the Record of the part before.
	After  *event.ID      `json:"after,omitempty"`
	Record *event.AuditID `json:"record,omitempty"`
}

// Erasure is the record of a deletion: how much, and not whose.
type Erasure struct {
	Record     event.AuditID `json:"record"`
	At         time.Time     `json:"at"`
	Events     int           `json:"events"`
	Deliveries int           `json:"deliveries"`
	Files      int           `json:"files"`
	Sources    bool          `json:"sources"`
	Mentions   bool          `json:"mentions"`
	Done       bool          `json:"done"` // false: it broke off, or goes on
}

// Erasures answers GET /forget.
type Erasures struct {
	Items []Erasure `json:"items"` // newest first
}

// ForgetOrigin counts the events of a form or source.
type ForgetOrigin struct {
	Name   string `json:"name"`
	Form   bool   `json:"form"`
	Events int    `json:"events"`
}

// Erased is a part of what was deleted, or would be.
type Erased struct {
	Total      int            `json:"total"`    // events to look into; in the first part
	Examined   int            `json:"examined"` // of them: those of this part
	Events     int            `json:"events"`
	Origins    []ForgetOrigin `json:"origins"`
	Deliveries int            `json:"deliveries"`
	Open       int            `json:"open"` // of the deliveries: those that had not ended
	Files      int            `json:"files"`
	Bytes      int64          `json:"bytes"`    // of the files
	Mentions   int            `json:"mentions"` // events that hold the address within a longer text only, and stay
	// Remains says, at the end, what could not be taken out of the files yet.
	Remains []string  `json:"remains,omitempty"`
	Next    *event.ID `json:"next,omitempty"` // there is more
	// Record is the number of the deletion in the list of them; nil for a count.
	Record *event.AuditID `json:"record,omitempty"`
}

// forget answers POST /forget. A key that it does not know is refused: who
// writes "dryrun" must not lose anything by it.
func (h *handler) forget(c *fiber.Ctx) error {
	var r EraseRequest
	decoder := json.NewDecoder(bytes.NewReader(c.BodyRaw()))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&r); err != nil {
		return &badRequest{"the body does not say whom to forget: " + err.Error()}
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), changeTimeout)
	defer cancel()
	part, err := h.service.Erase(ctx, r)
	if err != nil {
		return err
	}
	return c.JSON(part)
}

// forgettings answers GET /forget.
func (h *handler) forgettings(c *fiber.Ctx) error {
	list, err := h.service.Erasures(c.UserContext())
	if err != nil {
		return err
	}
	return c.JSON(Erasures{Items: list})
}
