package ui

import (
	"cmp"
	"errors"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"hookgate/app/admin"
	"hookgate/internal/event"
)

// connectionList is the page of connections.
type connectionList struct {
	Items []admin.Connection
	Fine  int
	// Tested is what came of a test of the connection named Name.
	Tested *admin.Tested
	Name   string
	Zone   string // of the times that are typed
}

// choice is a length of time to choose.
type choice struct{ Value, Words string }

// PauseSpans are how long a pause may be at a click.
func (v *view) PauseSpans() []choice {
	return []choice{{"15m", v.T("%d minutes", 15)}, {"1h", v.T("%d hours", 1)}, {"4h", v.T("%d hours", 4)}, {"1d", v.T("%d days", 1)}, {"7d", v.T("%d days", 7)}}
}

// connections shows how every connection is and has been.
func (u *UI) connections(c *fiber.Ctx) error { return u.connectionsWith(c, "", nil) }

func (u *UI) connectionsWith(c *fiber.Ctx, name string, tested *admin.Tested) error {
	page, err := u.cfg.Service.Connections(c.UserContext())
	if err != nil {
		return u.fail(c, err)
	}
	data := connectionList{Items: page.Items, Name: name, Tested: tested, Zone: u.location().String()}
	for i := range page.Items {
		if page.Items[i].State == "ok" {
			data.Fine++
		}
	}
	return u.render(c, "connections", "Connections", data)
}

// Share is the part of attempts that arrived, in percent; "–" where there were
// none.
func (v *view) Share(w admin.Window) string {
	if w.Attempts == 0 {
		return "–"
	}
	share := 100 * float64(w.Attempts-w.Failed) / float64(w.Attempts)
	if w.Failed > 0 && share > 99.9 {
		share = 99.9
	}
	return v.Lang.number(share) + " %"
}

// pauseConnection holds what goes to a connection.
func (u *UI) pauseConnection(c *fiber.Ctx) error {
	name, form := c.Params("name"), c.Context().PostArgs()
	how := admin.Pausing{Note: string(form.Peek("note")), For: string(form.Peek("for")), Seen: seenIn(form)}
	if text := string(form.Peek("until")); text != "" {
		at, err := time.ParseInLocation("2006-01-02T15:04", text, u.location())
		if err != nil {
			return u.refuse(c, fiber.StatusBadRequest, languageOf(c).text("%s is no time. Write it like 2026-03-27T16:50.", text))
		}
		how.Until = &at
	}
	_, err := u.cfg.Service.Pause(u.acts(c), name, how)
	return u.connectionDone(c, err, languageOf(c).text("%s is paused. Nothing is dropped: what is for it is held.", name))
}

// Seen has a pause be changed only by who has seen it; see admin.Pausing.
func (v *view) Seen(p *admin.Pause) string { return p.Since.Format(time.RFC3339Nano) }

// seenIn is what Seen wrote into a form; nil where it has nothing of that.
func seenIn(form *fasthttp.Args) *string {
	if !form.Has("seen") {
		return nil
	}
	return new(string(form.Peek("seen")))
}

// resumeConnection sends what was held.
func (u *UI) resumeConnection(c *fiber.Ctx) error {
	name, form := c.Params("name"), c.Context().PostArgs()
	_, err := u.cfg.Service.Resume(u.acts(c), name, admin.Resuming{Rate: string(form.Peek("rate")), Seen: seenIn(form)})
	return u.connectionDone(c, err, languageOf(c).text("%s goes on.", name))
}

func (u *UI) connectionDone(c *fiber.Ctx, err error, done string) error {
	switch said, ok := sentence(languageOf(c), err); {
	case err == nil:
		return u.done(c, prefix+"/connections#"+c.Params("name"), "ok", done)
	case missing(err):
		return u.notFound(c, "The configuration has no such connection.")
	case errors.Is(err, event.ErrNotAsSeen):
		return u.refuse(c, fiber.StatusConflict, languageOf(c).text("%s was paused, or goes on, since you loaded this page. Nothing was done: see how it is now, and send it again.", c.Params("name")))
	case ok:
		return u.refuse(c, fiber.StatusBadRequest, said)
	}
	return u.fail(c, err)
}

// testConnection tries a connection. Where somebody would get a message, it asks
// first.
func (u *UI) testConnection(c *fiber.Ctx) error {
	confirmed, _ := strconv.ParseBool(cmp.Or(string(c.Context().PostArgs().Peek("confirmed")), "false"))
	tested, err := u.cfg.Service.TestConnection(u.acts(c), c.Params("name"), confirmed)
	if err != nil {
		return u.connectionDone(c, err, "")
	}
	return u.connectionsWith(c, c.Params("name"), &tested)
}
