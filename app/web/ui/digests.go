package ui

import (
	"context"
	"strings"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
	"hookgate/internal/cron"
	"hookgate/internal/event"
)

// digestsShown is how many open digests the page lists: those that close first.
const digestsShown = 200

// digestList is the page of the digests that are open.
type digestList struct {
	Items []admin.Digest
	More  int // that are not shown
}

// noSuchDigest is what who asks for a digest that is not open is told.
const noSuchDigest = "There is no such open digest: it may have closed. What was made of it is among the deliveries."

// digests lists those that are open, the first that closes first.
func (u *UI) digests(c *fiber.Ctx) error {
	page, err := u.cfg.Service.Digests(c.UserContext())
	if err != nil {
		return u.fail(c, err)
	}
	data := digestList{Items: page.Items}
	if len(data.Items) > digestsShown {
		data.Items, data.More = data.Items[:digestsShown], len(data.Items)-digestsShown
	}
	return u.render(c, "digests", "Digests", data)
}

// digest shows one with the events in it.
func (u *UI) digest(c *fiber.Ctx) error {
	id, err := event.ParseDigestID(c.Params("id"))
	if err != nil {
		return u.notFound(c, noSuchDigest)
	}
	detail, err := u.cfg.Service.Digest(c.UserContext(), id)
	if missing(err) {
		return u.notFound(c, noSuchDigest)
	}
	if err != nil {
		return u.fail(c, err)
	}
	return u.renderPage(c, "digest", "digests", detail.Action, &detail)
}

// sendDigest closes a digest now.
func (u *UI) sendDigest(c *fiber.Ctx) error {
	return u.endDigest(c, u.cfg.Service.SendDigest, "The digest of %d events closes now: %s gets it.")
}

// cancelDigest gives a digest up.
func (u *UI) cancelDigest(c *fiber.Ctx) error {
	return u.endDigest(c, u.cfg.Service.CancelDigest, "The digest of %d events for %s was given up.")
}

func (u *UI) endDigest(c *fiber.Ctx, end func(context.Context, event.DigestID) (admin.Digest, error), done string) error {
	id, err := event.ParseDigestID(c.Params("id"))
	if err != nil {
		return u.notFound(c, noSuchDigest)
	}
	d, err := end(u.acts(c), id)
	if missing(err) {
		return u.notFound(c, noSuchDigest)
	}
	if err != nil {
		return u.fail(c, err)
	}
	return u.done(c, prefix+"/digests", "ok", languageOf(c).text(done, d.Events, d.Connection))
}

// ClosesBy says why a digest closes when it does.
func (v *view) ClosesBy(d admin.Digest) string {
	text := v.closesBy(d.By)
	if d.Full {
		text = v.T("it is full, or was sent by hand")
	}
	if d.OnlyDuring != "" {
		text += ", " + v.T("then when %s is open", d.OnlyDuring)
	}
	return text
}

// closesBy is what a rule says of it, from the words of the API.
func (v *view) closesBy(words string) string {
	if text, ok := strings.CutPrefix(words, "cron "); ok {
		if schedule, err := cron.Parse(text); err == nil {
			return schedule.Words(string(v.Lang))
		}
		return words
	}
	after, latest, quiet := strings.Cut(words, " after the last, ")
	if quiet {
		return v.T("%s after the last event, %s after the first at the latest", after, strings.TrimSuffix(latest, " after the first at the latest"))
	}
	if after, ok := strings.CutSuffix(words, " after the first"); ok {
		return v.T("%s after the first event", after)
	}
	return words
}

// KeyOf is the key of a digest for people; "" where the rule has none.
func (v *view) KeyOf(d admin.Digest) string {
	switch {
	case d.Keyed && d.Key == "":
		return v.T("without a key")
	case d.Keyed:
		return d.Key
	}
	return ""
}
