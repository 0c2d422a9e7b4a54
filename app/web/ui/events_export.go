package ui

import (
	"html/template"
	"io"
	"strings"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
	"hookgate/app/web/api"
	"hookgate/internal/event"
)

// eventsExport asks as what the events of a search are to be written.
type eventsExport struct {
	Query string // as it was typed
	Chips []chip // as it is understood
	Text  string // that an event holds
	Where bool   // it has a condition
	admin.ExportPlan
	Error template.HTML // what is wrong with the query
}

// exportEvents is the page from which the events of a list are downloaded.
func (u *UI) exportEvents(c *fiber.Ctx) error {
	data := eventsExport{Query: strings.TrimSpace(c.Query("q"))}
	search, chips, err := readQuery(data.Query, u.cfg.Now(), languageOf(c))
	data.Chips, data.Text, data.Where = chips, search.Text, search.Where != ""
	if err == nil {
		data.ExportPlan, err = u.cfg.Service.PlanExport(c.UserContext(), search)
	}
	if said, status := explained(languageOf(c), err); status != 0 {
		c.Status(status)
		data.Error, err = said, nil
	}
	if err != nil {
		return u.fail(c, err)
	}
	return u.renderPage(c, "events-export", "events", languageOf(c).text("Export"), data)
}

// eventsFile gives the events of a search as a file, which is made while it is sent.
func (u *UI) eventsFile(c *fiber.Ctx) error {
	search, _, err := readQuery(strings.TrimSpace(c.Query("q")), u.cfg.Now(), languageOf(c))
	format, delimiter := formatOf(c)
	var f event.File
	var content io.ReadCloser
	if err == nil {
		f, content, err = u.cfg.Service.ExportEvents(u.acts(c), admin.EventExport{Search: search, Format: admin.EventFormat(format), Delimiter: delimiter})
	}
	if err != nil {
		return u.fail(c, err)
	}
	return api.SendFile(c, f, content)
}

// formatOf is what a page asks for: a format, and what parts the cells of CSV.
func formatOf(c *fiber.Ctx) (format string, delimiter rune) {
	if format, semicolons := strings.CutSuffix(c.Query("format", "csv"), ";"); semicolons {
		return format, ';'
	}
	return c.Query("format", "csv"), ','
}
