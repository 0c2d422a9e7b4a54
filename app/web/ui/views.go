package ui

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
)

// viewsFor are the usual views and those that people keep; here is the query of the
// list that is shown.
func (u *UI) viewsFor(c *fiber.Ctx, here string) []savedView {
	var list []savedView
	var standing admin.Standing
	if c.Query("before") == "" { // where a search goes on they are there already
		var err error
		if standing, err = u.cfg.Service.Standing(c.UserContext()); err != nil {
			u.cfg.Logger.WarnContext(c.UserContext(), "the views of events go without their numbers", "error", err)
		}
	}
	for _, v := range usualViews {
		v.Name, v.Here = languageOf(c).text(v.Name), v.Query == here
		if v.count != nil {
			v.Count = v.count(&standing)
		}
		list = append(list, v)
	}
	page, err := u.cfg.Service.Views(c.UserContext())
	if err != nil { // the events are there without them
		u.cfg.Logger.WarnContext(c.UserContext(), "the list of events goes without its views", "error", err)
	}
	for _, v := range page.Items {
		list = append(list, savedView{Name: v.Name, Query: v.Query, Here: v.Query == here, Kept: true})
	}
	return list
}

// keepView keeps the list that is shown under a name. Where that cannot be, the list
// says why, with what was typed. It takes the place of no other list, which somebody
// else may have kept meanwhile.
func (u *UI) keepView(c *fiber.Ctx) error {
	form := c.Context().PostArgs()
	r := admin.ViewRequest{Name: string(form.Peek("name")), Query: strings.TrimSpace(string(form.Peek("q"))), New: true}
	v, err := u.cfg.Service.SetView(u.acts(c), r)
	if err == nil {
		return u.done(c, prefix+"/events"+query("q", v.Query), "ok", languageOf(c).text("The view %s is kept, for all who use these pages.", v.Name))
	}
	said, status := explained(languageOf(c), err)
	if status == 0 {
		return u.fail(c, err)
	}
	data, err := u.listEvents(c, r.Query)
	if err != nil {
		return u.fail(c, err)
	}
	if data.Name = (&viewName{Typed: r.Name, Refused: true}); data.Error == "" {
		data.Name.Error = said
	}
	c.Status(status)
	return u.render(c, "events", "Events", data)
}

// keepAgain is where a login leads from the page of a view that could not be kept: the
// form of that page, into which the browser puts what was typed.
func (u *UI) keepAgain(c *fiber.Ctx) error {
	data, err := u.listEvents(c, "")
	if err != nil {
		return u.fail(c, err)
	}
	data.Name = &viewName{}
	return u.render(c, "events", "Events", data)
}

// deleteView deletes a view.
func (u *UI) deleteView(c *fiber.Ctx) error {
	v, err := u.cfg.Service.DeleteView(u.acts(c), string(c.Context().PostArgs().Peek("name")))
	switch {
	case missing(err):
		return u.notFound(c, "There is no such view any more.")
	case err != nil:
		return u.fail(c, err)
	}
	return u.done(c, prefix+"/events", "ok", languageOf(c).text("The view %s is deleted. Its events are as they were.", v.Name))
}
