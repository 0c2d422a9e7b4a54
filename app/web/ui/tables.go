package ui

import (
	"encoding/json"
	"strings"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
	"hookgate/internal/event"
)

// tableList is the page of the kept tables.
type tableList struct {
	Items []admin.Table
}

// tablePage is the page of a kept table: its records, in the order of their keys.
type tablePage struct {
	Name  string
	Table admin.Table
	Items []admin.Record
	Key   string // the one that was asked for; "": all
	Next  string // the URL of the page behind it; "" at the end
	First string // the URL of the first page; "" on it
	Rules []string
}

// tables lists the kept tables.
func (u *UI) tables(c *fiber.Ctx) error {
	page, err := u.cfg.Service.Tables(c.UserContext())
	if err != nil {
		return u.fail(c, err)
	}
	return u.render(c, "tables", "Tables", tableList{page.Items})
}

// table shows the records of one.
func (u *UI) table(c *fiber.Ctx) error {
	data := tablePage{Name: c.Params("name"), Key: c.Query("key")}
	after, here := c.Query("after"), prefix+"/tables/"+c.Params("name")
	var err error
	if data.Key != "" {
		var one admin.Record
		if one, err = u.cfg.Service.Record(c.UserContext(), event.RecordKey{Table: data.Name, Key: data.Key}); err == nil {
			data.Items = []admin.Record{one}
		}
	}
	if data.Key == "" || missing(err) {
		var page admin.Page[admin.Record]
		if page, err = u.cfg.Service.Records(c.UserContext(), data.Name, after, eventsPerPage); data.Key == "" {
			data.Items = page.Items
		}
		if page.Next != "" && data.Key == "" {
			data.Next = here + query("after", page.Next)
		}
	}
	if missing(err) {
		return u.notFound(c, "There is no such table. A table that rules write to has keep in the configuration.")
	}
	if err != nil {
		return u.fail(c, err)
	}
	if after != "" || data.Key != "" {
		data.First = here
	}
	if err := u.aboutTable(c, &data); err != nil {
		return u.fail(c, err)
	}
	return u.renderPage(c, "table", "tables", data.Name, data)
}

// aboutTable says how many records there are, and which rules use them.
func (u *UI) aboutTable(c *fiber.Ctx, p *tablePage) error {
	page, err := u.cfg.Service.Tables(c.UserContext())
	if err != nil {
		return err
	}
	for _, t := range page.Items {
		if t.Name == p.Name {
			p.Table = t
		}
	}
	list := u.cfg.Service.RuleSettings()
	for i := range list {
		if list[i].Uses(p.Name) {
			p.Rules = append(p.Rules, list[i].Name)
		}
	}
	return nil
}

// Kept tells whether the table is still in the configuration.
func (p tablePage) Kept() bool { return p.Table.Keep != "" }

// exportTable gives all records, a JSON object a line, as hookgate tables export
// does.
func (u *UI) exportTable(c *fiber.Ctx) error {
	name := c.Params("name")
	var out []byte
	for after := ""; ; {
		page, err := u.cfg.Service.Records(c.UserContext(), name, after, admin.MaxLimit)
		if missing(err) {
			return u.notFound(c, "There is no such table. A table that rules write to has keep in the configuration.")
		}
		if err != nil {
			return u.fail(c, err)
		}
		for i := range page.Items {
			line, err := json.Marshal(page.Items[i])
			if err != nil {
				return u.fail(c, err)
			}
			out = append(append(out, line...), '\n')
		}
		if after = page.Next; after == "" {
			break
		}
	}
	c.Set(fiber.HeaderContentType, "application/x-ndjson; charset=utf-8")
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+name+`.jsonl"`)
	return sendPacked(c, out, func() []byte { return pack(out) })
}

// setRecord sets fields of a record.
func (u *UI) setRecord(c *fiber.Ctx) error {
	k := recordKey(c)
	var texts []string
	for line := range strings.Lines(string(c.Context().PostArgs().Peek("fields"))) {
		if line = strings.TrimSpace(line); line != "" {
			texts = append(texts, line)
		}
	}
	change, wrong := admin.ChangeOf(texts)
	if wrong != "" {
		return u.refuse(c, fiber.StatusBadRequest, languageOf(c).text("%s sets no field. Write it as status=Done.", wrong))
	}
	_, err := u.cfg.Service.SetRecord(u.acts(c), k, change)
	return u.recordDone(c, k, err, languageOf(c).text("The record %s is set.", k.Key))
}

// deleteRecord deletes a record.
func (u *UI) deleteRecord(c *fiber.Ctx) error {
	k := recordKey(c)
	_, err := u.cfg.Service.DeleteRecord(u.acts(c), k)
	return u.recordDone(c, k, err, languageOf(c).text("The record %s is deleted.", k.Key))
}

func recordKey(c *fiber.Ctx) event.RecordKey {
	return event.RecordKey{Table: c.Params("name"), Key: string(c.Context().PostArgs().Peek("key"))}
}

func (u *UI) recordDone(c *fiber.Ctx, k event.RecordKey, err error, done string) error {
	switch said, ok := sentence(languageOf(c), err); {
	case err == nil:
		return u.done(c, prefix+"/tables/"+k.Table, "ok", done)
	case missing(err):
		return u.notFound(c, "There is no such record, or no such table.")
	case ok:
		return u.refuse(c, fiber.StatusBadRequest, said)
	}
	return u.fail(c, err)
}
