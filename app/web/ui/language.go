package ui

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"hookgate/internal/locale"
)

// language is one that the pages are written in: its code.
type language string

const (
	english language = "en"
	german  language = "de"
)

// languageOf is what the visitor chose, else what the browser prefers.
func languageOf(c *fiber.Ctx) language {
	switch c.Cookies("lang") {
	case "en":
		return english
	case "de":
		return german
	}
	if strings.HasPrefix(c.AcceptsLanguages("en", "de"), "de") {
		return german
	}
	return english
}

// language keeps the choice, and goes back to where the visitor was.
func (u *UI) language(c *fiber.Ctx) error {
	l := language(c.Params("lang"))
	if l != english && l != german {
		return fiber.ErrNotFound
	}
	c.Cookie(&fiber.Cookie{Name: "lang", Value: string(l), Path: prefix + "/", MaxAge: 365 * 24 * 3600, SameSite: fiber.CookieSameSiteLaxMode, Secure: u.cfg.Secure(c.Context())})
	return c.Redirect(localPath(c.Query("to")), fiber.StatusSeeOther)
}

// Other is the language that a page offers instead.
func (l language) Other() language {
	if l == german {
		return english
	}
	return german
}

// text is a text of the pages, which stands in the code in English, with the
// arguments in their places. What the language lacks stays English; a test says
// which.
func (l language) text(text string, args ...any) string {
	if len(args) > 0 && args[0] == 1 {
		text = cmp.Or(ofOne[text], text)
	}
	if l == german {
		if own, ok := germanTexts[text]; ok {
			text = own
		}
	}
	if len(args) == 0 {
		return text
	}
	text = strings.ReplaceAll(text, "%d", "%s") // numbers are written here
	for i, a := range args {
		switch a.(type) {
		case int, int64:
			args[i] = l.number(a)
		}
	}
	return fmt.Sprintf(text, args...)
}

// ofOne are the texts that are another one where their first number is 1.
var ofOne = dictionary([][2]string{
	{"%d are being retried.", "%d is being retried."},
	{"%d things need attention.", "%d thing needs attention."},
	{"%d moments are over since then, and nothing has come of them yet. It is tried again and again; where it goes on, the server's log says why.", "%d moment is over since then, and nothing has come of it yet. It is tried again and again; where it goes on, the server's log says why."},
	{"Nothing is lost: %d deliveries are kept for it and tried again.", "Nothing is lost: %d delivery is kept for it and tried again."},
	{"Replay %d events", "Replay %d event"},
	{"%d chains of steps, behind what was delivered; what they send shows then", "%d chain of steps, behind what was delivered; what it sends shows then"},
	{"%d events: nothing is missing of what today's rules send", "%d event: nothing is missing of what today's rules send"},
	{"%d events, rejected, duplicate or spam: no rule has seen their data", "%d event, rejected, duplicate or spam: no rule has seen its data"},
	{"A rule of today cannot be evaluated for %d events, and sends nothing for them.", "A rule of today cannot be evaluated for %d event, and sends nothing for it."},
	{"%d branches", "%d branch"},
	{"%d digests are open", "%d digest is open"},
	{"The digest of %d events closes now: %s gets it.", "The digest of %d event closes now: %s gets it."},
	{"The digest of %d events for %s was given up.", "The digest of %d event for %s was given up."},
	{"%d records", "%d record"},
	{"Today's rules made %d deliveries of it.", "Today's rules made %d delivery of it."},
	{"%d deliveries are left out: their moment is over by more than an hour.", "%d delivery is left out: its moment is over by more than an hour."},
	{"Send %d deliveries now", "Send %d delivery now"},
	{"Retry of %d deliveries", "Retry of %d delivery"},
	{"%d events had an error in a rule", "%d event had an error in a rule"},
	{"%d events had an error in a rule within the last day.", "%d event had an error in a rule within the last day."},
	{"and %d more elements", "and %d more element"},
	{"%d connections are paused.", "%d connection is paused."},
	{"%d connections", "%d connection"},
	{"%d deliveries", "%d delivery"},
	{"%d deliveries are being sent again.", "%d delivery is being sent again."},
	{"%d deliveries failed within the last day.", "%d delivery failed within the last day."},
	{"%d deliveries, the last", "%d delivery"},
	{"%d deliveries were given up.", "%d delivery was given up."},
	{"%d deliveries were tried within the last day.", "%d delivery was tried within the last day."},
	{"%d events", "%d event"},
	{"%d events or more", "%d event or more"},
	{"%d events were looked through.", "%d event was looked through."},
	{"%d events could not be judged", "%d event could not be judged"},
	{"%d events missed it by one condition:", "%d event missed it by one condition:"},
	{"judged by the rules in force: %d events since", "judged by the rules in force: %d event since"},
	{"%d matches in 30 days", "%d match in 30 days"},
	{"%d matches", "%d match"},
	{"%d tests", "%d test"},
	{"%d events, the oldest first: %d match now, %d would match", "%d event, the oldest first: %d match now, %d would match"},
	{"%d match now, %d would match", "%d matches now, %d would match"},
	{"%d forms", "%d form"},
	{"%d hours", "%d hour"},
	{"%d days", "%d day"},
	{"%d files", "%d file"},
	{"It also stands within a longer text of %d other events, which stay.", "It also stands within a longer text of %d other event, which stays."},
	{"%d errors", "%d error"},
	{"%d warnings", "%d warning"},
	{"%d sources, %d rules and %d connections; the table below has the same", "%d source, %d rules and %d connections; the table below has the same"},
	{"%d rules", "%d rule"},
	{"%d sources", "%d source"},
	{"%d more tries, then a pause.", "%d more try, then a pause."},
	{"%d tries", "%d try"},
	{"Retry %d deliveries", "Retry %d delivery"},
	{"Retry %d deliveries to %s", "Retry %d delivery to %s"},
	{"Too many tries. Try again in %d seconds.", "Too many tries. Try again in %d second."},
})

// dictionary is texts by other ones, from pairs of them. A pair to a line is not
// aligned with its neighbours, so that a new text is one line of a change.
func dictionary(pairs [][2]string) map[string]string {
	texts := make(map[string]string, len(pairs))
	for _, p := range pairs {
		if _, twice := texts[p[0]]; twice {
			panic("there are two texts for " + p[0])
		}
		texts[p[0]] = p[1]
	}
	return texts
}

// locale is how the language writes numbers, and names of days and months.
func (l language) locale() *locale.Locale {
	if found, ok := locale.Find(string(l)); ok {
		return found
	}
	return locale.English()
}

// number writes a number: 1,204 or 1.204. One with a fraction keeps a digit of
// it.
func (l language) number(n any) string {
	text := fmt.Sprint(n)
	if f, ok := n.(float64); ok {
		text = strings.TrimSuffix(strconv.FormatFloat(f, 'f', 1, 64), ".0")
	}
	return l.locale().Number(text)
}

// day names a day with its weekday.
func (l language) day(at time.Time) string {
	if l == german {
		return fmt.Sprintf("%s, %d. %s %d", l.locale().Weekday(at.Weekday(), false), at.Day(), l.locale().Month(at.Month(), true), at.Year())
	}
	return at.Format("Monday 2 January 2006")
}

// clock writes a moment where no script writes it in the browser's zone.
func (l language) clock(at time.Time, kind string) string {
	switch kind {
	case "time":
		return at.Format("15:04:05")
	case "minute":
		return at.Format("15:04")
	case "day":
		if l == german {
			return fmt.Sprintf("%d. %s", at.Day(), l.locale().Month(at.Month(), true))
		}
		return at.Format("2 Jan")
	}
	if l == german {
		return at.Format("02.01.2006, 15:04:05")
	}
	return at.Format("2 Jan 2006, 15:04:05")
}
