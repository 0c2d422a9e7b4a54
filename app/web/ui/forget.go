package ui

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
	"hookgate/internal/event"
)

const (
	// forgetTime is after how long a page tells how far it is, and asks to go on.
	forgetTime = 20 * time.Second
	// forgetPart is how long a part may take at the most.
	forgetPart = 5 * time.Minute
)

// forgetPage is where all that is stored of a person is looked for and deleted, and
// the list of deletions.
type forgetPage struct {
	Address           string
	Sources, Mentions bool
	Found             *admin.Erased // what was found, or deleted, so far; nil: nobody was asked about
	Deleting          bool
	SoFar             string // Found, for the page that goes on
	List              []admin.Erasure
	Older, Newest     string // the URLs of the next page of the list, and of the first
}

// forget lists deletions, and asks whom to delete.
func (u *UI) forget(c *fiber.Ctx) error { return u.showForget(c, &forgetPage{}) }

func (u *UI) showForget(c *fiber.Ctx, data *forgetPage) error {
	var before event.AuditID
	if text := c.Query("before"); text != "" {
		if before.UnmarshalText([]byte(text)) != nil {
			return u.notFound(c, noSuchPage)
		}
		data.Newest = prefix + "/forget"
	}
	page, err := u.cfg.Service.Erasures(c.UserContext(), before, eventsPerPage)
	if err != nil {
		return u.fail(c, err)
	}
	data.List = page.Items
	if page.Next != "" {
		data.Older = prefix + "/forget" + query("before", page.Next)
	}
	return u.renderPage(c, "forget", "forms", languageOf(c).text("Delete a person"), data)
}

// lookForPerson counts what would be deleted.
func (u *UI) lookForPerson(c *fiber.Ctx) error { return u.erase(c, false) }

// erasePerson deletes it.
func (u *UI) erasePerson(c *fiber.Ctx) error { return u.erase(c, true) }

// erase goes through the history, as far as it gets while a page is waited for; the
// page goes on where it stopped. The address is in no URL.
func (u *UI) erase(c *fiber.Ctx, deleting bool) error {
	form := c.Context().PostArgs()
	data := &forgetPage{
		Address: strings.TrimSpace(string(form.Peek("address"))), Sources: form.Has("sources"), Mentions: form.Has("mentions"), Deleting: deleting,
		Found: &admin.Erased{},
	}
	if text := form.Peek("so_far"); len(text) > 0 && json.Unmarshal(text, data.Found) != nil {
		return u.refuse(c, fiber.StatusBadRequest, "This page is too old to act. Load it again and try once more; nothing was done.")
	}
	r := admin.EraseRequest{Address: data.Address, Sources: data.Sources, Mentions: data.Mentions, DryRun: !deleting, After: data.Found.Next, Record: data.Found.Record}
	for began := u.cfg.Now(); ; {
		part, err := u.erasePart(c, r)
		if err != nil {
			return u.fail(c, err)
		}
		data.Found.Add(&part)
		if part.Next == nil || u.cfg.Now().Sub(began) > forgetTime {
			break
		}
		r.After, r.Record = part.Next, part.Record
	}
	if deleting && data.Found.Next == nil {
		l, gone := languageOf(c), data.Found
		text := l.text("Deleted: %s, %s, %s, %s.", l.text("%d events", gone.Events), l.text("%d deliveries", gone.Deliveries), l.text("%d files", gone.Files), l.text("%d records", gone.Records))
		text += " " + l.text("This deletion has the number %s.", gone.Record.String())
		if len(gone.Remains) > 0 {
			text += " " + strings.Join(gone.Remains, ". ") + "."
		}
		return u.done(c, prefix+"/forget", "ok", text)
	}
	soFar, err := json.Marshal(data.Found)
	if err != nil {
		return u.fail(c, err)
	}
	data.SoFar = string(soFar)
	return u.showForget(c, data)
}

// erasePart does one part, which is whole also where the visitor goes away.
func (u *UI) erasePart(c *fiber.Ctx, r admin.EraseRequest) (admin.Erased, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(u.acts(c)), forgetPart)
	defer cancel()
	return u.cfg.Service.Erase(ctx, r)
}

// Going reports that there is more to look into.
func (p *forgetPage) Going() bool { return p.Found != nil && p.Found.Next != nil }

// Anything reports that there is something to delete.
func (p *forgetPage) Anything() bool { return p.Found != nil && p.Found.Events+p.Found.Records > 0 }
